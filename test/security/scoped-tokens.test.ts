import {
  type ConsultationId,
  type ConsultationView,
  type RequestName,
  requestNames,
} from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { createConsultation, peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { startCall, startVisit } from '../helpers/visit.ts';
import { pointingRequests, unknownIds, validPayloads } from './valid-payloads.ts';

/** Two consultations of the same people, and the patient connected with a token for the first alone. */
async function twoConsultations(app: TestApp) {
  const [near, far] = [
    await createConsultation(app.origin, hostToken(), 'same'),
    await createConsultation(app.origin, hostToken(), 'same'),
  ];
  const token = personToken(peopleOf(near).patient, near.consultationId);
  return { near, far, token };
}

const both = async (
  app: TestApp,
  { consultationId }: ConsultationView,
  { patient, doctor } = { patient: '', doctor: '' },
) => {
  await using first = await RawClient.connect(app.origin, personToken(patient));
  await using second = await RawClient.connect(app.origin, personToken(doctor));
  await first.request('consultation.enter', { consultationId });
  await second.request('consultation.accept', { consultationId });
  const { call } = await second.request('call.start', { consultationId, media: 'voice' });
  await second.request('call.hangUp', { consultationId, callId: call.callId });
};

test('[A1] [AUTH9] a token for one consultation finds no other of the same person by any request', async () => {
  await using app = await startTestApp();
  const { near, far, token } = await twoConsultations(app);
  await using client = await RawClient.connect(app.origin, token);
  const payloads = validPayloads({ ...unknownIds, consultationId: far.consultationId });
  for (const name of pointingRequests.filter((request) => request !== 'invitation.revoke'))
    expect(await client.emit(name, payloads[name]), name).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
  const { consultations } = await client.request('consultation.list', {});
  expect(consultations.map(({ consultationId }) => consultationId)).toEqual([near.consultationId]);
  const { consultation } = await client.request('consultation.watch', {
    consultationId: near.consultationId,
  });
  expect(consultation).toEqual(near);
});

test('[A1] [AUTH12] a token for one consultation changes nothing of the person beside it, and accepts no invitations', async () => {
  await using app = await startTestApp();
  const { token } = await twoConsultations(app);
  await using client = await RawClient.connect(app.origin, token);
  const payloads = validPayloads();
  const names: RequestName[] = requestNames.filter((name) =>
    /^(preferences\.set|push\.(un)?subscribe|invitation\.(preview|redeem|revoke)|nearby|colleague)/.test(
      name,
    ),
  );
  expect(names).toHaveLength(10);
  for (const name of names)
    expect(await client.emit(name, payloads[name]), name).toMatchObject({ error: { code: 'FORBIDDEN' } });
  expect(await client.emit('invitation.create', { purpose: 'colleague' })).toMatchObject({
    error: { code: 'FORBIDDEN' },
  });
});

test('[A1] [AUTH9] a token for one consultation finds no other of the same person by any route', async () => {
  await using app = await startTestApp();
  const { near, far, token } = await twoConsultations(app);
  const status = async (id: ConsultationId, path = '') =>
    (
      await fetch(`${app.origin}/v1/consultations/${id}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;
  expect(await status(near.consultationId)).toBe(200);
  const attachment = `/attachments/${unknownIds.attachmentId}`;
  for (const path of ['', '/thread', attachment, `${attachment}/content`])
    expect(await status(far.consultationId, path), path).toBe(404);
  const upload = (id: ConsultationId) =>
    fetch(`${app.origin}/v1/uploads`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'tus-resumable': '1.0.0',
        'upload-length': '10',
        'upload-metadata': `consultationId ${btoa(id)},kind ${btoa('file')}`,
      },
    });
  expect((await upload(near.consultationId)).status).toBe(201);
  expect((await upload(far.consultationId)).status).toBe(404);
});

test('[A1] [AUTH9] a token for one consultation hears of no other of the same person', async () => {
  await using app = await startTestApp();
  const { near, far, token } = await twoConsultations(app);
  const people = peopleOf(near);
  await using client = await RawClient.connect(app.origin, token);
  await using everywhere = await RawClient.connect(app.origin, personToken(people.patient));
  await both(app, far, people);
  await both(app, near, people);
  const ids = (device: RawClient) =>
    new Set([
      ...device.of('consultation.changed').map(({ consultationId }) => consultationId),
      ...device.of('call.changed').map(({ consultationId }) => consultationId),
    ]);
  await client.fact('call.changed', ({ state }) => state === 'ended');
  await everywhere.fact(
    'call.changed',
    ({ state, consultationId }) => state === 'ended' && consultationId === near.consultationId,
  );
  expect(ids(everywhere)).toEqual(new Set([far.consultationId, near.consultationId]));
  expect(ids(client)).toEqual(new Set([near.consultationId]));
});

test('[A1] [AUTH9] a seat answers only under the consultation that its call belongs to', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const callId = await startCall(visit);
  const payloads = validPayloads({ ...unknownIds, callId });
  const names = ['seat.connectTransport', 'seat.setCapabilities', 'seat.produce', 'seat.restartIce'] as const;
  for (const name of names)
    expect(await visit.patient.emit(name, payloads[name]), name).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
});
