import { fileURLToPath } from 'node:url';
import { pageScript } from '../../helpers/page-script.ts';

/** The SDK as one script for a page, where it is the global `teleconsult`: the script is not a module. */
export const buildSdk = (): Promise<string> =>
  pageScript(fileURLToPath(new URL('../../../client-sdk/index.ts', import.meta.url)), 'teleconsult');
