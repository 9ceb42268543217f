import { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { CallDecision, PhoneLanguage, RelayParty } from '../ports.ts';

/**
 * What a later report of a call has to say whose call it is. It travels in the addresses that Twilio is given and signs
 * when it comes back, so that reports are understood after a restart, too. It holds ids only.
 */
export interface CallContext {
  readonly bindingId: PhoneBindingId;
  readonly phoneCallId: PhoneCallId;
  readonly caller: RelayParty;
  readonly language: PhoneLanguage;
  readonly maxTalkSeconds: number;
}

export type Bridge = Extract<CallDecision, { do: 'bridge' }>;

/** Twilio allows 4 hours (`timeLimit`), and rings 5 to 600 seconds (`timeout`). */
const MOST_TALK_SECONDS = 14_400;
export const LONGEST_CALL_MS = MOST_TALK_SECONDS * 1_000;
const RING_SECONDS = { least: 5, most: 600 };

export const talkSeconds = (maxTalkMs: number): number =>
  Math.min(Math.max(Math.floor(maxTalkMs / 1_000), 1), MOST_TALK_SECONDS);
export const ringSeconds = (ringMs: number): number =>
  Math.min(Math.max(Math.floor(ringMs / 1_000), RING_SECONDS.least), RING_SECONDS.most);

export const contextOf = ({ bindingId, phoneCallId, caller, language, maxTalkMs }: Bridge): CallContext => ({
  bindingId,
  phoneCallId,
  caller,
  language,
  maxTalkSeconds: talkSeconds(maxTalkMs),
});

export const contextQuery = (context: CallContext): string =>
  new URLSearchParams({
    b: context.bindingId,
    p: context.phoneCallId,
    w: context.caller,
    g: context.language,
    l: String(context.maxTalkSeconds),
  }).toString();

/** null: not written by us. */
export function contextFrom(query: URLSearchParams): CallContext | null {
  const bindingId = PhoneBindingId.safeParse(query.get('b'));
  const phoneCallId = PhoneCallId.safeParse(query.get('p'));
  const caller = query.get('w');
  const language = query.get('g');
  const limit = query.get('l') ?? '';
  if (!bindingId.success || !phoneCallId.success || !/^\d{1,5}$/.test(limit)) return null;
  if ((caller !== 'a' && caller !== 'b') || (language !== 'zh' && language !== 'en')) return null;
  return {
    bindingId: bindingId.data,
    phoneCallId: phoneCallId.data,
    caller,
    language,
    maxTalkSeconds: Number(limit),
  };
}
