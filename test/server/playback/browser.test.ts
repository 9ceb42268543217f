/** What a real player makes of a file that was recorded live and is served through a link. */
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { findChromium } from '../../../scripts/setup/chromium.mjs';
import { eventually } from '../../helpers/eventually.ts';
import { openLinkStage } from './links.fixtures.ts';
import { picture, tone } from './playback.fixtures.ts';

const missing = findChromium() === undefined ? ': Chromium is not installed' : '';

test.skipIf(missing !== '')(
  `[PLAY15] a browser knows the length at once, seeks to any place and plays to the end${missing}`,
  { timeout: 120_000 },
  async () => {
    await using stage = await openLinkStage();
    const sound = await tone(60);
    await stage.record(1, {
      files: [
        { number: 1, bytes: sound },
        { number: 2, bytes: sound.subarray(0, sound.byteLength >> 1), state: 'truncated' },
        {
          number: 3,
          bytes: await picture(12),
          facts: { source: 'camera', contentType: 'video/webm;codecs=vp8' },
        },
      ],
    });
    await stage.playback.start();
    await eventually(
      'everything is measured',
      async () => (await stage.store.unmeasuredFiles(1)).length === 0,
    );
    await using parts = new AsyncDisposableStack();
    const browser = parts.adopt(
      await chromium.launch({
        executablePath: findChromium() ?? '',
        args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
      }),
      (opened) => opened.close(),
    );
    const page = await browser.newPage();
    await page.route(`${stage.origin}/`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
    );
    await page.goto(`${stage.origin}/`);
    for (const [number, seconds] of [
      [1, 60],
      [2, 30],
      [3, 12],
    ] as const) {
      const seen = await page.evaluate(
        async ({ url, places }) => {
          const media = document.createElement('video');
          const heard = (name: string) =>
            new Promise<void>((resolve, reject) => {
              media.addEventListener(name, () => resolve(), { once: true });
              media.addEventListener('error', () => reject(new Error(media.error?.message)), { once: true });
            });
          media.muted = true;
          media.src = url;
          await heard('loadedmetadata');
          const { duration } = media;
          const reached: number[] = [];
          for (const place of places) {
            media.currentTime = place * duration;
            await heard('seeked');
            reached.push(media.currentTime / duration);
          }
          media.currentTime = duration - 0.5;
          await heard('seeked');
          const ended = heard('ended');
          await media.play();
          await ended;
          return { duration, reached, end: media.currentTime };
        },
        { url: await stage.link(number), places: [0.9, 0.1, 0.5] },
      );
      expect(Math.abs(seen.duration - seconds), `file ${number}`).toBeLessThan(0.7);
      expect(seen.reached.map((place) => Math.round(place * 10))).toEqual([9, 1, 5]);
      expect(Math.abs(seen.end - seen.duration), `file ${number}`).toBeLessThan(0.2);
    }
  },
);
