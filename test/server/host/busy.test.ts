import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit } from '../../helpers/visit.ts';

/** A begun consultation of another patient with the same doctor. */
async function secondVisit(app: TestApp, doctor: RawClient, doctorId: string) {
  const response = await fetch(`${app.origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: 'second-patient', displayName: 'Second' },
      doctor: { personId: doctorId, displayName: 'Doctor' },
    }),
  });
  const { consultationId } = (await response.json()) as { consultationId: never };
  await doctor.request('consultation.accept', { consultationId });
  return { consultationId, patient: await RawClient.connect(app.origin, personToken('second-patient')) };
}

test('[CALL9] a person in a call elsewhere is not rung and the caller is told BUSY, until that call ends', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const doctorId = visit.view.participants.find(({ role }) => role === 'doctor')?.personId ?? '';
  const second = await secondVisit(app, visit.doctor, doctorId);
  await using other = second.patient;
  const callId = await startCall(visit);
  const call = () => other.request('call.start', { consultationId: second.consultationId, media: 'voice' });
  await expect(call()).rejects.toThrow('BUSY');
  expect(visit.doctor.of('call.changed').some((one) => one.consultationId === second.consultationId)).toBe(
    false,
  );
  await visit.doctor.request('call.hangUp', { consultationId: visit.id, callId });
  const rung = await call();
  expect(rung.call.state).toBe('ringing');
});

test('[CALL9] when both sides of two consultations call the same person at once, one of them rings', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const doctorId = visit.view.participants.find(({ role }) => role === 'doctor')?.personId ?? '';
  const second = await secondVisit(app, visit.doctor, doctorId);
  await using other = second.patient;
  const calls = await Promise.allSettled([
    visit.patient.request('call.start', { consultationId: visit.id, media: 'voice' }),
    other.request('call.start', { consultationId: second.consultationId, media: 'voice' }),
  ]);
  expect(calls.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});
