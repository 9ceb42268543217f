import { AlibabaRelay } from '@teleconsult/server/telephony/alibaba/alibaba-relay';
import type { AlibabaSettings } from '@teleconsult/server/telephony/alibaba/settings';
import type { RelayCore } from '@teleconsult/server/telephony/ports';
import {
  AlibabaStandIn,
  type Delivery,
  KEY_ID,
  KEY_SECRET,
  POOL,
  REPORT_SECRET,
  SOURCE,
} from '../server/telephony/alibaba/alibaba-stand-in.ts';
import { newBindingId, ScriptedCore } from './relay.core.ts';
import { type RelayUnderTest, type ReportOnItsWay, WrittenLog } from './relay.under-test.ts';

export const alibabaSettings = (endpoint: string): AlibabaSettings => ({
  accessKeyId: KEY_ID,
  accessKeySecret: KEY_SECRET,
  poolKey: POOL,
  endpoint,
  regionId: 'cn-hangzhou',
  reportSecret: REPORT_SECRET,
  reportSources: ['203.0.113.0/24'],
  chooses: 'us',
  city: null,
  recordingRingConfig: '{"AXBRing_A":"100000001","AXBRing_B":"100000001"}',
  recordingHosts: [new URL(endpoint).host],
});

export interface AlibabaUnderTest extends RelayUnderTest {
  readonly standIn: AlibabaStandIn;
}

/** As the service writes numbers. */
const domestic = (number: string): string => number.slice(3);

export async function alibabaUnderTest(
  change: Partial<AlibabaSettings> = {},
  asSeen: (core: RelayCore) => RelayCore = (core) => core,
  timeoutMs = 5_000,
): Promise<AlibabaUnderTest> {
  let now = Date.UTC(2026, 10, 22, 8);
  const clock = (): number => now;
  const core = new ScriptedCore(clock);
  const log = new WrittenLog();
  const standIn = new AlibabaStandIn(clock);
  const settings = { ...alibabaSettings(await standIn.listen()), ...change };
  const pace = { timeoutMs, attempts: 3, firstDelayMs: 1, mostDelayMs: 5 };
  const provider = new AlibabaRelay({ settings, lookup: core, log, clock, pace });
  standIn.provider = provider;
  await provider.start(asSeen(core));

  const onItsWay = (delivery: Delivery): ReportOnItsWay => {
    const { kind, records } = delivery;
    const like = (fields: object): Record<string, unknown>[] =>
      records.map((record) => ({ ...record, ...fields }));
    const tell = (given: unknown, from?: string, secret?: string) =>
      standIn.deliver(standIn.request(kind, given, from, secret));
    const forged = like({ call_id: 'forged-call-0001' });
    return {
      send: async () => (await delivery.send()).status === 200,
      forgeries: [
        // From elsewhere; to another address; of another pool; of a binding that is none; of no pool; of no shape.
        () => tell(forged, '198.51.100.1'),
        () => tell(forged, SOURCE, 'x'.repeat(36)),
        () => tell(like({ call_id: 'forged-call-0002', pool_key: 'FC999', partner_key: 'FC999' })),
        () => tell(like({ call_id: 'forged-call-0003', sub_id: 4_242, subs_id: 4_242 })),
        () => tell(like({ call_id: 'forged-call-0005', out_id: newBindingId() })),
        () => tell(like({ call_id: 'forged-call-0006', out_id: 'anything' })),
        () => tell(like({ call_id: 'forged-call-0004', pool_key: null, partner_key: null })),
        () => tell(like({ call_id: '13800001111', sub_id: [], phone_no: 13_800_001_111 })),
        () => tell({ code: 0 }),
        () => tell([null, 1, 'x', []]),
      ],
    };
  };

  return {
    provider,
    standIn,
    core,
    log,
    now: clock,
    advance: (ms) => {
      now += ms;
    },
    dial: async (from, x) => {
      const call = await standIn.dial(from === null ? '' : domestic(from), domestic(x));
      return {
        callRef: call.id,
        got: call.to === null ? 'turned_away' : 'ringing',
        rung: call.to === null ? null : { to: `+86${call.to}`, shows: x },
        answer: () => standIn.answer(call),
        hangUp: (by) => standIn.hangUp(call, by),
      };
    },
    next: (answer) => {
      standIn.nextAnswer = answer;
    },
    hold: () => {
      standIn.held ??= [];
    },
    release: () => {
      const held = standIn.held ?? [];
      standIn.held = null;
      return held.map(onItsWay);
    },
    outage: (isDown) => {
      standIn.isDown = isDown;
    },
    held: () => [...standIn.subscriptions.values()].filter(({ status }) => status === 1).length,
    [Symbol.asyncDispose]: async () => {
      await provider.close();
      await standIn[Symbol.asyncDispose]();
    },
  };
}
