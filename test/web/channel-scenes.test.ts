import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { hasChromium, said, useScenes } from './record-pages.ts';
import { DESK, PHONE } from './scene-pages.ts';

const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, viewport: { width: 320, height: 640 }, locale: 'en-US', colorScheme: 'light' },
] as const;
/** As web/dev/scenes-channel.ts has them. */
const SCENES = ['channel-none', 'channel', 'channel-draft', 'channel-recording'];

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

const ofChannel = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(`(() => { const records = globalThis.channel; return ${read}; })()`);

chromium(
  '[HCH30] axe finds nothing in any state of the health channel, in both languages, on phone and desk',
  async () => {
    const findings: Record<string, string[]> = {};
    // Each scene twice, so that each variant meets each language and width.
    const looks = [...SCENES, ...SCENES].map(
      (scene, index) => [scene, VARIANTS[index % VARIANTS.length]] as const,
    );
    for (const [scene, variant] of looks) {
      const found = await scenes().look('doctor', scene, variant ?? {});
      if (found.length > 0) findings[`${scene} ${variant?.locale} ${variant?.viewport.width}`] = found;
    }
    expect(findings).toEqual({});
  },
  120_000,
);

chromium(
  '[HCH31] by keyboard the doctor opens the channel, records, writes a title and publishes; what has no sound is not published',
  async () => {
    const tab = await scenes().open('doctor', 'list');
    const entry = tab.getByTestId('open-channel');
    expect(await entry.getAttribute('aria-label')).toBe('Health channel');
    await entry.focus();
    await tab.keyboard.press('Enter');
    const dialog = tab.getByTestId('health-channel-dialog');
    await dialog.waitFor();
    expect(await tab.getByTestId('no-notes').innerText()).toBe('There is no clip yet.');
    expect(await tab.getByTestId('write-note').count()).toBe(0);
    await tab.getByTestId('dictate').focus();
    await tab.keyboard.press('Enter');
    await eventually('time runs', async () =>
      (await tab.getByTestId('dictation').innerText()).includes('0:01'),
    );
    await tab.getByTestId('dictation-finish').focus();
    await tab.keyboard.press('Enter');
    await tab.getByTestId('note-text').fill('Washing hands\nTwenty seconds.');
    await tab.getByTestId('note-remove-audio').click();
    await tab.getByTestId('note-sign').click();
    await tab.getByText('a clip without sound is not published').first().waitFor();
    expect(await tab.getByTestId('note-sign-confirm').count()).toBe(0);
    await tab.getByTestId('note-dictate').click();
    await tab.locator('[data-testid=dictation][data-state=recording]').waitFor();
    await tab.getByTestId('dictation-finish').click();
    await tab.getByTestId('note-remove-audio').waitFor();
    await tab.getByTestId('note-sign').click();
    await tab.getByTestId('note-sign-confirm').click();
    const clip = tab.getByTestId('clip');
    await clip.waitFor();
    expect(await clip.getAttribute('data-state')).toBe('published');
    expect(await clip.locator('h3').innerText()).toBe('Washing hands');
    expect(await clip.innerText()).toContain('Twenty seconds.');
    expect(await said(tab)).toContain('The clip is published.');
    expect(await tab.getByTestId('note-add').count()).toBe(0);
    expect(await ofChannel(tab, 'records.notes.map(({ state, purpose }) => `${state} ${purpose}`)')).toEqual([
      'signed health_channel',
    ]);
  },
  60_000,
);

chromium(
  '[HCH32] drafts, published and withdrawn clips are told apart; a withdrawn one cannot be played',
  async () => {
    const tab = await scenes().open('doctor', 'channel', PHONE);
    expect(await tab.getByTestId('draft-note').count()).toBe(1);
    const clips = tab.getByTestId('clip');
    const states = await clips.evaluateAll((found) => found.map((one) => one.dataset['state']));
    expect(states).toEqual(['published', 'withdrawn']);
    expect(await clips.nth(0).locator('tele-lane-player').count()).toBe(1);
    expect(await clips.nth(1).locator('tele-lane-player').count()).toBe(0);
    expect(await clips.nth(1).innerText()).toContain('Withdrawn');
  },
  60_000,
);

chromium(
  '[HCH33] closing the dialog pauses the microphone; the clip is there to go on when it is opened again',
  async () => {
    const tab = await scenes().open('doctor', 'channel-recording', PHONE);
    await tab.locator('[data-testid=dictation][data-state=recording]').waitFor();
    await tab.getByTestId('dialog-close').click();
    await eventually(
      'it to be paused',
      async () => (await ofChannel<string>(tab, 'records.dictations[0].state')) === 'paused',
    );
    await tab.getByTestId('open-channel').click();
    await tab.locator('[data-testid=dictation][data-state=paused]').waitFor();
  },
  60_000,
);

chromium(
  '[HCH33] a microphone that comes only after the dialog was closed is paused at once',
  async () => {
    const tab = await scenes().open('doctor', 'channel-none', PHONE);
    await tab.getByTestId('no-notes').waitFor();
    // A person who takes their time to allow the microphone.
    await tab.evaluate(`(() => {
      const records = globalThis.channel;
      const dictate = records.dictate.bind(records);
      const held = Promise.withResolvers();
      globalThis.allow = held.resolve;
      records.dictate = async (wish) => {
        await held.promise;
        return dictate(wish);
      };
    })()`);
    await tab.getByTestId('dictate').click();
    await tab.getByTestId('dialog-close').click();
    await tab.getByTestId('health-channel-dialog').waitFor({ state: 'detached' });
    await tab.evaluate('globalThis.allow()');
    await eventually(
      'it to be paused',
      async () => (await ofChannel<string>(tab, 'records.dictations[0]?.state')) === 'paused',
    );
  },
  60_000,
);
