import {
  type ConsultationId,
  PersonId,
  type PhoneBindingId,
  type PhoneBoard,
  type PhoneCallId,
} from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import { call } from '../http/rest-client.ts';
import { DOCTOR, numberOf, PATIENT, RELAYS, startPhoneStage } from './desk-stage.ts';

const ids = {
  bindingId: `pbd_${'0'.repeat(22)}` as PhoneBindingId,
  phoneCallId: `pcl_${'0'.repeat(22)}` as PhoneCallId,
};

const bind = ({ id, doctor }: Visit, clientBindingId = 'binding-0001', recorded = false) =>
  doctor.request('phone.bind', { consultationId: id, clientBindingId, recorded });

/** The entries of masked calls in the thread. */
async function told({ id, doctor }: Visit) {
  const { entries } = await doctor.request('thread.page', { consultationId: id, limit: 100 });
  return entries.filter(({ kind }) => kind.startsWith('phone.'));
}
const kindsTold = async (visit: Visit) => (await told(visit)).map(({ kind }) => kind);
const thread = (visit: Visit, kinds: readonly string[]) =>
  eventually('the entries of masked calls', async () => {
    const seen = await kindsTold(visit);
    return seen.join() === kinds.join() ? seen : undefined;
  });

const board = async ({ id, patient }: Visit): Promise<PhoneBoard> =>
  (await patient.request('phone.get', { consultationId: id })).board;

test('[PHN31] a server without telephony says so, and refuses what would need it', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  expect(await board(visit)).toEqual({
    available: false,
    reachable: [],
    refused: [],
    label: '',
    recording: 'off',
    bindings: [],
  });
  const { id: consultationId } = visit;
  await expect(bind(visit)).rejects.toThrow('NOT_CONFIGURED');
  await expect(visit.doctor.request('phone.setRefused', { consultationId, refused: true })).rejects.toThrow(
    'NOT_CONFIGURED',
  );
  const callId = await startCall(visit);
  const [personId] = visit.view.participants.map((one) => one.personId);
  if (personId === undefined) throw new Error('nobody');
  await expect(visit.doctor.request('phone.join', { consultationId, callId, personId })).rejects.toThrow(
    'WRONG_STATE',
  );
});

test('[PHN32] doctor and patient phone each other through a number that belongs to the visit', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  expect((await board(visit)).reachable.toSorted()).toEqual(
    visit.view.participants.map(({ personId }) => personId).toSorted(),
  );
  const { board: bound, bindingId } = await bind(visit);
  expect(bound.bindings).toMatchObject([{ bindingId, state: 'bound', recorded: false }]);
  const x = numberOf(bound.bindings[0]?.number ?? '');
  expect(RELAYS).toContain(x);
  expect((await bind(visit)).bindingId).toBe(bindingId);
  await visit.patient.fact('phone.changed');
  const running = await stage.relay.call({ from: PATIENT, x });
  expect(running.state).toMatchObject({ is: 'ringing', bridge: { to: DOCTOR, showAs: x } });
  await running.answer();
  await running.hangUp();
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  await thread(visit, [
    'phone.bound',
    'phone.callStarted',
    'phone.callAnswered',
    'phone.callEnded',
    'phone.unbound',
  ]);
  await eventually('the provider has it no more', () => stage.relay.bindings.length === 0 || undefined);
  const after = await stage.relay.call({ from: PATIENT, x });
  expect(after.state).toMatchObject({ is: 'turned_away' });
});

test('[PHN33] no number of a person is in an entry, a fact, an answer or the log', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const { board: bound } = await bind(visit);
  const running = await stage.relay.call({ from: DOCTOR, x: numberOf(bound.bindings[0]?.number ?? '') });
  await running.answer();
  await running.hangUp();
  await thread(visit, ['phone.bound', 'phone.callStarted', 'phone.callAnswered', 'phone.callEnded']);
  const heard = JSON.stringify([
    visit.doctor.facts,
    visit.patient.facts,
    await told(visit),
    await board(visit),
    stage.app.logs,
  ]);
  for (const digits of ['13800001111', '13900002222']) expect(heard).not.toContain(digits);
  const entries = JSON.stringify(await told(visit));
  expect(entries).not.toContain('1700000');
});

test('[PHN34] “do not phone me” is obeyed at once and seen by the other, and taken back again', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  await bind(visit);
  const { id: consultationId } = visit;
  await visit.patient.request('phone.setRefused', { consultationId, refused: true });
  await thread(visit, ['phone.bound', 'phone.refused', 'phone.unbound']).catch(() =>
    thread(visit, ['phone.bound', 'phone.unbound', 'phone.refused']),
  );
  const seen = (await visit.doctor.request('phone.get', { consultationId })).board;
  expect(seen.refused).toMatchObject([{ personId: expect.stringMatching(/^patient-/) }]);
  await expect(bind(visit, 'binding-0002')).rejects.toThrow('FORBIDDEN');
  await visit.patient.request('phone.setRefused', { consultationId, refused: false });
  await eventually('that it was taken back', async () => (await kindsTold(visit)).length === 4 || undefined);
  expect((await bind(visit, 'binding-0003')).board.bindings[0]).toMatchObject({ state: 'bound' });
});

test('[PHN35] a number of a visit that is followed up ends with the follow-up', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const { id: consultationId, doctor } = visit;
  const { followUpId } = await doctor.request('followUp.plan', {
    consultationId,
    clientFollowUpId: 'follow-up-0001',
    dueAt: Date.now() + 86_400_000,
    reason: 'why',
  });
  await doctor.request('consultation.end', { consultationId });
  await expect(bind(visit)).rejects.toThrow('WRONG_STATE');
  await doctor.request('followUp.begin', { consultationId, followUpId });
  expect((await bind(visit)).board.bindings[0]).toMatchObject({ state: 'bound' });
  await doctor.request('followUp.complete', { consultationId, followUpId, outcome: 'reached' });
  await thread(visit, ['phone.bound', 'phone.unbound']);
});

test('[PHN36] recording is as the operator allows: refused where it is off, and everywhere where it is always on', async () => {
  await using off = await startPhoneStage({ recording: 'off' });
  await using visit = await startVisit(off.app);
  await off.number(visit);
  await expect(bind(visit, 'binding-0001', true)).rejects.toThrow('WRONG_STATE');
  expect((await bind(visit)).board.bindings[0]).toMatchObject({ recorded: false });
  await using always = await startPhoneStage({ recording: 'always' });
  await using other = await startVisit(always.app);
  await always.number(other);
  expect((await bind(other)).board.bindings[0]).toMatchObject({ recorded: true });
});

test('[PHN37] by rule every visit has its number as it begins', async () => {
  await using stage = await startPhoneStage({ settings: { rule: { direction: 'both', recorded: false } } });
  await using visit = await startVisit(stage.app, { active: false });
  await stage.number(visit);
  const { id: consultationId } = visit;
  await visit.patient.request('consultation.enter', { consultationId });
  await visit.doctor.request('consultation.accept', { consultationId });
  await thread(visit, ['phone.bound']);
  expect((await told(visit))[0]?.by).toBeNull();
});

test('[PHN38] a person’s number is put and taken by the host application alone, and a wrong one is not repeated', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  const path = '/v1/people/patient-x/phone-number' as const;
  const token = hostToken();
  const put = async (body: unknown) => call(stage.app, `PUT ${path}`, { token, body });
  expect((await put({ number: '13900002222' })).status).toBe(204);
  for (const number of ['1 2', '+99912345678', '0000canary', '139 0000 2222 9999', '+1 415 555 0100']) {
    const answer = await put({ number });
    expect(answer.status, number).toBe(400);
    expect(JSON.stringify(answer.body)).not.toContain(number);
  }
  expect((await put({ number: '' })).status).toBe(400);
  expect((await put('{"number":13900002222')).status).toBe(400);
  expect((await call(stage.app, `DELETE ${path}`, { token })).status).toBe(204);
  expect((await call(stage.app, `DELETE ${path}`, { token })).status).toBe(204);
  expect(
    (await call(stage.app, `PUT /v1/people/a%20b/phone-number`, { token, body: { number: '1' } })).status,
  ).toBe(404);
  expect(stage.app.logs.join()).not.toContain('canary');
  const seen = await call(stage.app, `GET /v1/consultations/${visit.id}/phone`, { token });
  expect(seen).toMatchObject({ status: 200, body: { available: true, label: 'Clinic' } });
});

test('[PHN39] the metrics tell of masked calls, and name nobody', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const { board: bound } = await bind(visit);
  await stage.relay.call({ from: null, x: numberOf(bound.bindings[0]?.number ?? '') });
  const text = await (await fetch(`${stage.app.origin}/metrics`)).text();
  expect(text).toContain('teleconsult_phone_calls_refused{reason="stranger"} 1');
  expect(text).toContain('teleconsult_phone_relays_free 1');
  expect(text).toMatch(/teleconsult_phone_pending\{what="unbinding"\} 0/);
  expect(text).not.toMatch(/1[37][089]0000/);
});

test('[PHN55] what the thread was told of masked calls it is not told again, after a restart either', async () => {
  await using folder = await tempDir();
  const fact = { type: 'phone.callStarted', ...ids, person: null } as const;
  const count = async ({ app }: TestApp, id: ConsultationId): Promise<number> =>
    (await app.host.thread(id, null, { limit: 100 })).entries.filter(({ kind }) => kind === fact.type).length;
  await using first = await startTestApp({ dataDir: folder.path });
  const { consultationId } = await first.createConsultation();
  const tellBy = ({ app }: TestApp): Promise<unknown> => app.host.submit(consultationId, fact);
  await Promise.all([tellBy(first), tellBy(first)]);
  expect(await count(first, consultationId)).toBe(1);
  await first[Symbol.asyncDispose]();
  await using second = await startTestApp({ dataDir: folder.path });
  await tellBy(second);
  expect(await count(second, consultationId)).toBe(1);
});

test('[PHN56] of a changed board the devices of patient and doctor hear, and nobody else’s', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const personId = PersonId.parse('relative-of-the-patient');
  const participant = { personId, role: 'relative', displayName: 'R' } as const;
  await stage.app.app.host.addParticipant(visit.id, participant);
  await using relative = await RawClient.connect(stage.app.origin, personToken(personId));
  await relative.request('consultation.watch', { consultationId: visit.id });
  await expect(relative.request('phone.get', { consultationId: visit.id })).rejects.toThrow('FORBIDDEN');
  await bind(visit);
  for (const client of [visit.doctor, visit.patient]) await client.fact('phone.changed');
  await relative.fact('entry.added', ({ kind }) => kind === 'phone.bound');
  expect(relative.of('phone.changed')).toEqual([]);
  expect(JSON.stringify(relative.facts)).not.toContain('170000');
});
