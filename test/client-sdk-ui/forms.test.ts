import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type FloatingPages, floatingPages, hasChromium } from './pages.ts';
import { beginVideo, documentWindow, inState, run, spoken, stateOf } from './window.ts';

const ARTEFACTS = new URL('../../test-artifacts/', import.meta.url).pathname;

let pages: FloatingPages;

beforeAll(async () => {
  if (hasChromium) pages = await floatingPages();
}, 60_000);

afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
});

const it = test.skipIf(!hasChromium);

it('[FLT10] from a click the call goes into a window of its own, with buttons that work by pointer and by keys', async () => {
  const open = await pages.open();
  const { page } = open;
  await beginVideo(page);
  await run(page, 'element.expanded = true');
  await inState(page, 'expanded');
  await page.click('#float');
  const own = await documentWindow(open);
  await inState(page, 'document');
  expect(await run(page, 'element.expanded')).toBe(false);
  // There is no second window: the box of the page is gone.
  expect(await page.getByTestId('floating-window').isVisible()).toBe(false);
  await own.getByRole('region', { name: 'Call with Nora Berg' }).waitFor();
  expect(await own.title()).toBe('Call with Nora Berg');
  await eventually('the picture to move there', () =>
    own.evaluate(`(() => {
      const video = document.body.firstElementChild.shadowRoot.querySelector('video.picture');
      const before = globalThis.seen ?? video.currentTime;
      globalThis.seen = video.currentTime;
      return !video.paused && video.currentTime > before;
    })()`),
  );
  mkdirSync(ARTEFACTS, { recursive: true });
  await own.setViewportSize({ width: 320, height: 280 });
  await own.screenshot({ path: join(ARTEFACTS, 'floating-document.png') });
  const { violations } = await new AxeBuilder({ page: own }).setLegacyMode().analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);

  await own.getByRole('button', { name: 'Microphone' }).click();
  await own.getByRole('button', { name: 'Microphone', pressed: false }).waitFor();
  await own.getByRole('button', { name: 'Microphone' }).focus();
  await own.keyboard.press('Tab');
  await own.keyboard.press('Enter');
  await own.getByRole('button', { name: 'Camera', pressed: false }).waitFor();
  await own.keyboard.press('Escape');
  expect(await stateOf(page)).toBe('document');
  expect(await run(page, 'call.asked')).toEqual(['microphone false', 'camera false']);
  // Said where the person works.
  expect(await spoken(page)).not.toContain('You are muted.');
  await own.getByRole('button', { name: 'Hang up' }).click();
  await eventually('the window to be closed', () => own.isClosed());
  await inState(page, 'none');
  expect(await run(page, 'call.asked.at(-1)')).toBe('hangUp');
});

it('[FLT11] a window of its own that the person closes leaves the call in the page, and its button for the large view leads there', async () => {
  const open = await pages.open();
  const { page } = open;
  await beginVideo(page);
  await page.click('#float');
  const own = await documentWindow(open);
  await inState(page, 'document');
  await own.evaluate('window.close()');
  await inState(page, 'page');
  await page.getByTestId('floating-window').waitFor();
  expect(await run(page, 'call.view.state')).toBe('live');
  await eventually('the picture to move in the page', () =>
    run<boolean>(page, '!element.shadowRoot.querySelector("video.picture").paused'),
  );

  await page.click('#float');
  const second = await documentWindow(open);
  await inState(page, 'document');
  await run(page, 'element.addEventListener("teleconsult-expand", () => { element.expanded = true; })');
  await second.getByRole('button', { name: 'Large view' }).click();
  await inState(page, 'expanded');
  await eventually('the window to be closed', () => second.isClosed());
  expect(await run(page, 'floating.events')).toEqual([
    'page',
    'document',
    'page',
    'document',
    'expand true',
    'expanded',
  ]);
});

it('[FLT12] without a click the browser refuses other windows, and the call is small in the page', async () => {
  const { page, complaints } = await pages.open({ query: 'at-once' });
  const floated = await run<string[]>(page, 'floating.events.filter((event) => event.startsWith("floated"))');
  expect(floated).toEqual(['floated page page false', 'floated page page']);
  expect(await run(page, 'element.expanded')).toBe(false);
  expect(complaints).toEqual([]);
});

it("[FLT13] the browser's picture window shows the other side and has mute, camera and hang-up; closed, the call is in the page", async () => {
  const { page } = await pages.open();
  await page.evaluate(() => {
    const handlers: Record<string, unknown> = {};
    Object.assign(globalThis, { handlers });
    navigator.mediaSession.setActionHandler = (action: string, handler: unknown) => {
      handlers[action] = handler;
    };
  });
  await beginVideo(page);
  await run(page, 'floating.wanted = "video"');
  await page.click('#float');
  await inState(page, 'video');
  expect(await page.getByTestId('floating-window').isVisible()).toBe(false);
  // From outside, an element of a shadow tree is its host.
  expect(await run(page, 'document.pictureInPictureElement === element')).toBe(true);
  await page.evaluate('handlers.togglemicrophone()');
  await page.evaluate('handlers.togglecamera()');
  expect(await run(page, 'call.asked')).toEqual(['microphone false', 'camera false']);
  // Words are painted where no picture comes.
  await run(page, 'void call.other({ cameraOn: false })');
  await eventually('a painted picture', () =>
    run<boolean>(page, 'element.shadowRoot.querySelector("video.unseen").videoWidth === 480'),
  );
  expect(await stateOf(page)).toBe('video');
  await page.evaluate('document.exitPictureInPicture()');
  await inState(page, 'page');
  expect(await page.evaluate('handlers.hangup')).toBe(null);

  await page.click('#float');
  await inState(page, 'video');
  await page.evaluate('handlers.hangup()');
  expect(await run(page, 'call.asked.at(-1)')).toBe('hangUp');
  await inState(page, 'none');
  expect(await page.evaluate('document.pictureInPictureElement')).toBe(null);
});

it('[FLT14] however often and quickly it is asked for, there is one window', async () => {
  const open = await pages.open();
  const { page } = open;
  await beginVideo(page);
  await run(
    page,
    'void document.querySelector("#float").addEventListener("click", () => { floating.all = Promise.all([element.float(), element.float("video"), element.float("page")]); })',
  );
  await page.click('#float');
  expect(await run(page, 'floating.all')).toEqual(['document', 'document', 'document']);
  await inState(page, 'document');
  expect(open.context.pages().length).toBe(2);
  // From one window of the browser into the other.
  await run(page, 'floating.wanted = "video"');
  const own = await documentWindow(open);
  await run(
    page,
    `void (() => {
      const button = document.querySelector("#float");
      button.replaceWith(button.cloneNode(true));
      document.querySelector("#float").addEventListener("click", () => element.float("video"));
    })()`,
  );
  await page.click('#float');
  await inState(page, 'video');
  await eventually('the other window to be closed', () => own.isClosed());
  expect(await run(page, 'document.pictureInPictureElement === element')).toBe(true);
});

it('[FLT15] a call that ends while a window is being opened leaves none behind', async () => {
  const open = await pages.open();
  const { page } = open;
  await beginVideo(page);
  await run(
    page,
    'void document.querySelector("#float").addEventListener("click", () => call.end("completed"))',
  );
  await page.click('#float');
  await inState(page, 'none');
  await eventually('no window to be left', () => open.context.pages().length === 1);
});

it('[FLT16] a second element in the same page stays empty, and goes on when the first is taken out', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void document.body.append(floating.second = floating.create())');
  expect(await run(page, 'floating.second.state')).toBe('none');
  expect(await page.getByTestId('floating-window').filter({ visible: true }).count()).toBe(1);
  expect(await run(page, 'floating.second.float()')).toBe('page');
  expect(await run(page, 'floating.second.state')).toBe('none');
  await run(page, 'element.remove()');
  await eventually('the second one to show it', () => run<boolean>(page, 'floating.second.state === "page"'));
  expect(await run(page, 'call.view.state')).toBe('live');
  expect(await page.getByTestId('floating-window').filter({ visible: true }).count()).toBe(1);
});

it('[FLT17] taking the element out of the page, or moving it, never ends the call', async () => {
  const open = await pages.open();
  const { page } = open;
  await beginVideo(page);
  await run(page, 'void document.querySelector("#route").append(element)');
  await inState(page, 'page');
  await page.getByTestId('floating-window').waitFor();
  await page.click('#float');
  const own = await documentWindow(open);
  await inState(page, 'document');
  // Moved, as a framework does that orders its children anew: the window stays.
  await run(page, 'void document.body.append(element)');
  expect(await stateOf(page)).toBe('document');
  expect(own.isClosed()).toBe(false);
  await run(page, 'element.remove()');
  await eventually('the window to be closed', () => own.isClosed());
  expect(await run(page, 'call.asked')).toEqual([]);
  expect(await run(page, 'call.view.state')).toBe('live');
  expect(await run(page, '[...element.shadowRoot.querySelectorAll("audio")].length')).toBe(0);
  await run(page, 'void document.body.append(element)');
  await inState(page, 'page');
  await page.getByTestId('floating-window').waitFor();
});

it('[FLT18] as the person leaves the tab the browser may open the window by itself, and back in the tab the call is large again', async () => {
  const open = await pages.open();
  const { page } = open;
  await page.evaluate(() => {
    const handlers: Record<string, () => void> = {};
    Object.assign(globalThis, { handlers });
    navigator.mediaSession.setActionHandler = (action: string, handler: unknown) => {
      handlers[action] = handler as () => void;
    };
    document.querySelector('#last')?.addEventListener('click', () => handlers['enterpictureinpicture']?.());
  });
  await beginVideo(page);
  await run(page, 'element.addEventListener("teleconsult-expand", () => { element.expanded = true; })');
  await run(page, 'element.expanded = true');
  await inState(page, 'expanded');
  await page.click('#last');
  const own = await documentWindow(open);
  await inState(page, 'document');
  await own.evaluate('window.close()');
  await inState(page, 'expanded');
  await run(page, 'call.end("completed")');
  await inState(page, 'none');
  expect(await page.evaluate('handlers.enterpictureinpicture')).toBe(null);
});
