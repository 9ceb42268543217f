import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TeleconsultClient } from '@teleconsult/client-sdk';
import type { Dictation, Records } from '@teleconsult/client-sdk/records';
import type { BrowserContext, Page } from 'playwright-core';
import { pageScript } from '../../../helpers/page-script.ts';

declare global {
  var sdk: typeof import('@teleconsult/client-sdk') & typeof import('@teleconsult/client-sdk/records');
  var client: TeleconsultClient;
  var records: Records;
  var dictation: Dictation;
  /** `Date.now()` when the recorder began. */
  var beganAt: number;
}

export const dictationScript = (): Promise<string> =>
  pageScript(fileURLToPath(new URL('./page-entry.ts', import.meta.url)), 'sdk');

/** Every page of this browser at `/dictation` has the SDK in it. */
export async function serveScript(context: BrowserContext, script: string): Promise<void> {
  await context.route('**/dictation', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/sdk.js"></script>' }),
  );
  await context.route('**/sdk.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: script }),
  );
}

/** Opens a page with the records of the consultation, as an app does after each reload. */
export async function openPage(
  context: BrowserContext,
  { url, token, consultationId }: { url: string; token: string; consultationId: string },
): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/dictation`);
  await page.evaluate(
    async (given) => {
      const { sdk } = globalThis;
      // Pages of one browser are devices of their own here, so that none takes the place of the other.
      const deviceId = `device-${crypto.randomUUID()}`;
      globalThis.client = sdk.createTeleconsultClient({ url: given.url, token: given.token, deviceId });
      await globalThis.client.connect();
      globalThis.records = sdk.openRecords(globalThis.client, given.consultationId);
      await globalThis.records.load();
    },
    { url, token, consultationId },
  );
  return page;
}

/** Begins to dictate in this page. */
export async function dictate(page: Page): Promise<void> {
  await page.evaluate(async () => {
    globalThis.dictation = await globalThis.records.dictate({ purpose: 'summary' });
    globalThis.beganAt = Date.now();
  });
}

/** What the page knows of the dictation of its device. */
export const lookAt = (page: Page) =>
  page.evaluate(() => {
    const { dictations } = globalThis.records;
    const [one] = dictations;
    return {
      count: dictations.length,
      state: one?.state ?? null,
      code: one?.error && 'code' in one.error ? String(one.error.code) : null,
      durationMs: one?.durationMs ?? 0,
      keptMs: one?.keptMs ?? 0,
      savedMs: one?.savedMs ?? 0,
    };
  });

/** How long sound is when it is played, by decoding all of it: a file without an end says nothing of its length. */
export async function playedMs(file: Uint8Array): Promise<number> {
  const child = spawn(
    process.env['FFMPEG_PATH'] ?? 'ffmpeg',
    ['-v', 'error', '-i', 'pipe:0', '-f', 's16le', '-ar', '48000', '-ac', '1', 'pipe:1'],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  child.stdin.on('error', () => {});
  child.stdin.end(file);
  let bytes = 0;
  for await (const chunk of child.stdout) bytes += (chunk as Buffer).length;
  return bytes / 2 / 48;
}
