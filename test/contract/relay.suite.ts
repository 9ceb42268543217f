/** What every telephone provider keeps. */
import { inspect } from 'node:util';
import { RelayError } from '@teleconsult/server/telephony/ports';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { believesNoForgery, failsClosed, tellsExactlyOnce, tellsNoNumber } from './relay.checks.ts';
import { newBindingId } from './relay.core.ts';
import {
  ANN,
  BOB,
  bind,
  bindRequest,
  CARA,
  change,
  numbersIn,
  type RelayUnderTest,
  STRANGER,
  unbind,
  X,
} from './relay.under-test.ts';

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => null,
    (error: unknown) => error,
  );

export function relayContract(adapter: string, open: () => Promise<RelayUnderTest>): void {
  describe(`a telephone provider: ${adapter}`, () => {
    test('[REL1] binding the same again, at once or later, is the same binding by the same number', async () => {
      await using under = await open();
      const request = bindRequest(under);
      const [first, second] = await Promise.all([under.provider.bind(request), under.provider.bind(request)]);
      expect(second).toEqual(first);
      expect(await under.provider.bind(request)).toEqual(first);
      expect(first.bindingId).toBe(request.bindingId);
      if (request.x !== null) expect(first.x).toBe(request.x);
      expect(numbersIn(first.ref)).toEqual([]);
      expect(under.held() ?? 1).toBe(1);
    });

    test('[REL2] a hand-over keeps X: who took over is connected, who handed over is not any more', async () => {
      await using under = await open();
      const bound = await bind(under);
      await change(under, bound, { a: CARA });
      await change(under, bound, { a: CARA });
      const cara = await under.dial(CARA, bound.x);
      expect(cara).toMatchObject({ got: 'ringing', rung: { to: BOB, shows: bound.x } });
      await cara.hangUp('caller');
      expect(await under.dial(ANN, bound.x)).toMatchObject({ got: 'turned_away', rung: null });
      const bob = await under.dial(BOB, bound.x);
      expect(bob.rung).toEqual({ to: CARA, shows: bound.x });
      tellsNoNumber(under);
    });

    test('[REL2] a binding that became one-way connects that way alone, and both ways when it is opened again', async () => {
      await using under = await open();
      const bound = await bind(under, { direction: 'a_calls' });
      expect((await under.dial(BOB, bound.x)).got).toBe('turned_away');
      const ann = await under.dial(ANN, bound.x);
      expect(ann.rung).toEqual({ to: BOB, shows: bound.x });
      await ann.hangUp('caller');
      await change(under, bound, { direction: 'b_calls' });
      expect((await under.dial(ANN, bound.x)).got).toBe('turned_away');
      await change(under, bound, { direction: 'both' });
      expect((await under.dial(ANN, bound.x)).got).toBe('ringing');
    });

    test('[REL3] after unbinding X connects nobody; again, or of what never was, changes nothing', async () => {
      await using under = await open();
      const bound = await bind(under);
      await unbind(under, bound);
      await unbind(under, bound);
      await under.provider.unbind({ bindingId: newBindingId(), ref: '999999999', x: bound.x }, 'expired');
      for (const from of [ANN, BOB])
        expect(await under.dial(from, bound.x)).toMatchObject({ got: 'turned_away', rung: null });
      expect(under.held() ?? 0).toBe(0);
    });

    test('[REL4] a provider that asks does so with the caller it vouches for, and turns strangers away', async () => {
      await using under = await open();
      const bound = await bind(under);
      const call = await under.dial(BOB, bound.x);
      expect(call.rung).toEqual({ to: ANN, shows: bound.x });
      for (const from of [STRANGER, null])
        expect(await under.dial(from, bound.x)).toMatchObject({ got: 'turned_away', rung: null });
      const isAsking = under.provider.capabilities.routing === 'server';
      expect(under.core.asked.map(({ from }) => from)).toEqual(isAsking ? [BOB, STRANGER, null] : []);
      if (isAsking)
        expect(under.core.asked[0]).toMatchObject({
          callRef: call.callRef,
          x: bound.x,
          provider: under.provider.name,
        });
      tellsNoNumber(under);
    });

    test('[REL5] a call is told from its ringing to its end, with who called and for how long they talked', async () => {
      await using under = await open();
      const bound = await bind(under);
      const call = await under.dial(BOB, bound.x);
      under.advance(4_000);
      await call.answer();
      under.advance(30_000);
      await call.hangUp('caller');
      const told = await eventually('the call has ended', () => {
        const now = under.core.told(call.callRef);
        return now.end === null ? null : now;
      });
      expect(told).toEqual({
        types: ['answered', 'ended', 'ringing'],
        callers: ['b'],
        end: 'completed',
        talkMs: 30_000,
        recordingRefs: [],
      });
      tellsNoNumber(under);
    });

    test.each(['busy', 'no_answer'] as const)(
      '[REL5] a call whose end is %s is told so, without talk',
      async (end) => {
        await using under = await open();
        const bound = await bind(under);
        under.next(end);
        const call = await under.dial(ANN, bound.x);
        await eventually('the call has ended', () => under.core.told(call.callRef).end === end, {
          lastSeen: () => under.core.told(call.callRef),
        });
        expect(under.core.told(call.callRef)).toMatchObject({ end, talkMs: 0 });
      },
    );

    test('[REL5] a caller who hangs up while it rings has cancelled', async () => {
      await using under = await open();
      const bound = await bind(under);
      const call = await under.dial(ANN, bound.x);
      await call.hangUp('caller');
      await eventually('the call has ended', () => under.core.told(call.callRef).end === 'cancelled', {
        lastSeen: () => under.core.told(call.callRef),
      });
    });

    test.each([1, 2, 3, 4, 5, 6, 7, 8])(
      '[REL6] [P4] reports that are late, doubled, re-ordered, forged or not kept at first tell the call once (%i)',
      async (seed) => {
        await using under = await open();
        await tellsExactlyOnce(under, seed);
      },
    );

    test('[REL7] [P4] forged reports are answered and change nothing', async () => {
      await using under = await open();
      await believesNoForgery(under);
    });

    test('[REL8] a report that could not be kept is not taken, and comes again', async () => {
      await using under = await open();
      const bound = await bind(under);
      under.hold();
      const call = await under.dial(ANN, bound.x);
      await call.answer();
      under.advance(10_000);
      await call.hangUp('callee');
      for (const report of under.release()) {
        under.core.failingEvents = 1;
        const isTaken = await report.send();
        // What tells nothing of its own needs no store.
        if (under.core.failingEvents === 0) expect(isTaken).toBe(false);
        under.core.failingEvents = 0;
        expect(await report.send()).toBe(true);
      }
      expect(under.core.told(call.callRef)).toMatchObject({ end: 'completed', talkMs: 10_000 });
    });

    test.each(['throws', 'silent'] as const)(
      '[REL9] a core that %s connects nobody: the caller is turned away',
      async (mood) => {
        await using under = await open();
        if (under.provider.capabilities.routing === 'provider') return;
        await failsClosed(under, mood);
      },
    );

    test('[REL10] errors say what can be done about them, and hold no number', async () => {
      await using under = await open();
      const bound = await bind(under);
      under.outage(true);
      const request = bindRequest(under, { x: X });
      const errors = await Promise.all([
        failure(under.provider.check()),
        failure(under.provider.bind(request)),
        failure(under.provider.change(bound, { a: CARA, b: STRANGER })),
        failure(under.provider.unbind(bound, 'visit_ended')),
        failure(under.provider.endCall('CA00000000000000000000000000000001', 'visit_ended')),
        failure(under.provider.fetchRecording('RE00000000000000000000000000000001')),
      ]);
      expect(errors.filter((error) => error !== null)).not.toEqual([]);
      expect(errors[0]).toMatchObject({ reason: 'unavailable' });
      for (const error of errors.filter((one) => one !== null)) {
        expect(error).toBeInstanceOf(RelayError);
        expect(numbersIn(inspect(error, { depth: 10 }))).toEqual([]);
      }
      tellsNoNumber(under);
      under.outage(false);
      await under.provider.check();
    });

    test('[REL11] closing twice is closing; reports that come then are not taken', async () => {
      await using under = await open();
      const bound = await bind(under);
      under.hold();
      const call = await under.dial(ANN, bound.x);
      await call.answer();
      await call.hangUp('caller');
      const [report] = under.release();
      await under.provider.close();
      await under.provider.close();
      expect(await report?.send().catch(() => false)).toBe(false);
      expect(under.core.told(call.callRef).types).toEqual([]);
    });

    test('[REL12] a recording is fetched, deleted, and gone; deleting it again changes nothing', async () => {
      await using under = await open();
      const { recording } = under.provider.capabilities;
      if (recording === 'none') return;
      const bound = await bind(under, { recorded: true });
      const call = await under.dial(ANN, bound.x);
      await call.answer();
      under.advance(20_000);
      await call.hangUp('callee');
      const ref = await eventually(
        'the recording is told',
        () => under.core.told(call.callRef).recordingRefs[0],
      );
      expect(numbersIn(ref)).toEqual([]);
      const fetched = await under.provider.fetchRecording(ref);
      let bytes = 0;
      for await (const chunk of fetched.body) bytes += chunk.byteLength;
      expect(bytes).toBeGreaterThan(100);
      expect(fetched).toMatchObject({
        channels: recording === 'stereo' ? 2 : 1,
        contentType: expect.stringMatching(/^audio\/(?:wav|mpeg)$/),
      });
      await under.provider.deleteRecording(ref);
      await under.provider.deleteRecording(ref);
    });

    test('[REL13] a running call is ended by us and told as such; one that is not there is done', async () => {
      await using under = await open();
      const bound = await bind(under);
      const call = await under.dial(ANN, bound.x);
      await call.answer();
      under.advance(5_000);
      if (!under.provider.capabilities.endsCalls) {
        expect(await failure(under.provider.endCall(call.callRef, 'visit_ended'))).toMatchObject({
          reason: 'refused',
        });
        return;
      }
      await under.provider.endCall(call.callRef, 'visit_ended');
      await eventually('the call has ended', () => under.core.told(call.callRef).end === 'unbound', {
        lastSeen: () => under.core.told(call.callRef),
      });
      await under.provider.endCall(call.callRef, 'visit_ended');
      await under.provider.endCall('CA0000000000000000000000000000dead', null);
    });

    test('[REL14] unbinding ends a call that runs through it, and no other by the same X', async () => {
      await using under = await open();
      if (!under.provider.capabilities.endsCalls) return;
      const bound = await bind(under);
      const other = await bind(under, { a: CARA, b: STRANGER, x: bound.x });
      const [call, kept] = [await under.dial(ANN, bound.x), await under.dial(CARA, other.x)];
      await call.answer();
      await kept.answer();
      under.advance(5_000);
      await unbind(under, bound);
      await eventually('the call has ended', () => under.core.told(call.callRef).end === 'unbound', {
        lastSeen: () => under.core.told(call.callRef),
      });
      expect(under.core.told(kept.callRef).end).toBeNull();
    });

    test('[REL15] what was lost is found again, with the ids it would have had', async () => {
      await using under = await open();
      const { reconcile } = under.provider;
      if (reconcile === null) return;
      const since = under.now();
      const bound = await bind(under);
      under.hold();
      const call = await under.dial(ANN, bound.x);
      await call.answer();
      under.advance(12_000);
      await call.hangUp('callee');
      const reports = under.release();
      for await (const event of reconcile(since, new AbortController().signal)) await under.core.event(event);
      expect(under.core.told(call.callRef)).toMatchObject({ end: 'completed', talkMs: 12_000 });
      const found = under.core.events.size;
      for (const report of reports) await report.send();
      const ended = [...under.core.events.values()].filter(({ what }) => what.type === 'ended');
      expect(ended).toHaveLength(1);
      expect(under.core.events.size).toBeGreaterThanOrEqual(found);
      tellsNoNumber(under);
    });
  });
}
