/** Everything that can be set, read once from the environment. Unknown TELECONSULT_ names are refused: a typo must not fail open. */
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_TIMINGS } from './consultation/state.ts';
import { TokenAlgorithm } from './identity/tokens.ts';
import {
  type ObjectPlaces,
  objectPlaces,
  objectStoreSettings,
} from './storage/objects/object-store-settings.ts';
import { type PhoneConfig, phoneConfigOf, phoneSettings } from './telephony/phone-config.ts';
import { isKmsKeyArn, type KmsOptions } from './vault/kms-key-provider.ts';

const PREFIX = 'TELECONSULT_';

/** Digits alone: an empty value is a mistake, not a zero. */
const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number);
const port = whole.pipe(z.int().max(65_535));
const milliseconds = whole.pipe(z.int().min(100));
/** Empty would mean "all interfaces", "this folder" or "do not check": never by accident. */
const filled = z.string().trim().min(1, 'is empty');
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

const TokenKeys = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(
    z
      .array(
        z.strictObject({
          kid: z.string().min(1).max(128),
          algorithm: TokenAlgorithm,
          material: z.string().min(1),
        }),
      )
      .min(1),
  );

export const Settings = z.strictObject({
  /** Address the HTTP server listens on. */
  LISTEN_HOST: filled.default('127.0.0.1'),
  PORT: port.default(3000),
  /** Where the database, sealed objects and keys lie. */
  DATA_DIR: filled.default('data'),
  ...objectStoreSettings,
  /** Built reference pages; empty serves none. */
  WEB_DIR: z.string().default('web/dist'),
  /** Other origins whose pages may connect, separated by commas. */
  ALLOWED_ORIGINS: list
    .refine(
      (origins) => origins.every(isOrigin),
      'holds something that is no origin, such as https://example.org',
    )
    .default([]),
  TOKEN_ISSUER: filled.default('teleconsult-development'),
  TOKEN_AUDIENCE: filled.default('teleconsult'),
  /** JSON array of {kid, algorithm, material}. Required in production; in development a key is made. */
  TOKEN_KEYS: TokenKeys.optional(),
  /** Prints links with ready tokens and makes a first consultation. Never possible in production. */
  DEVELOPMENT_ISSUER: flag.optional(),
  /** `fake` forwards nothing; for tests of everything but media. */
  MEDIA: z.enum(['mediasoup', 'fake']).default('mediasoup'),
  MEDIA_WORKERS: whole.pipe(z.int().min(1).max(64)).default(cpus().length),
  MEDIA_LISTEN_IP: filled.default('127.0.0.1'),
  /** Address that devices reach the media at, when it differs from the one listened on. */
  MEDIA_ANNOUNCED_ADDRESS: filled.optional(),
  /** Worker i uses this port + i, UDP and TCP; 0 takes free ones. */
  MEDIA_FIRST_PORT: port.default(0),
  REQUESTS_PER_SECOND: whole.pipe(z.int().min(1)).default(50),
  /** Devices let in within a second; after a restart everybody comes at once. */
  ADMISSIONS_PER_SECOND: whole.pipe(z.int().min(1).max(1_000_000)).default(1_000),
  RING_MS: milliseconds.default(DEFAULT_TIMINGS.ringMs),
  CONNECT_MS: milliseconds.default(DEFAULT_TIMINGS.connectMs),
  SEAT_GRACE_MS: milliseconds.default(DEFAULT_TIMINGS.seatGraceMs),
  /** How long after that a person may still come back into a live call. */
  RETURN_MS: milliseconds.default(DEFAULT_TIMINGS.returnMs),
  CALLER_GRACE_MS: milliseconds.default(DEFAULT_TIMINGS.callerGraceMs),
  WAITING_MS: milliseconds.default(DEFAULT_TIMINGS.waitingMs),
  /** How long after sending a message may be recalled. */
  RECALL_MS: milliseconds.default(DEFAULT_TIMINGS.recallMs),
  /** Most tracks of calls that are recorded at the same time; each takes a process and some 13 MB. */
  MAX_RECORDING_TRACKS: whole.pipe(z.int().min(2).max(10_000)).default(64),
  /** How long those who are asked to be recorded may take to answer. */
  RECORDING_ANSWER_MS: milliseconds.default(DEFAULT_TIMINGS.recordingAnswerMs),
  /** How long a follow-up that was begun may take before it is due again. */
  FOLLOW_UP_MS: milliseconds.default(DEFAULT_TIMINGS.followUpMs),
  /** `doctors`: a doctor in a call is rung for a second one; `off`: the caller is told that they are busy. */
  CALL_WAITING: z.enum(['off', 'doctors']).default('off'),
  /** TURN servers, separated by commas, such as turn:turn.example.org:3478?transport=udp */
  TURN_URLS: list.default([]),
  /** The `static-auth-secret` of coturn; credentials for people are made from it. */
  TURN_SECRET: filled.optional(),
  TURN_LIFETIME_MS: milliseconds.default(3_600_000),
  /** Where the host application is told what happens; nothing is sent when it is left out. */
  WEBHOOK_URL: filled.refine(isWebAddress, 'is no http(s) address without a name in it').optional(),
  /** At least 32 characters; webhooks are signed with it. */
  WEBHOOK_SECRET: z.string().min(32, 'is shorter than 32 characters').optional(),
  /** Whom a push service writes to when something is wrong: mailto: or https: (RFC 8292). Needed for push in production. */
  PUSH_CONTACT: filled
    .refine((text) => /^(mailto:|https:)/.test(text), 'is no mailto: or https: address')
    .optional(),
  /** Origins of further push services, separated by commas, beside those of the browsers. */
  PUSH_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), 'holds something that is no origin')
    .default([]),
  /** Where voice messages are turned into text; nothing is sent when it is left out. */
  SPEECH_URL: filled.refine(isSafeAddress, 'is no https address').optional(),
  /** Sent to the speech service as a bearer token. */
  SPEECH_TOKEN: filled.optional(),
  /** ARN of an AWS KMS key that wraps consultations' keys instead of the key file. */
  VAULT_KMS_KEY_ID: filled.refine(isKmsKeyArn, 'is no ARN of a KMS key').optional(),
  /** ARNs of KMS keys that wrapped before, separated by commas: they unwrap until everything is sealed anew. */
  VAULT_KMS_FORMER_KEY_IDS: list
    .refine((arns) => arns.every(isKmsKeyArn), 'holds something that is no ARN of a KMS key')
    .default([]),
  /** Address of the key service, where it is not the region's own. */
  VAULT_KMS_ENDPOINT: filled.refine(isSafeAddress, 'is no https address').optional(),
  ...phoneSettings,
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'silent']).default('info'),
});

/** What the two downloads of set-up leave behind, under their customary names. */
const Tools = z.object({
  MEDIASOUP_WORKER_BIN: z.string().min(1).optional(),
  FFMPEG_PATH: z.string().min(1).default('ffmpeg'),
  /** A closed list: with "prod" the server would run with development tokens. */
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
});

export type Config = z.output<typeof Settings> & {
  readonly production: boolean;
  readonly workerBin: string | undefined;
  readonly ffmpegPath: string;
  /** Where sealed objects lie. */
  readonly objectPlaces: ObjectPlaces;
  /** The key service that wraps, or did before; null: none. */
  readonly kms: KmsOptions | null;
  /** Masked calls; null: none. */
  readonly phone: PhoneConfig | null;
};

/** Reads the configuration or throws an error that names every wrong setting, never its value. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const own = Object.entries(environment)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), value] as const);
  const settings = Settings.safeParse(Object.fromEntries(own));
  if (!settings.success) throw new Error(`Configuration: ${explain(settings.error)}`);
  const tools = Tools.safeParse(environment);
  if (!tools.success) throw new Error(`Configuration: ${explain(tools.error, '')}`);
  const production = tools.data.NODE_ENV === 'production';
  const config = settings.data;
  if (production && config.TOKEN_KEYS === undefined)
    throw new Error(`Configuration: ${PREFIX}TOKEN_KEYS is required in production.`);
  if (production && environment[`${PREFIX}TOKEN_ISSUER`] === undefined)
    throw new Error(`Configuration: ${PREFIX}TOKEN_ISSUER is required in production.`);
  if (
    config.TOKEN_KEYS === undefined &&
    !isLoopback(config.LISTEN_HOST) &&
    config.DEVELOPMENT_ISSUER !== true
  )
    throw new Error(
      `Configuration: ${PREFIX}TOKEN_KEYS is required where others can reach the server ` +
        `(${PREFIX}LISTEN_HOST is no loopback address). To try it out in a network of your own, ` +
        `set ${PREFIX}DEVELOPMENT_ISSUER=true.`,
    );
  if (production && config.DEVELOPMENT_ISSUER)
    throw new Error(`Configuration: ${PREFIX}DEVELOPMENT_ISSUER cannot be used in production.`);
  if (config.TURN_URLS.length > 0 && config.TURN_SECRET === undefined)
    throw new Error(`Configuration: ${PREFIX}TURN_SECRET is required with ${PREFIX}TURN_URLS.`);
  if (config.WEBHOOK_URL !== undefined && config.WEBHOOK_SECRET === undefined)
    throw new Error(`Configuration: ${PREFIX}WEBHOOK_SECRET is required with ${PREFIX}WEBHOOK_URL.`);
  const phone = explained(() => phoneConfigOf(config, PREFIX));
  checkSoundPorts(config, phone);
  return {
    ...config,
    DATA_DIR: resolve(config.DATA_DIR),
    production,
    workerBin: tools.data.MEDIASOUP_WORKER_BIN,
    ffmpegPath: tools.data.FFMPEG_PATH,
    objectPlaces: explained(() => objectPlaces(config, PREFIX)),
    kms: kmsOf(config),
    phone,
  };
}

/** Media workers have the ports above this on the loopback (`media/mediasoup/loopback.ts`), where phones in calls are, too. */
const LAST_SOUND_PORT = 60_999;

/** Sound of telephones and media of devices would meet at a port that both were given. */
function checkSoundPorts(
  config: Pick<z.output<typeof Settings>, 'MEDIA_FIRST_PORT' | 'MEDIA_WORKERS'>,
  phone: PhoneConfig | null,
): void {
  if (phone?.provider.name !== 'embedded') return;
  const { firstPort, lastPort } = phone.provider.trunk.rtp;
  const { MEDIA_FIRST_PORT: first, MEDIA_WORKERS: workers } = config;
  const overlaps = first > 0 && first <= lastPort && first + workers > firstPort;
  if (overlaps || lastPort > LAST_SOUND_PORT)
    throw new Error(
      `Configuration: ${PREFIX}RTP_FIRST_PORT to ${PREFIX}RTP_LAST_PORT are shared with media workers.`,
    );
}

/** What a part finds wrong with its settings, said as everything else that is wrong with them. */
function explained<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`Configuration: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * What of the settings says which keys there are: for the server and the commands beside it.
 * @throws Error when they say where a key service is, and not which of its keys
 */
export function kmsOf(
  settings: Pick<
    z.output<typeof Settings>,
    'VAULT_KMS_KEY_ID' | 'VAULT_KMS_FORMER_KEY_IDS' | 'VAULT_KMS_ENDPOINT'
  >,
): KmsOptions | null {
  const {
    VAULT_KMS_KEY_ID: keyId,
    VAULT_KMS_FORMER_KEY_IDS: formerKeyIds,
    VAULT_KMS_ENDPOINT: endpoint,
  } = settings;
  if (keyId === undefined && formerKeyIds.length === 0) {
    if (endpoint === undefined) return null;
    throw new Error(
      `Configuration: ${PREFIX}VAULT_KMS_ENDPOINT is set and not used: set ${PREFIX}VAULT_KMS_KEY_ID, or leave it out.`,
    );
  }
  return { keyId: keyId ?? null, formerKeyIds, endpoint };
}

/** An address such as 127.0.0.1, and not a name that begins like one. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** Credentials in an address would end up in logs, and `fetch` refuses them. */
function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}

/** What patients say, and keys, leave this machine encrypted or not at all. */
function isSafeAddress(text: string): boolean {
  if (!isWebAddress(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLoopback(hostname === '[::1]' ? '::1' : hostname);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

const explain = (error: z.ZodError, prefix = PREFIX): string =>
  error.issues
    .map((issue) => {
      if (issue.code !== 'unrecognized_keys') return `${prefix}${issue.path.join('.')} ${issue.message}`;
      return issue.path.length === 0
        ? `unknown setting ${issue.keys.map((key) => prefix + key).join(', ')}`
        : `${prefix}${issue.path.join('.')} has a property that is not known`;
    })
    .join('; ');
