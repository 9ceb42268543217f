import {
  PROMPTS,
  type PromptId,
  type RelayCore,
  type WebhookRequest,
} from '@teleconsult/server/telephony/ports';
import type { RelayLookup } from '@teleconsult/server/telephony/relay-lookup';
import type { TwilioSettings } from '@teleconsult/server/telephony/twilio/settings';
import { TwilioRelay } from '@teleconsult/server/telephony/twilio/twilio-relay';
import {
  ACCOUNT,
  type Delivery,
  PUBLIC,
  TOKEN,
  TwilioStandIn,
} from '../server/telephony/twilio/twilio-stand-in.ts';
import { ScriptedCore } from './relay.core.ts';
import { type RelayUnderTest, type ReportOnItsWay, WrittenLog } from './relay.under-test.ts';

const texts = (language: string): Record<PromptId, string> => {
  const all: Partial<Record<PromptId, string>> = {};
  for (const prompt of PROMPTS) all[prompt] = `${language}:${prompt}`;
  return all as Record<PromptId, string>;
};

const lookupOver = (core: ScriptedCore, change: Partial<RelayLookup> = {}): RelayLookup => ({
  bindingOf: (provider, ref, ours) => core.bindingOf(provider, ref, ours),
  partyOf: (bindingId, number) => core.partyOf(bindingId, number),
  callOf: (provider, callRef) => core.callOf(provider, callRef),
  ...change,
});

export const twilioSettings = (apiBase: string): TwilioSettings => ({
  accountSid: ACCOUNT,
  authToken: TOKEN,
  apiKey: null,
  publicUrl: PUBLIC,
  apiBase,
  language: 'zh',
  prompts: {
    kind: 'say',
    texts: { zh: texts('zh'), en: texts('en') },
    voices: { zh: null, en: 'Polly.Joanna' },
  },
});

export interface TwilioUnderTest extends RelayUnderTest {
  readonly provider: TwilioRelay;
  readonly standIn: TwilioStandIn;
  readonly apiBase: string;
}

export async function twilioUnderTest(
  options: {
    asSeen?: (core: RelayCore) => RelayCore;
    timeoutMs?: number;
    stallMs?: number;
    lookup?: Partial<RelayLookup>;
    believes?: (request: WebhookRequest) => WebhookRequest;
  } = {},
): Promise<TwilioUnderTest> {
  const {
    asSeen = (core) => core,
    believes = (request) => request,
    timeoutMs = 5_000,
    stallMs = 5_000,
  } = options;
  let now = Date.UTC(2026, 10, 22, 8);
  const clock = (): number => now;
  const core = new ScriptedCore(clock);
  const log = new WrittenLog();
  const standIn = new TwilioStandIn(clock);
  const apiBase = await standIn.listen();
  const settings = twilioSettings(apiBase);
  const pace = { timeoutMs, stallMs, attempts: 3, firstDelayMs: 1, mostDelayMs: 5 };
  const provider = new TwilioRelay({
    settings,
    lookup: lookupOver(core, options.lookup),
    log,
    clock,
    pace,
    decideTimeoutMs: 1_000,
  });
  standIn.provider = provider;
  await provider.start(asSeen(core));
  const forge = (request: WebhookRequest) => standIn.deliver(believes(request));

  const onItsWay = (delivery: Delivery): ReportOnItsWay => {
    const { path, form } = delivery;
    const real = standIn.request(`${PUBLIC}${path}`, form);
    const body = (fields: Record<string, string>): Uint8Array =>
      Buffer.from(new URLSearchParams(fields).toString());
    const status = 'CallStatus' in form ? { CallStatus: 'failed', DialCallStatus: 'failed' } : {};
    return {
      send: async () => (await delivery.send()).status < 300,
      forgeries: [
        // Unsigned; signed by another; another body; another address; another account, rightly signed.
        () => forge({ ...real, headers: { 'content-type': real.headers['content-type'] } }),
        () =>
          forge({
            ...real,
            headers: { ...real.headers, 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' },
          }),
        () =>
          forge({
            ...real,
            body: body({ ...form, ...status, CallDuration: '9999', CallSid: `CA${'f'.repeat(32)}` }),
          }),
        () => forge({ ...real, path: `${path}${path.includes('?') ? '&' : '?'}w=b` }),
        () =>
          standIn.deliver(
            standIn.request(`${PUBLIC}${path}`, { ...form, AccountSid: `AC${'b'.repeat(32)}` }),
          ),
        () => forge({ ...real, headers: { ...real.headers, 'content-type': 'application/json' } }),
      ],
    };
  };

  return {
    provider,
    standIn,
    apiBase,
    core,
    log,
    now: clock,
    advance: (ms) => {
      now += ms;
    },
    dial: async (from, x) => {
      const call = await standIn.dial(from ?? '+266696687', x);
      const leg = standIn.legOf(call);
      return {
        callRef: call.sid,
        got: leg === null ? 'turned_away' : 'ringing',
        rung: leg === null ? null : { to: leg.to, shows: leg.from },
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
    held: () => null,
    [Symbol.asyncDispose]: async () => {
      await provider.close();
      await standIn[Symbol.asyncDispose]();
    },
  };
}
