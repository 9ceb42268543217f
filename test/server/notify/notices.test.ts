import type { SeatLeftReason } from '@teleconsult/protocol';
import { noticesOf, type Situation } from '@teleconsult/server/notify/notices';
import { expect, test } from 'vitest';
import { callId, consultationId, doctor, FakeThreads, patient } from './fake-threads.ts';

const id = consultationId(1);

function situationOf(threads: FakeThreads, change: Partial<Situation> = {}): Situation {
  return { view: threads.view(id), call: null, ended: null, read: new Map(), now: threads.now, ...change };
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
