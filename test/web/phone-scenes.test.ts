import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { hasChromium, said, useScenes } from './record-pages.ts';
import { DESK, PHONE } from './scene-pages.ts';

const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, locale: 'en-US', colorScheme: 'light' },
  { ...DESK, locale: 'zh-CN', colorScheme: 'dark' },
] as const;

/** As web/dev/scenes-phone.ts has them, each with the page on which it can be. */
const SCENES: readonly (readonly [page: 'patient' | 'doctor', scene: string])[] = [
  ...[
    'phone-get',
    'phone-bound',
    'phone-one-way',
    'phone-ringing',
    'phone-other-refused',
    'phone-thread',
  ].map((scene) => ['patient', scene] as const),
  ...['phone-waiting', 'phone-unreachable', 'phone-own-seat'].map((scene) => ['patient', scene] as const),
  ...['phone-get', 'phone-working', 'phone-talking', 'phone-own-refused', 'phone-ended', 'phone-seat'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...['phone-seats', 'phone-people', 'phone-thread'].map((scene) => ['doctor', scene] as const),
  ['patient', 'phone-always'],
  ['doctor', 'phone-unrecorded'],
  ['doctor', 'phone-of-others'],
  ['patient', 'phone-failing'],
];

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

const asked = (tab: Page): Promise<string[]> => tab.evaluate('globalThis.mock.phone.asked');
const ofPhone = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(`(() => { const { phone } = globalThis.mock; return ${read}; })()`);
const shown = (tab: Page, testId: string) => tab.locator(`[data-testid="${testId}"]`);

for (const [share, name] of ['first', 'second'].entries())
  chromium(
    `[WEB167] axe finds nothing in any state of masked calls (${name} half)`,
    async () => {
      const findings: Record<string, string[]> = {};
      for (const [index, [page, scene]] of SCENES.entries()) {
        if (index % 2 !== share) continue;
        const found = await scenes().look(page, scene, VARIANTS[(index >> 1) % VARIANTS.length] ?? {});
        if (found.length > 0) findings[`${page} ${scene}`] = found;
      }
      expect(findings).toEqual({});
    },
    200_000,
  );

chromium(
  '[WEB168] without masked calls there is no way to them, and their dialog is never fetched',
  async () => {
    const tab = await scenes().open('patient', 'phone-none');
    await shown(tab, 'visit-menu').click();
    await shown(tab, 'menu-people').waitFor();
    expect(await shown(tab, 'menu-phone').count()).toBe(0);
    expect(await tab.evaluate("customElements.get('tele-phone') === undefined")).toBe(true);
  },
);

chromium(
  '[WEB169] a patient gets a number, sees it large, calls it, saves it, and gives it back',
  async () => {
    const tab = await scenes().open('patient', 'phone-get', PHONE);
    expect(await shown(tab, 'phone-record').count()).toBe(0);
    await shown(tab, 'phone-get').click();
    await shown(tab, 'phone-relay').waitFor();
    expect(await asked(tab)).toContain('bind both false');
    expect(await shown(tab, 'phone-relay').textContent()).toBe('+86 170 0000 3333');
    expect(await shown(tab, 'phone-call').getAttribute('href')).toBe('tel:+8617000003333');
    expect(await shown(tab, 'phone-valid').textContent()).toMatch(/^Valid until .*20\d\d/);
    const [saved] = await Promise.all([tab.waitForEvent('download'), shown(tab, 'phone-save').click()]);
    expect(saved.suggestedFilename()).toBe('Lakeside Clinic.vcf');
    expect(await ofPhone(tab, 'phone.card.text')).toContain('VERSION:4.0');
    await shown(tab, 'phone-save-old').click();
    expect(await ofPhone(tab, 'phone.card.text')).toContain('VERSION:3.0');
    await shown(tab, 'phone-give-back').click();
    await shown(tab, 'phone-give-back-confirm').click();
    await shown(tab, 'phone-last').waitFor();
    expect((await asked(tab)).at(-1)).toMatch(/^unbind pbd_/);
    await shown(tab, 'phone-get').waitFor();
  },
);

chromium('[WEB170] a doctor decides on recording and on who calls, and both are told', async () => {
  const tab = await scenes().open('doctor', 'phone-get');
  await shown(tab, 'phone-record').check();
  await shown(tab, 'phone-one-way').check();
  await shown(tab, 'phone-get').click();
  await shown(tab, 'phone-recorded').waitFor();
  expect(await asked(tab)).toContain('bind doctor_calls true');
  const patient = await scenes().open('patient', 'phone-one-way');
  await shown(patient, 'phone-relay').waitFor();
  expect(await shown(patient, 'phone-call').count()).toBe(0);
  expect(await shown(patient, 'phone-number').textContent()).toContain('you will be called from this number');
});

chromium('[WEB171] why there is no number is said, and the dialog can be used again', async () => {
  const tab = await scenes().open('doctor', 'phone-get');
  await shown(tab, 'phone-record').check();
  for (const [code, words] of [
    ['WRONG_STATE', 'cannot be recorded here'],
    ['FORBIDDEN', 'does not want to be phoned'],
    ['OVERLOADED', 'All numbers are in use'],
    ['RATE_LIMITED', 'too many numbers today'],
  ]) {
    await ofPhone(tab, `phone.refusals.set('bind', '${code}')`);
    await shown(tab, 'phone-get').click();
    await tab
      .getByText(words ?? '')
      .first()
      .waitFor();
    await eventually('the button to be back', async () =>
      (await shown(tab, 'phone-get').isEnabled()) ? true : undefined,
    );
  }
});

chromium('[WEB172] “do not phone me” is a switch, and the other’s refusal is said plainly', async () => {
  const tab = await scenes().open('patient', 'phone-bound');
  const refuse = shown(tab, 'phone-refuse');
  expect(await refuse.getAttribute('aria-checked')).toBe('false');
  await refuse.focus();
  await tab.keyboard.press('Space');
  await eventually('the switch to be on', async () =>
    (await refuse.getAttribute('aria-checked')) === 'true' ? true : undefined,
  );
  expect(await asked(tab)).toContain('setRefused true');
  expect(await shown(tab, 'phone-relay').count()).toBe(0);
  expect(await shown(tab, 'phone-get').count()).toBe(0);
  const other = await scenes().open('doctor', 'phone-other-refused');
  expect(await shown(other, 'phone-other-refused').textContent()).toMatch(
    /Anna Lindqvist does not want to be phoned/,
  );
  expect(await shown(other, 'phone-get').count()).toBe(0);
});

chromium('[WEB173] a running call is shown while it rings and runs', async () => {
  const tab = await scenes().open('doctor', 'phone-ringing');
  const running = shown(tab, 'phone-running');
  expect(await running.textContent()).toContain('Anna Lindqvist is phoning you.');
  await ofPhone(tab, 'phone.calls(phone.self, "talking")');
  await eventually('the clock to run', async () =>
    /On the phone with Anna Lindqvist\s*0:0[1-9]/.test((await running.textContent()) ?? '')
      ? true
      : undefined,
  );
  await ofPhone(tab, 'phone.change({ call: null })');
  await eventually('the call to be over', async () =>
    (await running.getAttribute('data-state')) === 'none' ? true : undefined,
  );
});

chromium('[WEB174] the thread has who called, and a number that is bound is one press away', async () => {
  const tab = await scenes().open('doctor', 'phone-thread');
  await shown(tab, 'phone-line').first().waitFor();
  const lines = await shown(tab, 'phone-line').allTextContents();
  expect(lines.map((line) => line.trim())).toEqual([
    'Anna Lindqvist asked for a phone number for this visit.',
    'Anna Lindqvist phoned.',
    'Anna Lindqvist phoned: nobody answered',
    'You phoned.',
    'The phone call was answered.',
    expect.stringMatching(/^Your phone call: 3\s?mins? 12/),
    'Anna Lindqvist phoned.',
    'The phone call was answered.',
    expect.stringMatching(/^Phone call from Anna Lindqvist: 41\s?secs?\. The number ended/),
    'The phone number of this visit was given back, because phone calls are not wanted.',
    'Anna Lindqvist does not want to be phoned.',
  ]);
  expect(await shown(tab, 'phone-line-open').count()).toBe(0);
  await tab.evaluate(`(() => {
    const { phone, visit } = globalThis.mock;
    const { bindingId } = phone.add({ state: 'bound', number: '+8617000003333' });
    visit.tells({ kind: 'phone.bound', bindingId, expiresAt: Date.now() + 1000 }, visit.other);
  })()`);
  await shown(tab, 'phone-line-open').click();
  await shown(tab, 'phone-relay').waitFor();
  await eventually('it to be said', async () =>
    (await said(tab)) === 'Anna Lindqvist asked for a phone number for this visit.' ? true : undefined,
  );
});

chromium(
  '[WEB175] a telephone in a call is shown as one, without a picture and without a camera',
  async () => {
    const tab = await scenes().open('doctor', 'phone-seat');
    const tile = tab.locator('[data-testid="call-tile"][data-person="patient-1"]');
    await tile.locator('[data-testid="tile-by-phone"]').waitFor();
    expect(await tile.locator('[data-testid="remote-video"]').count()).toBe(0);
    const label = await tile.locator('[role="group"]').getAttribute('aria-label');
    expect(label).toMatch(/Anna Lindqvist, .*By phone/);
    expect(label).not.toContain('camera');
    const own = await scenes().open('patient', 'phone-own-seat');
    expect(await shown(own, 'call-state').textContent()).toBe('You are in this call by phone.');
    expect(await shown(own, 'call-take-over').isEnabled()).toBe(true);
  },
);

chromium(
  '[WEB176] “join by phone” is offered for whoever is away and reachable, and rings their telephone',
  async () => {
    const tab = await scenes().open('doctor', 'phone-people', PHONE);
    const row = (person: string) => tab.locator(`[data-person="${person}"]:is(li)`);
    const button = (person: string) => row(person).locator('[data-testid="call-join-phone"]');
    await button('relative-1').waitFor();
    // By phone already; no number is known of the colleague.
    expect(await button('patient-1').count()).toBe(0);
    expect(await button('colleague-1').count()).toBe(0);
    expect(await row('patient-1').textContent()).toContain('By phone');
    expect(await button('doctor-1').textContent()).toContain('Go on by phone');
    await button('relative-1').click();
    await eventually('it to ring', async () =>
      (await asked(tab)).at(-1) === 'join relative-1' ? true : undefined,
    );
  },
);
