import type { CallId, ConsultationId, PersonId } from '@teleconsult/protocol';
import { BusyRegister } from '@teleconsult/server/host/busy';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import {
  connecting,
  doctor as doctorId,
  live,
  patient as patientId,
} from '../consultation/domain-fixtures.ts';
import { beginVisit, secondVisit } from './call-guests.ts';

const doctorOf = ({ view }: Visit) => peopleOf(view).doctor;
const kindsOf = async (client: RawClient, consultationId: ConsultationId) =>
  (await client.request('thread.page', { consultationId })).entries.map(({ kind }) => kind);

test('[CALL9] a person in a call elsewhere is not rung, and the thread keeps that they were called', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const second = await secondVisit(app, visit.doctor, doctorOf(visit));
  await using other = second.patient;
  const { consultationId } = second;
  const callId = await startCall(visit);
  const call = () => other.request('call.start', { consultationId, media: 'voice' });
  expect((await call()).call).toMatchObject({ state: 'ended', endReason: 'busy' });
  await visit.doctor.fact('call.changed', (one) => one.consultationId === consultationId);
  const told = visit.doctor.of('call.changed').filter((one) => one.consultationId === consultationId);
  expect(told.map(({ state }) => state)).toEqual(['ended']);
  expect((await kindsOf(visit.doctor, consultationId)).slice(-2)).toEqual(['call.started', 'call.ended']);
  await visit.doctor.request('call.hangUp', { consultationId: visit.id, callId });
  expect((await call()).call.state).toBe('ringing');
});

test('[CALL9] when both sides of two consultations call the same person at once, one of them rings', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const second = await secondVisit(app, visit.doctor, doctorOf(visit));
  await using other = second.patient;
  const calls = await Promise.all([
    visit.patient.request('call.start', { consultationId: visit.id, media: 'voice' }),
    other.request('call.start', { consultationId: second.consultationId, media: 'voice' }),
  ]);
  expect(calls.map(({ call }) => call.endReason ?? call.state).sort()).toEqual(['busy', 'ringing']);
});

test('[CALL9] who is in a call or rung for one starts no other', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const second = await secondVisit(app, visit.doctor, doctorOf(visit));
  await using other = second.patient;
  const { consultationId } = second;
  const { call } = await visit.patient.request('call.start', { consultationId: visit.id, media: 'voice' });
  const start = () => visit.doctor.request('call.start', { consultationId, media: 'voice' });
  await expect(start()).rejects.toThrow('BUSY');
  await visit.doctor.request('call.accept', { consultationId: visit.id, callId: call.callId });
  await expect(start()).rejects.toThrow('BUSY');
  await visit.patient.request('call.hangUp', { consultationId: visit.id, callId: call.callId });
  expect((await start()).call.state).toBe('ringing');
  expect((await other.fact('call.changed')).state).toBe('ringing');
});

test('[CALL15] a doctor in a call is knocked at once, answers with leaving the other, and is then in one call', async () => {
  await using app = await startTestApp({ callWaiting: true });
  await using visit = await startVisit(app);
  const { doctor } = visit;
  const second = await secondVisit(app, doctor, doctorOf(visit));
  const third = await secondVisit(app, doctor, doctorOf(visit), 'third-patient');
  await using other = second.patient;
  await using last = third.patient;
  const { consultationId } = second;
  const first = await startCall(visit);
  const { call } = await other.request('call.start', { consultationId, media: 'voice' });
  const knock = await doctor.fact('call.changed', ({ callId }) => callId === call.callId);
  expect(knock.seats.find(({ personId }) => personId === doctorOf(visit))).toMatchObject({
    state: 'invited',
    callWaiting: true,
  });
  // A third caller hears at once that the doctor is busy.
  const refused = await last.request('call.start', { consultationId: third.consultationId, media: 'voice' });
  expect(refused.call.endReason).toBe('busy');
  const accept = { consultationId, callId: call.callId };
  await expect(doctor.request('call.accept', accept)).rejects.toThrow('BUSY');
  expect(await callState(doctor, visit.id)).toBe('live');
  const answered = await doctor.request('call.accept', { ...accept, leaveOther: true });
  expect(answered.call.state).toBe('connecting');
  await visit.patient.fact(
    'call.changed',
    ({ callId, endReason }) => callId === first && endReason === 'completed',
  );
  expect(await callState(doctor, visit.id)).toBeNull();
  // The patient of the visit is free again, and the doctor can be knocked at anew.
  const knocked = await visit.patient.request('call.start', { consultationId: visit.id, media: 'voice' });
  expect(knocked.call.state).toBe('ringing');
});

test('[CALL15] with call waiting, too, a patient in a call is busy', async () => {
  await using app = await startTestApp({ callWaiting: true });
  await using visit = await startVisit(app);
  const { patient: patientName } = peopleOf(visit.view);
  await using colleague = await RawClient.connect(app.origin, personToken('doctor-other'));
  const consultationId = await beginVisit(app, { patient: patientName, doctor: 'doctor-other' }, colleague);
  await startCall(visit, 'voice');
  const { call } = await colleague.request('call.start', { consultationId, media: 'voice' });
  expect(call).toMatchObject({ endReason: 'busy' });
  expect(call.seats.find(({ personId }) => personId === patientName)).toMatchObject({ leftReason: 'busy' });
});

test('[CALL15] nobody leaves a call for one that is over', async () => {
  await using app = await startTestApp({ callWaiting: true });
  await using visit = await startVisit(app);
  const { doctor } = visit;
  const { consultationId, patient } = await secondVisit(app, doctor, doctorOf(visit));
  await using other = patient;
  await startCall(visit);
  const { call } = await other.request('call.start', { consultationId, media: 'voice' });
  await other.request('call.hangUp', { consultationId, callId: call.callId });
  await expect(
    doctor.request('call.accept', { consultationId, callId: call.callId, leaveOther: true }),
  ).rejects.toThrow('NOT_FOUND');
  expect(await callState(doctor, visit.id)).toBe('live');
});

test('[CALL19] a crash between leaving one call and answering the other leaves the person in neither', async () => {
  let breaks = false;
  await using app = await startTestApp({ callWaiting: true }, (store) => ({
    append: async (commit) => {
      // What is written after the leave is lost.
      if (breaks && commit.entries.some(({ kind }) => kind === 'call.answered')) throw new Error('crashed');
      return store.append(commit);
    },
  }));
  await using visit = await startVisit(app);
  const { doctor } = visit;
  const { consultationId, patient } = await secondVisit(app, doctor, doctorOf(visit));
  await using other = patient;
  await startCall(visit);
  const { call } = await other.request('call.start', { consultationId, media: 'voice' });
  breaks = true;
  const accept = { consultationId, callId: call.callId, leaveOther: true };
  await expect(doctor.request('call.accept', accept)).rejects.toThrow();
  breaks = false;
  expect(await callState(doctor, visit.id)).toBeNull();
  expect(await callState(doctor, consultationId)).toBe('ringing');
  // It still rings, and can be answered.
  expect((await doctor.request('call.accept', accept)).call.state).toBe('connecting');
});

test('[CALL19] two devices of a person that answer two calls at the same moment are in one of them', async () => {
  await using app = await startTestApp({ callWaiting: true });
  await using visit = await startVisit(app);
  const { doctor } = visit;
  const { consultationId, patient } = await secondVisit(app, doctor, doctorOf(visit));
  await using other = patient;
  await using tablet = await RawClient.connect(app.origin, personToken(doctorOf(visit)));
  const one = await visit.patient.request('call.start', { consultationId: visit.id, media: 'voice' });
  const two = await other.request('call.start', { consultationId, media: 'voice' });
  const answers = await Promise.allSettled([
    doctor.request('call.accept', { consultationId: visit.id, callId: one.call.callId }),
    tablet.request('call.accept', { consultationId, callId: two.call.callId }),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const states = await Promise.all([callState(doctor, visit.id), callState(doctor, consultationId)]);
  expect(states.sort()).toEqual(['connecting', 'ringing']);
});

test('[CALL9] who was in a call when the server stopped is busy after it was started again', async () => {
  await using first = await startTestApp();
  await using visit = await startVisit(first);
  const second = await secondVisit(first, visit.doctor, doctorOf(visit));
  await using other = second.patient;
  await startCall(visit);
  await first.app.close();
  await using again = await startTestApp({ dataDir: first.dataDir, store: first.store });
  await using caller = await RawClient.connect(again.origin, personToken('second-patient'));
  const { call } = await caller.request('call.start', {
    consultationId: second.consultationId,
    media: 'voice',
  });
  expect(call.endReason).toBe('busy');
  expect(other.socket.connected).toBe(false);
  // The seats' grace passes, and everybody is free.
  again.advance(61_000);
  await eventually('the doctor to be free', async () => {
    const retried = await caller.request('call.start', {
      consultationId: second.consultationId,
      media: 'voice',
    });
    return retried.call.state === 'ringing';
  });
});

test('[CALL9] the register holds nobody who is in no call, and a claim in one consultation excludes another', () => {
  const busy = new BusyRegister();
  const one = { consultationId: 'cns_1' as ConsultationId, callId: connecting().call?.callId as CallId };
  const two = { consultationId: 'cns_2' as ConsultationId, callId: 'cal_2' as CallId };
  const three = { consultationId: 'cns_3' as ConsultationId, callId: 'cal_3' as CallId };
  const both: PersonId[] = [patientId, doctorId];
  busy.reserve(both, one);
  expect(busy.elsewhere(doctorId, two.consultationId)).toBe('engaged');
  expect(busy.elsewhere(doctorId, one.consultationId)).toBe('free');
  busy.reserve([doctorId], two);
  expect(busy.elsewhere(doctorId, three.consultationId)).toBe('knocked');
  expect(busy.claim(doctorId, one)).toBe(true);
  expect(busy.claim(doctorId, two)).toBe(false);
  // What is written meanwhile of the same call does not take the claim away.
  busy.follow(both, one, null);
  expect(busy.claim(doctorId, two)).toBe(false);
  busy.unclaim(doctorId, one);
  expect(busy.claim(doctorId, two)).toBe(true);
  busy.unclaim(doctorId, two);
  busy.follow(both, one, live().call);
  expect(busy.holdsElsewhere(doctorId, two.consultationId)).toBe(true);
  busy.follow(both, one, null);
  busy.follow([doctorId], two, null);
  expect(busy.size).toBe(0);
});

const callState = async (client: RawClient, consultationId: ConsultationId) =>
  (await client.request('consultation.watch', { consultationId })).call?.state ?? null;

test('[CALL9] a call that was refused leaves nobody busy', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app, { active: false });
  const second = await secondVisit(app, visit.doctor, doctorOf(visit));
  await using other = second.patient;
  await expect(
    visit.patient.request('call.start', { consultationId: visit.id, media: 'voice' }),
  ).rejects.toThrow('WRONG_STATE');
  const { call } = await other.request('call.start', {
    consultationId: second.consultationId,
    media: 'voice',
  });
  expect(call.state).toBe('ringing');
});
