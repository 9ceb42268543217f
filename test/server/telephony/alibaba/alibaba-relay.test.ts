import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type AlibabaUnderTest, alibabaUnderTest } from '../../../contract/relay.alibaba.fixture.ts';
import {
  ANN,
  BOB,
  bind,
  bindRequest,
  CARA,
  number,
  numbersIn,
  STRANGER,
  X,
} from '../../../contract/relay.under-test.ts';
import { beijing, KEY_SECRET, POOL, REPORT_SECRET, SOURCE } from './alibaba-stand-in.ts';

const actions = (under: AlibabaUnderTest): string[] => under.standIn.asked.map(({ Action }) => Action ?? '');

describe('what is asked of Alibaba', () => {
  test('[ALI10] a binding is asked for with all its terms, by POST, so that no address holds a number', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under, { direction: 'b_calls', recorded: true, ringMs: 90_000 });
    const [asked] = under.standIn.asked;
    expect(asked).toMatchObject({
      Action: 'BindAxb',
      Version: '2017-05-25',
      PoolKey: POOL,
      PhoneNoA: '13800001111',
      PhoneNoB: '13900002222',
      PhoneNoX: '17000005555',
      Expiration: beijing(under.now() + 3_600_000),
      OutId: bound.bindingId,
      CallDisplayType: '1',
      CallTimeout: '20',
      CallRestrict: 'CONTROL_AX_DISABLE',
      IsRecordingEnabled: 'true',
      RingConfig: expect.stringContaining('100000001'),
    });
    expect(under.standIn.urls).toEqual(['/']);
  });

  test('[ALI11] a change is asked for part by part, what narrows first', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    const expiresAt = under.now() + 7_200_000;
    await under.provider.change(bound, {
      a: CARA,
      b: STRANGER,
      expiresAt,
      direction: 'a_calls',
      recorded: true,
    });
    const asked = under.standIn.asked.slice(1);
    expect(asked.map(({ OperateType }) => OperateType)).toEqual([
      'updateCallRestrict',
      'updateIsRecordingEnabled',
      'updateNoA',
      'updateNoB',
      'updateExpire',
    ]);
    for (const one of asked) expect(one).toMatchObject({ SubsId: bound.ref, PhoneNoX: '17000005555' });
    const [held] = under.standIn.subscriptions.values();
    expect(held).toMatchObject({
      a: '13700003333',
      b: '13600004444',
      restrict: 'CONTROL_BX_DISABLE',
      expiration: beijing(expiresAt),
    });
  });

  test('[ALI12] a binding whose answer was lost is found again, and is not made twice', async () => {
    await using under = await alibabaUnderTest();
    await bind(under, { a: CARA, b: STRANGER });
    under.standIn.failures.push('lost');
    const bound = await bind(under);
    const made = [...under.standIn.subscriptions.values()].filter(({ outId }) => outId === bound.bindingId);
    expect(made.map(({ id }) => id)).toEqual([bound.ref]);
    // Another process that asks for the same is told the same.
    const { b, a } = { a: ANN, b: BOB };
    expect(await under.provider.bind({ ...bindRequest(under), a, b })).toMatchObject({ ref: bound.ref });
  });

  test('[ALI12] where the service chooses X, a request that may have been done is not sent again', async () => {
    await using under = await alibabaUnderTest({ chooses: 'provider' });
    under.standIn.failures.push('lost');
    await expect(under.provider.bind(bindRequest(under))).rejects.toMatchObject({ reason: 'unavailable' });
    expect(actions(under)).toEqual(['BindAxb']);
  });

  test('[ALI13] an X that serves another of the two already is no number for them', async () => {
    await using under = await alibabaUnderTest();
    await bind(under, { a: ANN, b: CARA });
    await expect(under.provider.bind(bindRequest(under))).rejects.toMatchObject({ reason: 'no_number' });
    await expect(under.provider.bind(bindRequest(under, { x: null }))).rejects.toMatchObject({
      reason: 'no_number',
    });
    const elsewhere = { x: number('+8617099999999') };
    await expect(under.provider.bind(bindRequest(under, elsewhere))).rejects.toMatchObject({
      reason: 'no_number',
    });
  });

  test('[ALI14] throttling and failures of the service are tried again with a new nonce, and more is unavailable', async () => {
    await using under = await alibabaUnderTest();
    under.standIn.failures.push('throttled', 'down');
    await bind(under);
    expect(new Set(under.standIn.asked.map(({ SignatureNonce }) => SignatureNonce)).size).toBe(3);
    under.standIn.failures.push('throttled', { code: 'isp.SYSTEM_ERROR' }, { code: 'isv.FLOW_LIMIT' });
    await expect(under.provider.check()).rejects.toMatchObject({ reason: 'unavailable' });
  });

  test('[ALI14] a service that does not answer is unavailable', async () => {
    await using under = await alibabaUnderTest({}, undefined, 200);
    under.standIn.failures.push('slow', 'slow', 'slow');
    await expect(under.provider.check()).rejects.toMatchObject({ reason: 'unavailable' });
    expect(under.standIn.asked).toHaveLength(3);
  });

  test('[ALI15] what the service could not do is refused without asking it', async () => {
    await using under = await alibabaUnderTest({ recordingRingConfig: null });
    const refused = { reason: 'refused' };
    const soon = { expiresAt: under.now() + 119_000 };
    await expect(under.provider.bind(bindRequest(under, soon))).rejects.toMatchObject(refused);
    await expect(
      under.provider.bind(bindRequest(under, { a: number('+14158675309') })),
    ).rejects.toMatchObject(refused);
    await expect(under.provider.bind(bindRequest(under, { recorded: true }))).rejects.toMatchObject(refused);
    expect(under.standIn.asked).toEqual([]);
    const bound = await bind(under);
    await expect(under.provider.change(bound, { recorded: true })).rejects.toMatchObject(refused);
    await expect(under.provider.endCall('x', null)).rejects.toMatchObject(refused);
    expect(under.provider.capabilities).toMatchObject({
      recording: 'none',
      endsCalls: false,
      minLifetimeMs: 120_000,
    });
  });

  test('[ALI16] unbinding something that is there and is refused is not done', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    under.standIn.failures.push({ code: 'isv.FORBIDDEN_ACTION' });
    await expect(under.provider.unbind(bound, 'visit_ended')).rejects.toMatchObject({ reason: 'refused' });
    await under.provider.unbind(bound, 'visit_ended');
    expect(under.held()).toBe(0);
    // Whatever it says of what is not there, it is not there.
    for (const code of ['isv.ILLEGAL_ARGUMENT', 'isv.NO_NOT_EXIST', 'isv.SUBS_NOT_EXIST']) {
      under.standIn.failures.push({ code }, { code });
      await under.provider.unbind(bound, 'visit_ended');
    }
  });

  test('[ALI17] the check proves the keys; a wrong one is refused at once, and no secret and no number is told', async () => {
    await using under = await alibabaUnderTest({ accessKeySecret: 'another-secret' });
    const error: unknown = await under.provider.check().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'refused', code: 'SignatureDoesNotMatch' });
    expect(under.standIn.asked).toHaveLength(1);
    under.standIn.failures.push({ code: 'isv.MOBILE_NUMBER_ILLEGAL' });
    const other: unknown = await under.provider.bind(bindRequest(under)).catch((thrown: unknown) => thrown);
    for (const shown of [error, other, under.provider, under.log.text]) {
      const text = inspect(shown, { depth: 10 });
      expect(numbersIn(text)).toEqual([]);
      expect(text).not.toContain('another-secret');
      expect(text).not.toContain(KEY_SECRET);
    }
  });
});

describe('recordings', () => {
  test('[ALI18] an address of a recording is followed to the hosts of the settings alone', async () => {
    await using under = await alibabaUnderTest({ recordingHosts: ['oss-cn-shanghai.aliyuncs.com'] });
    under.standIn.recordings.set('call-000001', Buffer.alloc(200));
    await expect(under.provider.fetchRecording('1629893489000.call-000001')).rejects.toMatchObject({
      reason: 'unavailable',
    });
    expect(under.standIn.urls.filter((url) => url.startsWith('/records'))).toEqual([]);
  });

  test('[ALI18] it is asked for by its call and moment; one that is not there is not found', async () => {
    await using under = await alibabaUnderTest();
    under.standIn.recordings.set('call-000001', Buffer.alloc(200));
    const { body, channels, contentType } = await under.provider.fetchRecording('1629893489000.call-000001');
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.byteLength;
    expect({ bytes, channels, contentType }).toEqual({ bytes: 200, channels: 1, contentType: 'audio/mpeg' });
    expect(under.standIn.asked[0]).toMatchObject({ CallId: 'call-000001', CallTime: '2021-08-25 20:11:29' });
    for (const ref of ['1629893489000.call-000002', 'nonsense'])
      await expect(under.provider.fetchRecording(ref)).rejects.toMatchObject({ reason: 'not_found' });
  });
});

describe('reports', () => {
  const record = (under: AlibabaUnderTest, ref: string, change: object = {}) => ({
    pool_key: POOL,
    sub_id: `#${ref}`,
    call_id: 'call-000001',
    phone_no: '13800001111',
    peer_no: '13900002222',
    call_type: 0,
    call_time: beijing(under.now()),
    ...change,
  });

  test('[ALI19] a report is answered as the service wants it, with ids of 64 bits as they were written', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    expect(Number.isSafeInteger(Number(bound.ref))).toBe(false);
    const answer = await under.standIn.deliver(under.standIn.request('ring', [record(under, bound.ref)]));
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json' });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 0 });
    expect([...under.core.events.values()]).toMatchObject([
      {
        eventId: 'alibaba:call-000001:ringing',
        bindingId: bound.bindingId,
        phoneCallId: null,
        what: { type: 'ringing', caller: 'a' },
      },
    ]);
  });

  test('[ALI20] a store that is slow is not waited for beyond the 700 ms, and the report comes again', async () => {
    let isSlow = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    await using under = await alibabaUnderTest({}, (core) => ({
      decide: (call) => core.decide(call),
      event: async (event) => {
        if (isSlow) await promise;
        await core.event(event);
      },
    }));
    const bound = await bind(under);
    const request = under.standIn.request('end', [record(under, bound.ref, { release_cause: 17 })]);
    const began = performance.now();
    const answer = await under.standIn.deliver(request);
    // The limit is 600 ms; a busy machine is a little late.
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(answer.status).toBe(503);
    isSlow = false;
    expect((await under.standIn.deliver(request)).status).toBe(200);
    resolve();
    expect(under.core.told('call-000001')).toMatchObject({ types: ['ended'], end: 'busy' });
  });

  test('[ALI21] of many reports in one request, one that is none does not hinder the others, and one that fails makes all come again', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    const records = Array.from({ length: 100 }, (_, index) =>
      record(under, bound.ref, { call_id: `call-${1_000 + index}` }),
    );
    const request = under.standIn.request('ring', [
      { call_id: 1 },
      ...records,
      record(under, bound.ref, { call_type: 2 }),
    ]);
    under.core.failingEvents = 3;
    expect((await under.standIn.deliver(request)).status).toBe(503);
    expect(under.core.events.size).toBe(97);
    expect((await under.standIn.deliver(request)).status).toBe(200);
    expect(under.core.events.size).toBe(100);
  });

  test.each([
    ['from elsewhere', { remoteAddress: '198.51.100.1' }, 404],
    ['from no address', { remoteAddress: '' }, 404],
    ['at another address', { path: `/v1/phone/alibaba/${'x'.repeat(REPORT_SECRET.length)}/ring` }, 404],
    ['by GET', { method: 'GET' }, 404],
    ['too large', { body: Buffer.alloc(262_145, ' ') }, 413],
  ])('[ALI22] a report %s is not read', async (_, change, status) => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    const request = { ...under.standIn.request('ring', [record(under, bound.ref)]), ...change };
    const [webhook] = under.provider.webhooks.filter(({ path }) => path.endsWith('/ring'));
    expect((await webhook?.handle(request))?.status).toBe(status);
    expect(under.core.events.size).toBe(0);
    expect(under.log.text).toContain('not believed');
    expect(under.log.text).not.toContain(REPORT_SECRET);
  });

  test('[ALI22] a peer of a dual-stack socket is the IPv4 address it is', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    const request = under.standIn.request('ring', [record(under, bound.ref)], `::ffff:${SOURCE}`);
    expect((await under.standIn.deliver(request)).status).toBe(200);
    expect(under.core.events.size).toBe(1);
  });

  test('[ALI23] after a hand-over, a late report with the former number is of the side it was', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    under.core.changed(bound.bindingId, { a: CARA });
    const reports = [
      record(under, bound.ref, { call_id: 'call-000001' }),
      record(under, bound.ref, { call_id: 'call-000002', call_type: 1 }),
      // Sides the other way round than we bound them: the numbers tell.
      record(under, bound.ref, { call_id: 'call-000003', phone_no: '13900002222', peer_no: '13700003333' }),
    ];
    await under.standIn.deliver(under.standIn.request('ring', reports));
    expect(
      [...under.core.events.values()].map(({ what }) => ('caller' in what ? what.caller : null)),
    ).toEqual(['a', 'b', 'b']);
    expect(numbersIn(JSON.stringify([...under.core.events.values()]))).toEqual([]);
  });

  test('[ALI24] a call through X that was barred is told as blocked', async () => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under, { direction: 'a_calls' });
    await under.dial(BOB, bound.x);
    expect([...under.core.events.values()].map(({ what }) => what)).toEqual([
      { type: 'blocked', why: 'direction' },
    ]);
    await under.dial(STRANGER, X);
    expect(under.core.events.size).toBe(1);
  });
});
