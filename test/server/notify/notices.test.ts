import { FollowUpBoard, type SeatLeftReason } from '@teleconsult/protocol';
import { noticesOf, type Situation } from '@teleconsult/server/notify/notices';
import { expect, test } from 'vitest';
import { dueFollowUp, followUp } from './every-entry.ts';
import { callId, consultationId, doctor, FakeThreads, patient } from './fake-threads.ts';

const id = consultationId(1);

function situationOf(threads: FakeThreads, change: Partial<Situation> = {}): Situation {
  return {
    view: threads.view(id),
    call: null,
    ended: null,
    read: new Map(),
    board: null,
    now: threads.now,
    ...change,
  };
}

const told = (notices: ReturnType<typeof noticesOf>): unknown[] =>
  notices.map(({ personId, payload }) => [
    personId,
    payload.kind === 'call.over' ? payload.missed : payload.kind,
  ]);

test.each([
  ['invited', null, null, [[doctor, true]]],
  ['invited', null, doctor, [[doctor, false]]],
  ['left', 'no_answer', null, [[doctor, true]]],
  ['left', 'busy', null, [[doctor, true]]],
  ['left', 'declined', doctor, [[doctor, false]]],
  ['left', 'removed', null, [[doctor, false]]],
  ['left', 'hung_up', doctor, []],
  ['left', 'lost', null, []],
  ['connecting', null, patient, []],
  ['present', null, patient, []],
  ['reconnecting', null, patient, []],
] as const)('[PUSH6] a call that ends with a seat %s (%s) by %s', (state, leftReason, by, expected) => {
  const threads = new FakeThreads();
  const entry = threads.add(
    id,
    { kind: 'call.ended', callId: callId(), reason: 'completed', durationMs: 0 },
    by,
  );
  const ended = {
    startedBy: patient,
    seats: [
      { personId: patient, state: 'left', leftReason: 'lost' } as const,
      { personId: doctor, state, leftReason },
    ],
  };
  expect(told(noticesOf(entry, situationOf(threads, { ended })))).toEqual(expected);
});

const leavings: readonly [SeatLeftReason, unknown[]][] = [
  ['no_answer', [[doctor, true]]],
  ['busy', [[doctor, true]]],
  ['declined', [[doctor, false]]],
  ['removed', [[doctor, false]]],
  ['hung_up', []],
  ['lost', []],
];

test.each(leavings)('[PUSH6] a person who left a call (%s)', (reason, expected) => {
  const threads = new FakeThreads();
  const entry = threads.add(id, { kind: 'call.left', callId: callId(), personId: doctor, reason }, null);
  expect(told(noticesOf(entry, situationOf(threads)))).toEqual(expected);
});

test('[PUSH6] that a call was dealt with elsewhere is news for a minute, that it was missed for a day', () => {
  const threads = new FakeThreads();
  const answered = threads.add(id, { kind: 'call.answered', callId: callId() }, doctor);
  const left = { kind: 'call.left', callId: callId(), personId: doctor, reason: 'no_answer' };
  const missed = threads.add(id, left, null);
  const after = (ms: number) => situationOf(threads, { now: threads.now + ms });
  expect(
    [noticesOf(answered, after(59_000)), noticesOf(answered, after(60_000))].map((one) => one.length),
  ).toEqual([1, 0]);
  const day = 24 * 3_600_000;
  expect([noticesOf(missed, after(day - 1)), noticesOf(missed, after(day))].map((one) => one.length)).toEqual(
    [1, 0],
  );
});

const boardOf = (state: string, contactRefusedSince: number | null = null): FollowUpBoard =>
  FollowUpBoard.parse({ followUps: [{ ...dueFollowUp, state }], contactRefusedSince });
const news = (notices: ReturnType<typeof noticesOf>): unknown[] =>
  notices.map(({ personId, payload, choice }) => [
    personId,
    choice,
    payload.kind === 'consultation' && payload.what,
  ]);

test('[FUP20] a follow-up that is due reminds doctor and patient; one who refuses contact is left alone, and the doctor sees that', () => {
  const threads = new FakeThreads();
  const due = threads.add(id, { kind: 'followUp.due', ...followUp }, null);
  const reminded = (board: FollowUpBoard | null) => news(noticesOf(due, situationOf(threads, { board })));
  expect(reminded(boardOf('due'))).toEqual([
    [doctor, 'consultations', 'followUpDue'],
    [patient, 'consultations', 'followUpDue'],
  ]);
  expect(reminded(boardOf('due', 5))).toEqual([[doctor, 'consultations', 'followUpRefused']]);
  // By the time it is told it may be moved, begun, done or cancelled.
  for (const state of ['planned', 'in_progress', 'done', 'cancelled'])
    expect(reminded(boardOf(state)), state).toEqual([]);
  expect(reminded(null)).toEqual([]);
});

test('[NOTE3] a signed note is news to the patient; what is recorded, planned and added is nobody’s to be woken for', () => {
  const threads = new FakeThreads();
  const noteId = `not_${'0'.repeat(22)}`;
  const recordingId = `rec_${'0'.repeat(22)}`;
  const signed = threads.add(id, { kind: 'note.signed', noteId, purpose: 'summary' }, doctor);
  expect(news(noticesOf(signed, situationOf(threads)))).toEqual([[patient, 'consultations', 'noteSigned']]);
  for (const draft of [
    { kind: 'note.added', noteId, addition: 1 },
    { kind: 'recording.asked', callId: callId(), recordingId },
    { kind: 'recording.stopped', recordingId, reason: 'stopped' },
    { kind: 'followUp.planned', ...followUp, dueAt: 5, reason: 'why' },
    { kind: 'contact.changed', refused: true },
    { kind: 'phone.callStarted', bindingId: `pbd_${'0'.repeat(22)}`, phoneCallId: `pcl_${'0'.repeat(22)}` },
  ])
    expect(noticesOf(threads.add(id, draft, doctor), situationOf(threads)), draft.kind).toEqual([]);
});
