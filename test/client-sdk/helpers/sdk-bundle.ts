import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** The SDK as one script for a page, where it is the global `teleconsult`: the script is not a module. */
export async function buildSdk(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL('../../../client-sdk/index.ts', import.meta.url)),
        formats: ['iife'],
        name: 'teleconsult',
      },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  const chunk = output !== undefined && 'output' in output ? output.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new Error('nothing was built');
  return chunk.code;
}
