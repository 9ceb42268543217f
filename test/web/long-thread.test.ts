import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { buildPages, servePages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const MAX_ROWS = 300;

interface Seen {
  readonly rows: number;
  readonly first: number;
  readonly last: number;
  /** The first row in view and where it is. */
  readonly top: { readonly sequence: number; readonly at: number };
  readonly atEnd: boolean;
}

/** Runs in the page: what of the thread is there, at once after scrolling to a place where one is given. */
const seen = (page: Page, scrollTo: number | null = null): Promise<Seen> =>
  page.getByTestId('thread').evaluate((scroller, scrollTop) => {
    if (scrollTop !== null) scroller.scrollTop = scrollTop;
    const rows = [...scroller.querySelectorAll('li')];
    const entries = rows.filter((row) => row.dataset['sequence'] !== undefined);
    const { top, bottom } = scroller.getBoundingClientRect();
    const visible = entries.find((row) => row.getBoundingClientRect().bottom > top);
    return {
      rows: rows.length,
      first: Number(entries[0]?.dataset['sequence']),
      last: Number(entries.at(-1)?.dataset['sequence']),
      top: {
        sequence: Number(visible?.dataset['sequence']),
        at: Math.round((visible?.getBoundingClientRect().top ?? 0) - top),
      },
      atEnd: (entries.at(-1)?.getBoundingClientRect().bottom ?? Infinity) <= bottom + 40,
    };
  }, scrollTo);

interface Place {
  readonly sequence: number;
  readonly at: number;
}

/** Runs in the page: a page of older rows comes in, and before the next frame the reader scrolls 3 pixels down. */
const scrollAsRowsCome = (page: Page): Promise<{ before: Place; after: Place }> =>
  page.getByTestId('thread').evaluate(async (scroller) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const quiet = async () => {
      do for (let frames = 0; frames < 3; frames += 1) await frame();
      while (scroller.getAttribute('aria-busy') !== 'false');
    };
    const place = (wanted?: number) => {
      const { top } = scroller.getBoundingClientRect();
      const rows = [...scroller.querySelectorAll<HTMLElement>('li[data-sequence]')];
      const row = rows.find((one) =>
        wanted === undefined
          ? one.getBoundingClientRect().bottom > top
          : Number(one.dataset['sequence']) === wanted,
      );
      return {
        sequence: Number(row?.dataset['sequence']),
        at: Math.round((row?.getBoundingClientRect().top ?? 0) - top),
      };
    };
    // Far enough from the beginning of the window that scrolling alone asks for nothing.
    scroller.scrollTop = 900;
    await quiet();
    const before = place();
    const first = () => scroller.querySelector<HTMLElement>('li[data-sequence]')?.dataset['sequence'];
    const firstBefore = first();
    const came = new Promise<void>((resolve) => {
      const observer = new MutationObserver(() => {
        if (first() === firstBefore) return;
        observer.disconnect();
        scroller.scrollTop += 3;
        resolve();
      });
      observer.observe(scroller, { childList: true, subtree: true });
    });
    scroller.querySelector<HTMLElement>('[data-testid="load-older"]')?.click();
    await came;
    await quiet();
    return { before, after: place(before.sequence) };
  });

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB11] a thread of 10,000 messages is scrolled with 300 rows at most, in place, and jumps to its beginning and back',
  async () => {
    await using scenes = await buildPages('scenes');
    await using server = await servePages(scenes.folder);
    await using browser = await launchBrowser();
    const context = await browser.newContext({ viewport: { width: 390, height: 740 }, locale: 'en-GB' });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${server.origin}/dev/patient.html?scene=huge`);
    await page.locator('html[data-scene="shown"]').waitFor({ state: 'attached' });

    const newest = await eventually('the newest message in view', async () => {
      const now = await seen(page);
      return now.atEnd && now;
    });
    expect(newest.last).toBeGreaterThan(10_000);
    expect(newest.rows).toBeLessThanOrEqual(MAX_ROWS);

    // Up by the wheel: older pages come in and newer rows go.
    await page.mouse.move(195, 400);
    const above = await eventually(
      'scrolled up by three windows',
      async () => {
        // A turn of the wheel is lost when a page comes in at the same moment, as it may be under a hand.
        await page.mouse.wheel(0, -900);
        const now = await seen(page);
        expect(now.rows).toBeLessThanOrEqual(MAX_ROWS);
        return now.first < newest.first - 300 && now;
      },
      { withinMs: 40_000 },
    );
    expect(above.last).toBeLessThan(newest.first);

    // What is under the eye stays where it is while a page comes in above it.
    await eventually('no page on its way', async () =>
      page.getByTestId('thread').evaluate((scroller) => scroller.getAttribute('aria-busy') === 'false'),
    );
    const at = await seen(page, 500);
    const grown = await eventually('an older page', async () => {
      const now = await seen(page);
      return now.first < at.first && now;
    });
    expect(grown.top.sequence).toBe(at.top.sequence);
    expect(Math.abs(grown.top.at - at.top.at)).toBeLessThanOrEqual(1);

    // Nor when the reader scrolls in the moment between a page coming in and the next frame.
    const scrolled = await scrollAsRowsCome(page);
    expect(scrolled.after.sequence).toBe(scrolled.before.sequence);
    expect(Math.abs(scrolled.after.at - scrolled.before.at + 3)).toBeLessThanOrEqual(1);

    await page.getByTestId('visit-menu').click();
    await page.getByTestId('menu-toBeginning').click();
    const beginning = await eventually('the first entry in view', async () => {
      const now = await seen(page);
      return now.first === 1 && now.top.sequence === 1 && now;
    });
    expect(beginning.rows).toBeLessThanOrEqual(MAX_ROWS);

    // A message that comes meanwhile does not move the reader, and is offered by a button.
    await page.evaluate(() => {
      const { mock } = globalThis as typeof globalThis & {
        mock: { visit: { receive(content: { type: 'text'; text: string }): void } };
      };
      mock.visit.receive({ type: 'text', text: 'new' });
    });
    await page.getByTestId('new-messages').getByText('1 new message').waitFor();
    expect((await seen(page)).top).toEqual(beginning.top);
    expect(await page.title()).toMatch(/^\(1\) /);

    await page.getByTestId('new-messages').click();
    const back = await eventually('the newest message in view again', async () => {
      const now = await seen(page);
      return now.atEnd && now.last === newest.last + 1 && now;
    });
    expect(back.rows).toBeLessThanOrEqual(MAX_ROWS);
    await eventually('nothing unread', async () => !(await page.title()).startsWith('('));
    expect(problems).toEqual([]);
    await context.close();
  },
  90_000,
);
