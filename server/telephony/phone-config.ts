/** The settings of masked calls, as the environment says them. */
import { isIP } from 'node:net';
import { isSupportedCountry } from 'libphonenumber-js/max';
import { z } from 'zod';
import type { AlibabaSettings } from './alibaba/settings.ts';
import { checkAlibabaSettings } from './alibaba/settings.ts';
import { DEFAULT_PHONE_SETTINGS, type PhoneSettings } from './bindings/settings.ts';
import { isPhoneNumber, type PhoneNumber, type PhoneRegion } from './numbers.ts';
import type { PhoneRecording } from './phone-desk.ts';
import { PROMPT_TEXTS } from './prompts/texts.ts';
import type { AnchorSettings } from './rtpengine/anchor-media.ts';
import { checkTwilioSettings, type TwilioPrompts, type TwilioSettings } from './twilio/settings.ts';
import { AddressList } from './webhook-guard.ts';

const MINUTE_MS = 60_000;
const { limits: LIMITS } = DEFAULT_PHONE_SETTINGS;

const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number);
const count = whole.pipe(z.int().min(1).max(1_000_000));
const port = whole.pipe(z.int().min(1).max(65_535));
const milliseconds = whole.pipe(z.int().min(1_000));
const filled = z.string().trim().min(1, 'is empty');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);
const addresses = list.refine(
  (entries) => areAddresses(entries),
  'holds something that is neither an address nor a network',
);
const place = z.string().transform((text, context) => {
  const [, host = '', digits = ''] = /^\[?([0-9A-Fa-f.:]+?)\]?:(\d{1,5})$/.exec(text.trim()) ?? [];
  const at = { host, port: Number(digits) };
  if (isIP(host) !== 0 && at.port >= 1 && at.port <= 65_535) return at;
  context.addIssue({ code: 'custom', message: 'is no address and port, such as 127.0.0.1:2223' });
  return z.NEVER;
});
const prefixes = list.refine(
  (entries) => entries.every((entry) => /^\+[1-9]\d{0,13}$/.test(entry)),
  'holds something that is no beginning of a number, such as +86',
);
const limit = (of: { readonly calls: number; readonly talkMs: number }) => ({
  calls: count.default(of.calls),
  minutes: count.default(of.talkMs / MINUTE_MS),
});

const binding = limit(LIMITS.binding);
const consultation = limit(LIMITS.consultation);
const person = limit(LIMITS.person);
const server = limit(LIMITS.server);

export const phoneSettings = {
  /** Who connects masked calls; `off`: nobody, and the apps offer none. */
  PHONE_PROVIDER: z.enum(['off', 'embedded', 'twilio', 'alibaba']).default('off'),
  /** Country (ISO 3166) whose numbers need no country code. */
  PHONE_REGION: filled
    .refine((text): text is PhoneRegion => isSupportedCountry(text), 'is no country, such as CN')
    .default('CN'),
  /** Relay numbers of the clinic, as +8617000003333, separated by commas. */
  PHONE_NUMBERS: list
    .refine(
      (numbers) => numbers.every(isPhoneNumber),
      'holds something that is no number, such as +8617000003333',
    )
    .default([]),
  /** Name of the clinic on contact cards. */
  PHONE_LABEL: z.string().trim().max(80, 'is longer than 80 characters').default(''),
  /** Language of what is said to who calls. */
  PHONE_LANGUAGE: z.enum(['zh', 'en']).default('zh'),
  /** Whether every visit gets a relay number as it begins, and who may call through it. */
  PHONE_AUTO_BIND: z.enum(['off', 'both', 'doctor_calls', 'patient_calls']).default('off'),
  /** `ask`: calls are recorded where doctor or patient asked for it; the notice is spoken to both first. */
  PHONE_RECORD: z.enum(['off', 'ask', 'always']).default('off'),
  /** What strangers who call a relay number get. */
  PHONE_STRANGERS: z.enum(['announce', 'reject']).default('announce'),
  PHONE_PAIRS_PER_NUMBER: whole.pipe(z.int().min(1).max(5_000)).default(DEFAULT_PHONE_SETTINGS.pairsPerRelay),
  PHONE_COOL_DOWN_MS: whole.pipe(z.int().min(0)).default(DEFAULT_PHONE_SETTINGS.coolDownMs),
  PHONE_LIFETIME_MS: milliseconds.default(DEFAULT_PHONE_SETTINGS.lifetimeMs),
  PHONE_RING_MS: milliseconds.default(DEFAULT_PHONE_SETTINGS.ringMs),
  PHONE_MAX_TALK_MS: milliseconds.default(DEFAULT_PHONE_SETTINGS.maxTalkMs),
  /** Beginnings of numbers that may be dialled, separated by commas. Nothing else is. */
  PHONE_DESTINATIONS: prefixes.default([...DEFAULT_PHONE_SETTINGS.destinations.allowed]),
  PHONE_DENIED_DESTINATIONS: prefixes.default([]),
  PHONE_BINDING_CALLS: binding.calls,
  PHONE_BINDING_MINUTES: binding.minutes,
  PHONE_CONSULTATION_CALLS: consultation.calls,
  PHONE_CONSULTATION_MINUTES: consultation.minutes,
  PHONE_CONSULTATION_BINDINGS: count.default(LIMITS.bindingsPerConsultation),
  PHONE_PERSON_CALLS: person.calls,
  PHONE_PERSON_MINUTES: person.minutes,
  PHONE_PERSON_AT_ONCE: count.default(LIMITS.atOncePerPerson),
  PHONE_SERVER_CALLS: server.calls,
  PHONE_SERVER_MINUTES: server.minutes,
  PHONE_SERVER_AT_ONCE: count.default(LIMITS.atOnce),
  /** So many calls turned away within a minute are an alarm. */
  PHONE_ALARM: count.default(DEFAULT_PHONE_SETTINGS.refusedCallsAlarm),
  /** Where the embedded relay listens for SIP, UDP and TCP. */
  SIP_LISTEN_HOST: filled.default('127.0.0.1'),
  SIP_LISTEN_PORT: port.default(5060),
  /** The carrier's SIP trunk. */
  SIP_TRUNK_HOST: filled.optional(),
  SIP_TRUNK_PORT: port.default(5060),
  SIP_TRUNK_TRANSPORT: z.enum(['udp', 'tcp']).default('udp'),
  /** Addresses and networks of the trunk; SIP from elsewhere is not answered at all. */
  SIP_TRUNK_SOURCES: addresses.default([]),
  SIP_USER: filled.optional(),
  SIP_PASSWORD: filled.optional(),
  /** Folder of own recordings of announcements, in place of ours. */
  PHONE_PROMPTS_DIR: filled.optional(),
  /** The address the sound of calls is relayed at; what the SDP says. */
  RTP_LISTEN_HOST: filled.default('127.0.0.1'),
  /** Below the ports that Linux hands out by itself (32768–60999), and those of media workers on the loopback above them. */
  RTP_FIRST_PORT: port.default(20_000),
  RTP_LAST_PORT: port.default(20_999),
  /** Where the sound of the trunk comes from: as it signals, or from whoever sends first (a trunk behind NAT). */
  RTP_SOURCE: z.enum(['signalled', 'first']).default('signalled'),
  /** Who carries the sound of calls that are not recorded: the server itself, or a daemon of rtpengine on the same address. */
  PHONE_MEDIA: z.enum(['embedded', 'rtpengine']).default('embedded'),
  /** Where rtpengine is asked (its `listen-ng`): an address and a port. */
  RTPENGINE_NG: place.optional(),
  /** Where rtpengine tells of keys that are pressed (its `dtmf-log-dest`): an address of ours and a port. */
  RTPENGINE_DIGITS: place.optional(),
  /** Origin under which a provider in the cloud reaches this server, such as https://clinic.example */
  PHONE_PUBLIC_URL: filled.optional(),
  TWILIO_ACCOUNT_SID: filled.optional(),
  TWILIO_AUTH_TOKEN: filled.optional(),
  TWILIO_KEY_SID: filled.optional(),
  TWILIO_KEY_SECRET: filled.optional(),
  TWILIO_API: filled.default('https://api.twilio.com'),
  /** Where the announcements lie as <language>/<prompt>.wav for Twilio to play; left out, Twilio speaks the texts. */
  TWILIO_PROMPTS: filled.optional(),
  ALIBABA_KEY_ID: filled.optional(),
  ALIBABA_KEY_SECRET: filled.optional(),
  ALIBABA_POOL_KEY: filled.optional(),
  ALIBABA_ENDPOINT: filled.default('https://dyplsapi.aliyuncs.com'),
  ALIBABA_REGION: filled.default('cn-hangzhou'),
  /** Part of the address that reports come to: 32 characters or more of A–Z a–z 0–9 _ - */
  ALIBABA_REPORT_SECRET: filled.optional(),
  ALIBABA_REPORT_SOURCES: addresses.default([]),
  /** City whose numbers are chosen where PHONE_NUMBERS is left out. */
  ALIBABA_CITY: filled.optional(),
  /** The uploaded prompts that tell both of the recording; nothing is recorded without. */
  ALIBABA_RING_CONFIG: filled.optional(),
  ALIBABA_RECORDING_HOSTS: list.default(['aliyuncs.com']),
} as const;

type Settings = z.output<z.ZodObject<typeof phoneSettings>>;

/** The embedded relay and its trunk. */
export interface TrunkConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly trunk: { readonly host: string; readonly port: number; readonly transport: 'udp' | 'tcp' };
  readonly sources: readonly string[];
  readonly credentials: { readonly user: string; readonly password: string } | null;
  /** Own recordings of announcements; null: ours alone. */
  readonly promptsFolder: string | null;
  readonly rtp: {
    readonly host: string;
    readonly firstPort: number;
    readonly lastPort: number;
    readonly source: 'signalled' | 'first';
    /** Carries the sound of calls that are not recorded; left out: nobody but us does. */
    readonly anchor?: AnchorSettings;
  };
}

export type ProviderConfig =
  | { readonly name: 'embedded'; readonly trunk: TrunkConfig }
  | { readonly name: 'twilio'; readonly twilio: TwilioSettings }
  | { readonly name: 'alibaba'; readonly alibaba: AlibabaSettings };

export interface PhoneConfig {
  readonly settings: PhoneSettings;
  readonly recording: PhoneRecording;
  readonly provider: ProviderConfig;
}

/**
 * Masked calls as they are set; null: there are none.
 * @throws Error that names the setting that is missing or wrong, never its value
 */
export function phoneConfigOf(settings: Settings, prefix: string): PhoneConfig | null {
  const { PHONE_PROVIDER: name } = settings;
  if (name === 'off') return null;
  const needed = <N extends keyof Settings>(wanted: N): NonNullable<Settings[N]> => {
    const value = settings[wanted];
    if (value === undefined || (Array.isArray(value) && value.length === 0))
      throw new Error(`${prefix}${wanted} is required with ${prefix}PHONE_PROVIDER=${name}.`);
    return value;
  };
  const provider = checked(prefix, name, () => providerOf(name, settings, needed));
  const numbers = name === 'alibaba' ? settings.PHONE_NUMBERS : needed('PHONE_NUMBERS');
  return {
    settings: settingsOf(settings, name, numbers.filter(isPhoneNumber)),
    recording: settings.PHONE_RECORD,
    provider,
  };
}

type Needed = <N extends keyof Settings>(name: N) => NonNullable<Settings[N]>;

function providerOf(name: ProviderConfig['name'], settings: Settings, needed: Needed): ProviderConfig {
  switch (name) {
    case 'embedded':
      return { name, trunk: trunkOf(settings, needed) };
    case 'twilio': {
      const { TWILIO_KEY_SID: sid, TWILIO_KEY_SECRET: secret } = settings;
      const { TWILIO_PROMPTS: base } = settings;
      const prompts: TwilioPrompts =
        base === undefined
          ? { kind: 'say', texts: PROMPT_TEXTS, voices: { zh: null, en: null } }
          : { kind: 'play', base };
      const twilio = {
        accountSid: needed('TWILIO_ACCOUNT_SID'),
        authToken: needed('TWILIO_AUTH_TOKEN'),
        apiKey:
          sid === undefined && secret === undefined
            ? null
            : { sid: needed('TWILIO_KEY_SID'), secret: needed('TWILIO_KEY_SECRET') },
        publicUrl: needed('PHONE_PUBLIC_URL'),
        apiBase: settings.TWILIO_API,
        language: settings.PHONE_LANGUAGE,
        prompts,
      };
      return { name, twilio: checkTwilioSettings(twilio) };
    }
    case 'alibaba':
      if (settings.PHONE_RECORD === 'always' && settings.ALIBABA_RING_CONFIG === undefined)
        throw new Error('ALIBABA_RING_CONFIG is required with PHONE_RECORD=always');
      return {
        name,
        alibaba: checkAlibabaSettings({
          accessKeyId: needed('ALIBABA_KEY_ID'),
          accessKeySecret: needed('ALIBABA_KEY_SECRET'),
          poolKey: needed('ALIBABA_POOL_KEY'),
          endpoint: settings.ALIBABA_ENDPOINT,
          regionId: settings.ALIBABA_REGION,
          reportSecret: needed('ALIBABA_REPORT_SECRET'),
          reportSources: needed('ALIBABA_REPORT_SOURCES'),
          chooses: settings.PHONE_NUMBERS.length > 0 ? 'us' : 'provider',
          city: settings.ALIBABA_CITY ?? null,
          recordingRingConfig: settings.ALIBABA_RING_CONFIG ?? null,
          recordingHosts: settings.ALIBABA_RECORDING_HOSTS,
        }),
      };
    default: {
      const unreachable: never = name;
      return unreachable;
    }
  }
}

function trunkOf(settings: Settings, needed: Needed): TrunkConfig {
  const {
    SIP_USER: user,
    SIP_PASSWORD: password,
    RTP_FIRST_PORT: firstPort,
    RTP_LAST_PORT: lastPort,
  } = settings;
  // An even port for each leg, and the next one for its RTCP: four a call.
  if (lastPort < firstPort + 3)
    throw new Error('RTP_LAST_PORT leaves no room for a call after RTP_FIRST_PORT');
  return {
    listen: { host: settings.SIP_LISTEN_HOST, port: settings.SIP_LISTEN_PORT },
    trunk: {
      host: needed('SIP_TRUNK_HOST'),
      port: settings.SIP_TRUNK_PORT,
      transport: settings.SIP_TRUNK_TRANSPORT,
    },
    sources: needed('SIP_TRUNK_SOURCES'),
    credentials:
      user === undefined && password === undefined
        ? null
        : { user: needed('SIP_USER'), password: needed('SIP_PASSWORD') },
    promptsFolder: settings.PHONE_PROMPTS_DIR ?? null,
    rtp: {
      host: settings.RTP_LISTEN_HOST,
      firstPort,
      lastPort,
      source: settings.RTP_SOURCE,
      ...anchorOf(settings, needed),
    },
  };
}

function anchorOf(settings: Settings, needed: Needed): Pick<TrunkConfig['rtp'], 'anchor'> {
  if (settings.PHONE_MEDIA === 'embedded') return {};
  if (settings.RTP_SOURCE === 'first')
    throw new Error('RTP_SOURCE=first is not possible with PHONE_MEDIA=rtpengine');
  return { anchor: { ng: needed('RTPENGINE_NG'), digits: needed('RTPENGINE_DIGITS') } };
}

function settingsOf(settings: Settings, provider: string, numbers: readonly PhoneNumber[]): PhoneSettings {
  const caps = (calls: number, minutes: number) => ({ calls, talkMs: minutes * MINUTE_MS });
  const { PHONE_AUTO_BIND: direction, PHONE_RECORD: record } = settings;
  return {
    ...DEFAULT_PHONE_SETTINGS,
    defaultRegion: settings.PHONE_REGION,
    label: settings.PHONE_LABEL,
    language: settings.PHONE_LANGUAGE,
    relays: { [provider]: numbers },
    pairsPerRelay: settings.PHONE_PAIRS_PER_NUMBER,
    coolDownMs: settings.PHONE_COOL_DOWN_MS,
    lifetimeMs: settings.PHONE_LIFETIME_MS,
    rule: direction === 'off' ? null : { direction, recorded: record === 'always' },
    strangers: settings.PHONE_STRANGERS,
    ringMs: settings.PHONE_RING_MS,
    maxTalkMs: settings.PHONE_MAX_TALK_MS,
    limits: {
      ...LIMITS,
      // Where no call may last a minute, less is worth one.
      shortestTalkMs: Math.min(LIMITS.shortestTalkMs, settings.PHONE_MAX_TALK_MS),
      binding: caps(settings.PHONE_BINDING_CALLS, settings.PHONE_BINDING_MINUTES),
      consultation: caps(settings.PHONE_CONSULTATION_CALLS, settings.PHONE_CONSULTATION_MINUTES),
      person: caps(settings.PHONE_PERSON_CALLS, settings.PHONE_PERSON_MINUTES),
      server: caps(settings.PHONE_SERVER_CALLS, settings.PHONE_SERVER_MINUTES),
      atOncePerPerson: settings.PHONE_PERSON_AT_ONCE,
      atOnce: settings.PHONE_SERVER_AT_ONCE,
      bindingsPerConsultation: settings.PHONE_CONSULTATION_BINDINGS,
    },
    destinations: {
      ...DEFAULT_PHONE_SETTINGS.destinations,
      allowed: settings.PHONE_DESTINATIONS,
      denied: settings.PHONE_DENIED_DESTINATIONS,
    },
    refusedCallsAlarm: settings.PHONE_ALARM,
  };
}

/** What an adapter finds wrong with its settings names them in words; here it is said for which provider. */
function checked<T>(prefix: string, name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(what.startsWith(prefix) ? what : `${prefix}PHONE_PROVIDER=${name}: ${what}.`);
  }
}

function areAddresses(entries: readonly string[]): boolean {
  try {
    new AddressList(entries);
    return true;
  } catch {
    return false;
  }
}
