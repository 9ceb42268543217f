import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { floatingPages, hasChromium } from './pages.ts';
import { beginVideo, inState, run } from './window.ts';

const it = test.skipIf(!hasChromium);

const ARTEFACTS = new URL('../../test-artifacts/', import.meta.url).pathname;
const PLAYING = '[...element.shadowRoot.querySelectorAll("audio")].map((audio) => !audio.paused)';

it('[FLT50] the others are heard, each by themselves, large or small, and not when the app plays them', async () => {
  await using pages = await floatingPages();
  const { page } = await pages.open();
  await run(page, 'element.expanded = true');
  await beginVideo(page);
  await eventually(
    'the other side to be heard',
    async () => (await run<boolean[]>(page, PLAYING))[0] === true,
  );
  await run(page, 'void call.seatOf("relative-1", { state: "present" })');
  await eventually(
    'both to be heard',
    async () => (await run<boolean[]>(page, PLAYING)).filter(Boolean).length === 2,
  );
  await run(page, 'element.expanded = false');
  await inState(page, 'page');
  expect(await run(page, PLAYING)).toEqual([true, true]);
  await run(page, 'element.silent = true');
  await eventually('silence', async () => (await run<boolean[]>(page, PLAYING)).length === 0);
  await run(page, 'element.silent = false');
  await eventually('sound', async () => (await run<boolean[]>(page, PLAYING)).length === 2);
  await run(page, 'void call.end("completed")');
  await eventually('silence', async () => (await run<boolean[]>(page, PLAYING)).length === 0);
});

it('[FLT51] sound that the browser holds back waits for the same one control, and any click plays it', async () => {
  await using pages = await floatingPages({ autoplay: false });
  for (const how of ['control', 'anywhere', 'large'] as const) {
    const { page, context } = await pages.open({ query: how === 'large' ? 'blocked&large' : 'blocked' });
    const goOn = page.getByRole('button', { name: 'Tap to go on' });
    await goOn.waitFor();
    await page
      .locator('.why')
      .filter({ hasText: 'The browser holds back the sound.', visible: true })
      .waitFor();
    expect(await run(page, PLAYING)).toEqual([false]);
    if (how === 'large') {
      mkdirSync(ARTEFACTS, { recursive: true });
      await page.screenshot({ path: join(ARTEFACTS, 'floating-pill.png') });
    }
    if (how === 'anywhere') await page.click('#heading');
    else await goOn.click();
    await eventually(
      'the other side to be heard',
      async () => (await run<boolean[]>(page, PLAYING))[0] === true,
    );
    // A click elsewhere plays the sound, but switches no microphone on.
    expect(await run(page, 'call.asked')).toEqual(how === 'anywhere' ? [] : ['continueSources']);
    expect(await run(page, 'call.awaiting.length')).toBe(how === 'anywhere' ? 1 : 0);
    await context.close();
  }
}, 90_000);
