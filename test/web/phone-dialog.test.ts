import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { hasChromium, useScenes } from './record-pages.ts';
import { DESK, PHONE } from './scene-pages.ts';

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

const asked = (tab: Page): Promise<string[]> => tab.evaluate('globalThis.mock.phone.asked');
const ofPhone = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(`(() => { const { phone } = globalThis.mock; return ${read}; })()`);
const shown = (tab: Page, testId: string) => tab.locator(`[data-testid="${testId}"]`);

/** `data-testid` of what has the focus, through all shadow roots. */
const focused = (tab: Page): Promise<string | null> =>
  tab.evaluate(`(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute('data-testid') ?? null;
  })()`);
const focusIs = (tab: Page, wanted: string): Promise<true> =>
  eventually(`the focus to be on ${wanted}`, async () => (await focused(tab)) === wanted);
const saidIs = (tab: Page, wanted: string | RegExp): Promise<true> =>
  eventually(`"${wanted}" to be said`, async () => {
    const said = (await shown(tab, 'phone-said').textContent()) ?? '';
    return typeof wanted === 'string' ? said === wanted : wanted.test(said);
  });

chromium(
  '[WEB181] with the keyboard alone a number is asked for, heard of and called: what is said is said in the dialog, and the focus goes on to the call',
  async () => {
    const tab = await scenes().open('patient', 'phone-get', DESK);
    await shown(tab, 'phone-get').focus();
    await tab.keyboard.press('Enter');
    await saidIs(tab, 'The phone number of this visit is +86 170 0000 3333.');
    await focusIs(tab, 'phone-call');
    await shown(tab, 'phone-give-back').focus();
    await tab.keyboard.press('Enter');
    await shown(tab, 'phone-give-back-confirm').press('Enter');
    await saidIs(tab, 'The number was given back.');
    await focusIs(tab, 'phone-get');
    // A switch that rests while the server is asked keeps it, too.
    await shown(tab, 'phone-refuse').press('Space');
    await eventually(
      'the switch to be on',
      async () => (await shown(tab, 'phone-refuse').getAttribute('aria-checked')) === 'true',
    );
    await focusIs(tab, 'phone-refuse');
  },
);

chromium(
  '[WEB182] what failed stands in the dialog until the next press, with what to do, and the focus is on the button again',
  async () => {
    const tab = await scenes().open('patient', 'phone-get', PHONE);
    await ofPhone(tab, "phone.refusals.set('bind', 'OVERLOADED')");
    await shown(tab, 'phone-get').press('Enter');
    await shown(tab, 'phone-problem').waitFor();
    expect(await shown(tab, 'phone-problem').textContent()).toContain('Try again in a few minutes.');
    await focusIs(tab, 'phone-get');
    await ofPhone(tab, "phone.refusals.set('setRefused', 'DISCONNECTED')");
    await shown(tab, 'phone-refuse').click();
    await eventually('the connection to be named', async () =>
      ((await shown(tab, 'phone-problem').textContent()) ?? '').includes('Check your network'),
    );
    await shown(tab, 'phone-get').click();
    await shown(tab, 'phone-relay').waitFor();
    expect(await shown(tab, 'phone-problem').count()).toBe(0);
  },
);

chromium(
  '[WEB183] whether calls are recorded is said before the number is asked for and before it is called, and the doctor chooses only where there is a choice',
  async () => {
    const always = await scenes().open('doctor', 'phone-always');
    expect(await shown(always, 'phone-always-recorded').textContent()).toContain('are recorded');
    expect(await shown(always, 'phone-record').count()).toBe(0);
    const patient = await scenes().open('patient', 'phone-always', PHONE);
    await shown(patient, 'phone-always-recorded').waitFor();
    const off = await scenes().open('doctor', 'phone-unrecorded');
    expect(await shown(off, 'phone-record').count()).toBe(0);
    await shown(off, 'phone-get').click();
    await shown(off, 'phone-not-recorded').waitFor();
    const ask = await scenes().open('doctor', 'phone-get');
    await shown(ask, 'phone-record').check();
    await ofPhone(ask, "phone.become({ recording: 'off' })");
    await shown(ask, 'phone-record').waitFor({ state: 'detached' });
    await shown(ask, 'phone-get').click();
    await shown(ask, 'phone-relay').waitFor();
    // A choice that is not there any more is not sent.
    expect(await asked(ask)).toContain('bind both false');
  },
  60_000,
);

chromium(
  '[WEB184] while the provider does not answer the wait is explained, and what was asked for can be taken back',
  async () => {
    const tab = await scenes().open('doctor', 'phone-working');
    expect(await shown(tab, 'phone-slow').count()).toBe(0);
    await shown(tab, 'phone-slow').waitFor({ timeout: 20_000 });
    await saidIs(tab, /^This takes longer than usual/);
    await shown(tab, 'phone-stop-getting').press('Enter');
    await shown(tab, 'phone-get').waitFor();
    expect((await asked(tab)).at(-1)).toMatch(/^unbind pbd_/);
    await focusIs(tab, 'phone-get');
  },
  60_000,
);

chromium('[WEB185] the number of two others is neither waited for nor given back by a third', async () => {
  const tab = await scenes().open('doctor', 'phone-of-others');
  const text = await shown(tab, 'phone-of-others').textContent();
  expect(text).toBe('The phone number of this visit connects Samir Haddad and Anna Lindqvist.');
  for (const testId of [
    'phone-working',
    'phone-give-back',
    'phone-stop-getting',
    'phone-get',
    'phone-refuse',
  ])
    expect(await shown(tab, testId).count(), testId).toBe(0);
  await tab.evaluate(`(() => {
    const { phone, visit } = globalThis.mock;
    const [{ bindingId }] = phone.board.bindings;
    visit.tells({ kind: 'phone.bound', bindingId, expiresAt: Date.now() + 1000 }, visit.other);
  })()`);
  await shown(tab, 'phone-line').last().waitFor();
  expect(await shown(tab, 'phone-line-open').count()).toBe(0);
});

chromium('[WEB186] beside the number stands from which telephone to call', async () => {
  const tab = await scenes().open('patient', 'phone-bound', {
    ...PHONE,
    viewport: { width: 320, height: 568 },
  });
  expect(await shown(tab, 'phone-call-from').textContent()).toContain(
    'the phone whose number the clinic has',
  );
  expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(320);
  // Who is only called needs no such advice.
  const called = await scenes().open('patient', 'phone-one-way', PHONE);
  await shown(called, 'phone-relay').waitFor();
  expect(await shown(called, 'phone-call-from').count()).toBe(0);
});

chromium(
  '[WEB187] how long they talk is counted by this device, however wrong its clock is, and a call that is not being recorded says so',
  async () => {
    const tab = await scenes().open('doctor', 'phone-ringing');
    const running = shown(tab, 'phone-running');
    // By the server's clock it was answered an hour ago: this device is fast.
    await ofPhone(
      tab,
      'phone.change({ call: { ...phone.board.bindings[0].call, state: "talking", recorded: true, notRecorded: "no_tape", since: Date.now() - 3600000 } })',
    );
    await eventually('the clock to run', async () =>
      /\(not being recorded\)\s*0:0[0-9]/.test((await running.textContent()) ?? ''),
    );
  },
);

chromium(
  '[WEB188] where no telephone can be rung for a call that is said once, and not offered again',
  async () => {
    const tab = await scenes().open('doctor', 'phone-people', DESK);
    await shown(tab, 'call-join-phone').first().waitFor();
    await ofPhone(tab, "phone.refusals.set('join', 'NOT_CONFIGURED')");
    await tab.locator('li[data-person="relative-1"] [data-testid="call-join-phone"]').click();
    await tab.getByText('This service does not offer that.').first().waitFor();
    await eventually('the offer to be gone', async () => (await shown(tab, 'call-join-phone').count()) === 0);
  },
);

chromium(
  '[WEB190] who had no connection as the visit opened finds masked calls in its menu all the same',
  async () => {
    // The scene presses the menu, and in it the way to masked calls.
    const tab = await scenes().open('patient', 'phone-late', PHONE);
    await shown(tab, 'phone-get').waitFor();
    expect((await asked(tab)).filter((what) => what === 'load').length).toBeGreaterThan(1);
  },
);

chromium(
  '[WEB191] a telephone that rings is heard of in the dialog, and one’s own leads back to the call',
  async () => {
    const tab = await scenes().open('doctor', 'phone-people', DESK);
    const button = (person: string) =>
      tab.locator(`li[data-person="${person}"] [data-testid="call-join-phone"]`);
    await button('relative-1').focus();
    await tab.keyboard.press('Enter');
    await eventually('it to be said', async () =>
      ((await shown(tab, 'call-people-said').textContent()) ?? '').endsWith('Phone is ringing…'),
    );
    await focusIs(tab, 'call-join-phone');
    await button('doctor-1').click();
    await shown(tab, 'call-people-dialog').waitFor({ state: 'detached' });
    await tab.getByText('Your phone is about to ring.').first().waitFor();
    expect((await asked(tab)).at(-1)).toBe('join doctor-1');
  },
);

chromium(
  '[WEB192] at 320 px nothing of a call with a telephone lies beside the page, hanging up least of all',
  async () => {
    const tab = await scenes().open('doctor', 'phone-seat', {
      ...PHONE,
      viewport: { width: 320, height: 640 },
    });
    await shown(tab, 'tile-by-phone').first().waitFor();
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(320);
    const end = await shown(tab, 'call-hangup').boundingBox();
    expect((end?.x ?? 320) + (end?.width ?? 0)).toBeLessThanOrEqual(320);
  },
);
