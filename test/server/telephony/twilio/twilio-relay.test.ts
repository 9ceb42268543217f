import { inspect } from 'node:util';
import { TwilioRelay } from '@teleconsult/server/telephony/twilio/twilio-relay';
import { describe, expect, test } from 'vitest';
import {
  type TwilioUnderTest,
  twilioSettings,
  twilioUnderTest,
} from '../../../contract/relay.twilio.fixture.ts';
import {
  ANN,
  BOB,
  bind,
  CARA,
  numbersIn,
  OTHER_X,
  STRANGER,
  unbind,
  X,
} from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { ACCOUNT, PUBLIC, TOKEN } from './twilio-stand-in.ts';
import { readTwiml } from './twiml-reader.ts';

const voice = (under: TwilioUnderTest, change: Record<string, string> = {}) =>
  under.standIn.request(`${PUBLIC}/v1/phone/twilio/voice`, {
    AccountSid: ACCOUNT,
    CallSid: `CA${'1'.repeat(32)}`,
    From: ANN,
    To: X,
    CallStatus: 'ringing',
    Direction: 'inbound',
    ...change,
  });
const status = (under: TwilioUnderTest, CallSid: string) =>
  under.standIn.request(`${PUBLIC}/v1/phone/twilio/status`, {
    AccountSid: ACCOUNT,
    CallSid,
    CallStatus: 'completed',
  });

/** Another process over the same store and the same Twilio. */
async function restarted(under: TwilioUnderTest): Promise<TwilioRelay & AsyncDisposable> {
  await under.provider.close();
  const { core, log, standIn } = under;
  const settings = twilioSettings(under.apiBase);
  const pace = { timeoutMs: 5_000, attempts: 2, firstDelayMs: 1, mostDelayMs: 5 };
  const provider = new TwilioRelay({ settings, lookup: core, log, clock: () => under.now(), pace });
  standIn.provider = provider;
  await provider.start(core);
  return Object.assign(provider, { [Symbol.asyncDispose]: () => provider.close() });
}

describe('what Twilio asks', () => {
  test('[TWI9] an old question that somebody kept is not answered with a number: not after a minute, not after the call', async () => {
    await using under = await twilioUnderTest();
    await bind(under);
    const first = await under.standIn.deliver(voice(under));
    expect(first.body).toContain(BOB);
    under.advance(5_000);
    expect((await under.standIn.deliver(voice(under))).body).toBe(first.body);
    under.advance(60_000);
    const late = await under.standIn.deliver(voice(under));
    expect(readTwiml(late.body).children).toMatchObject([{ name: 'Reject' }]);
    expect(numbersIn(late.body)).toEqual([]);
  });

  test('[TWI9] nor by a process that was started since, nor when the call has ended a moment ago', async () => {
    await using under = await twilioUnderTest();
    await bind(under);
    const call = await under.dial(ANN, X);
    await call.hangUp('caller');
    expect(numbersIn((await under.standIn.deliver(voice(under, { CallSid: call.callRef }))).body)).toEqual(
      [],
    );
    await using _ = await restarted(under);
    expect(numbersIn((await under.standIn.deliver(voice(under, { CallSid: call.callRef }))).body)).toEqual(
      [],
    );
  });

  test.each([
    '+266696687',
    '+2562533',
    '+7378742833',
    '+8656696',
    '+86282452253',
    'anonymous',
    'sip:x@y',
    '',
  ])('[TWI10] a caller that Twilio writes as “%s” is nobody we know', async (From) => {
    await using under = await twilioUnderTest();
    await bind(under);
    await under.standIn.deliver(voice(under, { From }));
    expect(under.core.asked.map(({ from }) => from)).toEqual([null]);
  });

  test('[TWI10] a caller whose number was found not to be theirs is nobody we know', async () => {
    await using under = await twilioUnderTest();
    await bind(under);
    await under.standIn.deliver(voice(under, { StirVerstat: 'TN-Validation-Failed-A' }));
    await under.standIn.deliver(
      voice(under, { StirVerstat: 'TN-Validation-Passed-A', CallSid: under.standIn.sid('CA') }),
    );
    expect(under.core.asked.map(({ from }) => from)).toEqual([null, ANN]);
  });

  test.each([
    ['fails', async () => await Promise.reject(new Error('not there'))],
    ['is silent', () => new Promise<never>(() => undefined)],
  ])('[TWI25] a store that %s when it is asked for old calls turns the caller away', async (_, callOf) => {
    await using under = await twilioUnderTest({ lookup: { callOf } });
    await bind(under);
    const { status: code, body } = await under.standIn.deliver(voice(under));
    expect(code).toBe(200);
    expect(readTwiml(body).children).toMatchObject([
      { name: 'Say', text: 'zh:unavailable' },
      { name: 'Hangup' },
    ]);
    expect(under.core.asked).toEqual([]);
  });

  test('[TWI11] the same question twice at once is one decision; calls beyond what is waited for are turned away', async () => {
    await using under = await twilioUnderTest();
    await bind(under);
    under.core.mood = 'silent';
    const same = [under.standIn.deliver(voice(under)), under.standIn.deliver(voice(under))];
    await eventually('it was asked', () => under.core.asked.length > 0);
    const others = Array.from({ length: 600 }, (_, index) =>
      under.standIn.deliver(voice(under, { CallSid: `CA${String(index).padStart(32, '2')}` })),
    );
    const answers = await Promise.all([...same, ...others]);
    for (const { body } of answers) expect(numbersIn(body)).toEqual([]);
    expect(under.core.asked.length).toBe(500);
    under.core.mood = 'up';
    under.core.letGo();
  });

  test.each([
    ['X shown as another', { showAs: OTHER_X }],
    ['X ringing itself', { to: X }],
    ['the caller ringing himself', { to: ANN }],
  ])('[TWI12] a decision that would have %s connects nobody', async (_, change) => {
    await using under = await twilioUnderTest({
      asSeen: (core) => ({
        event: (event) => core.event(event),
        decide: async (call) => {
          const decision = await core.decide(call);
          return decision.do === 'bridge' ? { ...decision, ...change } : decision;
        },
      }),
    });
    await bind(under);
    const call = await under.dial(ANN, X);
    expect(call).toMatchObject({ got: 'turned_away', rung: null });
    expect(under.core.told(call.callRef)).toMatchObject({ types: ['ended'], end: 'failed' });
  });

  test('[TWI13] requests that are too large, or no POST, are not read', async () => {
    await using under = await twilioUnderTest();
    const large = { ...voice(under), body: Buffer.alloc(262_145, 'a') };
    expect((await under.standIn.deliver(large)).status).toBe(413);
    expect((await under.standIn.deliver({ ...voice(under), method: 'GET' })).status).toBe(405);
    expect(under.core.asked).toEqual([]);
  });

  test('[TWI14] a caller who goes before it rings has ended the call all the same', async () => {
    await using under = await twilioUnderTest();
    await bind(under, { recorded: true });
    const CallSid = under.standIn.sid('CA');
    await under.standIn.deliver(voice(under, { CallSid }));
    expect((await under.standIn.deliver(status(under, CallSid))).status).toBe(204);
    expect(under.core.told(CallSid)).toMatchObject({ types: ['ended'], end: 'cancelled', talkMs: 0 });
  });

  test('[TWI14] where the reports of the other leg were lost, the last one finds out from Twilio how it ended', async () => {
    await using under = await twilioUnderTest();
    await bind(under);
    under.hold();
    const call = await under.dial(ANN, X);
    await call.answer();
    under.advance(33_000);
    expect((await under.standIn.deliver(status(under, call.callRef))).status).toBe(503);
    await call.hangUp('callee');
    await using _ = await restarted(under);
    expect((await under.standIn.deliver(status(under, call.callRef))).status).toBe(204);
    expect(under.core.told(call.callRef)).toMatchObject({
      types: ['ended'],
      end: 'completed',
      talkMs: 33_000,
    });
    expect((await under.standIn.deliver(status(under, `CA${'9'.repeat(32)}`))).status).toBe(204);
  });

  test('[TWI15] reports are understood by a process that did not decide the call', async () => {
    await using under = await twilioUnderTest();
    const bound = await bind(under);
    const call = await under.dial(BOB, X);
    await using _ = await restarted(under);
    await call.answer();
    under.advance(7_000);
    await call.hangUp('caller');
    expect(under.core.told(call.callRef)).toMatchObject({
      types: ['answered', 'ended', 'ringing'],
      callers: ['b'],
      talkMs: 7_000,
    });
    for (const event of under.core.events.values()) expect(event.bindingId).toBe(bound.bindingId);
  });

  test('[TWI16] a call that reached its limit has ended by time, and the caller is told', async () => {
    await using under = await twilioUnderTest();
    await bind(under, { maxTalkMs: 60_000 });
    const call = await under.dial(ANN, X);
    await call.answer();
    under.advance(60_000);
    await call.hangUp('callee');
    expect(under.core.told(call.callRef)).toMatchObject({ end: 'time_over', talkMs: 60_000 });
    expect(under.standIn.calls.get(call.callRef)?.heard).toEqual(['zh:time_over']);
  });

  test.each([
    ['busy', 'zh:busy'],
    ['no_answer', 'zh:no_answer'],
  ] as const)('[TWI17] the caller of somebody who is %s hears so', async (answer, heard) => {
    await using under = await twilioUnderTest();
    await bind(under);
    under.next(answer);
    const call = await under.dial(ANN, X);
    expect(under.standIn.calls.get(call.callRef)?.heard).toEqual([heard]);
  });

  test('[TWI4] both have heard the notice when a recorded call begins', async () => {
    await using under = await twilioUnderTest();
    await bind(under, { recorded: true });
    const call = await under.dial(ANN, X);
    await call.answer();
    const all = [...under.standIn.calls.values()];
    expect(all.map(({ heard }) => heard)).toEqual([['zh:recorded'], ['zh:recorded']]);
  });
});

describe('what is asked of Twilio', () => {
  test('[TWI18] an end we bring about is said to both, and a call that still rings is ended without', async () => {
    await using under = await twilioUnderTest();
    const bound = await bind(under);
    const call = await under.dial(ANN, X);
    await call.answer();
    under.advance(3_000);
    await unbind(under, bound);
    const all = [...under.standIn.calls.values()];
    expect(all.map(({ status: now }) => now)).toEqual(['completed', 'completed']);
    expect(all.map(({ heard }) => heard)).toEqual([['zh:visit_ended'], ['zh:visit_ended']]);
    expect(under.core.told(call.callRef)).toMatchObject({ end: 'unbound', talkMs: 3_000 });
    const other = await bind(under, { a: CARA, b: STRANGER });
    const ringing = await under.dial(CARA, X);
    await unbind(under, other);
    expect(under.standIn.calls.get(ringing.callRef)?.status).toBe('completed');
    expect(under.core.told(ringing.callRef).end).toBe('unbound');
  });

  test('[TWI19] a process that was started since ends the running call of a binding, and leaves another pair’s by the same X', async () => {
    await using under = await twilioUnderTest();
    const bound = await bind(under);
    await bind(under, { a: CARA, b: STRANGER });
    const [call, kept] = [await under.dial(ANN, X), await under.dial(CARA, X)];
    await call.answer();
    await kept.answer();
    await using later = await restarted(under);
    await later.unbind(bound, 'visit_ended');
    expect(under.standIn.calls.get(call.callRef)?.status).toBe('completed');
    expect(under.standIn.calls.get(kept.callRef)?.status).toBe('in-progress');
  });

  test.each(['down', 'throttled', 'broken', 'slow'] as const)(
    '[TWI20] Twilio being %s once is tried again, and more is unavailable',
    async (failure) => {
      await using under = await twilioUnderTest({ timeoutMs: failure === 'slow' ? 200 : 5_000 });
      under.standIn.failures.push(failure, failure);
      await under.provider.check();
      under.standIn.failures.push(failure, failure, failure);
      await expect(under.provider.check()).rejects.toMatchObject({ reason: 'unavailable' });
      expect(under.standIn.asked).toHaveLength(6);
    },
  );

  test('[TWI21] wrong credentials are refused at once; secrets and numbers are in no error and no line of the log', async () => {
    await using under = await twilioUnderTest();
    const settings = { ...twilioSettings(under.apiBase), authToken: 'another-token-0123456789' };
    const pace = { attempts: 3, firstDelayMs: 1 };
    const { core, log } = under;
    const wrong = new TwilioRelay({ settings, lookup: core, log, clock: () => under.now(), pace });
    const error: unknown = await wrong.check().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'refused' });
    expect(under.standIn.asked).toHaveLength(1);
    await under.standIn.deliver({ ...voice(under), headers: {} });
    under.core.mood = 'throws';
    await under.standIn.deliver(voice(under));
    for (const text of [inspect(error, { depth: 10 }), inspect(wrong, { depth: 10 }), log.text]) {
      for (const secret of [TOKEN, settings.authToken, ANN, X]) expect(text).not.toContain(secret);
    }
    expect(log.text).toContain('not believed');
    await wrong.close();
  });

  test('[TWI21] what Twilio refuses is told by its code; its message, which quotes numbers, is not', async () => {
    await using under = await twilioUnderTest();
    under.standIn.failures.push('forbidden');
    const error: unknown = await under.provider
      .endCall(`CA${'1'.repeat(32)}`, null)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'refused', message: 'relay: refused: http 403, code 21215' });
    expect(numbersIn(inspect(error, { depth: 10 }))).toEqual([]);
  });

  test('[TWI20] a recording that stops coming, or is never answered, is unavailable', async () => {
    await using under = await twilioUnderTest({ stallMs: 100 });
    const ref = under.standIn.sid('RE');
    under.standIn.recordings.set(ref, { callSid: '', channels: 2, status: 'stuck' });
    const { body } = await under.provider.fetchRecording(ref);
    const read = async (): Promise<void> => {
      for await (const chunk of body) expect(chunk.byteLength).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toMatchObject({ reason: 'unavailable' });
  });

  test('[TWI22] an API key is used for the interface where there is one', async () => {
    await using under = await twilioUnderTest();
    const apiKey = { sid: `SK${'c'.repeat(32)}`, secret: 'secret-of-the-api-key' };
    const settings = { ...twilioSettings(under.apiBase), apiKey };
    const keyed = new TwilioRelay({ settings, lookup: under.core, log: under.log, clock: () => under.now() });
    await keyed.check().catch(() => undefined);
    const expected = `Basic ${Buffer.from(`${apiKey.sid}:${apiKey.secret}`).toString('base64')}`;
    expect(under.standIn.asked.map(({ authorization }) => authorization)).toEqual([expected]);
    await keyed.close();
  });

  test('[TWI23] a recording is asked for at our own address, when it is finished, and is gone when it was deleted', async () => {
    await using under = await twilioUnderTest();
    await bind(under, { recorded: true });
    const call = await under.dial(ANN, X);
    await call.answer();
    under.advance(10_000);
    await call.hangUp('callee');
    const [ref = ''] = under.core.told(call.callRef).recordingRefs;
    const kept = under.standIn.recordings.get(ref);
    if (kept === undefined) throw new Error('no recording');
    kept.status = 'processing';
    await expect(under.provider.fetchRecording(ref)).rejects.toMatchObject({ reason: 'unavailable' });
    kept.status = 'completed';
    const { channels } = await under.provider.fetchRecording(ref);
    expect(channels).toBe(2);
    expect(under.standIn.asked.at(-1)?.path).toBe(
      `/2010-04-01/Accounts/${ACCOUNT}/Recordings/${ref}.wav?RequestedChannels=2`,
    );
    await under.provider.deleteRecording(ref);
    await expect(under.provider.fetchRecording(ref)).rejects.toMatchObject({ reason: 'not_found' });
    const asked = under.standIn.asked.length;
    for (const odd of ['../Calls', 'RE1', `RE${'g'.repeat(32)}`]) {
      await expect(under.provider.fetchRecording(odd)).rejects.toMatchObject({ reason: 'not_found' });
      await under.provider.deleteRecording(odd);
    }
    expect(under.standIn.asked).toHaveLength(asked);
  });

  test('[TWI24] reconciling finds ended calls and recordings over several pages, and none that is not ours', async () => {
    await using under = await twilioUnderTest();
    const since = under.now();
    await bind(under, { recorded: true });
    under.hold();
    const refs: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const call = await under.dial(ANN, X);
      await call.answer();
      under.advance(2_000);
      await call.hangUp('callee');
      refs.push(call.callRef);
    }
    await under.dial(STRANGER, X);
    const found = [];
    for await (const event of under.provider.reconcile(since, new AbortController().signal))
      found.push(event);
    expect(found.filter(({ what }) => what.type === 'ended').map(({ callRef }) => callRef)).toEqual(refs);
    expect(found.filter(({ what }) => what.type === 'recorded').map(({ callRef }) => callRef)).toEqual(refs);
    expect(numbersIn(JSON.stringify(found))).toEqual([]);
  });
});
