import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

/**
 * What the SDK with everything it stands on may cost an app, in bytes after gzip. It was 90 KiB before messages lasted
 * over reloads (with `idb`) and before checks of network and devices, which an app needs before its first call; 100 KiB
 * before calls lasted over reloads, and before every failure of a network could be tried out in an app.
 */
const BUDGET_BYTES = 105 * 1024;

describe('the SDK in the bundle of an app', () => {
  let chunks: Rolldown.OutputChunk[];

  beforeAll(async () => {
    const built = await build({
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        minify: true,
        modulePreload: { polyfill: false },
        // As an app ships it: the format of a library would keep its white space.
        rolldownOptions: {
          input: fileURLToPath(new URL('../../client-sdk/index.ts', import.meta.url)),
          preserveEntrySignatures: 'strict',
        },
      },
    });
    const [output] = Array.isArray(built) ? built : [built];
    if (output === undefined || !('output' in output)) throw new Error('nothing was built');
    chunks = output.output.filter((part) => part.type === 'chunk');
  });

  it('[SDK90] brings no schema library along, and nothing of the server', () => {
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
    expect(modules.some((id) => id.includes('/socket.io-client/'))).toBe(true);
    expect(modules.filter((id) => id.includes('/zod/'))).toEqual([]);
    const protocol = modules.filter((id) => id.includes('/protocol/')).map((id) => id.split('/').at(-1));
    const withoutSchemas = new Set(['errors.ts', 'limits.ts', 'unreachable.ts', 'version.ts']);
    expect(protocol.filter((name) => name === undefined || !withoutSchemas.has(name))).toEqual([]);
    expect(modules.filter((id) => /\/(server|media|web)\/[^/]+\.ts$/.test(id))).toEqual([]);
  });

  it('[SDK90] costs an app no more than its budget', () => {
    const first = chunks.find(({ isEntry }) => isEntry);
    const needed = new Set(first === undefined ? [] : [first.fileName]);
    // What an app fetches only when it asks for it (trying out failures) costs its visitors nothing.
    for (const name of needed)
      for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) needed.add(next);
    const shipped = chunks.filter(({ fileName }) => needed.has(fileName));
    const bytes = shipped.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
    expect(bytes).toBeGreaterThan(60 * 1024);
    console.log(`client-sdk: ${(bytes / 1024).toFixed(1)} KiB after gzip`);
    expect(bytes).toBeLessThan(BUDGET_BYTES);
  });
});
