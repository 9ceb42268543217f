/** The page of this folder, built and served as the server does: under its content policy. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { FLAGS } from '../e2e/browser.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { servePages } from '../web/pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const DESK = { viewport: { width: 1280, height: 800 } };

export interface FloatingPages extends AsyncDisposable {
  readonly browser: Browser;
  /** A page with the element in it, and nothing going on. `query`: such as `lang=zh`. */
  open(options?: BrowserContextOptions & { readonly query?: string }): Promise<OpenPage>;
}

export interface OpenPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the console had to complain about. */
  readonly complaints: readonly string[];
}

/** `autoplay: false`: sound needs a click, as in most browsers. */
export async function floatingPages({
  autoplay = true,
}: {
  autoplay?: boolean;
} = {}): Promise<FloatingPages> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempDir());
  await build({
    configFile: false,
    root: fileURLToPath(new URL('./page/', import.meta.url)),
    logLevel: 'error',
    build: { outDir: path, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  const { origin } = stack.use(await servePages(path));
  const browser = stack.use(
    await chromium.launch({
      executablePath: CHROMIUM,
      headless: true,
      args: FLAGS.filter((flag) => autoplay || !flag.startsWith('--autoplay-policy')),
      // Playwright lets every page play.
      ...(autoplay ? {} : { ignoreDefaultArgs: ['--autoplay-policy=user-gesture-required'] }),
    }),
  );
  const owned = stack.move();
  return {
    browser,
    open: async ({ query = '', ...options } = {}) => {
      const context = await browser.newContext({ locale: 'en-GB', ...DESK, ...options });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`${origin}/index.html?${query}`);
      await page.locator('html[data-page="shown"]').waitFor({ state: 'attached' });
      return { context, page, complaints };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
