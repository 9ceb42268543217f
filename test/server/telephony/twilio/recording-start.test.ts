import { expect, test } from 'vitest';
import { tellsNoNumber } from '../../../contract/relay.checks.ts';
import { type TwilioUnderTest, twilioUnderTest } from '../../../contract/relay.twilio.fixture.ts';
import { ANN, bind, unbind, X } from '../../../contract/relay.under-test.ts';
import { ACCOUNT } from './twilio-stand-in.ts';
import { readTwiml } from './twiml-reader.ts';

/** What Twilio was asked to record. */
const starts = (under: TwilioUnderTest) =>
  under.standIn.asked.filter(({ method, path }) => method === 'POST' && path.endsWith('/Recordings.json'));

test('[TWI72] a call is recorded from the moment that both have heard so, and no earlier', async () => {
  await using under = await twilioUnderTest();
  await bind(under, { recorded: true });
  const call = await under.dial(ANN, X);
  expect(starts(under)).toEqual([]);
  await call.answer();
  const [start, ...others] = starts(under);
  expect(others).toEqual([]);
  expect(start?.path).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Calls/${call.callRef}/Recordings.json`);
  expect(Object.fromEntries(start?.form ?? [])).toMatchObject({
    RecordingChannels: 'dual',
    RecordingTrack: 'both',
    Trim: 'do-not-trim',
    RecordingStatusCallback: expect.stringMatching(/\/v1\/phone\/twilio\/recording\?b=.*#rc=3&rp=5xx,ct,rt$/),
    RecordingStatusCallbackEvent: 'completed absent',
  });
  expect(under.standIn.calls.get(call.callRef)?.recording?.heardBefore).toEqual([
    ['zh:recorded'],
    ['zh:recorded'],
  ]);
  under.advance(5_000);
  await call.hangUp('callee');
  expect(under.core.told(call.callRef).types).toEqual(['answered', 'ended', 'recorded', 'ringing']);
  tellsNoNumber(under);
});

test('[TWI72] a call that is not to be recorded is not', async () => {
  await using under = await twilioUnderTest();
  const plain = await bind(under);
  const call = await under.dial(ANN, plain.x);
  await call.answer();
  await call.hangUp('caller');
  under.core.unbound(plain.bindingId);
  await under.provider.unbind(plain, 'visit_ended');
  expect(starts(under)).toEqual([]);
});

test('[TWI73] Twilio that asks again once the notice was said begins no second recording', async () => {
  await using under = await twilioUnderTest();
  await bind(under, { recorded: true });
  const call = await under.dial(ANN, X);
  await call.answer();
  const status = under.standIn.calls.get(call.callRef)?.recording;
  const noticed = (status?.reportTo ?? '').replace('/recording?', '/noticed?');
  const form = { AccountSid: ACCOUNT, CallSid: under.standIn.sid('CA'), ParentCallSid: call.callRef };
  const again = await under.standIn.deliver(under.standIn.request(noticed, form));
  expect(again).toMatchObject({ status: 200, body: expect.stringContaining('<Response/>') });
  expect(starts(under)).toHaveLength(1);
});

test.each(['down', 'forbidden', 'broken'] as const)(
  '[TWI73] where a recording cannot be begun (%s) the two are connected, and it is told that nothing is recorded',
  async (failure) => {
    await using under = await twilioUnderTest();
    await bind(under, { recorded: true });
    const call = await under.dial(ANN, X);
    under.standIn.failures.push(failure);
    await call.answer();
    // One that may have been begun is not begun twice.
    expect(starts(under)).toHaveLength(1);
    under.advance(5_000);
    await call.hangUp('caller');
    expect(under.core.told(call.callRef)).toMatchObject({
      types: ['answered', 'ended', 'not_recorded', 'ringing'],
      end: 'completed',
      talkMs: 5_000,
    });
    tellsNoNumber(under);
  },
);

test('[TWI73] where that cannot be kept nobody is connected: Twilio asks again', async () => {
  await using under = await twilioUnderTest();
  await bind(under, { recorded: true });
  const call = await under.dial(ANN, X);
  await call.answer();
  const noticed = (under.standIn.calls.get(call.callRef)?.recording?.reportTo ?? '').replace(
    '/recording?',
    '/noticed?',
  );
  const other = `CA${'7'.repeat(32)}`;
  const form = { AccountSid: ACCOUNT, CallSid: under.standIn.sid('CA'), ParentCallSid: other };
  const ask = () => under.standIn.deliver(under.standIn.request(noticed, form));
  under.core.failingEvents = 1;
  expect((await ask()).status).toBe(503);
  expect((await ask()).status).toBe(200);
  expect(under.core.told(other).types).toEqual(['not_recorded']);
});

test('[TWI74] a visit that ends while the notice is said connects nobody and records nothing', async () => {
  await using under = await twilioUnderTest();
  const bound = await bind(under, { recorded: true });
  const call = await under.dial(ANN, X);
  await call.answer();
  const reportTo = under.standIn.calls.get(call.callRef)?.recording?.reportTo ?? '';
  // Another question for the same call: Twilio's, that was on its way when the visit ended.
  const before = starts(under).length;
  await unbind(under, bound);
  const form = { AccountSid: ACCOUNT, CallSid: under.standIn.sid('CA'), ParentCallSid: call.callRef };
  const noticed = reportTo.replace('/recording?', '/noticed?');
  const { body } = await under.standIn.deliver(under.standIn.request(noticed, form));
  expect(readTwiml(body).children).toMatchObject([
    { name: 'Say', text: 'zh:visit_ended' },
    { name: 'Hangup' },
  ]);
  expect(starts(under)).toHaveLength(before);
});
