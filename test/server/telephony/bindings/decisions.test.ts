import { MemoryPhone } from '@teleconsult/server/storage/memory/memory-phone';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import type { RelayEvent } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { FakeProvider } from './fake-provider.ts';
import { consultation, person } from './fake-visits.ts';
import { bridged, NOW, NUMBERS, number, type Opened, openBindings } from './opened.ts';

const { limits } = DEFAULT_PHONE_SETTINGS;
const HOUR = 3_600_000;

/** What the provider tells of a call. */
const report = (
  call: { readonly bindingId: RelayEvent['bindingId']; readonly phoneCallId: RelayEvent['phoneCallId'] },
  what: RelayEvent['what'],
  change: Partial<RelayEvent> = {},
): RelayEvent => ({
  eventId: `${call.phoneCallId}-${what.type}`,
  provider: 'sip',
  callRef: 'call-1',
  bindingId: call.bindingId,
  phoneCallId: call.phoneCallId,
  at: NOW,
  what,
  ...change,
});

const ended = (talkMs: number, end: 'completed' | 'no_answer' = 'completed') =>
  ({ type: 'ended', caller: 'a', end, talkMs }) as const;

test('[PHB52] each of the two reaches the other and sees the relay number alone', async () => {
  await using opened = await openBindings();
  const { bindingId, x } = await opened.bind();
  const one = await opened.dial('dora', x);
  expect(one).toEqual({
    do: 'bridge',
    bindingId,
    phoneCallId: expect.stringMatching(/^pcl_/),
    caller: 'a',
    to: NUMBERS['pat'],
    showAs: x,
    language: 'zh',
    recorded: false,
    ringMs: 45_000,
    maxTalkMs: HOUR,
  });
  await opened.bindings.event(report(bridged(one), ended(0, 'no_answer')));
  expect(bridged(await opened.dial('pat', x))).toMatchObject({ caller: 'b', to: NUMBERS['dora'], showAs: x });
});

test('[PHB53] unknown numbers, strangers and hidden callers are turned away as the rule says', async () => {
  await using opened = await openBindings();
  const { x } = await opened.bind();
  expect(await opened.dial('dora', number('17099999999'))).toEqual({ do: 'reject', why: 'unknown_number' });
  const stranger = { do: 'announce', prompt: 'stranger', language: 'zh', why: 'stranger' };
  expect(await opened.dial('dan', x)).toEqual(stranger);
  expect(await opened.dial(null, x)).toEqual(stranger);
  expect(await opened.dial('dora', x, { provider: 'other' })).not.toMatchObject({ do: 'bridge' });
  await using strict = await openBindings({ settings: { strangers: 'reject', language: 'en' } });
  const other = await strict.bind();
  expect(await strict.dial(null, other.x)).toEqual({ do: 'reject', why: 'stranger' });
});

test('[PHB54] one way means one way, whoever asked', async () => {
  await using opened = await openBindings();
  const { x } = await opened.bind('pat', 1, { direction: 'patient_calls' });
  expect(await opened.dial('dora', x)).toMatchObject({ do: 'announce', why: 'direction' });
  expect(bridged(await opened.dial('pat', x)).to).toBe(NUMBERS['dora']);
  await using colleagues = await openBindings();
  colleagues.visits.set(
    2,
    { dora: 'doctor', dan: 'doctor' },
    { requestedBy: person('dan'), phaseSince: NOW },
  );
  await expect(colleagues.bind('dora', 2, { direction: 'doctor_calls' })).rejects.toMatchObject({
    code: 'INVALID',
  });
  expect((await colleagues.bind('dora', 2)).view.people).toEqual(['dan', 'dora']);
});

test('[PHB55] the same call asks again and gets the same answer; one that is over is connected to nobody', async () => {
  await using opened = await openBindings();
  const { x } = await opened.bind();
  const ask = (callRef: string, from = 'dora') => opened.dial(from, x, { callRef });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('same')));
  expect(new Set(answers.map((answer) => bridged(answer).phoneCallId)).size).toBe(1);
  expect(await ask('same')).toEqual(answers[0]);
  // Another caller under its name is not connected, at once or later.
  const both = await Promise.all([ask('alike', 'pat'), ask('alike', 'dan')]);
  expect(both.map(({ do: what }) => what)).toEqual(['announce', 'announce']);
  expect(await ask('same', 'dan')).not.toMatchObject({ do: 'bridge' });
  // Turned away as busy, it stays so though the line is free now.
  expect(await ask('second', 'pat')).toMatchObject({ prompt: 'busy', why: 'busy' });
  await opened.bindings.event(report(bridged(answers[0] ?? (await ask('same'))), ended(5_000)));
  expect(await ask('second', 'pat')).toMatchObject({ why: 'busy' });
  expect(await ask('same')).toMatchObject({ do: 'announce', why: 'expired' });
  expect(bridged(await ask('third', 'pat')).to).toBe(NUMBERS['dora']);
});

test('[PHB56] a store that fails or is slow turns the call away, and leaves no line busy', async () => {
  const store = new MemoryPhone();
  await using opened = await openBindings({ store, settings: { decideMs: 50 } });
  const { x } = await opened.bind();
  const { visits, logged } = opened;
  const gate = Promise.withResolvers<void>();
  visits.slow = gate.promise;
  expect(await opened.dial('dora', x)).toEqual({ do: 'reject', why: 'unavailable' });
  gate.resolve();
  expect(logged.some(({ step }) => step === 'phone.undecided')).toBe(true);
  visits.slow = Promise.resolve();
  // Slow in the store, after the call was begun there.
  const begin = store.calls.beginCall.bind(store.calls);
  const late = Promise.withResolvers<void>();
  store.calls.beginCall = async (call) => {
    const result = await begin(call);
    await late.promise;
    return result;
  };
  expect(await opened.dial('dora', x)).toEqual({ do: 'reject', why: 'unavailable' });
  store.calls.beginCall = begin;
  expect(await store.calls.countRunning()).toBe(1);
  late.resolve();
  await eventually('the call to be given up', async () => (await store.calls.countRunning()) === 0);
  const place = store.bindings.place.bind(store.bindings);
  store.bindings.place = () => Promise.reject(new Error('disk'));
  expect(await opened.dial('dora', x)).toEqual({ do: 'reject', why: 'unavailable' });
  store.bindings.place = place;
  expect(bridged(await opened.dial('dora', x)).to).toBe(NUMBERS['pat']);
});

test('[PHB57] abroad, premium, denied and unknown lines are never dialled', async () => {
  await using opened = await openBindings();
  const { bindings, parts } = opened;
  const set = (text: string) => bindings.setNumber(person('pat'), text);
  for (const text of ['+1 212 555 2368', '+4915112345678', '4001234567', '9501234567'])
    await expect(set(text)).rejects.toMatchObject({
      code: 'INVALID',
      detail: 'number: it may not be dialled from here',
    });
  const { x } = await opened.bind();
  await bindings.close();
  // Denied since then.
  const { PhoneBindings } = await import('@teleconsult/server/telephony/bindings/phone-bindings');
  const destinations = { ...parts.settings.destinations, denied: ['+86139'] };
  const next = await PhoneBindings.open({ ...parts, settings: { ...parts.settings, destinations } });
  const call = {
    provider: 'sip',
    callRef: 'c',
    from: NUMBERS['dora'] ?? null,
    x: x ?? number('17000000001'),
    at: NOW,
  };
  expect(await next.decide(call)).toMatchObject({ do: 'announce', why: 'limit' });
  await next.close();
});

test('[PHB58] when a limit is reached nobody is connected, and the last call is as long as what is left', async () => {
  const binding = { calls: 3, talkMs: 10 * 60_000 };
  await using opened = await openBindings({ settings: { limits: { ...limits, binding } } });
  const { x } = await opened.bind();
  const first = bridged(await opened.dial('dora', x));
  expect(first.maxTalkMs).toBe(10 * 60_000);
  await opened.bindings.event(report(first, ended(9 * 60_000)));
  expect(bridged(await opened.dial('pat', x)).maxTalkMs).toBe(60_000);
  opened.time.now += HOUR;
  await opened.bindings.tick();
  expect(bridged(await opened.dial('pat', x)).maxTalkMs).toBe(60_000);
  opened.time.now += HOUR;
  await opened.bindings.tick();
  expect(await opened.dial('pat', x)).toMatchObject({ do: 'announce', prompt: 'unavailable', why: 'limit' });
});

test('[PHB59] many refused calls within a minute are one alarm without a number, and again in another minute', async () => {
  await using opened = await openBindings({ settings: { refusedCallsAlarm: 5 } });
  const { x } = await opened.bind();
  const knock = async () => {
    for (let index = 0; index < 12; index += 1) await opened.dial('dan', x);
  };
  await knock();
  const alarms = () => opened.logged.filter(({ step }) => step === 'phone.manyRefused');
  expect(alarms()).toEqual([{ level: 'warn', step: 'phone.manyRefused', count: 5, reason: 'stranger' }]);
  opened.time.now += 60_000;
  await knock();
  expect(await opened.bindings.figures()).toMatchObject({ alarms: 2, refused: { stranger: 24, busy: 0 } });
});

test('[PHB60] reports in any order, twice and late are one call, told in order', async () => {
  await using opened = await openBindings();
  const { bindings, visits, store } = opened;
  const { x } = await opened.bind();
  const call = bridged(await opened.dial('dora', x));
  const answered = { type: 'answered', caller: 'a' } as const;
  await bindings.event(report(call, { type: 'ringing', caller: 'a' }));
  await bindings.event(report(call, ended(42_000)));
  await bindings.event(report(call, answered));
  await bindings.event(report(call, ended(42_000)));
  expect(await store.calls.call(call.phoneCallId)).toMatchObject({ state: 'ended', talkMs: 42_000 });
  const next = bridged(await opened.dial('pat', x));
  await bindings.event(report(next, answered, { at: NOW + HOUR }));
  await bindings.event(report(next, answered));
  expect((await opened.board()).bindings[0]?.call).toEqual({
    phoneCallId: next.phoneCallId,
    caller: 'pat',
    state: 'talking',
    since: NOW,
    recorded: false,
  });
  await eventually('the thread to be told', () => visits.told.length >= 5);
  expect(visits.facts(1)).toEqual(['bound', 'callStarted', 'callEnded', 'callStarted', 'callAnswered']);
  expect(visits.told[2]?.fact).toMatchObject({ reason: 'completed', talkMs: 42_000 });
});

test('[PHB60] a report for another binding, another provider or an unknown call changes nothing', async () => {
  await using opened = await openBindings();
  const { bindings, visits, store } = opened;
  const { x } = await opened.bind();
  visits.set(2, { dan: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  const other = await opened.bind('dan', 2);
  const call = bridged(await opened.dial('dora', x));
  await bindings.event(report({ ...call, bindingId: other.bindingId }, ended(1)));
  await bindings.event(report(call, ended(1), { provider: 'twilio' }));
  await bindings.event(report({ ...call, phoneCallId: null }, ended(1), { callRef: 'never decided' }));
  expect(await store.calls.running('sip')).toMatchObject([
    { phoneCallId: call.phoneCallId, state: 'ringing' },
  ]);
  await bindings.event(report({ ...call, phoneCallId: null }, ended(1), { callRef: 'call-1' }));
  expect(await store.calls.running('sip')).toEqual([]);
});

test('[PHB61] calls of a provider that connects by itself are made by its reports, and beyond a limit the binding ends', async () => {
  const provider = new FakeProvider('cloud', { routing: 'provider', chooses: 'provider' });
  provider.next.push(number('17000000007'));
  const binding = { calls: 2, talkMs: 9 * HOUR };
  await using opened = await openBindings({ provider, settings: { limits: { ...limits, binding } } });
  const { bindings, visits } = opened;
  const { bindingId } = await opened.bind();
  const tell = (callRef: string, what: RelayEvent['what']) =>
    bindings.event({
      eventId: `${callRef}-${what.type}`,
      provider: 'cloud',
      callRef,
      bindingId,
      phoneCallId: null,
      at: NOW,
      what,
    });
  await tell('c1', ended(3_000));
  await tell('c1', { type: 'answered', caller: 'a' });
  await tell('c2', { type: 'ringing', caller: 'b' });
  expect((await opened.board()).bindings[0]).toMatchObject({
    state: 'bound',
    call: { caller: 'pat', state: 'ringing' },
  });
  await tell('c3', { type: 'ringing', caller: 'b' });
  expect((await opened.board()).bindings[0]).toMatchObject({ state: 'unbound', unboundReason: 'failed' });
  await eventually('the thread to be told', () => visits.told.length >= 6);
  expect(visits.facts(1)).toEqual([
    'bound',
    'callStarted',
    'callEnded',
    'callStarted',
    'callStarted',
    'unbound',
  ]);
  await tell('c9', { type: 'blocked', why: 'stranger' });
  await tell('c9', { type: 'blocked', why: 'stranger' });
  expect((await bindings.figures()).refused.stranger).toBe(1);
});

test('[PHB62] a recording at the provider is handed on, or deleted there where nobody keeps it', async () => {
  const kept: unknown[] = [];
  const recordings = { wanted: async (recording: unknown) => void kept.push(recording) };
  await using opened = await openBindings({ recordings });
  const { x } = await opened.bind('dora', 1, { recorded: true });
  const call = bridged(await opened.dial('dora', x));
  expect(call.recorded).toBe(true);
  await opened.bindings.event(report(call, { type: 'recorded', recordingRef: 'r1' }));
  expect(kept).toMatchObject([{ recordingRef: 'r1', provider: 'sip', consultationId: consultation(1) }]);
  await using none = await openBindings();
  const other = bridged(await none.dial('dora', (await none.bind()).x));
  await none.bindings.event(report(other, { type: 'recorded', recordingRef: 'r2' }));
  expect(none.provider.asked.at(-1)).toMatchObject({ what: 'deleteRecording', id: 'r2' });
});

test('[PHB63] after a restart what was left is lost, and the line is free', async () => {
  await using opened = await openBindings();
  const { bindings, parts, time, visits } = opened;
  const { x } = await opened.bind();
  const call = bridged(await opened.dial('dora', x));
  await bindings.event(report(call, { type: 'answered', caller: 'a' }));
  await bindings.close();
  time.now += 30_000;
  const { PhoneBindings } = await import('@teleconsult/server/telephony/bindings/phone-bindings');
  const next = await PhoneBindings.open(parts);
  expect(await next.runningCalls('sip')).toMatchObject([
    { callRef: 'call-1', phoneCallId: call.phoneCallId },
  ]);
  await next.callsLost('sip', time.now);
  expect(await next.runningCalls('sip')).toEqual([]);
  await next.tick();
  expect(visits.told.at(-1)?.fact).toMatchObject({ type: 'phone.callEnded', reason: 'lost', talkMs: 30_000 });
  await next.close();
});

test('[PHB63] a server that starts loses the calls of its own relay, and none of a relay that went on without it', async () => {
  for (const webhookProof of ['in_process', 'hmac'] as const) {
    await using opened = await openBindings({ provider: new FakeProvider('sip', { webhookProof }) });
    bridged(await opened.dial('dora', (await opened.bind()).x));
    await opened.bindings.close();
    const { PhoneBindings } = await import('@teleconsult/server/telephony/bindings/phone-bindings');
    const next = await PhoneBindings.open(opened.parts);
    expect(await next.runningCalls('sip')).toHaveLength(1);
    await next.start();
    expect(await next.runningCalls('sip')).toHaveLength(webhookProof === 'hmac' ? 1 : 0);
    await next.close();
  }
});

/** A call that nobody reports on any more. */
async function silent({ bind, dial, bindings, time, store }: Opened, afterMs: number) {
  const { x } = await bind();
  bridged(await dial('dora', x));
  time.now += afterMs;
  await bindings.tick();
  return store.calls.countRunning();
}

test('[PHB63] a call that is silent for longer than it may ring is given up', async () => {
  await using soon = await openBindings();
  expect(await silent(soon, 100_000)).toBe(1);
  await using late = await openBindings();
  expect(await silent(late, 106_000)).toBe(0);
});

test('[PHB64] no call begins once a number was given back: what was being decided is waited for', async () => {
  await using opened = await openBindings();
  const { bindings, provider, visits } = opened;
  const { bindingId, x } = await opened.bind();
  const gate = Promise.withResolvers<void>();
  visits.slow = gate.promise;
  const order: string[] = [];
  const decided = opened.dial('pat', x).then(({ do: what }) => order.push(what));
  visits.slow = Promise.resolve();
  const unbound = bindings
    .unbind(consultation(1), person('dora'), bindingId)
    .then(() => order.push('unbound'));
  await eventually(
    'the end to be in the store',
    async () => (await opened.board()).bindings[0]?.state === 'unbinding',
  );
  expect(provider.count('unbind')).toBe(0);
  gate.resolve();
  await Promise.all([decided, unbound]);
  expect(order).toEqual(['announce', 'unbound']);
});

test('[PHB65] what adapters ask is answered as long as reports may come: binding by name, side by number, call by name', async () => {
  await using opened = await openBindings();
  const { bindings, provider } = opened;
  const { bindingId, x } = await opened.bind();
  const call = bridged(await opened.dial('pat', x));
  const ref = `ref-${bindingId}`;
  const look = async () => ({
    known: await bindings.bindingOf('sip', ref, null),
    same: await bindings.bindingOf('sip', ref, bindingId),
    forged: await bindings.bindingOf('sip', ref, `${bindingId.slice(0, -1)}x` as typeof bindingId),
    elsewhere: await bindings.bindingOf('twilio', ref, null),
    sides: [
      await bindings.partyOf(bindingId, NUMBERS['dora'] ?? number('110')),
      await bindings.partyOf(bindingId, number('13900000001')),
    ],
    stranger: await bindings.partyOf(bindingId, number('13800000002')),
  });
  const answer = {
    known: bindingId,
    same: bindingId,
    forged: null,
    elsewhere: null,
    sides: ['a', 'b'],
    stranger: null,
  };
  expect(await look()).toEqual(answer);
  expect(await bindings.callOf('sip', 'call-1')).toEqual({
    bindingId,
    phoneCallId: call.phoneCallId,
    caller: 'b',
    since: NOW,
    language: 'zh',
    ended: false,
  });
  await bindings.unbind(consultation(1), person('dora'), bindingId);
  expect(provider.held.size).toBe(0);
  expect(await look()).toEqual(answer);
});
