/** The scenes of web/dev in a browser, for tests of what a page shows in a given state. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../e2e/browser.ts';
import { buildPages, servePages } from './pages.ts';

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const DESK = { viewport: { width: 1280, height: 800 } };

export interface ScenePages extends AsyncDisposable {
  readonly browser: Browser;
  /**
   * A scene as soon as it is played, in a profile of its own. `windows`: the browser may open windows above all others,
   * into which most tests of the page do not look.
   */
  open(
    page: 'patient' | 'doctor',
    scene: string,
    options?: BrowserContextOptions & { readonly windows?: boolean },
  ): Promise<Page>;
  /** What axe, the console and the width of the page complain about. */
  look(page: 'patient' | 'doctor', scene: string, options: BrowserContextOptions): Promise<string[]>;
}

export async function startScenes(): Promise<ScenePages> {
  await using stack = new AsyncDisposableStack();
  const built = stack.use(await buildPages('scenes'));
  const server = stack.use(await servePages(built.folder));
  const browser = stack.use(await launchBrowser());
  const show = async (tab: Page, page: string, scene: string): Promise<void> => {
    await tab.goto(`${server.origin}/dev/${page}.html?scene=${scene}`);
    await tab.locator('html[data-scene="shown"]').waitFor({ state: 'attached' });
  };
  const owned = stack.move();
  return {
    browser,
    open: async (page, scene, { windows = false, ...options } = DESK) => {
      const context = await browser.newContext({ locale: 'en-US', ...options });
      if (!windows) await context.addInitScript(onlyInPage);
      const tab = await context.newPage();
      await show(tab, page, scene);
      return tab;
    },
    look: async (page, scene, options) => {
      const context = await browser.newContext(options);
      const tab = await context.newPage();
      const said: string[] = [];
      tab.on('console', (message) => message.type() === 'error' && said.push(message.text()));
      tab.on('pageerror', (error) => said.push(error.message));
      await show(tab, page, scene);
      // The pages have no frames: all is found in the page itself, without another one for the report.
      const { violations } = await new AxeBuilder({ page: tab }).setLegacyMode().analyze();
      const found = violations.map(({ id, nodes }) => `${id} at ${nodes[0]?.target.join(' ')}`);
      const isWide = await tab.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      await context.close();
      return [...found, ...said, ...(isWide ? ['the page scrolls sideways'] : [])];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs in the page. */
function onlyInPage(): void {
  Reflect.deleteProperty(globalThis, 'documentPictureInPicture');
  Object.defineProperty(document, 'pictureInPictureEnabled', { value: false });
}

/** Reads something of the mock call of the shown visit, as web/dev/mock-call.ts has it. */
export const ofCall = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(
    `(() => { const { client, visit } = globalThis.mock; const call = client.activeCall ?? visit.call; return ${read}; })()`,
  );
