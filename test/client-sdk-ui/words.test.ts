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

/** Brings about one change after the other, and waits until each was spoken. */
async function hear(
  page: Parameters<typeof run>[0],
  steps: readonly (readonly [script: string, text: string])[],
) {
  for (const [script, text] of steps) {
    await run(page, `void (${script})`);
    await eventually(`to hear "${text}"`, async () => (await spoken(page)).at(-1) === text, {
      lastSeen: () => script,
    });
  }
}

it('[FLT30] what happens to the call is spoken in its order, and only what is lost or over interrupts', async () => {
  const { page } = await pages.open();
  await run(page, 'void floating.client.becomeRestoring(floating.toRestore())');
  await inState(page, 'page');
  await hear(page, [
    ['0', 'Returning to your call…'],
    [
      'floating.client.becomeRestoring(null), floating.begin("video").isRestored = true, floating.call.setPath("connected")',
      'You are back in your call. Your microphone is on.',
    ],
    ['call.setPath("interrupted")', 'Your connection broke. Reconnecting…'],
    ['call.setPath("connected")', 'You are connected again.'],
    ['call.other({ state: "reconnecting" })', 'Nora Berg is reconnecting – the picture stands still'],
    ['call.other({ state: "present" })', 'Nora Berg is back.'],
    [
      'call.other({ state: "left", leftReason: "lost", returnUntil: new Date(2026, 0, 1, 14, 5).getTime() })',
      '! Nora Berg lost the connection and can return until 14:05.',
    ],
    ['call.other({ state: "present", leftReason: null, returnUntil: null })', 'Nora Berg is back.'],
    ['call.mutedBy("patient-1")', 'Nora Berg muted you.'],
    ['call.speaksWhileMuted()', 'You are muted: nobody hears you.'],
    ['call.setMicrophone(true)', 'You are no longer muted.'],
    [
      'call.becomeAwaiting(["microphone"])',
      'You are muted: the browser asks again for your microphone. Tap to go on.',
    ],
    ['call.becomeAwaiting([])', 'You are no longer muted.'],
    ['element.expanded = true', 'The call is in the large view.'],
    ['element.float("page")', 'The call is in the small window.'],
    ['call.end("completed")', '! The call has ended.'],
  ]);
  // Said once, and then the window goes by itself.
  await inState(page, 'none');
  expect((await spoken(page)).filter((text) => text.startsWith('!'))).toHaveLength(2);
});

it('[FLT31] it speaks the language of the page, also when that changes, in Chinese and in English', async () => {
  const { page } = await pages.open({ query: 'lang=zh' });
  await beginVideo(page);
  await page.getByRole('region', { name: '与李静的通话' }).waitFor();
  await hear(page, [
    ['call.other({ state: "reconnecting" })', '李静正在重新连接，画面暂停'],
    ['call.other({ state: "present" })', '李静已回到通话。'],
  ]);
  await run(page, 'void (document.documentElement.lang = "en")');
  await page.getByRole('button', { name: 'Hang up' }).waitFor();
  await run(page, 'void (element.lang = "zh-CN")');
  await page.getByRole('button', { name: '挂断' }).waitFor();
  await hear(page, [['call.end("no_answer")', '! 无人接听。']]);
});

it('[FLT32] unread messages are a badge, and words for who does not see it', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'element.unread = 3');
  await page.getByRole('button', { name: 'Large view, 3 unread messages' }).waitFor();
  expect(await page.getByTestId('floating-expand').textContent()).toBe('3');
  await run(page, 'element.unread = 140');
  await page.getByRole('button', { name: 'Large view, 99+ unread messages' }).waitFor();
  expect(await page.getByTestId('floating-expand').textContent()).toBe('99+');
  await run(page, 'void element.setAttribute("unread", "nonsense")');
  await page.getByRole('button', { name: 'Large view', exact: true }).waitFor();
});

it('[FLT33] a call that another device took over says so, and can be continued here', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void (call.goElsewhere("answered_elsewhere"), floating.client.becomeActive(null))');
  await page.getByText('The call is on your other device').waitFor();
  expect((await spoken(page)).at(-1)).toBe('The call goes on, on your other device.');
  await page.getByRole('button', { name: 'Continue here' }).click();
  expect(await run(page, 'call.asked')).toEqual(['accept {"camera":false}']);
  await run(page, 'void floating.client.becomeActive(call)');
  await page.getByRole('button', { name: 'Microphone' }).waitFor();
  // Or it is put away, and stays so.
  await run(page, 'void (call.goElsewhere("answered_elsewhere"), floating.client.becomeActive(null))');
  await page.getByRole('button', { name: 'Close' }).click();
  await inState(page, 'none');
  await run(page, 'void call.setPath("connected")');
  expect(await run(page, 'element.state')).toBe('none');
  await run(page, 'void floating.begin("voice")');
  await inState(page, 'page');
});

it('[FLT34] what waits for a tap is one clear control that switches it on', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.becomeAwaiting(["microphone", "camera"])');
  await page.getByRole('button', { name: 'Microphone', pressed: false }).waitFor();
  await page.getByRole('button', { name: 'Tap to go on' }).click();
  expect(await run(page, 'call.asked')).toEqual(['continueSources']);
  await page.getByRole('button', { name: 'Microphone', pressed: true }).waitFor();
  expect(await page.getByTestId('floating-go-on').isVisible()).toBe(false);
  // The control is gone, and the focus is on the next one and not lost.
  expect(await run(page, 'element.shadowRoot.activeElement?.getAttribute("aria-label")')).toBe('Microphone');
});

it('[FLT35] a device that the browser refuses is said in words and stays off', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await page.getByRole('button', { name: 'Camera' }).click();
  await run(page, 'void (call.refusal = "PERMISSION_DENIED")');
  await page.getByRole('button', { name: 'Camera' }).click();
  await page.getByTestId('floating-window').getByText('The camera is blocked.').waitFor();
  await page.getByRole('button', { name: 'Camera', pressed: false }).waitFor();
});

it('[FLT36] in a call of several the last of the others who spoke is shown, the rest is counted, and leaving does not end it', async () => {
  const { page } = await pages.open();
  await beginVideo(page);
  await run(page, 'void call.seatOf("relative-1", { state: "present", cameraOn: true })');
  await page.getByTestId('floating-window').getByText('+1').waitFor();
  expect(await page.getByTestId('floating-name').textContent()).toBe('Nora Berg');
  await run(page, 'void call.speaks("relative-1")');
  await page.getByRole('region', { name: 'Call with Erik Berg' }).waitFor();
  await run(page, 'void (call.speaks(null), call.speaks("doctor-1"))');
  expect(await page.getByTestId('floating-name').textContent()).toBe('Erik Berg');
  await page.getByRole('button', { name: 'Leave the call' }).click();
  expect(await run(page, 'call.asked')).toEqual(['leave']);
});

it("[FLT37] while the app shows the call large the words are the app's, and there is no window at its end", async () => {
  const { page } = await pages.open();
  await run(page, 'element.expanded = true');
  await beginVideo(page);
  await run(page, 'void call.other({ state: "reconnecting" })');
  await run(page, 'void call.setMicrophone(false)');
  await run(page, 'void call.end("completed")');
  await inState(page, 'none');
  expect(await spoken(page)).toEqual([]);
  expect(await run(page, 'floating.events')).toEqual(['expanded', 'none']);
});

it('[FLT38] properties set before the element was known to the page count, and hanging up needs no answer to close the window', async () => {
  const { page, complaints } = await pages.open({ query: 'properties-first' });
  expect(
    await page.evaluate('document.querySelector("teleconsult-floating-call").getAttribute("unread")'),
  ).toBe('4');
  expect(complaints).toEqual([]);
  await page.evaluate('document.querySelector("teleconsult-floating-call").remove()');
  await beginVideo(page);
  // The server is out of reach: nothing but the call's leaving the client is known.
  await run(
    page,
    'void (call.hangUp = () => { floating.client.becomeActive(null); return new Promise(() => {}); })',
  );
  await page.getByRole('button', { name: 'Hang up' }).click();
  await eventually('the end', async () => (await spoken(page)).at(-1) === '! The call has ended.');
  await inState(page, 'none');
  await run(page, 'void call.end("completed")');
  expect(await run(page, 'element.state')).toBe('none');
});
