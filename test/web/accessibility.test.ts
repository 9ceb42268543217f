import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { buildPages, servePages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1280, height: 800 } };

/** Half of the scenes on each, so that both layouts, languages and colour schemes are looked at. */
const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, locale: 'en-US', colorScheme: 'light' },
  { ...DESK, locale: 'zh-CN', colorScheme: 'dark' },
] as const;

/** The states that differ in what stands on the page; web/dev/scenes.ts has more to look at. */
const SCENES = [
  ...[
    ...['waiting', 'thread', 'outbox', 'ended', 'voice-denied', 'recording', 'refused', 'reconnecting'],
    ...['incoming', 'call-video', 'call-muted', 'camera-offer', 'elsewhere'],
  ].map((scene) => ({ page: 'patient', scene })),
  ...['list', 'request', 'call-video', 'end'].map((scene) => ({ page: 'doctor', scene })),
];

/** What has to be pressed before a scene is what its name says. */
const PRESSED: Readonly<Record<string, string>> = {
  recording: 'voice-record',
  'voice-denied': 'voice-record',
  end: 'end',
};

async function look(
  page: Page,
  origin: string,
  { page: name, scene }: (typeof SCENES)[number],
): Promise<string[]> {
  const said: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') said.push(message.text());
  });
  page.on('pageerror', (error) => said.push(error.message));
  await page.goto(`${origin}/dev/${name}.html?scene=${scene}`);
  await page.locator('html[data-scene="shown"]').waitFor({ state: 'attached' });
  const pressed = PRESSED[scene];
  if (pressed !== undefined) await page.getByTestId(pressed).click();
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, impact, nodes }) => `${impact} ${id} at ${nodes[0]?.target.join(' ')}`);
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  return [...found, ...said, ...(isWide ? ['the page scrolls sideways'] : [])];
}

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB10] axe finds nothing in any state of the pages, under the content policy, on phone and desktop',
  async () => {
    await using scenes = await buildPages('scenes');
    await using server = await servePages(scenes.folder);
    await using browser = await launchBrowser();
    const findings: Record<string, string[]> = {};
    for (const [index, scene] of SCENES.entries()) {
      const context = await browser.newContext(VARIANTS[index % VARIANTS.length] ?? {});
      const found = await look(await context.newPage(), server.origin, scene);
      if (found.length > 0) findings[`${scene.page} ${scene.scene}`] = found;
      await context.close();
    }
    expect(findings).toEqual({});
  },
  240_000,
);
