import { TEST_IDENTITY, TEST_KEY } from '../helpers/test-tokens.ts';
import { type Child, startChild } from './child.ts';

/** Settings under which the server runs beside others on one machine; the folder is the test's own. */
export const quietSettings = (dataDir: string): Record<string, string> => ({
  TELECONSULT_MEDIA: 'fake',
  TELECONSULT_PORT: '0',
  TELECONSULT_DATA_DIR: dataDir,
});

/** Settings of a host application whose tokens the test helpers sign. */
export const testKeySettings = {
  TELECONSULT_TOKEN_KEYS: JSON.stringify([TEST_KEY]),
  TELECONSULT_TOKEN_ISSUER: TEST_IDENTITY.issuer,
  TELECONSULT_TOKEN_AUDIENCE: TEST_IDENTITY.audience,
};

export const startMain = (settings: Readonly<Record<string, string>>): Child =>
  startChild('server/main.ts', settings);

/** Where a started server listens. */
export async function originOf(main: Child): Promise<string> {
  const [, origin] = await main.line(/listens on (http:\S+)/);
  return origin ?? '';
}
