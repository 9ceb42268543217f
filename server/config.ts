/** Everything that can be set, read once from the environment. Unknown TELECONSULT_ names are refused: a typo must not fail open. */
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_TIMINGS } from './consultation/state.ts';
import { TokenAlgorithm } from './identity/tokens.ts';

const PREFIX = 'TELECONSULT_';

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().min(100);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

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

const Settings = z.strictObject({
  /** Address the HTTP server listens on. */
  LISTEN_HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  /** Where the database, sealed objects and keys lie. */
  DATA_DIR: z.string().default('data'),
  /** Built reference pages; empty serves none. */
  WEB_DIR: z.string().default('web/dist'),
  /** Other origins whose pages may connect, separated by commas. */
  ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    ),
  TOKEN_ISSUER: z.string().default('teleconsult-development'),
  TOKEN_AUDIENCE: z.string().default('teleconsult'),
  /** JSON array of {kid, algorithm, material}. Required in production; in development a key is made. */
  TOKEN_KEYS: TokenKeys.optional(),
  /** Prints links with ready tokens and makes a first consultation. Never possible in production. */
  DEVELOPMENT_ISSUER: flag.optional(),
  /** `fake` forwards nothing; for tests of everything but media. */
  MEDIA: z.enum(['mediasoup', 'fake']).default('mediasoup'),
  MEDIA_WORKERS: z.coerce.number().int().min(1).max(64).default(cpus().length),
  MEDIA_LISTEN_IP: z.string().default('127.0.0.1'),
  /** Address that devices reach the media at, when it differs from the one listened on. */
  MEDIA_ANNOUNCED_ADDRESS: z.string().optional(),
  /** Worker i uses this port + i, UDP and TCP; 0 takes free ones. */
  MEDIA_FIRST_PORT: port.default(0),
  REQUESTS_PER_SECOND: z.coerce.number().int().min(1).default(50),
  RING_MS: milliseconds.default(DEFAULT_TIMINGS.ringMs),
  CONNECT_MS: milliseconds.default(DEFAULT_TIMINGS.connectMs),
  SEAT_GRACE_MS: milliseconds.default(DEFAULT_TIMINGS.seatGraceMs),
  CALLER_GRACE_MS: milliseconds.default(DEFAULT_TIMINGS.callerGraceMs),
  WAITING_MS: milliseconds.default(DEFAULT_TIMINGS.waitingMs),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'silent']).default('info'),
});

/** What the two downloads of set-up leave behind, under their customary names. */
const Tools = z.object({
  MEDIASOUP_WORKER_BIN: z.string().min(1).optional(),
  FFMPEG_PATH: z.string().min(1).default('ffmpeg'),
  NODE_ENV: z.string().default('development'),
});

export type Config = z.output<typeof Settings> & {
  readonly production: boolean;
  readonly workerBin: string | undefined;
  readonly ffmpegPath: string;
};

/** Reads the configuration or throws an error that names every wrong setting, never its value. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const own = Object.entries(environment)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), value] as const);
  const settings = Settings.safeParse(Object.fromEntries(own));
  if (!settings.success) throw new Error(`Configuration: ${explain(settings.error)}`);
  const tools = Tools.parse(environment);
  const production = tools.NODE_ENV === 'production';
  const config = settings.data;
  if (production && config.TOKEN_KEYS === undefined)
    throw new Error(`Configuration: ${PREFIX}TOKEN_KEYS is required in production.`);
  if (production && environment[`${PREFIX}TOKEN_ISSUER`] === undefined)
    throw new Error(`Configuration: ${PREFIX}TOKEN_ISSUER is required in production.`);
  if (production && config.DEVELOPMENT_ISSUER)
    throw new Error(`Configuration: ${PREFIX}DEVELOPMENT_ISSUER cannot be used in production.`);
  return {
    ...config,
    DATA_DIR: resolve(config.DATA_DIR),
    production,
    workerBin: tools.MEDIASOUP_WORKER_BIN,
    ffmpegPath: tools.FFMPEG_PATH,
  };
}

const explain = (error: z.ZodError): string =>
  error.issues
    .map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown setting ${issue.keys.map((key) => PREFIX + key).join(', ')}`
        : `${PREFIX}${issue.path.join('.')} ${issue.message}`,
    )
    .join('; ');
