import { inspect } from 'node:util';
import { reasonOf } from '@teleconsult/server/telephony/alibaba/error-codes';
import { eventOf, Report } from '@teleconsult/server/telephony/alibaba/reports';
import { describe, expect, test } from 'vitest';
import { alibabaUnderTest } from '../../../contract/relay.alibaba.fixture.ts';
import { bind, bindRequest, numbersIn } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { POOL, REPORT_SECRET } from './alibaba-stand-in.ts';

describe('what reports say', () => {
  test.each([
    ['13800001111', '13800001111'],
    ['8613800001111', 'x13800001111'],
    ['13800001111', '8613800001111x'],
    ['+86 138-0000-1111', '13800001111-1'],
    ['13800001111', '138_0000_1111'],
    ['010-88992688', 'a01088992688'],
    ['88992688', 'call-88992688'],
  ])('[ALI60] a call of %s that is named %s is none, however the number is written', (number, call_id) => {
    for (const who of ['phone_no', 'peer_no'])
      expect(Report.safeParse({ call_id, [who]: number }).success).toBe(false);
  });

  test('[ALI60] an opaque name is one, also where there is no number to find in it', () => {
    for (const phone_no of ['13800001111', '138****1111', '10086', '', null])
      expect(Report.safeParse({ call_id: '43612633712c10009901', phone_no }).success).toBe(true);
  });

  test.each([
    { release_cause: -1, release_dir: 'x', unconnected_cause: 1e9 },
    { release_cause: 16.5, release_dir: -2, ring_time: {}, call_time: [] },
    { unconnected_cause: 'none', call_time: 'x'.repeat(100) },
  ])('[ALI61] an end is told whatever is said of its cause and its moments: %j', (odd) => {
    const report = Report.parse({
      call_id: 'call-000001',
      start_time: '2026-11-22 16:00:20',
      release_time: '2026-11-22 16:01:20',
      ...odd,
    });
    expect(eventOf('end', report, { caller: 'b', now: 1 })?.what).toEqual({
      type: 'ended',
      caller: 'b',
      end: 'completed',
      talkMs: 60_000,
    });
  });

  test('[ALI62] a store that keeps nothing lets only so many reports wait, and the rest come again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using under = await alibabaUnderTest({}, (core) => ({
      decide: (call) => core.decide(call),
      event: async (event) => {
        await promise;
        await core.event(event);
      },
    }));
    const { ref } = await bind(under);
    const record = { pool_key: POOL, sub_id: `#${ref}`, call_id: 'call-000001' };
    const request = under.standIn.request('ring', [record]);
    const waiting = Array.from({ length: 200 }, () => under.standIn.deliver(request));
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(503);
    // What was answered so is still at work: nobody begins more of it.
    const began = performance.now();
    expect((await under.standIn.deliver(request)).status).toBe(503);
    expect(performance.now() - began).toBeLessThan(500);
    expect(under.core.events.size).toBe(0);
    resolve();
    await eventually('it is kept', async () => (await under.standIn.deliver(request)).status === 200);
    expect(under.core.told('call-000001').types).toEqual(['ringing']);
  });
});

describe('what the service says', () => {
  test.each([
    ['a code that means it is gone, although it is there', 'isv.SUBS_NOT_EXIST', null],
    ['details nobody can read', 'isv.FORBIDDEN_ACTION', { Status: 'BOUND' }],
    ['details without a state', 'isv.FORBIDDEN_ACTION', { SubsId: '1' }],
  ])('[ALI63] %s is no proof that a binding has ended: it is asked again', async (_, code, detail) => {
    await using under = await alibabaUnderTest();
    const bound = await bind(under);
    under.standIn.failures.push({ code });
    if (detail !== null) under.standIn.failures.push({ code: 'OK', more: { SecretBindDetailDTO: detail } });
    const error: unknown = await under.provider
      .unbind(bound, 'visit_ended')
      .catch((thrown: unknown) => thrown);
    // Not `not_found`, which would be done.
    expect(error).toMatchObject({ reason: 'unavailable' });
    expect(numbersIn(inspect(error, { depth: 10 }))).toEqual([]);
    expect(under.held()).toBe(1);
    await under.provider.unbind(bound, 'visit_ended');
    expect(under.held()).toBe(0);
  });

  test.each(['down', { code: 'isp.SYSTEM_ERROR' }] as const)(
    '[ALI64] where the service chooses X, a binding that may have been made is not asked for twice: %j',
    async (failure) => {
      await using under = await alibabaUnderTest({ chooses: 'provider' });
      under.standIn.failures.push(failure);
      await expect(under.provider.bind(bindRequest(under))).rejects.toMatchObject({ reason: 'unavailable' });
      expect(under.standIn.asked).toHaveLength(1);
      // What was turned away was not made.
      under.standIn.failures.push('throttled', { code: 'isv.FLOW_LIMIT' });
      await bind(under);
      expect(under.standIn.asked).toHaveLength(4);
      expect(under.held()).toBe(1);
    },
  );

  test.each(['SignatureDoesNotMatch', 'Forbidden.RAM', 'isv.OUT_OF_SERVICE', 'InvalidTimeStamp.Expired'])(
    '[ALI65] a recording that is refused with %s is there still, and is asked for again',
    async (code) => {
      await using under = await alibabaUnderTest();
      under.standIn.recordings.set('call-000001', Buffer.alloc(200));
      under.standIn.failures.push({ code });
      await expect(under.provider.fetchRecording('1629893489000.call-000001')).rejects.toMatchObject({
        reason: 'unavailable',
      });
      const { body } = await under.provider.fetchRecording('1629893489000.call-000001');
      for await (const piece of body) expect(piece.byteLength).toBe(200);
    },
  );

  test('[ALI66] the secret address of the reports is not in the provider as it is written down', async () => {
    await using under = await alibabaUnderTest();
    expect(inspect(under.provider, { depth: 10, getters: false })).not.toContain(REPORT_SECRET);
    expect(JSON.stringify(under.provider)).not.toContain(REPORT_SECRET);
    expect(under.provider.webhooks.map(({ path }) => path)).toContain(`alibaba/${REPORT_SECRET}/end`);
  });

  test.each(['InvalidTimeStamp.Expired', 'InvalidAccessKeyId.NotFound', 'isv.POOL_NOT_EXIST'])(
    '[ALI67] the check does not pass where everything is refused with %s',
    async (code) => {
      await using under = await alibabaUnderTest();
      under.standIn.failures.push({ code });
      await expect(under.provider.check()).rejects.toMatchObject({ reason: 'refused' });
    },
  );

  test.each(['constructor', 'toString', '__proto__'])(
    '[ALI68] the code %s is one that nobody knows',
    (code) => {
      expect(reasonOf(code)).toBe('refused');
    },
  );
});
