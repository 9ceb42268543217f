import { type CallId, ClientMessageId, FollowUpId, NoteId, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, textDraft, type Visit } from '../../helpers/visit.ts';
import { drawIn } from './call-guests.ts';

const DAY = 24 * 3_600_000;
const WEEK = 7 * DAY;

const wish = ({ id: consultationId }: Visit, ahead = WEEK, clientFollowUpId = 'follow-up-0001') => ({
  consultationId,
  clientFollowUpId,
  dueAt: Date.now() + ahead,
  reason: 'blood pressure, 血压',
});

/** An ended visit with a follow-up in a week. */
async function followedUp(visit: Visit) {
  const planned = await visit.doctor.request('followUp.plan', wish(visit));
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  return { consultationId: visit.id, followUpId: planned.followUpId };
}

const kindsOf = async ({ doctor, id }: Visit) =>
  (await doctor.request('thread.page', { consultationId: id })).entries.map(({ kind }) => kind);

const stateOn = (client: RawClient) => client.of('followUps.changed').at(-1)?.board.followUps[0]?.state;

test('[FUP13] a plan is answered with the board, told to those who watch, and made once', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const asked = wish(visit);
  const first = await visit.doctor.request('followUp.plan', asked);
  expect(first.board.followUps).toMatchObject([
    { followUpId: first.followUpId, reason: asked.reason, dueAt: asked.dueAt, state: 'planned' },
  ]);
  const { board } = await visit.patient.fact('followUps.changed');
  expect(board).toEqual(first.board);
  // Its acknowledgement was lost; the device asks again, later and with what its form says by now.
  const again = await visit.doctor.request('followUp.plan', { ...asked, reason: 'another', dueAt: 1 });
  expect(again).toEqual(first);
  const { board: listed } = await visit.patient.request('followUp.list', { consultationId: visit.id });
  expect(listed).toEqual(first.board);
  const entries = (await visit.patient.request('thread.page', { consultationId: visit.id })).entries;
  expect(entries.filter(({ kind }) => kind === 'followUp.planned')).toHaveLength(1);
});

test('[FUP14] its day comes in an ended visit that nobody has open, also when the server was started again meanwhile', async () => {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  const first = await startTestApp({ dataDir: dir.path });
  const visit = stack.use(await startVisit(first));
  await followedUp(visit);
  await first[Symbol.asyncDispose]();
  await using second = await startTestApp({ dataDir: dir.path });
  const board = () => second.app.host.followUps.board(visit.id, null);
  expect((await board()).followUps).toMatchObject([{ state: 'planned' }]);
  second.advance(WEEK + 1_000);
  await eventually('the follow-up to be due', async () => (await board()).followUps[0]?.state === 'due');
  const { entries } = await second.app.host.thread(visit.id, null, { beforeSequence: 1_000, limit: 5 });
  expect(entries.at(-1)).toMatchObject({ kind: 'followUp.due', by: null });
  expect(await second.app.host.view(visit.id, null)).toMatchObject({ phase: 'ended' });
});

test('[FUP14] what was planned, changed and refused last is there after a restart, each by itself', async () => {
  await using dir = await tempDir();
  const first = await startTestApp({ dataDir: dir.path });
  const last = [
    (visit: Visit) => visit.doctor.request('followUp.plan', wish(visit, 2 * WEEK, 'follow-up-0002')),
    ({ doctor, id }: Visit) =>
      doctor.request('followUp.change', {
        ...planned,
        consultationId: id,
        dueAt: Date.now() + DAY,
        reason: 'r',
      }),
    ({ patient, id }: Visit) => patient.request('contact.set', { consultationId: id, refused: true }),
  ];
  let planned = { followUpId: FollowUpId.parse(`fup_${'z'.repeat(22)}`) };
  const known: { id: Visit['id']; board: object }[] = [];
  for (const change of last) {
    await using visit = await startVisit(first);
    planned = await followedUp(visit);
    const { board } = await change(visit);
    known.push({ id: visit.id, board });
  }
  await first[Symbol.asyncDispose]();
  await using second = await startTestApp({ dataDir: dir.path });
  for (const { id, board } of known) expect(await second.app.host.followUps.board(id, null)).toEqual(board);
});

test('[FUP15] it is carried out by a call in the ended visit; then the visit is closed for calls again', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const followUp = await followedUp(visit);
  const { consultationId } = followUp;
  await expect(visit.doctor.request('call.start', { consultationId, media: 'voice' })).rejects.toThrow(
    'WRONG_STATE',
  );
  await visit.doctor.request('followUp.begin', followUp);
  const callId: CallId = await startCall(visit);
  const draft = { consultationId, content: textDraft('a text') };
  const clientMessageId = ClientMessageId.parse('message-after-the-end');
  await expect(visit.doctor.request('message.send', { ...draft, clientMessageId })).rejects.toThrow(
    'WRONG_STATE',
  );
  await expect(
    visit.doctor.request('followUp.complete', { ...followUp, outcome: 'reached' }),
  ).rejects.toThrow('WRONG_STATE');
  await visit.doctor.request('call.hangUp', { consultationId, callId });
  const { board } = await visit.doctor.request('followUp.complete', { ...followUp, outcome: 'reached' });
  expect(board.followUps).toMatchObject([{ state: 'done', outcome: 'reached' }]);
  await expect(visit.patient.request('call.start', { consultationId, media: 'voice' })).rejects.toThrow(
    'WRONG_STATE',
  );
  expect((await kindsOf(visit)).slice(-6)).toEqual([
    'consultation.ended',
    'followUp.begun',
    'call.started',
    'call.answered',
    'call.ended',
    'followUp.completed',
  ]);
});

test('[FUP16] a patient who refuses contact is rung no longer, on no device, and cannot be called', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const followUp = await followedUp(visit);
  const { consultationId } = followUp;
  await visit.doctor.request('followUp.begin', followUp);
  const { call } = await visit.doctor.request('call.start', { consultationId, media: 'voice' });
  await visit.patient.fact('call.changed', ({ state }) => state === 'ringing');
  const { board } = await visit.patient.request('contact.set', { consultationId, refused: true });
  expect(board).toMatchObject({ contactRefusedSince: expect.any(Number), followUps: [{ state: 'due' }] });
  for (const client of [visit.patient, visit.doctor])
    await client.fact(
      'call.changed',
      ({ callId, endReason }) => callId === call.callId && endReason === 'declined',
    );
  await visit.doctor.fact('followUps.changed', ({ board: told }) => told.contactRefusedSince !== null);
  await expect(visit.doctor.request('followUp.begin', followUp)).rejects.toThrow('FORBIDDEN');
  await expect(visit.doctor.request('call.start', { consultationId, media: 'voice' })).rejects.toThrow(
    'WRONG_STATE',
  );
  await expect(visit.doctor.request('contact.set', { consultationId, refused: false })).rejects.toThrow(
    'FORBIDDEN',
  );
  await visit.patient.request('contact.set', { consultationId, refused: false });
  await visit.doctor.request('followUp.begin', followUp);
  await eventually('the doctor to see that it is carried out', () => stateOn(visit.doctor) === 'in_progress');
});

test('[FUP17] a follow-up call is taken up again when the server starts, and given up like any other', async () => {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  const first = await startTestApp({ dataDir: dir.path });
  const visit = stack.use(await startVisit(first));
  const followUp = await followedUp(visit);
  await visit.doctor.request('followUp.begin', followUp);
  await startCall(visit);
  await first[Symbol.asyncDispose]();
  await using second = await startTestApp({ dataDir: dir.path });
  const call = await callOf(second, visit);
  expect(call).toMatchObject({ state: 'live' });
  second.advance(61_000);
  second.advance(15 * 60_000);
  await eventually('the call to be given up', async () => (await callOf(second, visit)) === null);
  second.advance(DAY);
  await eventually('the follow-up to be due again', async () => {
    const { followUps } = await second.app.host.followUps.board(visit.id, null);
    return followUps[0]?.state === 'due';
  });
});

async function callOf(app: TestApp, visit: Visit) {
  await using doctor = await RawClient.connect(app.origin, personToken(peopleOf(visit.view).doctor));
  return (await doctor.request('consultation.watch', { consultationId: visit.id })).call;
}

test('[FUP18] guests see follow-ups and change none; to whoever takes no part there are none', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await using relative = await drawIn(app, visit, { personId: 'relative-1' });
  const followUp = await followedUp(visit);
  const { consultationId } = followUp;
  const { board } = await relative.request('followUp.list', { consultationId });
  expect(board.followUps).toHaveLength(1);
  await using stranger = await RawClient.connect(app.origin, personToken('stranger-1'));
  const attempts = (client: RawClient) => [
    client.request('followUp.plan', wish(visit, WEEK, 'follow-up-0002')),
    client.request('followUp.change', { ...followUp, dueAt: Date.now() + DAY, reason: 'why' }),
    client.request('followUp.cancel', followUp),
    client.request('followUp.begin', followUp),
    client.request('followUp.complete', { ...followUp, outcome: 'reached' }),
    client.request('contact.set', { consultationId, refused: true }),
  ];
  for (const attempt of attempts(relative)) await expect(attempt).rejects.toThrow('FORBIDDEN');
  for (const attempt of [...attempts(stranger), stranger.request('followUp.list', { consultationId })])
    await expect(attempt).rejects.toThrow('NOT_FOUND');
});

test('[FUP19] a note that is not there completes no follow-up, and nobody learns of notes by asking', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const followUp = await followedUp(visit);
  await visit.doctor.request('followUp.begin', followUp);
  const noteId = NoteId.parse(`not_${'z'.repeat(22)}`);
  const completion = { ...followUp, outcome: 'reached' as const, noteId };
  await expect(visit.patient.request('followUp.complete', completion)).rejects.toThrow('FORBIDDEN');
  const unknown = FollowUpId.parse(`fup_${'z'.repeat(22)}`);
  await expect(
    visit.doctor.request('followUp.complete', { ...completion, followUpId: unknown }),
  ).rejects.toThrow('NOT_FOUND');
  await expect(visit.doctor.request('followUp.complete', completion)).rejects.toThrow(
    /NOT_FOUND|NOT_CONFIGURED/,
  );
  const { board } = await visit.doctor.request('followUp.list', { consultationId: visit.id });
  expect(board.followUps[0]?.state).toBe('in_progress');
});

test('[NOTE2] what is signed and added to is told live and in the thread, also after the end', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const noteId = NoteId.parse(`not_${'1'.repeat(22)}`);
  const author = PersonId.parse(peopleOf(visit.view).doctor);
  const { host } = app.app;
  await host.submit(visit.id, { type: 'note.signed', author, noteId, purpose: 'summary' });
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  await host.submit(visit.id, { type: 'note.added', author, noteId, addition: 1 });
  const signed = await visit.patient.fact('entry.added', ({ kind }) => kind === 'note.signed');
  expect(signed).toMatchObject({ noteId, purpose: 'summary', by: author });
  await visit.patient.fact('entry.added', ({ kind }) => kind === 'note.added');
  expect((await kindsOf(visit)).slice(-3)).toEqual(['note.signed', 'consultation.ended', 'note.added']);
});
