import { inspect } from 'node:util';
import { CallsUnderWay } from '@teleconsult/server/telephony/twilio/calls-under-way';
import { TwilioRelay } from '@teleconsult/server/telephony/twilio/twilio-relay';
import { expect, test } from 'vitest';
import { newBindingId, newPhoneCallId } from '../../../contract/relay.core.ts';
import {
  type TwilioUnderTest,
  twilioSettings,
  twilioUnderTest,
} from '../../../contract/relay.twilio.fixture.ts';
import { ANN, BOB, bind, numbersIn, unbind, X } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { ACCOUNT, PUBLIC } from './twilio-stand-in.ts';
import { readTwiml } from './twiml-reader.ts';

const CALL = `CA${'1'.repeat(32)}`;

/** Somebody dials X, and Twilio has our answer, but does nothing of it yet. */
async function asked(under: TwilioUnderTest): Promise<{ legUrl: string }> {
  const form = { AccountSid: ACCOUNT, CallSid: CALL, From: ANN, To: X, CallStatus: 'ringing' };
  const { body } = await under.standIn.deliver(
    under.standIn.request(`${PUBLIC}/v1/phone/twilio/voice`, form),
  );
  const [dial] = readTwiml(body).children;
  return { legUrl: dial?.children[0]?.attributes['statusCallback'] ?? '' };
}

const leg = (under: TwilioUnderTest, url: string, CallStatus: string) =>
  under.standIn.request(url, {
    AccountSid: ACCOUNT,
    CallSid: `CA${'2'.repeat(32)}`,
    ParentCallSid: CALL,
    CallStatus,
  });

test('[TWI67] of a call under way no number is kept', () => {
  const calls = new CallsUnderWay();
  const decision = {
    do: 'bridge',
    bindingId: newBindingId(),
    phoneCallId: newPhoneCallId(),
    caller: 'a',
    to: BOB,
    showAs: X,
    language: 'zh',
    since: 1,
  } as const;
  calls.add(CALL, decision);
  const kept = calls.get(CALL);
  expect(kept).toMatchObject({ bindingId: decision.bindingId, caller: 'a', language: 'zh', ended: false });
  expect(numbersIn(inspect(kept, { depth: 10 }))).toEqual([]);
});

test('[TWI68] a call that rings although it was ended is ended again, and only while it goes on', async () => {
  await using under = await twilioUnderTest();
  const bound = await bind(under);
  const { legUrl } = await asked(under);
  const ends = (): number =>
    under.standIn.asked.filter(({ method, path }) => method === 'POST' && path.includes(CALL)).length;
  await under.standIn.deliver(leg(under, legUrl, 'ringing'));
  expect(ends()).toBe(0);
  // Twilio does not know the call yet by what it is asked for: there is nothing to end.
  await unbind(under, bound);
  const before = ends();
  expect(before).toBeGreaterThan(0);
  await under.standIn.deliver(leg(under, legUrl, 'in-progress'));
  const again = await eventually('it is ended again', () => (ends() > before ? ends() : null));
  await under.standIn.deliver(leg(under, legUrl, 'completed'));
  await under.standIn.deliver(leg(under, legUrl, 'ringing'));
  expect(under.core.told(CALL).end).toBe('unbound');
  expect(ends()).toBe(again);
});

test('[TWI69] a store that keeps nothing lets only so many reports wait, and the rest come again', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using under = await twilioUnderTest({
    asSeen: (core) => ({
      decide: (call) => core.decide(call),
      event: async (event) => {
        await promise;
        await core.event(event);
      },
    }),
  });
  await bind(under);
  const { legUrl } = await asked(under);
  const report = leg(under, legUrl, 'ringing');
  const waiting = Array.from({ length: 2_000 }, () => under.standIn.deliver(report));
  expect((await under.standIn.deliver(report)).status).toBe(503);
  resolve();
  const answers = new Set((await Promise.all(waiting)).map(({ status }) => status));
  // A machine that took long for so many may have told some to come again.
  expect([...answers].every((status) => status === 204 || status === 503)).toBe(true);
  expect((await under.standIn.deliver(report)).status).toBe(204);
  expect(under.core.told(CALL).types).toEqual(['ringing']);
});

test('[TWI71] a call that an earlier process decided is ended with its reason, and told so', async () => {
  await using under = await twilioUnderTest();
  const bound = await bind(under);
  const call = await under.dial(BOB, X);
  await call.answer();
  under.advance(9_000);
  await under.provider.close();
  const { core, log, standIn } = under;
  const settings = twilioSettings(under.apiBase);
  const later = new TwilioRelay({ settings, lookup: core, log, clock: () => under.now() });
  standIn.provider = later;
  await later.start(core);
  await later.unbind(bound, 'visit_ended');
  const all = [...standIn.calls.values()];
  expect(all.map(({ status }) => status)).toEqual(['completed', 'completed']);
  expect(all.map(({ heard }) => heard)).toEqual([['zh:visit_ended'], ['zh:visit_ended']]);
  expect(core.told(call.callRef)).toMatchObject({ end: 'unbound', talkMs: 9_000 });
  await later.unbind(bound, 'visit_ended');
  await later.close();
});
