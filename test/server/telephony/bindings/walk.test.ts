import { expect, test } from 'vitest';
import { consultation } from './fake-visits.ts';
import { PEOPLE, type Walked, walk } from './walk.ts';

/** What the store and the provider say once everything that could not be done was done again. */
async function wrongIn({ kept, held, visits, book, open, dial, relays, figures }: Walked): Promise<string[]> {
  const wrong: string[] = [];
  const expected = new Set<string>();
  const bound = await kept.bindings.openBindings(null, 1_000);
  for (const binding of bound) {
    const { bindingId, consultationId, people, state } = binding;
    expected.add(bindingId);
    const say = (what: string) => wrong.push(`${what}: ${bindingId} of ${consultationId}`);
    const view = visits.views.get(consultationId);
    const isThere = (personId: string) =>
      view?.participants.some((one) => one.personId === personId) === true;
    if (state !== 'bound') say(`still ${state}`);
    if (view?.phase === 'ended') say('outlives its visit');
    if (!isThere(people.a) || !isThere(people.b)) say('is of somebody who left');
    const refusals = await kept.bindings.refusals(consultationId);
    if (refusals.some(({ personId }) => personId === people.a || personId === people.b)) say('is refused');
    const at = held.held.get(bindingId);
    if (at?.a !== book.get(people.a) || at?.b !== book.get(people.b))
      say('has other numbers at the provider');
  }
  for (const bindingId of held.held.keys())
    if (!expected.has(bindingId)) wrong.push(`the provider still has ${bindingId}`);
  const { pending, runningCalls } = await figures();
  if (Object.values(pending).some((count) => count > 0)) wrong.push(`waits: ${JSON.stringify(pending)}`);
  if (runningCalls > 0) wrong.push(`${runningCalls} calls run for ever`);
  wrong.push(...untrueIn(visits));

  // Who dials what reaches the other one of an open visit, and nobody else.
  const reachable = new Map<string, string>();
  for (const [visit, { doctor, patient }] of open)
    if (bound.some(({ consultationId }) => consultationId === consultation(visit))) {
      const [a, b] = [book.get(doctor), book.get(patient)];
      if (a !== undefined && b !== undefined)
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const)
          reachable.set(`${from} ${to}`, `visit ${visit}`);
    }
  for (const name of PEOPLE)
    for (const x of relays) {
      const from = book.get(name);
      const decision = from === undefined ? null : await dial(from, x);
      if (decision?.do !== 'bridge') continue;
      if (!reachable.has(`${from ?? ''} ${decision.to}`)) wrong.push(`${name} reaches somebody of no visit`);
      const call = await kept.calls.call(decision.phoneCallId);
      if (call === null) wrong.push('a call is connected that is not kept');
      else {
        const news = {
          type: 'phone.callEnded',
          phoneCallId: call.phoneCallId,
          reason: 'completed',
          talkMs: 1,
        } as const;
        const ending = { at: call.startedAt, end: 'completed', talkMs: 1 } as const;
        await kept.calls.endCall(call.phoneCallId, { ...ending, news: { by: null, at: 0, fact: news } });
      }
    }
  return wrong;
}

/** Facts of each thread: nothing is given back or ends that did not begin, and each happens once. */
function untrueIn(visits: Walked['visits']): string[] {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const { fact, consultationId, again } of visits.told) {
    if (fact.type === 'phone.refused') continue;
    const id = 'phoneCallId' in fact ? fact.phoneCallId : fact.bindingId;
    const key = `${fact.type} ${id}`;
    if (seen.has(key) && !again) wrong.push(`${key} is told twice in ${consultationId}`);
    seen.add(key);
    if (fact.type === 'phone.unbound' && !seen.has(`phone.bound ${id}`)) wrong.push(`${key} was never bound`);
    if (fact.type === 'phone.callEnded' && !seen.has(`phone.callStarted ${id}`))
      wrong.push(`${key} never began`);
  }
  for (const key of seen) {
    const [type, id] = key.split(' ');
    if (type === 'phone.callStarted' && !seen.has(`phone.callEnded ${id}`)) wrong.push(`${key} never ended`);
  }
  return wrong;
}

test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
  '[PHB105] whatever fails and comes at once, in the end every relay number is where its visit says (%i)',
  async (seed) => {
    const walked = await walk(seed);
    try {
      for (let part = 0; part < 5; part += 1) {
        await walked.rounds(10);
        expect([...walked.wrong, ...(await wrongIn(walked))], `part ${part}`).toEqual([]);
      }
      expect(walked.visits.told.length).toBeGreaterThan(5);
    } finally {
      await walked.close();
    }
  },
);
