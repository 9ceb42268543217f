import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type FloatingPages, floatingPages, hasChromium } from './pages.ts';
import { beginVideo, inState, run, spoken } from './window.ts';

let pages: FloatingPages;

beforeAll(async () => {
  if (hasChromium) pages = await floatingPages();
}, 60_000);

afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
});

const it = test.skipIf(!hasChromium);

const caption = (page: Page): Promise<string> => run(page, 'floating.find("floating-state").textContent');

const says = (page: Page, text: string) => {
  let seen = '';
  return eventually(
    `"${text}"`,
    async () => {
      seen = await caption(page);
      return seen === text;
    },
    { lastSeen: () => seen },
  );
};

/** As the SDK does: the call is this device's again at once, and its media comes later. */
const TAKE_OVER = `call.accept = async () => {
  floating.client.becomeActive(call);
  await new Promise((resolve) => { globalThis.sit = resolve; });
  call.path = 'connecting';
  call.role = 'answered';
  call.seatOf('doctor-1', { state: 'present' });
}`;
const GO_ELSEWHERE =
  'void (call.goElsewhere("answered_elsewhere"), call.path = "connecting", floating.client.becomeActive(null))';
const LOST = (until: string): string =>
  `void (call.role = "elsewhere", call.seatOf("doctor-1", { state: "left", leftReason: "lost", returnUntil: ${until} }), floating.client.becomeActive(null))`;

it('[FLT33] a call that is continued here is returned to: nobody reads that their connection broke', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, GO_ELSEWHERE);
  await run(page, `void (${TAKE_OVER})`);
  await page.getByRole('button', { name: 'Continue here' }).click();
  await says(page, 'Returning to your call…');
  expect(await page.getByRole('button', { name: 'Continue here' }).isVisible()).toBe(false);
  await page.evaluate('globalThis.sit()');
  await page.getByRole('button', { name: 'Hang up' }).waitFor();
  expect(await caption(page)).toBe('Returning to your call…');
  await run(page, 'void call.setPath("connected")');
  await eventually('it to be said', async () => (await spoken(page)).at(-1)?.startsWith('You are back'));
  expect((await spoken(page)).slice(-3)).toEqual([
    'The call goes on, on your other device.',
    'Returning to your call…',
    'You are back in your call. Your microphone is on.',
  ]);
});

it('[FLT33] put away, it is there again as soon as the app has taken the call over', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, GO_ELSEWHERE);
  await run(page, `void (${TAKE_OVER})`);
  await page.getByRole('button', { name: 'Close' }).click();
  await inState(page, 'none');
  await run(page, 'void call.accept()');
  await says(page, 'Returning to your call…');
  await page.evaluate('globalThis.sit()');
  await page.getByRole('button', { name: 'Hang up' }).waitFor();
});

it('[FLT52] a call that no device of the person holds says that it was lost and until when they can return, and leads back', async () => {
  for (const [lang, words, button] of [
    ['en', 'Connection lost – you can come back until 14:05', 'Return to the call'],
    ['zh', '连接已断开，14:05 前可返回通话', '返回通话'],
  ] as const) {
    const { page, context } = await pages.open({ query: `lang=${lang}` });
    await beginVideo(page);
    await run(page, LOST('new Date(2026, 0, 1, 14, 5).getTime()'));
    await says(page, words);
    expect((await spoken(page)).at(-1)).toBe(`! ${words}${lang === 'zh' ? '。' : '.'}`);
    await page.getByRole('button', { name: button }).click();
    expect(await run(page, 'call.asked')).toEqual(['accept {"camera":false}']);
    await context.close();
  }
});

it('[FLT52] one that the server took from this device is lost, and one that moves is not, whichever news comes first', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.seatOf("doctor-1", { deviceId: floating.client.deviceId })');
  // The seat is still shown as this device's.
  await run(
    page,
    'void (call.role = "elsewhere", floating.client.becomeActive(null), call.setPath("connecting"))',
  );
  await says(page, 'The call is on your other device');
  await run(
    page,
    'void (call.role = "answered", floating.client.becomeActive(call), call.setPath("connected"))',
  );
  await page.getByRole('button', { name: 'Hang up' }).waitFor();
  await run(
    page,
    'void (call.role = "elsewhere", floating.client.becomeActive(null), call.setPath("connecting"), call.fails(Object.assign(new Error(), { code: "RESUME_REFUSED" })))',
  );
  await says(page, 'Your connection to the call was lost');
  // Meanwhile another device took it.
  await run(page, 'void call.seatOf("doctor-1", { deviceId: "tablet" })');
  await says(page, 'The call is on your other device');
});

it('[FLT53] while this side reconnects the last picture stands, also after its track is gone', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.setPath("interrupted")');
  await run(page, 'void call.receive([])');
  const still = 'element.shadowRoot.querySelector("canvas.still")';
  await eventually('a still picture', () => run<boolean>(page, `!${still}.hidden && ${still}.width > 0`));
  expect(await run(page, 'element.shadowRoot.querySelector(".avatar").hidden')).toBe(true);
  await run(page, 'void (call.setPath("connected"), call.other({}))');
  await eventually('it to move', () => run<boolean>(page, `${still}.hidden`));
});

it("[FLT53] nobody's last picture stands under another's name", async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.seatOf("relative-1", { state: "present", cameraOn: false })');
  await page.getByTestId('floating-window').getByText('+1').waitFor();
  // Who was seen goes, and who is left loses the connection, before the next look.
  await run(
    page,
    'void (call.seatOf("relative-1", { state: "reconnecting" }), call.other({ state: "left", leftReason: "hung_up" }))',
  );
  await page.getByRole('region', { name: 'Call with Erik Berg' }).waitFor();
  expect(await run(page, 'element.shadowRoot.querySelector("canvas.still").hidden')).toBe(true);
  expect(await caption(page)).toBe('Erik Berg is reconnecting…');
});

it('[FLT54] who leaves a call that goes on, or whose page is cut off, does not read that it ended', async () => {
  const group = await pages.open();
  await beginVideo(group.page);
  await run(group.page, 'void call.seatOf("relative-1", { state: "present" })');
  await run(
    group.page,
    'void (call.leave = () => { floating.client.becomeActive(null); return new Promise(() => {}); })',
  );
  await group.page.getByRole('button', { name: 'Leave the call' }).click();
  await says(group.page, 'You are no longer in the call');
  await group.context.close();

  // As when another tab of the same browser goes on with it.
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void (floating.client.connection = "closed", floating.client.becomeActive(null))');
  await says(page, 'This page is no longer in the call');
  await inState(page, 'none');
});

it('[FLT30] a return is said once, and also that there was nothing to return to', async () => {
  const { page } = await pages.open();
  await run(page, 'void floating.client.becomeRestoring(floating.toRestore())');
  await inState(page, 'page');
  await run(page, 'void floating.client.becomeRestoring(null)');
  await inState(page, 'none');
  await run(page, 'void floating.client.becomeRestoring(floating.toRestore())');
  await inState(page, 'page');
  await run(
    page,
    'void (floating.client.becomeRestoring(null), floating.begin("voice").isRestored = true, floating.call.setPath("connecting"))',
  );
  await eventually('it to be said', async () => (await spoken(page)).at(-1)?.startsWith('You are back'));
  expect(await spoken(page)).toEqual([
    'Returning to your call…',
    'There is no call on this device.',
    'Returning to your call…',
    'You are back in your call. Your microphone is on.',
  ]);
});

it('[FLT55] the chosen speaker lasts when all media is built anew', async () => {
  const { page } = await pages.open();
  await page.evaluate(() => {
    HTMLMediaElement.prototype.setSinkId = async function set(this: HTMLMediaElement, id: string) {
      Object.defineProperty(this, 'sinkId', { configurable: true, value: id });
    };
  });
  await beginVideo(page);
  const sinks = () =>
    run<string[]>(page, '[...element.shadowRoot.querySelectorAll("audio")].map((audio) => audio.sinkId)');
  await run(page, 'void element.shadowRoot.querySelector("audio").setSinkId("headset")');
  await run(page, 'void call.receive([])');
  await eventually('silence', async () => (await sinks()).length === 0);
  await run(page, 'void call.other({})');
  await eventually('sound', async () => (await sinks()).length === 1);
  expect(await sinks()).toEqual(['headset']);
});

it('[FLT36] in a call of several nobody is said to be back who was there all the time', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.seatOf("relative-1", { state: "present", cameraOn: true })');
  await run(page, 'void call.speaks("patient-1")');
  await run(page, 'void call.other({ state: "reconnecting" })');
  await says(page, 'Nora Berg is reconnecting – the picture stands still');
  await run(page, 'void call.speaks("relative-1")');
  await page.getByRole('region', { name: 'Call with Erik Berg' }).waitFor();
  expect(await run(page, 'element.shadowRoot.querySelector("canvas.still").hidden')).toBe(true);
  expect((await spoken(page)).at(-1)).toBe('Nora Berg is reconnecting – the picture stands still');
});
