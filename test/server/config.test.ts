import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readConfig, Settings } from '@teleconsult/server/config';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { expect, test } from 'vitest';

const SECRET = 'canary-of-a-secret-that-is-long-enough-for-hs256';
const KEYS = JSON.stringify([{ kid: 'one', algorithm: 'HS256', material: SECRET }]);
const production = {
  NODE_ENV: 'production',
  TELECONSULT_TOKEN_KEYS: KEYS,
  TELECONSULT_TOKEN_ISSUER: 'issuer',
};

const refusalOf = (environment: Record<string, string>): string => {
  try {
    readConfig(environment);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
};

test('[CONF2] with nothing set it is a development server that only this machine reaches', () => {
  const config = readConfig({ PATH: '/bin' });
  expect(config).toMatchObject({
    LISTEN_HOST: '127.0.0.1',
    PORT: 3000,
    DATA_DIR: resolve('data'),
    WEB_DIR: 'web/dist',
    ALLOWED_ORIGINS: [],
    MEDIA: 'mediasoup',
    MEDIA_LISTEN_IP: '127.0.0.1',
    MEDIA_FIRST_PORT: 0,
    REQUESTS_PER_SECOND: 50,
    ADMISSIONS_PER_SECOND: 1_000,
    RING_MS: DEFAULT_TIMINGS.ringMs,
    SEAT_GRACE_MS: 60_000,
    RETURN_MS: 15 * 60_000,
    WAITING_MS: DEFAULT_TIMINGS.waitingMs,
    LOG_LEVEL: 'info',
    production: false,
    ffmpegPath: 'ffmpeg',
  });
  const { TOKEN_KEYS, DEVELOPMENT_ISSUER, MEDIA_ANNOUNCED_ADDRESS, workerBin } = config;
  expect([TOKEN_KEYS, DEVELOPMENT_ISSUER, MEDIA_ANNOUNCED_ADDRESS, workerBin]).toEqual(
    Array(4).fill(undefined),
  );
});

test('[CONF2] what is set is read, by its type', () => {
  expect(
    readConfig({
      ...production,
      TELECONSULT_PORT: '8443',
      TELECONSULT_DATA_DIR: '/srv/data',
      TELECONSULT_WEB_DIR: '',
      TELECONSULT_ALLOWED_ORIGINS: 'https://a.example, http://b.example:8080',
      TELECONSULT_DEVELOPMENT_ISSUER: 'false',
      TELECONSULT_RING_MS: '30000',
      TELECONSULT_RETURN_MS: '300000',
      MEDIASOUP_WORKER_BIN: '/opt/worker',
      FFMPEG_PATH: '/opt/ffmpeg',
    }),
  ).toMatchObject({
    PORT: 8443,
    DATA_DIR: '/srv/data',
    WEB_DIR: '',
    ALLOWED_ORIGINS: ['https://a.example', 'http://b.example:8080'],
    TOKEN_KEYS: [{ kid: 'one', algorithm: 'HS256', material: SECRET }],
    DEVELOPMENT_ISSUER: false,
    RING_MS: 30_000,
    RETURN_MS: 300_000,
    production: true,
    workerBin: '/opt/worker',
    ffmpegPath: '/opt/ffmpeg',
  });
});

test('[CONF1] a setting that does not exist is refused by name', () => {
  const refusal = refusalOf({ TELECONSULT_PROT: 'canary', TELECONSULT_: 'canary' });
  expect(refusal).toContain('TELECONSULT_PROT');
  expect(refusal).not.toContain('canary');
});

const wrong: Readonly<Record<string, readonly string[]>> = {
  LISTEN_HOST: ['', ' '],
  PORT: ['', ' ', '65536', '-1', '80.5', '0x50', '1e3', 'canary'],
  DATA_DIR: [''],
  ALLOWED_ORIGINS: [
    '*',
    'canary',
    'https://a.example/',
    'a.example',
    'https://a.example;https://b.example',
    'null',
  ],
  TOKEN_ISSUER: ['', ' '],
  TOKEN_AUDIENCE: [''],
  DEVELOPMENT_ISSUER: ['', 'yes', '1', 'TRUE', 'canary'],
  MEDIA: ['', 'canary'],
  MEDIA_WORKERS: ['', '0', '65', 'canary'],
  MEDIA_LISTEN_IP: [''],
  MEDIA_ANNOUNCED_ADDRESS: [''],
  MEDIA_FIRST_PORT: ['', '70000'],
  REQUESTS_PER_SECOND: ['', '0'],
  ADMISSIONS_PER_SECOND: ['', '0', '1000001'],
  RING_MS: ['', '99', 'canary', '45s', 'Infinity'],
  CONNECT_MS: ['0'],
  SEAT_GRACE_MS: ['-1'],
  RETURN_MS: ['', '99', '15min', '-1'],
  CALLER_GRACE_MS: ['1.5'],
  WAITING_MS: ['9'.repeat(30)],
  LOG_LEVEL: ['', 'debug', 'canary'],
};

test.each(Object.entries(wrong))(
  '[CONF3] a wrong %s is refused by name, without its value',
  (name, values) => {
    for (const value of values) {
      const refusal = refusalOf({ [`TELECONSULT_${name}`]: value });
      expect(refusal, JSON.stringify(value)).toMatch(new RegExp(`^Configuration: TELECONSULT_${name} `));
      expect(refusal).not.toContain('canary');
    }
  },
);

test('[CONF3] all wrong settings are named at once', () => {
  const refusal = refusalOf({ TELECONSULT_PORT: 'x', TELECONSULT_MEDIA: 'x', TELECONSULT_NOTHING: 'x' });
  for (const name of ['PORT', 'MEDIA', 'NOTHING']) expect(refusal).toContain(`TELECONSULT_${name}`);
});

test.each([
  ['no JSON', `${SECRET}`],
  ['half a JSON', KEYS.slice(0, -3)],
  ['no list', JSON.stringify({ kid: 'one', algorithm: 'HS256', material: SECRET })],
  ['an empty list', '[]'],
  ['no kid', JSON.stringify([{ algorithm: 'HS256', material: SECRET }])],
  ['an algorithm that is none', JSON.stringify([{ kid: 'one', algorithm: 'none', material: SECRET }])],
  [
    'an algorithm that is not offered',
    JSON.stringify([{ kid: 'one', algorithm: 'HS512', material: SECRET }]),
  ],
  ['empty material', JSON.stringify([{ kid: 'one', algorithm: 'HS256', material: '' }])],
  [
    'a property too many',
    JSON.stringify([{ kid: 'one', algorithm: 'HS256', material: SECRET, [SECRET]: 1 }]),
  ],
])('[CONF3] token keys (%s) are refused without a word of them', (_what, keys) => {
  const refusal = refusalOf({ TELECONSULT_TOKEN_KEYS: keys });
  expect(refusal).toMatch(/^Configuration: TELECONSULT_TOKEN_KEYS/);
  expect(refusal).not.toContain('canary');
});

test.each([
  ['TELECONSULT_TOKEN_KEYS', { TELECONSULT_TOKEN_KEYS: undefined }],
  ['TELECONSULT_TOKEN_ISSUER', { TELECONSULT_TOKEN_ISSUER: undefined }],
  ['TELECONSULT_DEVELOPMENT_ISSUER', { TELECONSULT_DEVELOPMENT_ISSUER: 'true' }],
])('[CONF4] production is refused for %s', (named, change) => {
  expect(readConfig(production).production).toBe(true);
  expect(() => readConfig({ ...production, ...change })).toThrow(named);
});

test.each(['', 'prod', 'Production', 'staging'])(
  '[CONF4] the environment "%s" is refused: a misspelt production must not run as development',
  (environment) => {
    expect(refusalOf({ NODE_ENV: environment })).toMatch(/^Configuration: NODE_ENV /);
  },
);

test('[CONF5] a server that others can reach needs keys, or the word that it is for trying out', () => {
  const reachable = { TELECONSULT_LISTEN_HOST: '0.0.0.0' };
  expect(() => readConfig(reachable)).toThrow('TELECONSULT_TOKEN_KEYS is required where others can reach');
  expect(readConfig({ ...reachable, TELECONSULT_DEVELOPMENT_ISSUER: 'true' }).DEVELOPMENT_ISSUER).toBe(true);
  for (const host of ['127.0.0.1', 'localhost', '::1'])
    expect(readConfig({ TELECONSULT_LISTEN_HOST: host }).LISTEN_HOST).toBe(host);
});

test('[CONF6] the operating guide names every setting and no other', () => {
  const guide = readFileSync(new URL('../../docs/OPERATING.md', import.meta.url), 'utf8');
  const named = new Set([...guide.matchAll(/^\| `TELECONSULT_(\w+)`/gm)].map(([, name]) => name));
  expect(named).toEqual(new Set(Object.keys(Settings.shape)));
});
