import { ConsultationView, type Entry, errorCatalogue } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { expect, test } from 'vitest';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, textDraft } from '../../helpers/visit.ts';
import { type Call, call } from './rest-client.ts';

const CANARY = 'CANARY-diagnosis-4711';
const NOWHERE = `cns_${'z'.repeat(22)}`;

const token = hostToken();
const people = {
  patient: { personId: 'patient-1', displayName: '王小明' },
  doctor: { personId: 'doctor-1', displayName: '李医生' },
};
const keyed = (key: string, body: unknown = people): Call => ({
  token,
  body,
  headers: { 'idempotency-key': key },
});

test('[REST1] creating answers 201 with the consultation and where it is found', async () => {
  await using app = await startTestApp();
  const { status, headers, body } = await call(app, 'POST /v1/consultations', { token, body: people });
  const view = ConsultationView.parse(body);
  expect(status).toBe(201);
  expect(view).toMatchObject({ phase: 'requested', lastSequence: 1, endReason: null });
  expect(view.participants).toEqual([
    { ...people.patient, role: 'patient' },
    { ...people.doctor, role: 'doctor' },
  ]);
  expect(headers.get('location')).toBe(`/v1/consultations/${view.consultationId}`);
  const found = await call(app, `GET /v1/consultations/${view.consultationId}`, { token });
  expect(found).toMatchObject({ status: 200, body: view });
});

test('[REST2] the same Idempotency-Key with the same body answers the same consultation, with another body CONFLICT', async () => {
  await using app = await startTestApp();
  const first = await call(app, 'POST /v1/consultations', keyed('key-1'));
  const again = await call(app, 'POST /v1/consultations', keyed('key-1'));
  const other = await call(app, 'POST /v1/consultations', keyed('key-2'));
  expect([first.status, again.status, other.status]).toEqual([201, 200, 201]);
  expect(again.body).toEqual(first.body);
  expect(other.body).not.toEqual(first.body);
  const changed = { ...people, doctor: { ...people.doctor, personId: 'doctor-2' } };
  expect(await call(app, 'POST /v1/consultations', keyed('key-1', changed))).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT' },
  });
  for (const key of ['two words', 'x'.repeat(129), 'ä'])
    expect(await call(app, 'POST /v1/consultations', keyed(key))).toMatchObject({ status: 400 });
});

test('[REST2] twenty requests at once with one Idempotency-Key make one consultation', async () => {
  await using app = await startTestApp();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call(app, 'POST /v1/consultations', keyed('key-1'))),
  );
  expect(new Set(answers.map(({ body }) => (body as ConsultationView).consultationId)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
});

test('[REST3] a participant neither creates nor ends by REST, and the host application uploads nothing', async () => {
  await using app = await startTestApp();
  const view = await app.createConsultation();
  const patient = personToken(peopleOf(view).patient);
  const path = `/v1/consultations/${view.consultationId}` as const;
  const forbidden = { status: 403, body: { code: 'FORBIDDEN' } };
  expect(await call(app, 'POST /v1/consultations', { token: patient, body: people })).toMatchObject(
    forbidden,
  );
  expect(await call(app, `POST ${path}/end`, { token: patient, body: {} })).toMatchObject(forbidden);
  expect(await call(app, 'POST /v1/uploads', { token, headers: { 'tus-resumable': '1.0.0' } })).toMatchObject(
    forbidden,
  );
  expect(await call(app, `GET ${path}`, { token: patient })).toMatchObject({ status: 200, body: view });
});

test('[REST4] the thread is read by pages, without gap or repetition', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id: consultationId, patient } = visit;
  for (let index = 0; index < 10; index++) {
    const clientMessageId = `message-${index}` as never;
    await patient.request('message.send', {
      consultationId,
      clientMessageId,
      content: textDraft(`${index}`),
    });
  }
  const path = `/v1/consultations/${consultationId}/thread` as const;
  const sequences: number[] = [];
  for (let more = true; more; ) {
    const { body } = await call(app, `GET ${path}?limit=4&afterSequence=${sequences.at(-1) ?? 0}`, { token });
    const page = body as { entries: Entry[]; hasMore: boolean; lastSequence: number };
    expect(page.lastSequence).toBe(13);
    sequences.push(...page.entries.map(({ sequence }) => sequence));
    more = page.hasMore;
  }
  expect(sequences).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=',
    'afterSequence=-1',
    'afterSequence=1.5',
    'x=1',
  ])
    expect(await call(app, `GET ${path}?${query}`, { token }), query).toMatchObject({ status: 400 });
});

test('[REST5] the host application ends a consultation once, and the call in it; everybody is told', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await startCall(visit);
  const path = `/v1/consultations/${visit.id}/end` as const;
  const wrong = { token, body: { reason: 'declined' } };
  expect(await call(app, `POST ${path}`, wrong)).toMatchObject({ status: 400, body: { code: 'INVALID' } });
  const ended = await call(app, `POST ${path}`, { token, body: { reason: 'expired', note: 'why' } });
  expect(ended).toMatchObject({ status: 200, body: { phase: 'ended', endReason: 'expired' } });
  const again = await call(app, `POST ${path}`, { token, body: { reason: 'completed' } });
  expect(again).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } });
  for (const device of [visit.patient, visit.doctor]) {
    await device.fact('call.changed', ({ state }) => state === 'ended');
    await device.fact('consultation.changed', ({ phase }) => phase === 'ended');
    await device.fact('entry.added', ({ kind }) => kind === 'consultation.ended');
    expect(device.of('entry.added').filter(({ kind }) => kind === 'consultation.ended')).toHaveLength(1);
  }
});

test('[REST5] a body is read as JSON whatever type it claims, and none means the defaults', async () => {
  await using app = await startTestApp();
  const end = async (request: Call) => {
    const { consultationId } = await app.createConsultation();
    return call(app, `POST /v1/consultations/${consultationId}/end`, { token, ...request });
  };
  const headers = { 'content-type': 'text/plain' };
  expect(await end({ body: '{"reason":"cancelled"}', headers })).toMatchObject({
    body: { endReason: 'cancelled' },
  });
  expect(await end({ body: 'reason=cancelled', headers })).toMatchObject({ status: 400 });
  expect(await end({})).toMatchObject({ status: 200, body: { endReason: 'completed' } });
});

test('[REST6] what is not there is NOT_FOUND, whether the id is unknown, of the wrong shape or undecodable', async () => {
  await using app = await startTestApp();
  const { consultationId } = await app.createConsultation();
  const attachments = ['x', '%E0%A4%A', `att_${'z'.repeat(22)}`].flatMap((id) => [
    `/v1/consultations/${consultationId}/attachments/${id}` as const,
    `/v1/consultations/${consultationId}/attachments/${id}/content` as const,
  ]);
  const consultations = [NOWHERE, 'x', '__proto__', '%00', '%E0%A4%A', '..%2f..', `${NOWHERE}x`].flatMap(
    (id) =>
      ['', '/thread', `/attachments/att_${'z'.repeat(22)}`].map(
        (rest) => `/v1/consultations/${id}${rest}` as const,
      ),
  );
  for (const path of [...consultations, ...attachments, '/v1', '/v1/nothing', '/nothing'] as const)
    expect(await call(app, `GET ${path}`, { token }), path).toMatchObject({ status: 404 });
  expect(await call(app, `POST /v1/consultations/${NOWHERE}/end`, { token, body: {} })).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND' },
  });
});

test('[REST6] a method that a path does not have is NOT_FOUND', async () => {
  await using app = await startTestApp();
  const { consultationId } = await app.createConsultation();
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
    for (const path of ['/v1/consultations', `/v1/consultations/${consultationId}`] as const)
      expect(await call(app, `${method} ${path}`, { token })).toMatchObject({ body: { code: 'NOT_FOUND' } });
  }
  expect(await call(app, 'GET /v1/consultations', { token })).toMatchObject({ status: 404 });
});

test('[S11] [REST7] every refusal is a problem with code and request id, and repeats nothing of what was sent', async () => {
  await using app = await startTestApp();
  const bodies: readonly unknown[] = [
    `{"patient": "${CANARY}`,
    `"${CANARY}"`,
    [CANARY],
    { ...people, [CANARY]: CANARY },
    { patient: people.patient },
    { ...people, patient: { personId: `${CANARY} two words`, displayName: CANARY } },
    { ...people, patient: { ...people.patient, displayName: CANARY.repeat(10) } },
    { ...people, doctor: { ...people.patient, displayName: CANARY } },
    JSON.parse(`{"__proto__": {"patient": "${CANARY}"}}`),
  ];
  for (const body of bodies) {
    const refused = await call(app, 'POST /v1/consultations', { token, body });
    expect(refused, JSON.stringify(body)).toMatchObject({ status: 400, body: { code: 'INVALID' } });
    expect(JSON.stringify(refused.body)).not.toContain(CANARY);
  }
  for (const headers of [
    { 'content-encoding': 'nothing' },
    { 'content-type': 'application/json; charset=x' },
  ])
    expect(await call(app, 'POST /v1/consultations', { token, body: people, headers })).toMatchObject({
      status: 400,
    });
  expect(app.logs.join()).not.toContain(CANARY);
});

test('[S11] [REST7] a bug is answered INTERNAL, and found in the log by its request id alone', async () => {
  const consultationId = (): never => {
    throw new TypeError(CANARY);
  };
  await using app = await startTestApp({ ids: { ...randomIds, consultationId } });
  const { status, headers, body } = await call(app, 'POST /v1/consultations', { token, body: people });
  expect(status).toBe(500);
  expect(body).toMatchObject({ code: 'INTERNAL', title: errorCatalogue.INTERNAL.message });
  const lines = app.logs.filter((line) => line.includes(headers.get('x-request-id') ?? ''));
  expect(lines).toHaveLength(1);
  expect([...app.logs, JSON.stringify(body)].join()).not.toContain(CANARY);
});

test('[S11] [REST7] a refused upload is a problem like any other', async () => {
  await using app = await startTestApp();
  const { consultationId } = await app.createConsultation('one');
  const stranger = personToken('stranger');
  const metadata = (kind: string) => `consultationId ${btoa(consultationId)},kind ${btoa(kind)}`;
  const create = (person: string, kind: string, bytes: number) =>
    call(app, 'POST /v1/uploads', {
      token: person,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': `${bytes}`,
        'upload-metadata': metadata(kind),
      },
    });
  expect(await create(stranger, 'file', 10)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  const patient = personToken('patient-one');
  expect(await create(patient, CANARY, 10)).toMatchObject({ status: 400, body: { code: 'INVALID' } });
  expect(await create(patient, 'file', 0)).toMatchObject({ status: 400, body: { code: 'INVALID' } });
  expect(await create(patient, 'image', 26 * 1024 * 1024)).toMatchObject({
    status: 413,
    body: { code: 'TOO_LARGE' },
  });
  expect(app.logs.join()).not.toContain(CANARY);
});
