import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

/**
 * What the window may cost an app, in bytes after gzip: of it the style sheet takes 3 KiB and the words of the two languages
 * 2 KiB. It comes with the first call, on whatever line there is then.
 */
const BUDGET_BYTES = 19 * 1024;

describe('the floating window in the bundle of an app', () => {
  let chunks: Rolldown.OutputChunk[];

  beforeAll(async () => {
    const built = await build({
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        minify: true,
        lib: {
          entry: fileURLToPath(new URL('../../client-sdk/ui/index.ts', import.meta.url)),
          // As an app ships it: the ES format of a library would keep its white space.
          formats: ['iife'],
          name: 'floating',
        },
      },
    });
    const [output] = Array.isArray(built) ? built : [built];
    if (output === undefined || !('output' in output)) throw new Error('nothing was built');
    chunks = output.output.filter((part) => part.type === 'chunk');
  });

  it('[FLT2] stands on the types of the SDK alone: no code of it, no framework', () => {
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
    const foreign = modules.filter(
      (id) => !id.includes('/client-sdk/ui/') && !id.endsWith('/protocol/unreachable.ts'),
    );
    expect(foreign).toEqual([]);
  });

  it('[FLT2] costs an app no more than its budget', () => {
    const bytes = chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
    console.log(`client-sdk/ui: ${(bytes / 1024).toFixed(1)} KiB after gzip`);
    expect(bytes).toBeLessThan(BUDGET_BYTES);
  });

  it('[FLT3] can be loaded where there is no page, and defines nothing there', async () => {
    const { defineFloatingCall, FloatingCallElement } = await import('@teleconsult/client-sdk/ui');
    expect(typeof FloatingCallElement).toBe('function');
    expect(() => defineFloatingCall()).not.toThrow();
  });
});
