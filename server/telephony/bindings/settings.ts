import type { PhoneDirection } from '@teleconsult/protocol';
import type { PhoneLine, PhoneNumber, PhoneRegion } from '../numbers.ts';
import type { PhoneLanguage } from '../ports.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How much may be phoned in any 24 hours. */
export interface CallLimits {
  readonly calls: number;
  readonly talkMs: number;
}

/** Against abuse: a stolen account, a broken phone that dials for ever, somebody who sells our minutes. */
export interface PhoneLimits {
  readonly binding: CallLimits;
  readonly consultation: CallLimits;
  /** Of one person, whoever of the two called. */
  readonly person: CallLimits;
  /** Of the whole server. */
  readonly server: CallLimits;
  readonly atOncePerPerson: number;
  readonly atOnce: number;
  /** What is left of a limit must be worth a call. */
  readonly shortestTalkMs: number;
  /** Relay numbers a consultation may be given in 24 hours. */
  readonly bindingsPerConsultation: number;
}

export interface Destinations {
  /** Beginnings of E.164 numbers that may be dialled, such as `+86`. Nothing else is. */
  readonly allowed: readonly string[];
  /** Beginnings that may not, though they are allowed above. */
  readonly denied: readonly string[];
  /** Kinds of lines that may be dialled. Premium and unknown ones are none of them unless somebody says so. */
  readonly lines: ReadonlySet<PhoneLine>;
}

export interface PhoneSettings {
  /** Whose numbers need no country code. */
  readonly defaultRegion: PhoneRegion;
  /** Name of the clinic, for contact cards. */
  readonly label: string;
  /** What is spoken to those who call. */
  readonly language: PhoneLanguage;
  /** Relay numbers by provider, for providers that let us choose. */
  readonly relays: Readonly<Record<string, readonly PhoneNumber[]>>;
  /**
   * How many pairs may have one relay number at once: the number of who calls decides whom they reach. With 1 a number
   * also rests between strangers; with more it rests only for those who had it.
   */
  readonly pairsPerRelay: number;
  /** How long a relay number that was given back goes to nobody but the same pair, in milliseconds. */
  readonly coolDownMs: number;
  /** How long after the visit's start a relay number is given back, in milliseconds. */
  readonly lifetimeMs: number;
  /** A relay number asked for late in a visit lives at least so long. */
  readonly shortestLifetimeMs: number;
  /** A relay number for every visit as it begins, where both numbers are known; null: only when somebody asks. */
  readonly rule: { readonly direction: PhoneDirection; readonly recorded: boolean } | null;
  /** What somebody hears who calls a relay number that is not for them, or hides who they are. */
  readonly strangers: 'announce' | 'reject';
  readonly ringMs: number;
  readonly maxTalkMs: number;
  readonly limits: PhoneLimits;
  readonly destinations: Destinations;
  /** So many calls turned away within a minute are an alarm. */
  readonly refusedCallsAlarm: number;
  /** A call is turned away when it cannot be decided for so long. */
  readonly decideMs: number;
  /** A provider that does not answer for so long is asked again later. */
  readonly providerMs: number;
  readonly tickMs: number;
}

/** The numbers of a region and ordinary lines, one pair a relay number, and a rest of 90 days between strangers. */
export const DEFAULT_PHONE_SETTINGS: PhoneSettings = {
  defaultRegion: 'CN',
  label: '',
  language: 'zh',
  relays: {},
  pairsPerRelay: 1,
  coolDownMs: 90 * DAY_MS,
  lifetimeMs: DAY_MS,
  shortestLifetimeMs: HOUR_MS,
  rule: null,
  strangers: 'announce',
  ringMs: 45_000,
  maxTalkMs: HOUR_MS,
  limits: {
    binding: { calls: 20, talkMs: 2 * HOUR_MS },
    consultation: { calls: 30, talkMs: 3 * HOUR_MS },
    person: { calls: 100, talkMs: 8 * HOUR_MS },
    server: { calls: 5_000, talkMs: 500 * HOUR_MS },
    atOncePerPerson: 1,
    atOnce: 200,
    shortestTalkMs: MINUTE_MS,
    bindingsPerConsultation: 20,
  },
  destinations: {
    allowed: ['+86'],
    denied: [],
    lines: new Set<PhoneLine>(['MOBILE', 'FIXED_LINE', 'FIXED_LINE_OR_MOBILE', 'VOIP']),
  },
  refusedCallsAlarm: 20,
  decideMs: 1_000,
  providerMs: 10_000,
  tickMs: 1_000,
};
