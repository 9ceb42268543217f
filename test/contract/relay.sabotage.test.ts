/** The contract of telephone providers can fail: each promise is broken once, and its check must see it. */
import { createHmac, randomUUID } from 'node:crypto';
import type { RelayCore, WebhookRequest } from '@teleconsult/server/telephony/ports';
import { describe, expect, test } from 'vitest';
import { PUBLIC, TOKEN } from '../server/telephony/twilio/twilio-stand-in.ts';
import { alibabaUnderTest } from './relay.alibaba.fixture.ts';
import { believesNoForgery, failsClosed, tellsExactlyOnce, tellsNoNumber } from './relay.checks.ts';
import { newPhoneCallId } from './relay.core.ts';
import { fakeUnderTest } from './relay.fake.fixture.ts';
import { twilioUnderTest } from './relay.twilio.fixture.ts';
import { ANN, BOB, bind, CARA, STRANGER } from './relay.under-test.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Whether the check fails for some of the orders it tries. */
async function isSeen(check: (seed: number) => Promise<void>): Promise<boolean> {
  for (const seed of SEEDS)
    if (
      await check(seed).then(
        () => false,
        () => true,
      )
    )
      return true;
  return false;
}

/** As it would be if nobody looked at the signature: the forgery is signed after all. */
function signed(request: WebhookRequest): WebhookRequest {
  const form = new URLSearchParams(Buffer.from(request.body).toString());
  const fields = [...form.keys()].toSorted().map((key) => key + (form.get(key) ?? ''));
  const signature = createHmac('sha1', TOKEN)
    .update(`${PUBLIC}${request.path}${fields.join('')}`)
    .digest('base64');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
  return { ...request, headers };
}

describe('a broken telephone provider is seen', () => {
  test('[REL20] [P4] one whose events have new ids each time', async () => {
    const asSeen = (core: RelayCore): RelayCore => ({
      decide: (call) => core.decide(call),
      event: (event) => core.event({ ...event, eventId: `${event.eventId}:${randomUUID()}` }),
    });
    expect(
      await isSeen(async (seed) => {
        await using under = await twilioUnderTest({ asSeen });
        await tellsExactlyOnce(under, seed);
      }),
    ).toBe(true);
  });

  test('[REL20] [P4] one that takes reports which were not kept', async () => {
    const asSeen = (core: RelayCore): RelayCore => ({
      decide: (call) => core.decide(call),
      event: (event) => core.event(event).catch(() => undefined),
    });
    expect(
      await isSeen(async (seed) => {
        await using under = await alibabaUnderTest({}, asSeen);
        await tellsExactlyOnce(under, seed);
      }),
    ).toBe(true);
  });

  test('[REL20] [P4] one that believes a report without looking at its signature', async () => {
    await using under = await twilioUnderTest({ believes: signed });
    await expect(believesNoForgery(under)).rejects.toThrow();
  });

  test('[REL20] [P4] one that believes a report of a binding it does not know', async () => {
    await using under = await alibabaUnderTest();
    const { bindingId } = await bind(under, { a: CARA, b: STRANGER });
    under.core.bindingOf = async () => bindingId;
    await expect(believesNoForgery(under)).rejects.toThrow();
  });

  test('[REL20] one whose events hold the number of the caller', async () => {
    await using under = await fakeUnderTest('server', (core) => ({
      decide: (call) => core.decide(call),
      event: (event) => core.event({ ...event, callRef: `${event.callRef}-13800001111` }),
    }));
    const bound = await bind(under);
    await under.dial(ANN, bound.x);
    expect(() => tellsNoNumber(under)).toThrow();
  });

  test('[REL20] one that connects without being told to', async () => {
    await using under = await fakeUnderTest('server', (core) => ({
      event: (event) => core.event(event),
      decide: async (call) =>
        await core.decide(call).catch(() => ({
          do: 'bridge',
          bindingId: [...bindings][0] ?? missing(),
          phoneCallId: newPhoneCallId(),
          caller: 'b',
          to: ANN,
          showAs: call.x,
          language: 'zh',
          recorded: false,
          ringMs: 1,
          maxTalkMs: 1,
        })),
    }));
    const bindings = [(await bind(under, { a: BOB, b: ANN })).bindingId];
    await expect(failsClosed(under, 'throws')).rejects.toThrow();
  });
});

const missing = (): never => {
  throw new Error('no binding');
};
