import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/setup/chromium.mjs';
import { pageScript } from '../../helpers/page-script.ts';
import type { LoopSignalling } from './loop.page.ts';

const PAGE_URL = 'http://localhost/';
/** A camera that shows a moving picture and a microphone that beeps; every permission is granted. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

export const browserMissing = findChromium() === undefined ? 'Chromium is not installed' : null;

/** A real browser with loop.page.ts in it, which asks `signalling`. */
export async function openLoopPage(signalling: LoopSignalling): Promise<{ page: Page } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: FLAGS });
  stack.defer(() => browser.close());
  const page = await browser.newPage();
  await page.route(PAGE_URL, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.exposeFunction('loop', (method: keyof LoopSignalling, ...args: never[]) =>
    (signalling[method] as (...args: never[]) => unknown)(...args),
  );
  await page.goto(PAGE_URL);
  await page.addScriptTag({
    content: await pageScript(fileURLToPath(new URL('loop.page.ts', import.meta.url))),
  });
  const owned = stack.move();
  return { page, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
