/** Promises of the contract that a broken adapter must be seen to break: each is a function that throws. */
import { expect } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { ANN, BOB, bind, numbersIn, type RelayUnderTest } from './relay.under-test.ts';

/** Numbers that look random and are the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((value) => ({ value, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

const TALK_MS = 61_000;

/** A call with all its reports, which wait. */
async function callInSilence(under: RelayUnderTest, recorded: boolean) {
  const { recording } = under.provider.capabilities;
  const bound = await bind(under, { recorded: recorded && recording !== 'none' });
  under.hold();
  const call = await under.dial(ANN, bound.x);
  under.advance(5_000);
  await call.answer();
  under.advance(TALK_MS);
  await call.hangUp('callee');
  return { bound, call, reports: under.release() };
}

/** P4: late, twice, in any order, between forgeries, to a store that fails at times – each call is told as it was, once. */
export async function tellsExactlyOnce(under: RelayUnderTest, seed: number): Promise<void> {
  const random = seeded(seed);
  const { bound, call, reports } = await callInSilence(under, true);
  expect(under.core.told(call.callRef).types).toEqual([]);
  const before = under.core.events.size;
  const pending = shuffled([...reports, ...reports], random);
  while (pending.length > 0) {
    const report = pending.shift();
    if (report === undefined) break;
    for (const forgery of report.forgeries) if (random() < 0.3) await forgery();
    under.advance(Math.floor(random() * 120_000));
    under.core.failingEvents = random() < 0.3 ? 1 : 0;
    const isTaken = await report.send();
    const wasUsed = under.core.failingEvents === 0;
    under.core.failingEvents = 0;
    if (!isTaken) {
      expect(wasUsed, 'refused although nothing failed').toBe(true);
      pending.splice(Math.floor(random() * pending.length), 0, report);
    }
  }
  const told = under.core.told(call.callRef);
  const isRecorded = under.provider.capabilities.recording !== 'none';
  expect(told).toEqual({
    types: ['answered', 'ended', ...(isRecorded ? ['recorded'] : []), 'ringing'],
    callers: ['a'],
    end: 'completed',
    talkMs: TALK_MS,
    recordingRefs: isRecorded ? [expect.any(String)] : [],
  });
  expect(under.core.events.size - before).toBe(told.types.length);
  for (const event of under.core.events.values())
    expect(event).toMatchObject({
      provider: under.provider.name,
      eventId: expect.stringContaining(event.callRef),
    });
  expect([...under.core.events.values()].filter(({ callRef }) => callRef === call.callRef)).toSatisfy(
    (events: { bindingId: string }[]) => events.every(({ bindingId }) => bindingId === bound.bindingId),
  );
  tellsNoNumber(under);
}

/** Not one forgery changes anything. */
export async function believesNoForgery(under: RelayUnderTest): Promise<void> {
  const { reports } = await callInSilence(under, true);
  const before = under.core.events.size;
  for (const report of reports) for (const forgery of report.forgeries) await forgery();
  expect(under.core.events.size).toBe(before);
  tellsNoNumber(under);
}

/** A core that fails, or is silent, connects nobody. */
export async function failsClosed(under: RelayUnderTest, mood: 'throws' | 'silent'): Promise<void> {
  const bound = await bind(under);
  under.core.mood = mood;
  const call = await under.dial(BOB, bound.x);
  expect(call).toMatchObject({ got: 'turned_away', rung: null });
  under.core.mood = 'up';
  under.core.letGo();
  // What is decided too late has become no call, and the store is told so.
  if (mood === 'silent')
    await eventually(
      'the late decision is told as failed',
      () => under.core.told(call.callRef).end === 'failed',
    );
  tellsNoNumber(under);
}

/** Neither events nor the log hold a number. */
export function tellsNoNumber(under: RelayUnderTest): void {
  expect(numbersIn(JSON.stringify([...under.core.events.values()]))).toEqual([]);
  expect(numbersIn(under.log.text)).toEqual([]);
}
