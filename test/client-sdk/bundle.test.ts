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
/** What recordings, dictations and notes add to an app that has the SDK, in bytes after gzip. */
const RECORDS_BUDGET_BYTES = 30 * 1024;
/** What masked phone calls add to an app that has the SDK, in bytes after gzip. */
const PHONE_BUDGET_BYTES = 5 * 1024;

/** Chunks of an app that imports these files of the SDK. */
async function bundled(...files: readonly string[]): Promise<Rolldown.OutputChunk[]> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: true,
      modulePreload: { polyfill: false },
      // As an app ships it: the format of a library would keep its white space.
      rolldownOptions: {
        input: files.map((file) => fileURLToPath(new URL(`../../client-sdk/${file}`, import.meta.url))),
        preserveEntrySignatures: 'strict',
      },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !('output' in output)) throw new Error('nothing was built');
  return output.output.filter((part) => part.type === 'chunk');
}

/** The chunk of a file, and what it cannot do without. What an app fetches only when it asks for it costs visitors nothing. */
function needed(chunks: readonly Rolldown.OutputChunk[], file: string): ReadonlySet<Rolldown.OutputChunk> {
  const found = new Set(
    chunks.filter(({ facadeModuleId }) => facadeModuleId?.endsWith(`/client-sdk/${file}`) === true),
  );
  for (const { imports } of found)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  return found;
}

const sizeOf = (chunks: Iterable<Rolldown.OutputChunk>): number =>
  [...chunks].reduce((sum, { code }) => sum + gzipSync(code).length, 0);

describe('the SDK in the bundle of an app', () => {
  let chunks: Rolldown.OutputChunk[];

  beforeAll(async () => {
    chunks = await bundled('index.ts');
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
    const bytes = sizeOf(needed(chunks, 'index.ts'));
    expect(bytes).toBeGreaterThan(60 * 1024);
    console.log(`client-sdk: ${(bytes / 1024).toFixed(1)} KiB after gzip`);
    expect(bytes).toBeLessThan(BUDGET_BYTES);
  });

  it('[SDK240] records are an entry of their own that brings no schema library along and keeps to its budget', async () => {
    const both = await bundled('index.ts', 'records/index.ts');
    const main = needed(both, 'index.ts');
    const added = [...needed(both, 'records/index.ts')].filter((chunk) => !main.has(chunk));
    const modules = added.flatMap(({ moduleIds }) => moduleIds);
    expect(modules.some((id) => id.endsWith('/records/local-dictation.ts'))).toBe(true);
    expect(modules.filter((id) => id.includes('/zod/') || id.includes('/node_modules/'))).toEqual([]);
    expect([...main].flatMap(({ moduleIds }) => moduleIds).filter((id) => id.includes('/records/'))).toEqual(
      [],
    );
    const bytes = sizeOf(added);
    expect(bytes).toBeGreaterThan(4 * 1024);
    console.log(`client-sdk/records: ${(bytes / 1024).toFixed(1)} KiB after gzip`);
    expect(bytes).toBeLessThan(RECORDS_BUDGET_BYTES);
  });

  it('[PSD20] masked phone calls are an entry of their own that brings no schema library along and keeps to its budget', async () => {
    const both = await bundled('index.ts', 'phone/index.ts');
    const main = needed(both, 'index.ts');
    const added = [...needed(both, 'phone/index.ts')].filter((chunk) => !main.has(chunk));
    const modules = added.flatMap(({ moduleIds }) => moduleIds);
    expect(modules.some((id) => id.endsWith('/phone/contact-card.ts'))).toBe(true);
    expect(modules.filter((id) => id.includes('/zod/') || id.includes('/node_modules/'))).toEqual([]);
    expect([...main].flatMap(({ moduleIds }) => moduleIds).filter((id) => id.includes('/phone/'))).toEqual(
      [],
    );
    const bytes = sizeOf(added);
    expect(bytes).toBeGreaterThan(1024);
    console.log(`client-sdk/phone: ${(bytes / 1024).toFixed(1)} KiB after gzip`);
    expect(bytes).toBeLessThan(PHONE_BUDGET_BYTES);
  });
});
