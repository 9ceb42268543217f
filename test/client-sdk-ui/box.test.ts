import type { CDPSession, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type FloatingPages, floatingPages, hasChromium, PHONE } from './pages.ts';
import { beginVideo, inState, restingBox, run } from './window.ts';

let pages: FloatingPages;

beforeAll(async () => {
  if (hasChromium) pages = await floatingPages();
}, 60_000);

afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
});

const it = test.skipIf(!hasChromium);
const MARGIN = 12;
const SIZE = { width: 272, height: 228 };

/** The box in a corner of the page, with the margin around it. */
function corner(page: Page, side: 'left' | 'right', end: 'top' | 'bottom', size = SIZE) {
  const { width = 0, height = 0 } = page.viewportSize() ?? {};
  return {
    x: side === 'left' ? MARGIN : width - MARGIN - size.width,
    y: end === 'top' ? MARGIN : height - MARGIN - size.height,
    ...size,
  };
}

async function drag(
  page: Page,
  from: { x: number; y: number },
  way: { x: number; y: number },
): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  for (let step = 1; step <= 6; step += 1)
    await page.mouse.move(from.x + (way.x * step) / 6, from.y + (way.y * step) / 6);
  // Held still before it is let go: it is put down, not thrown.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 120)));
  await page.mouse.move(from.x + way.x, from.y + way.y);
  await page.mouse.up();
}

it('[FLT20] it is dragged by the mouse, comes to rest at the nearer side, and in a corner where one is near', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  const box = await restingBox(page);
  expect(box).toEqual(corner(page, 'right', 'bottom'));
  const middle = { x: box.x + 136, y: box.y + 80 };
  // While it is held it is where the pointer is.
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down();
  await page.mouse.move(middle.x - 300, middle.y - 200);
  expect(await page.getByTestId('floating-window').boundingBox()).toMatchObject({
    x: box.x - 300,
    y: box.y - 200,
  });
  await page.mouse.up();
  await drag(page, { x: middle.x, y: (await restingBox(page)).y + 80 }, { x: -900, y: 0 });
  const rested = await restingBox(page);
  expect(rested.x).toBe(MARGIN);
  expect(rested.y).toBeGreaterThan(100);
  await drag(page, { x: rested.x + 136, y: rested.y + 60 }, { x: 60, y: 40 - rested.y });
  expect(await restingBox(page)).toEqual(corner(page, 'left', 'top'));
  // A press is no drag: the button under it is pressed.
  await page.getByRole('button', { name: 'Microphone' }).click();
  expect(await run(page, 'call.asked')).toEqual(['microphone false']);
  expect(await restingBox(page)).toEqual(corner(page, 'left', 'top'));
});

it('[FLT21] it is resized by its inner corner and never smaller than its buttons or larger than the page', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  const before = await restingBox(page);
  await drag(page, { x: before.x + 6, y: before.y + 6 }, { x: -120, y: -80 });
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom', { width: 392, height: 308 }));
  await drag(page, { x: 1280 - 12 - 392 + 6, y: 800 - 12 - 308 + 6 }, { x: 600, y: 500 });
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom', { width: 216, height: 164 }));
  const buttons = await page.getByTestId('floating-window').getByRole('button').all();
  for (const button of buttons.slice(1)) {
    const box = await button.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
  }
  await page.getByTestId('floating-move').focus();
  for (let press = 0; press < 50; press += 1) await page.keyboard.press('Shift+ArrowRight');
  for (let press = 0; press < 50; press += 1) await page.keyboard.press('Shift+ArrowDown');
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom', { width: 640, height: 560 }));
});

it('[FLT22] arrow keys move it by 16 pixels and Home and End into the corners, and the page does not scroll by them', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  const box = await restingBox(page);
  const handle = page.getByRole('button', { name: 'Move the window' });
  await handle.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  expect(await restingBox(page)).toMatchObject({ x: box.x - 16, y: box.y - 32 });
  await page.keyboard.press('Home');
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'top'));
  for (let press = 0; press < 70; press += 1) await page.keyboard.press('ArrowLeft');
  expect(await restingBox(page)).toEqual(corner(page, 'left', 'top'));
  await page.keyboard.press('End');
  expect(await restingBox(page)).toEqual(corner(page, 'left', 'bottom'));
  expect(await page.evaluate('scrollY')).toBe(0);
});

/** One finger that goes a way, as the browser itself sends it. */
async function swipe(
  cdp: CDPSession,
  from: { x: number; y: number },
  way: { x: number; y: number },
): Promise<void> {
  const at = (share: number) => [{ x: from.x + way.x * share, y: from.y + way.y * share }];
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(0) });
  for (let step = 1; step <= 8; step += 1)
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(step / 8) });
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

it('[FLT23] a finger drags it without scrolling the page, and a throw carries it on', async () => {
  const { page, context } = await pages.open(PHONE);
  await run(page, 'void (document.querySelector("#filler").style.height = "3000px")');
  await beginVideo(page);
  const cdp = await context.newCDPSession(page);
  const box = await restingBox(page);
  expect(box).toEqual(corner(page, 'right', 'bottom'));
  await swipe(cdp, { x: box.x + 120, y: box.y + 70 }, { x: -90, y: -560 });
  const moved = await restingBox(page);
  expect(moved).toEqual(corner(page, 'left', 'top'));
  expect(await page.evaluate('scrollY')).toBe(0);
  // A tap on the picture does nothing, and one on a button presses it.
  await page.touchscreen.tap(moved.x + 120, moved.y + 80);
  expect(await restingBox(page)).toEqual(moved);
  await page.getByRole('button', { name: 'Camera' }).tap();
  expect(await run(page, 'call.asked')).toEqual(['camera false']);
});

it('[FLT24] it stays within what can be seen as the page is resized, turned, or a keyboard comes up', async () => {
  const { page, context } = await pages.open(PHONE);
  await beginVideo(page);
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom'));
  await page.setViewportSize({ width: 844, height: 390 });
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom'));
  await page.setViewportSize({ width: 220, height: 200 });
  expect(await restingBox(page)).toEqual({ x: 12, y: 12, width: 196, height: 176 });
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom'));
  // A keyboard takes from the visual viewport alone; there is none here, so its answer is replaced.
  await page.evaluate(() => {
    const view = window.visualViewport;
    if (view === null) throw new Error('no visual viewport');
    Object.defineProperty(view, 'height', { configurable: true, get: () => 480 });
    view.dispatchEvent(new Event('resize'));
  });
  expect(await restingBox(page)).toMatchObject({ y: 480 - 12 - 228 });
  await context.close();
});

it('[FLT25] the next page finds it where it was, and what was kept in another form, or is not readable, does no harm', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await page.getByTestId('floating-move').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  for (let press = 0; press < 10; press += 1) await page.keyboard.press('ArrowLeft');
  const before = await restingBox(page);
  expect(before).toMatchObject({ y: 12, width: 288 });
  await page.reload();
  await beginVideo(page);
  const after = await restingBox(page);
  expect(Math.abs(after.x - before.x)).toBeLessThan(1.5);
  expect(after).toMatchObject({ y: 12, width: 288 });
  for (const kept of ['null', '{', '{"x":7,"y":0,"width":1,"height":1}', '{"x":"1"}', '[]']) {
    await page.evaluate((text) => localStorage.setItem('teleconsult.floating', text), kept);
    await page.reload();
    await beginVideo(page);
    expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom'));
  }
  // Storage that throws.
  await page.addInitScript(() =>
    Object.defineProperty(window, 'localStorage', {
      get: () => {
        throw new DOMException('no', 'SecurityError');
      },
    }),
  );
  await page.reload();
  await beginVideo(page);
  await page.getByTestId('floating-move').press('Home');
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'top'));
});

it('[FLT26] it takes no focus as it comes, gives back what it had as it goes, and the order of the keys is handle, microphone, camera, large view, hang up', async () => {
  const { page } = await pages.open();
  await page.focus('#note');
  await beginVideo(page);
  await restingBox(page);
  expect(await page.evaluate('document.activeElement.id')).toBe('note');
  await page.focus('#last');
  const names: unknown[] = [];
  for (let press = 0; press < 5; press += 1) {
    await page.keyboard.press('Tab');
    names.push(await run(page, 'element.shadowRoot.activeElement?.getAttribute("aria-label")'));
  }
  expect(names).toEqual(['Move the window', 'Microphone', 'Camera', 'Large view', 'Hang up']);
  // Escape does nothing to the call.
  await page.keyboard.press('Escape');
  expect(await run(page, 'call.view.state')).toBe('live');
  await page.keyboard.press('Enter');
  await inState(page, 'none');
  expect(await page.evaluate('document.activeElement.id')).toBe('last');
});

it('[FLT27] what is written in, or reached by keys, is not left under it', async () => {
  const { page } = await pages.open();
  await run(
    page,
    'void (document.querySelector("#last").parentElement.style.cssText = "position: fixed; right: 40px; bottom: 40px")',
  );
  await beginVideo(page);
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'bottom'));
  await page.focus('#note');
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.id')).toBe('last');
  expect(await restingBox(page)).toEqual(corner(page, 'right', 'top'));
  // It is not where the person put it, so the next page has it in its place.
  expect(await page.evaluate('localStorage.getItem("teleconsult.floating")')).toBe(null);
});

it('[FLT28] with less motion asked for it does not glide', async () => {
  const { page } = await pages.open({ reducedMotion: 'reduce' });
  await beginVideo(page);
  const motion = () =>
    run<string>(page, 'getComputedStyle(floating.find("floating-window")).transitionProperty');
  expect(await motion()).toBe('none');
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await eventually('motion', async () => (await motion()) === 'translate');
});

it('[FLT29] nothing of the page covers it, not even an element in full screen', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await page.evaluate(() => {
    const cover = document.createElement('div');
    cover.id = 'cover';
    cover.style.cssText = 'position: fixed; inset: 0; z-index: 2147483647; background: teal';
    document.body.append(cover);
    cover.addEventListener('click', () => void cover.requestFullscreen());
  });
  /** The colour that is on the screen where the box has its row of buttons: white, or that of the cover. */
  const isSeen = async () => {
    const { x, y, height } = await restingBox(page);
    const clip = { x: x + 8, y: y + height - 30, width: 4, height: 4 };
    const { data } = await sharp(await page.screenshot({ clip }))
      .raw()
      .toBuffer({ resolveWithObject: true });
    return data[0] === 255;
  };
  expect(await isSeen()).toBe(true);
  await page.mouse.click(300, 300);
  await eventually('full screen', () => page.evaluate<boolean>('document.fullscreenElement?.id === "cover"'));
  await eventually('the box to be seen', isSeen);
});
