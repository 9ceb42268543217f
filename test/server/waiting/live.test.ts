import { type ConsultationView, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';

/** A consultation of this patient with the one doctor of these tests. */
async function withDoctor(app: TestApp, patient: string) {
  const response = await fetch(`${app.origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: patient, displayName: patient },
      doctor: { personId: 'doctor', displayName: 'Doctor' },
    }),
  });
  const { consultationId } = (await response.json()) as ConsultationView;
  const client = await RawClient.connect(app.origin, personToken(patient));
  return { consultationId, client, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

test('[WAIT1] [WAIT2] patients see their place in the waiting room, live and when they look again', async () => {
  await using app = await startTestApp();
  await using doctor = await RawClient.connect(app.origin, personToken('doctor'));
  await using first = await withDoctor(app, 'first');
  await using second = await withDoctor(app, 'second');
  for (const { client, consultationId } of [first, second])
    await client.request('consultation.enter', { consultationId });
  await second.client.fact('queue.changed', ({ position }) => position === 2);
  const { consultationId } = second;
  const watched = await second.client.request('consultation.watch', { consultationId });
  expect(watched.queue).toEqual({ consultationId, position: 2, estimateMs: null });
  const { queue } = await doctor.request('consultation.list', {});
  expect(new Map(queue.map((place) => [place.consultationId, place.position]))).toEqual(
    new Map([
      [first.consultationId, 1],
      [second.consultationId, 2],
    ]),
  );
  await doctor.request('consultation.accept', { consultationId: first.consultationId });
  await second.client.fact('queue.changed', ({ position }) => position === 1);
  expect(first.client.of('queue.changed').filter((place) => place.consultationId === consultationId)).toEqual(
    [],
  );
  const listed = await first.client.request('consultation.list', {});
  expect(listed.queue).toEqual([]);
});

test('[WAIT3] after three visits patients read how long they will wait', async () => {
  await using app = await startTestApp();
  await using doctor = await RawClient.connect(app.origin, personToken('doctor'));
  for (const minutes of [10, 30, 20]) {
    await using visit = await withDoctor(app, `earlier-${minutes}`);
    const { consultationId } = visit;
    await visit.client.request('consultation.enter', { consultationId });
    await doctor.request('consultation.accept', { consultationId });
    app.advance(minutes * 60_000);
    await doctor.request('consultation.end', { consultationId });
  }
  await using first = await withDoctor(app, 'first');
  await using second = await withDoctor(app, 'second');
  for (const { client, consultationId } of [first, second])
    await client.request('consultation.enter', { consultationId });
  const { consultationId } = second;
  const { queue } = await second.client.request('consultation.watch', { consultationId });
  expect(queue?.position).toBe(2);
  expect(Math.round((queue?.estimateMs ?? 0) / 60_000)).toBe(20);
});

test('[PRES1] [PRES3] who watches sees who is there, hears of who comes and goes, and of who types', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id: consultationId, patient, doctor, view } = visit;
  const patientId = view.participants.find(({ role }) => role === 'patient')?.personId ?? PersonId.parse('x');
  const { online } = await doctor.request('consultation.watch', { consultationId });
  expect(online).toEqual(view.participants.map(({ personId }) => personId));
  await patient.request('typing.set', { consultationId, activity: 'typing' });
  await doctor.fact(
    'typing.changed',
    ({ personId, activity }) => personId === patientId && activity === 'typing',
  );
  expect(patient.of('typing.changed')).toEqual([]);
  patient.socket.disconnect();
  await doctor.fact('typing.changed', ({ activity }) => activity === 'none');
  await doctor.fact(
    'presence.changed',
    ({ personId, online: isOnline }) => personId === patientId && !isOnline,
  );
  // A token for another consultation does not make the person there.
  const other = await app.createConsultation(patientId.replace('patient-', ''));
  await using elsewhere = await RawClient.connect(app.origin, personToken(patientId, other.consultationId));
  await elsewhere.request('session.ping', {});
  expect(doctor.of('presence.changed').filter(({ online: isOnline }) => isOnline)).toEqual([]);
  await using back = await RawClient.connect(app.origin, personToken(patientId, consultationId));
  await doctor.fact(
    'presence.changed',
    ({ personId, online: isOnline }) => personId === patientId && isOnline,
  );
  await back.request('session.ping', {});
}, 20_000);

test('[PRES6] typing is nobody’s business but the participants’', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await using stranger = await RawClient.connect(app.origin, personToken('stranger'));
  expect(await stranger.emit('typing.set', { consultationId: visit.id, activity: 'typing' })).toMatchObject({
    ok: false,
    error: { code: 'NOT_FOUND' },
  });
  expect(visit.doctor.of('typing.changed')).toEqual([]);
});
