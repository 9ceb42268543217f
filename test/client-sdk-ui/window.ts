import type { Page } from 'playwright-core';
import { eventually } from '../helpers/eventually.ts';
import type { OpenPage } from './pages.ts';

/** Runs a script with `floating`, the object of page/page.ts, and `call`, its call. */
export const run = <T = void>(page: Page, script: string): Promise<T> =>
  page.evaluate(
    `(() => { const { floating } = globalThis; const { call, element } = floating; return ${script}; })()`,
  );

export const stateOf = (page: Page): Promise<string> => run(page, 'element.state');

export const inState = (page: Page, wanted: string): Promise<true> =>
  eventually(`the window to be "${wanted}"`, async () => (await stateOf(page)) === wanted, {
    lastSeen: () => 'another state',
  });

/** Begins a video call, and waits until the other side's picture moves. */
export async function beginVideo(page: Page): Promise<void> {
  await run(page, 'void floating.begin("video")');
  await eventually('the picture to move', () =>
    run<boolean>(page, 'element.shadowRoot.querySelector("video.picture").currentTime > 0'),
  );
}

/** The window of its own, which is a page of the browser like any other. */
export const documentWindow = ({ context, page }: OpenPage): Promise<Page> =>
  eventually('the window of its own', () => context.pages().find((other) => other !== page));

/** Alike for so many frames, a box rests. */
const FRAMES_OF_REST = 6;

/** Where the box comes to rest. */
export async function restingBox(
  page: Page,
): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = page.getByTestId('floating-window');
  let before = '';
  let restedFor = 0;
  return eventually('the box to rest', async () => {
    const now = await box.boundingBox();
    const text = JSON.stringify(now);
    restedFor = now !== null && text === before ? restedFor + 1 : 0;
    before = text;
    const size = await page.evaluate(async () => {
      await new Promise(requestAnimationFrame);
      return { width: innerWidth, height: innerHeight };
    });
    // A page that is busy hears of its new size some frames late, and the box rests until then.
    const isSized = JSON.stringify(size) === JSON.stringify(page.viewportSize());
    return now !== null && isSized && restedFor >= FRAMES_OF_REST ? now : false;
  });
}

/** What was spoken, in order. */
export const spoken = (page: Page): Promise<readonly string[]> => run(page, 'floating.spoken');
