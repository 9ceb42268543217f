import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type ScenePages, startScenes } from './scene-pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

export const hasChromium = existsSync(CHROMIUM);

/** The scenes for the tests of one file. Each test's pages close with it: mock cameras draw for as long as they are open. */
export function useScenes(): () => ScenePages {
  let scenes: ScenePages | undefined;
  beforeAll(async () => {
    if (hasChromium) scenes = await startScenes();
  }, 60_000);
  afterEach(async () => {
    for (const context of scenes?.browser.contexts() ?? []) await context.close();
  });
  afterAll(async () => {
    await scenes?.[Symbol.asyncDispose]();
  });
  return () => {
    if (scenes === undefined) throw new Error('the scenes are not there yet');
    return scenes;
  };
}

/** What was asked of the mock of records, as web/dev/mock-records.ts has it. */
export const asked = (tab: Page): Promise<string[]> => tab.evaluate('globalThis.mock.records.asked');

export const ofRecords = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(`(() => { const { records } = globalThis.mock; return ${read}; })()`);

/** What the live region said last. */
export const said = (tab: Page): Promise<string> =>
  tab.evaluate("document.querySelector('body > [role=status]').textContent.trim()");
