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
    ...[
      'waiting-subject',
      'form',
      'subject',
      'check',
      'form-card',
      'replies',
      'group',
      'unread',
      'typing',
      'offline',
    ],
    ...['declined', 'menu', 'message', 'search', 'people', 'settings', 'picture'],
    ...['invited', 'invited-expired', 'invited-signed-out'],
  ].map((scene) => ({ page: 'patient', scene })),
  ...['list', 'request', 'call-video', 'end', 'decline', 'invite', 'near', 'colleagues', 'group'].map(
    (scene) => ({
      page: 'doctor',
      scene,
    }),
  ),
];

/** How many scenes are looked at at the same time: most of the time goes into waiting for animations. */
const AT_ONCE = 3;

/** What has to be pressed before a scene is what its name says. */
const PRESSED: Readonly<Record<string, readonly string[]>> = {
  recording: ['voice-record'],
  'voice-denied': ['voice-record'],
  end: ['end'],
  form: ['open-form', 'form-send'],
  subject: ['open-subject', 'subject-other', 'subject-save'],
  check: ['open-check', 'check-network'],
  menu: ['visit-menu'],
  message: ['message-menu'],
  search: ['visit-menu', 'menu-search'],
  people: ['visit-menu', 'menu-people'],
  settings: ['visit-menu', 'menu-settings'],
  picture: ['picture-thumb', 'zoom-in'],
  decline: ['decline'],
  invite: ['visit-menu', 'menu-invite', 'invite-create'],
  near: ['open-colleagues'],
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
  for (const pressed of PRESSED[scene] ?? []) await page.getByTestId(pressed).last().click();
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, impact, nodes }) => `${impact} ${id} at ${nodes[0]?.target.join(' ')}`);
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  return [...found, ...said, ...(isWide ? ['the page scrolls sideways'] : [])];
}

/** The scenes in shares, each a test of its own: together they take minutes on a busy machine. */
const SHARES = 3;

test.skipIf(!existsSync(CHROMIUM)).each(Array.from({ length: SHARES }, (_, share) => share))(
  '[WEB10] axe finds nothing in any state of the pages, under the content policy, on phone and desktop (share %i)',
  async (share) => {
    await using scenes = await buildPages('scenes');
    await using server = await servePages(scenes.folder);
    await using browser = await launchBrowser();
    const findings: Record<string, string[]> = {};
    const asked = SCENES.map((scene, index) => ({ scene, index })).filter(
      ({ index }) => index % SHARES === share,
    );
    for (let first = 0; first < asked.length; first += AT_ONCE)
      await Promise.all(
        asked.slice(first, first + AT_ONCE).map(async ({ scene, index }) => {
          const context = await browser.newContext(VARIANTS[index % VARIANTS.length] ?? {});
          const found = await look(await context.newPage(), server.origin, scene);
          if (found.length > 0) findings[`${scene.page} ${scene.scene}`] = found;
          await context.close();
        }),
      );
    expect(findings).toEqual({});
  },
  200_000,
);
