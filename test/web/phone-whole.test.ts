import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { peopleOf } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { startVisit, type Visit } from '../helpers/visit.ts';
import { numberOf, PATIENT, type PhoneStage, startPhoneStage } from '../server/telephony/desk-stage.ts';
import { buildPages } from './pages.ts';
import { hasChromium } from './record-pages.ts';

const OF_PAGES = /^\/(?:patient\.html|doctor\.html|assets\/|sw\.js|icon)/;

interface Stage {
  readonly browser: Browser;
  readonly stage: PhoneStage;
  readonly visit: Visit;
  /** Where the built pages lie. */
  readonly folder: string;
}

/** The page of somebody, at the origin of the server. */
async function pageOf({ browser, stage, visit, folder }: Stage, page: 'patient' | 'doctor'): Promise<Page> {
  const { origin } = stage.app;
  const context = await browser.newContext({ locale: 'en-US' });
  await context.route(
    (url) => url.origin === origin && OF_PAGES.test(url.pathname),
    (route) => route.fulfill({ path: join(folder, new URL(route.request().url()).pathname) }),
  );
  const tab = await context.newPage();
  const token = personToken(peopleOf(visit.view)[page]);
  await tab.goto(`${origin}/${page}.html#token=${token}&consultation=${visit.id}`);
  return tab;
}

const shown = (tab: Page, testId: string) => tab.locator(`[data-testid="${testId}"]`);

async function openDialog(tab: Page): Promise<void> {
  await shown(tab, 'visit-menu').click();
  await shown(tab, 'menu-phone').click();
}

test.skipIf(!hasChromium)(
  '[WEB177] on the real server: a patient gets a number, a call through it is seen by both and told by the thread, and a refusal ends it',
  async () => {
    await using built = await buildPages('pages');
    await using stage = await startPhoneStage();
    await using visit = await startVisit(stage.app);
    await stage.number(visit);
    await using browser = await launchBrowser();
    const all = { browser, stage, visit, folder: built.folder };
    const patient = await pageOf(all, 'patient');
    const doctor = await pageOf(all, 'doctor');
    await openDialog(patient);
    await shown(patient, 'phone-get').click();
    await shown(patient, 'phone-relay').waitFor();
    const link = (await shown(patient, 'phone-call').getAttribute('href')) ?? '';
    const x = numberOf(link.replace('tel:', ''));
    await shown(doctor, 'phone-line').first().waitFor();
    await openDialog(doctor);
    expect(await shown(doctor, 'phone-call').getAttribute('href')).toBe(link);

    const running = await stage.relay.call({ from: PATIENT, x });
    await doctor.locator('[data-testid="phone-running"][data-state="ringing"]').waitFor();
    await running.answer();
    for (const tab of [patient, doctor])
      await tab.locator('[data-testid="phone-running"][data-state="talking"]').waitFor();
    await running.hangUp();
    await doctor.locator('[data-testid="phone-running"][data-state="none"]').waitFor({ state: 'attached' });
    await doctor.locator('[data-testid="phone-line"][data-kind="phone.callEnded"]').waitFor();

    await shown(patient, 'phone-refuse').click();
    await shown(doctor, 'phone-other-refused').waitFor();
    expect(await shown(doctor, 'phone-relay').count()).toBe(0);
    await eventually('the provider to have it no more', () => stage.relay.bindings.length === 0 || undefined);
    const text = (await doctor.locator('body').innerText()) + (await patient.locator('body').innerText());
    expect(text).not.toMatch(/13[89]\s?0000/);
  },
  120_000,
);
