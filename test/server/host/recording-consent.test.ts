import { join } from 'node:path';
import { type CallId, PersonId, RecordingId } from '@teleconsult/protocol';
import { loadState } from '@teleconsult/server/host/load';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, takeOverSeat, type Visit } from '../../helpers/visit.ts';
import { drawIn } from './call-guests.ts';
import { Gate } from './gate.ts';

const idOf = (visit: Visit, role: 'patient' | 'doctor') => PersonId.parse(peopleOf(visit.view)[role]);

/** Doctor and patient in a call that the doctor has asked to record. */
async function asked(visit: Visit) {
  const call = { consultationId: visit.id, callId: await startCall(visit) };
  const { call: view } = await visit.doctor.request('recording.start', call);
  const recordingId = RecordingId.parse(view.recording?.recordingId);
  return { call, recording: { ...call, recordingId }, recordingId };
}

const kindsOf = async ({ doctor, id }: Visit) =>
  (await doctor.request('thread.page', { consultationId: id })).entries.map(({ kind }) => kind);

const recordedOn = (client: RawClient) => client.of('call.changed').at(-1)?.recording?.recorded ?? null;

test('[RECC20] everybody is asked on all their devices, and it begins on all of them with the last yes', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await using tablet = await RawClient.connect(app.origin, personToken(idOf(visit, 'patient')));
  const { recording, recordingId } = await asked(visit);
  for (const client of [visit.patient, tablet]) {
    const { recording: shown } = await client.fact('call.changed', (call) => call.recording !== null);
    expect(shown).toMatchObject({ recordingId, phase: 'asking', recorded: [] });
    expect(shown?.consents).toContainEqual(
      expect.objectContaining({ personId: idOf(visit, 'patient'), state: 'asked' }),
    );
  }
  const { call: answered } = await visit.patient.request('recording.answer', { ...recording, granted: true });
  expect(answered.recording?.phase).toBe('running');
  for (const client of [visit.doctor, visit.patient, tablet])
    await client.fact('call.changed', (call) => call.recording?.phase === 'running');
  expect((await kindsOf(visit)).slice(-3)).toEqual([
    'recording.asked',
    'recording.agreed',
    'recording.started',
  ]);
});

/** What was told or done of a recording while the consent it needs was held back from the disk. */
async function tooEarly(gate: Gate, wrap: Parameters<typeof startTestApp>[1]): Promise<string[]> {
  await using app = await startTestApp({}, wrap);
  await using visit = await startVisit(app);
  const { recording } = await asked(visit);
  const found: string[] = [];
  gate.shut();
  const answering = visit.patient.request('recording.answer', { ...recording, granted: true });
  await eventually('the consent to be written', () => gate.waiting === 1);
  const mark = visit.doctor.request('session.ping', {});
  await mark;
  const stored = await app.store.page(visit.id, { after: 0, limit: 200 });
  const isOnDisk = stored.some(({ kind }) => kind === 'recording.agreed');
  if (isOnDisk) throw new Error('the gate does not hold');
  for (const client of [visit.doctor, visit.patient]) {
    if (client.of('call.changed').some((call) => call.recording?.phase === 'running')) found.push('told');
    if (client.of('entry.added').some(({ kind }) => kind === 'recording.started'))
      found.push('in the thread');
  }
  const { call } = await visit.doctor.request('consultation.watch', { consultationId: visit.id });
  if ((call?.recording?.recorded.length ?? 0) > 0) found.push('recorded');
  gate.open();
  const { call: begun } = await answering;
  expect(begun.recording?.recorded).toHaveLength(2);
  return found;
}

test('[RECC21] [M9] nobody is recorded, and nothing of it is told, before every consent is on disk', async () => {
  const gate = new Gate();
  expect(await tooEarly(gate, gate.wrap)).toEqual([]);
});

test('[RECC21 sabotage] [M9 sabotage] a store that says so before it has written is noticed', async () => {
  const gate = new Gate();
  const found = await tooEarly(gate, (store) => ({
    append: async (commit) => {
      void gate.wrap(store).append?.(commit);
      return 'committed';
    },
  }));
  expect(found).toEqual(expect.arrayContaining(['told', 'in the thread', 'recorded']));
});

test('[RECC22] a yes that cannot be written begins nothing, and can be said again', async () => {
  let isBroken = false;
  await using app = await startTestApp({}, (store) => ({
    append: (commit) => (isBroken ? Promise.reject(new Error('the disk is gone')) : store.append(commit)),
  }));
  await using visit = await startVisit(app);
  const { recording } = await asked(visit);
  isBroken = true;
  const yes = { ...recording, granted: true };
  await expect(visit.patient.request('recording.answer', yes)).rejects.toThrow('INTERNAL');
  isBroken = false;
  const { call } = await visit.doctor.request('consultation.watch', { consultationId: visit.id });
  expect(call?.recording).toMatchObject({ phase: 'asking', recorded: [] });
  const { call: begun } = await visit.patient.request('recording.answer', yes);
  expect(begun.recording?.phase).toBe('running');
});

test('[RECC23] a no is on disk and on every device within a second, and the call goes on', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { recording } = await asked(visit);
  await visit.patient.request('recording.answer', { ...recording, granted: true });
  const before = performance.now();
  const { call } = await visit.patient.request('recording.answer', { ...recording, granted: false });
  expect(call).toMatchObject({ state: 'live', recording: null });
  await eventually('the doctor sees that nobody is recorded', () => recordedOn(visit.doctor) === null);
  expect(performance.now() - before).toBeLessThan(1_000);
  const entries = (await visit.doctor.request('thread.page', { consultationId: visit.id })).entries;
  expect(entries.at(-1)).toMatchObject({
    kind: 'recording.stopped',
    reason: 'consent_withdrawn',
    by: idOf(visit, 'patient'),
  });
});

test('[RECC24] a relative who is drawn into a recorded call is asked and recorded only after a yes', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { call, recording } = await asked(visit);
  await visit.patient.request('recording.answer', { ...recording, granted: true });
  await using relative = await drawIn(app, visit, { personId: 'relative-late' });
  await visit.doctor.request('call.invite', { ...call, personId: PersonId.parse('relative-late') });
  await relative.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'invited'));
  await relative.request('call.accept', call);
  await joinSeat(relative, call);
  const shown = await relative.fact('call.changed', ({ recording: shownTo }) =>
    (shownTo?.consents ?? []).some(
      ({ personId, state }) => personId === 'relative-late' && state === 'asked',
    ),
  );
  expect(shown.recording?.recorded).toHaveLength(2);
  const { call: after } = await relative.request('recording.answer', { ...recording, granted: true });
  expect(after.recording?.recorded).toHaveLength(3);
});

test('[RECC25] two devices that press record in the same moment get one recording', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  await using second = await RawClient.connect(app.origin, personToken(idOf(visit, 'doctor')));
  const call = { consultationId: visit.id, callId: await startCall(visit) };
  gate.shut();
  const blocking = visit.doctor.request('seat.setView', { ...call, view: 'floating' });
  await eventually('something to be written', () => gate.waiting === 1);
  const both = Promise.all([
    visit.doctor.request('recording.start', call),
    second.request('recording.start', call),
  ]);
  gate.open();
  await blocking;
  const ids = (await both).map(({ call: { recording } }) => recording?.recordingId);
  expect(new Set(ids).size).toBe(1);
  expect((await kindsOf(visit)).filter((kind) => kind === 'recording.asked')).toHaveLength(1);
});

test('[RECC26] nobody answers for a minute: the recording does not begin, and the call goes on', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { recording } = await asked(visit);
  app.advance(61_000);
  await eventually('the doctor to see it', () => sawAsking(visit) && recordedOn(visit.doctor) === null);
  await eventually('the thread says so', async () => (await kindsOf(visit)).at(-1) === 'recording.stopped');
  await expect(visit.patient.request('recording.answer', { ...recording, granted: true })).rejects.toThrow(
    'NOT_FOUND',
  );
});

const sawAsking = ({ doctor }: Visit): boolean =>
  doctor.of('call.changed').some(({ recording }) => recording?.phase === 'asking');

test('[RECC27] another device that takes the patient’s seat is not asked again, and the recording goes on', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { call, recording } = await asked(visit);
  await visit.patient.request('recording.answer', { ...recording, granted: true });
  await using tablet = await RawClient.connect(app.origin, personToken(idOf(visit, 'patient')));
  const { call: taken } = await takeOverSeat(tablet, call);
  expect(taken.recording).toMatchObject({ phase: 'running' });
  expect(taken.recording?.recorded).toHaveLength(2);
  // The device in the person's hand takes consent back for the person.
  await tablet.request('recording.answer', { ...recording, granted: false });
  expect((await kindsOf(visit)).at(-1)).toBe('recording.stopped');
});

test('[RECC28] a server that starts again knows who has agreed, and asks nobody twice', async () => {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  const first = await startTestApp({ dataDir: dir.path });
  const visit = stack.use(await startVisit(first));
  const { recording } = await asked(visit);
  await visit.patient.request('recording.answer', { ...recording, granted: true });
  await visit.doctor.request('recording.pause', recording);
  await first[Symbol.asyncDispose]();
  await using second = await startTestApp({ dataDir: dir.path });
  const view = await again(second, visit, recording.callId);
  expect(view.recording).toMatchObject({ recordingId: recording.recordingId, phase: 'paused' });
  expect(view.recording?.consents.map(({ state }) => state)).toEqual(['granted', 'granted']);
  // What lies on disk is sealed: no id of it stands in the row.
  const keys = await openLocalKeyFile({
    path: join(dir.path, 'keys', 'k.json'),
    mayCreate: false,
    now: 0,
  });
  const { state } = await loadState(visit.id, second.store, new Vault(keys));
  expect(state.call?.recording?.recordingId).toBe(recording.recordingId);
  const stored = await second.store.load(visit.id);
  expect(Buffer.from(stored?.sealedState ?? []).includes(recording.recordingId)).toBe(false);
});

async function again(app: TestApp, visit: Visit, callId: CallId) {
  await using doctor = await RawClient.connect(app.origin, personToken(idOf(visit, 'doctor')));
  const { call } = await doctor.request('consultation.watch', { consultationId: visit.id });
  if (call?.callId !== callId) throw new Error('the call is gone');
  return call;
}

test('[RECC29] pressed again, a pause, a resumption and a stop change nothing; the patient presses none of them', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { recording } = await asked(visit);
  await visit.patient.request('recording.answer', { ...recording, granted: true });
  for (const control of ['recording.pause', 'recording.resume', 'recording.stop'] as const) {
    await expect(visit.patient.request(control, recording)).rejects.toThrow('FORBIDDEN');
    const { call } = await visit.doctor.request(control, recording);
    const { call: repeated } = await visit.doctor.request(control, recording);
    expect(repeated).toEqual(call);
  }
  const told = (await kindsOf(visit)).filter((kind) => kind.startsWith('recording.'));
  expect(told).toEqual([
    'recording.asked',
    'recording.agreed',
    'recording.started',
    'recording.paused',
    'recording.resumed',
    'recording.stopped',
  ]);
});
