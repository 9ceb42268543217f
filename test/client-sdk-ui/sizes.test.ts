import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type FloatingPages, floatingPages, hasChromium } from './pages.ts';
import { beginVideo, documentWindow, inState, run } from './window.ts';

let pages: FloatingPages;

beforeAll(async () => {
  if (hasChromium) pages = await floatingPages();
}, 60_000);

afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
});

const it = test.skipIf(!hasChromium);

/** Lets the page believe that it is hidden, as behind another tab. */
const HIDE = (hidden: boolean) => `(() => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
  document.dispatchEvent(new Event('visibilitychange'));
})()`;

it('[FLT40] the seat is shown full, floating or in the background as the person sees it, and that is said once for each change', async () => {
  const open = await pages.open();
  const { page } = open;
  await run(page, 'element.expanded = true');
  await beginVideo(page);
  const modes = () => run<string[]>(page, 'call.viewModes');
  expect(await modes()).toEqual(['full']);
  await run(page, 'void call.setPath("interrupted")');
  await run(page, 'void call.setPath("connected")');
  await run(page, HIDE(true));
  await run(page, HIDE(false));
  await run(page, 'element.expanded = false');
  await inState(page, 'page');
  expect(await modes()).toEqual(['full', 'background', 'full', 'floating']);
  await run(page, HIDE(true));
  await run(page, HIDE(false));
  expect((await modes()).slice(4)).toEqual(['background', 'floating']);
  // A window of its own is seen while the tab is not.
  await page.click('#float');
  await inState(page, 'document');
  await run(page, HIDE(true));
  expect((await modes()).slice(6)).toEqual([]);
  const own = await documentWindow(open);
  await own.evaluate('window.close()');
  await inState(page, 'page');
  await eventually('it to be in the background', async () => (await modes()).at(-1) === 'background');
  await run(page, HIDE(false));
  // Taken out of the page, the call is the app's own again.
  await run(page, 'element.remove()');
  await eventually('it to be full', async () => (await modes()).at(-1) === 'full');
  expect((await modes()).slice(6)).toEqual(['background', 'floating', 'full']);
});

it('[FLT41] a view that cannot be said is no error, and is said anew when it changes', async () => {
  const { page, complaints } = await pages.open();
  await page.evaluate('addEventListener("unhandledrejection", () => { globalThis.unhandled = true; })');
  await run(page, 'void floating.begin("video")');
  await run(
    page,
    'void (call.setView = (mode) => { call.viewModes.push(mode); return Promise.reject(new Error("no")); })',
  );
  await run(page, HIDE(true));
  await run(page, HIDE(false));
  await eventually('both', async () => (await run<string[]>(page, 'call.viewModes')).length >= 2);
  expect(await page.evaluate('globalThis.unhandled')).toBeUndefined();
  expect(complaints).toEqual([]);
});

it('[FLT42] only the picture that is shown is asked for, in the size in which it is seen', async () => {
  const open = await pages.open();
  const { page } = open;
  await beginVideo(page);
  await run(page, 'void call.seatOf("relative-1", { state: "present", cameraOn: true })');
  const sizes = () => run<Record<string, unknown>>(page, 'Object.fromEntries(call.viewports)');
  await eventually('both to be told', async () => Object.keys(await sizes()).length === 2);
  expect(await sizes()).toEqual({
    'camera patient-1': expect.objectContaining({ width: 272, height: 168 }),
    'camera relative-1': null,
  });
  await run(page, 'void call.speaks("relative-1")');
  await eventually('the speaker to be asked for', async () => (await sizes())['camera patient-1'] === null);
  expect(await sizes()).toMatchObject({ 'camera relative-1': { width: 272 } });
  await page.getByTestId('floating-move').focus();
  await page.keyboard.press('Shift+ArrowRight');
  await eventually('the new size', async () =>
    JSON.stringify((await sizes())['camera relative-1']).includes('288'),
  );
  // Behind another tab nothing is seen.
  await run(page, HIDE(true));
  expect(await sizes()).toEqual({ 'camera patient-1': null, 'camera relative-1': null });
  await run(page, HIDE(false));
  await page.click('#float');
  const own = await documentWindow(open);
  await inState(page, 'document');
  const width = await own.evaluate<number>('innerWidth');
  await eventually('the size of the other window', async () =>
    JSON.stringify((await sizes())['camera relative-1']).includes(String(width)),
  );
});

it('[FLT43] the large view is not held to the size of the small one', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'element.expanded = true');
  await inState(page, 'expanded');
  expect(await run(page, 'call.viewports.get("camera patient-1").width === screen.width')).toBe(true);
  // From here on the sizes are the app's.
  await run(page, 'void call.viewports.set("camera patient-1", null)');
  await run(page, 'void call.setPath("connected")');
  expect(await run(page, 'call.viewports.get("camera patient-1")')).toBe(null);
});

it('[FLT44] a picture that another tile switched off as it went is asked for again', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  // The large view goes after the small one has come, and says that nothing is seen: no frame comes any more.
  await run(
    page,
    'void (call.viewports.set("camera patient-1", null), element.shadowRoot.querySelector("video.picture").pause())',
  );
  await eventually('the picture to be asked for', () =>
    run<boolean>(page, 'call.viewports.get("camera patient-1") !== null'),
  );
});

it('[FLT45] while the other side is away the last picture stands, also after its track is gone', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.other({ state: "reconnecting" })');
  const still = () =>
    run<number | null>(
      page,
      `(() => {
        const canvas = element.shadowRoot.querySelector("canvas.still");
        if (canvas.hidden) return null;
        const { data } = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height * 0.42, 1, 1);
        return data[0];
      })()`,
    );
  // The face of the mock is bright where a lost picture would be black.
  await eventually('the still', async () => ((await still()) ?? 0) > 150);
  await run(page, 'void call.other({ state: "left", leftReason: "lost", returnUntil: Date.now() + 60000 })');
  await page.getByTestId('floating-window').getByText('lost the connection').waitFor();
  expect(await still()).toBeGreaterThan(150);
  await run(page, 'void call.other({ state: "present", leftReason: null, returnUntil: null })');
  await eventually('the still to be gone', async () => (await still()) === null);
  expect(await run(page, 'element.shadowRoot.querySelector("canvas.still").width')).toBe(0);
});
