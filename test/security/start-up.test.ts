import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation } from '../helpers/test-app.ts';
import { hostToken } from '../helpers/test-tokens.ts';
import { originOf, quietSettings, startMain, testKeySettings } from './main-process.ts';

const production = { NODE_ENV: 'production' };

test.each([
  ['no token keys', production, 'TELECONSULT_TOKEN_KEYS'],
  [
    'no issuer',
    { ...production, TELECONSULT_TOKEN_KEYS: testKeySettings.TELECONSULT_TOKEN_KEYS },
    'TELECONSULT_TOKEN_ISSUER',
  ],
  [
    'an empty issuer',
    { ...production, ...testKeySettings, TELECONSULT_TOKEN_ISSUER: '' },
    'TELECONSULT_TOKEN_ISSUER',
  ],
  [
    'the development issuer switched on',
    { ...production, ...testKeySettings, TELECONSULT_DEVELOPMENT_ISSUER: 'true' },
    'TELECONSULT_DEVELOPMENT_ISSUER',
  ],
])(
  '[A1] [CONF4] in production the server does not start with %s, and names the setting',
  async (_what, settings, named) => {
    await using dir = await tempDir();
    await using main = startMain({ ...quietSettings(`${dir.path}/data`), ...settings });
    expect(await main.ended).toBe(1);
    expect(main.errors()).toContain(named);
    expect(main.errors()).not.toContain('long enough');
    expect(main.lines).toEqual([]);
    expect(existsSync(`${dir.path}/data`)).toBe(false);
  },
);

test.each([
  ['a setting that does not exist', { TELECONSULT_TOKEN_KEY: 'secret-canary' }, 'TELECONSULT_TOKEN_KEY'],
  ['a misspelt environment', { NODE_ENV: 'prod' }, 'NODE_ENV'],
])('[CONF1] the server does not start with %s', async (_what, settings, named) => {
  await using dir = await tempDir();
  await using main = startMain({ ...quietSettings(dir.path), ...settings });
  expect(await main.ended).toBe(1);
  expect(main.errors()).toContain(named);
  expect(main.errors()).not.toContain('secret-canary');
});

test('[CONF4] in production, with keys and an issuer, it starts, takes their tokens and prints no link', async () => {
  await using dir = await tempDir();
  await using main = startMain({ ...quietSettings(dir.path), ...production, ...testKeySettings });
  const origin = await originOf(main);
  expect((await createConsultation(origin, hostToken())).phase).toBe('requested');
  expect(existsSync(`${dir.path}/development-token-secret`)).toBe(false);
  await main[Symbol.asyncDispose]();
  expect(await main.ended).toBe(0);
  expect(main.lines.join('\n')).not.toContain('token');
});

test('[CONF4] outside production, with nothing set, it starts with a key of its own and prints links that work', async () => {
  await using dir = await tempDir();
  await using main = startMain(quietSettings(dir.path));
  const origin = await originOf(main);
  const [, token = ''] = await main.line(/doctor\s.*#token=([^&]+)/);
  const response = await fetch(`${origin}/v1/consultations/cns_${'z'.repeat(22)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(404);
});
