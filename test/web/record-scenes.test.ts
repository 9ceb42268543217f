import { expect, test } from 'vitest';
import { hasChromium, useScenes } from './record-pages.ts';
import { DESK, PHONE } from './scene-pages.ts';

const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, locale: 'en-US', colorScheme: 'light' },
  { ...DESK, locale: 'zh-CN', colorScheme: 'dark' },
] as const;

/** As web/dev/scenes-records.ts has them, each with the page on which it can be. */
const SCENES: readonly (readonly [page: 'patient' | 'doctor', scene: string])[] = [
  ...['recording-asked', 'recording-late', 'recording-running', 'recording-small', 'recording-thread'].map(
    (scene) => ['patient', scene] as const,
  ),
  ...['records', 'records-none', 'notes', 'follow-ups'].map((scene) => ['patient', scene] as const),
  ...['recording-asking', 'recording-running', 'recording-paused', 'recording-small'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...['records', 'records-player', 'notes', 'note-draft', 'note-conflict'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...[
    'dictating',
    'dictation-paused',
    'dictation-interrupted',
    'dictation-offline',
    'dictation-bar',
    'follow-ups',
    'follow-up-form',
    'follow-up-result',
    'follow-up-refused',
  ].map((scene) => ['doctor', scene] as const),
];

/** How many scenes are looked at at the same time: most of the time goes into waiting for animations. */
const AT_ONCE = 2;

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

for (const [share, name] of ['first', 'second'].entries())
  chromium(
    `[WEB140] axe finds nothing in any state of recordings, dictations, notes and follow-ups (${name} half)`,
    async () => {
      const findings: Record<string, string[]> = {};
      const waiting = [...SCENES.entries()].filter(([index]) => index % 2 === share);
      const lookOn = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, [page, scene]] = next;
          const found = await scenes().look(page, scene, VARIANTS[(index >> 1) % VARIANTS.length] ?? {});
          if (found.length > 0) findings[`${page} ${scene}`] = found;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lookOn));
      expect(findings).toEqual({});
    },
    200_000,
  );
