import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DESK, type FloatingPages, floatingPages, hasChromium, PHONE } from './pages.ts';
import { STATES, VOICE_STATES } from './states.ts';

const ARTEFACTS = new URL('../../test-artifacts/', import.meta.url).pathname;

const VARIANTS = [
  { name: 'phone-zh-dark', options: { ...PHONE, query: 'lang=zh', locale: 'zh-CN', colorScheme: 'dark' } },
  { name: 'desk-en-light', options: { ...DESK, colorScheme: 'light' } },
  { name: 'phone-en-light', options: { ...PHONE, colorScheme: 'light' } },
  { name: 'desk-zh-dark', options: { ...DESK, query: 'lang=zh', locale: 'zh-CN', colorScheme: 'dark' } },
] as const;

let pages: FloatingPages;

beforeAll(async () => {
  if (hasChromium) pages = await floatingPages();
}, 60_000);

afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
});

/** Brings the page into a state and waits until it is painted. */
async function show(page: Page, state: string): Promise<void> {
  const isVoice = state in VOICE_STATES;
  const script = STATES[state] ?? VOICE_STATES[state] ?? '';
  const begin = isVoice ? `"voice", "${state === 'ringing' ? 'caller' : 'answered'}"` : '"video"';
  await page.evaluate(`(async () => {
    const call = floating.begin(${begin});
    await new Promise((resolve) => setTimeout(resolve, 0));
    const video = () => floating.element.shadowRoot.querySelector("video.picture");
    while (${!isVoice} && !(video().readyState >= 2 && video().currentTime > 0)) await new Promise(requestAnimationFrame);
    ${script};
    for (let frame = 0; frame < 12; frame += 1) await new Promise(requestAnimationFrame);
  })()`);
}

/** Each state in one of the variants, another one at each: together all states in all variants take minutes. */
const LOOKS = [...Object.keys(STATES), ...Object.keys(VOICE_STATES)].map((state, index) => ({
  state,
  ...(VARIANTS[index % VARIANTS.length] ?? VARIANTS[0]),
}));
const SHARES = 2;

test.skipIf(!hasChromium).each(Array.from({ length: SHARES }, (_, share) => share))(
  '[FLT1] axe finds nothing in any state of the window, under the content policy, on phone and desktop (share %i)',
  async (share) => {
    mkdirSync(ARTEFACTS, { recursive: true });
    const findings: Record<string, readonly string[]> = {};
    for (const [index, { state, name, options }] of LOOKS.entries()) {
      if (index % SHARES !== share) continue;
      const { context, page, complaints } = await pages.open(options);
      await show(page, state);
      await page.screenshot({ path: join(ARTEFACTS, `floating-${state}-${name}.png`) });
      const { violations } = await new AxeBuilder({ page }).include('teleconsult-floating-call').analyze();
      const found = violations.map(({ id, nodes }) => `${id} at ${nodes[0]?.target.join(' ')}`);
      if (found.length + complaints.length > 0) findings[state] = [...found, ...complaints];
      await context.close();
    }
    expect(findings).toEqual({});
  },
  200_000,
);
