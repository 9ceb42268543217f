import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { DESK, launchBrowser, Person, PHONE } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { peopleOf, startTestApp } from '../helpers/test-app.ts';
import { namedToken, personToken } from '../helpers/test-tokens.ts';
import { buildPages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const png = async () => ({
  name: 'tongue.png',
  mimeType: 'image/png',
  buffer: await sharp({ create: { width: 640, height: 480, channels: 3, background: '#b04050' } })
    .png()
    .toBuffer(),
});

/** Words in the conversation; the live region says them, too. */
const said = (person: Person, text: string) => person.byId('thread').getByText(text);

const choose = async (page: Page, ...testIds: readonly string[]): Promise<void> => {
  for (const testId of testIds) await page.getByTestId(testId).last().click();
};

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB30] before the visit the patient fills in the form, says for whom it is and sees their place; in the visit both answer, recall, search and see what was read',
  async () => {
    await using pages = await buildPages('pages');
    await using server = await startTestApp({ webDir: pages.folder });
    const view = await server.createConsultation('flow');
    const people = peopleOf(view);
    const link = (page: string, person: string) =>
      `${server.origin}/${page}#token=${personToken(person)}&consultation=${view.consultationId}`;
    await using browser = await launchBrowser();
    await using patient = await Person.open(browser, link('patient', people.patient), PHONE);
    await using doctor = await Person.open(browser, link('doctor', people.doctor), DESK);

    // The waiting room.
    await patient.byId('queue-place').getByText('You are next.').waitFor();
    await patient.page.locator('[data-testid="presence"][data-online="1"]').waitFor();

    // A form that was begun is there after a reload, its picture included.
    await choose(patient.page, 'open-form');
    await patient.byId('form-send').click();
    await patient.byId('form-problems').waitFor();
    await patient.byId('form-chiefComplaint').fill('A cough since Monday');
    await patient.byId('form-durationValue').fill('3');
    await patient.byId('form-pick-tongue').setInputFiles(await png());
    // Left at the very moment the page goes: nothing has time to be kept afterwards.
    await Promise.all([
      patient.page.waitForEvent('load'),
      patient.byId('form-later').evaluate((later: HTMLElement) => {
        later.click();
        location.reload();
      }),
    ]);
    await choose(patient.page, 'open-form');
    await eventually(
      'the form as it was left',
      async () => (await patient.byId('form-chiefComplaint').inputValue()) === 'A cough since Monday',
    );
    await patient.byId('form-send').click();
    await doctor.byId('form-card').getByText('A cough since Monday').waitFor({ timeout: 20_000 });
    await doctor.byId('picture-thumb').waitFor();

    // For whom.
    await choose(patient.page, 'open-subject', 'subject-other');
    await patient.byId('subject-name').fill('Emil');
    await patient.byId('subject-declare').check();
    await choose(patient.page, 'subject-save');
    await doctor.byId('subject').getByText('Emil').waitFor();

    // The visit: ticks, an answer, a message taken back.
    await choose(doctor.page, 'accept');
    await patient.byId('text-input').fill('Shall I take something?');
    await choose(patient.page, 'send');
    await said(doctor, 'Shall I take something?').waitFor();
    await patient.page.locator('[data-testid="ticks"][data-state="read"]').last().waitFor();
    await said(doctor, 'Shall I take something?').hover();
    await choose(doctor.page, 'message-menu', 'reply');
    await doctor.byId('text-input').fill('Drink a lot, and rest.');
    await patient.byId('typing').waitFor();
    await choose(doctor.page, 'send');
    await patient.byId('quote').getByText('Shall I take something?').waitFor();
    await choose(patient.page, 'quote');
    await patient.page.locator('li.found').waitFor();
    await patient.byId('text-input').fill('Sent by mistake');
    await choose(patient.page, 'send');
    await said(doctor, 'Sent by mistake').waitFor();
    await patient.page.locator('[data-testid="entry"]').getByText('Sent by mistake').waitFor();
    await choose(patient.page, 'message-menu', 'recall');
    await doctor.byId('tombstone').waitFor();
    expect(await said(doctor, 'Sent by mistake').count()).toBe(0);

    // Search finds the form and the words of both, and leads there.
    await choose(doctor.page, 'visit-menu', 'menu-search');
    await doctor.byId('search-input').fill('COUGH');
    await choose(doctor.page, 'search-go');
    await doctor.byId('search-match').locator('mark').first().waitFor();
    await choose(doctor.page, 'search-match');
    await doctor.page.locator('li.found').waitFor();

    // Whoever keeps their reading to themselves is shown as having received it.
    await choose(doctor.page, 'visit-menu', 'menu-settings');
    await doctor.byId('setting-receipts').uncheck();
    await choose(doctor.page, 'dialog-close');
    expect([...patient.errors, ...doctor.errors]).toEqual([]);
  },
  120_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB31] an invited relative opens the link, reads who invites, joins, is seen with the role, and is removed by the doctor',
  async () => {
    await using pages = await buildPages('pages');
    await using server = await startTestApp({ webDir: pages.folder });
    const view = await server.createConsultation('guests');
    const people = peopleOf(view);
    await using browser = await launchBrowser();
    const link = (page: string, token: string) =>
      `${server.origin}/${page}#token=${token}&consultation=${view.consultationId}`;
    await using patient = await Person.open(browser, link('patient', personToken(people.patient)), PHONE);
    // Whoever invites is shown by the name their token vouches for.
    const doctorToken = namedToken(people.doctor, 'Dr Li', 'doctor');
    await using doctor = await Person.open(browser, link('doctor', doctorToken), DESK);
    await choose(doctor.page, 'accept');
    await choose(doctor.page, 'visit-menu', 'menu-invite', 'invite-role-relative', 'invite-create');
    const invitation = new URL(await doctor.byId('invite-link').inputValue());
    expect([invitation.pathname, invitation.search]).toEqual(['/patient', '']);
    await choose(doctor.page, 'dialog-close');

    // Without a sign-in the page says what to do, and keeps the invitation.
    await using guest = await Person.open(browser, invitation.href, PHONE);
    await guest.byId('missing-link').getByText('invitation').first().waitFor();
    expect(await guest.page.evaluate(() => location.hash)).toBe('');
    await guest.page.goto(`${server.origin}/`);
    await guest.page.goto(`${server.origin}/patient#token=${namedToken('aunt-1', 'Aunt Karin')}`);
    await guest.byId('invitation-accept').click();
    await guest.byId('thread').waitFor();
    await guest.byId('text-input').fill('Good morning');
    await choose(guest.page, 'send');
    await said(patient, 'Good morning').waitFor();
    await said(patient, 'Aunt Karin · Relative').first().waitFor();

    await choose(doctor.page, 'visit-menu', 'menu-people');
    await choose(doctor.page, 'remove-person', 'people-confirm');
    await guest.byId('out').waitFor();
    expect([...patient.errors, ...doctor.errors, ...guest.errors]).toEqual([]);
  },
  120_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB32] a patient who is declined as an emergency reads to call the emergency number',
  async () => {
    await using pages = await buildPages('pages');
    await using server = await startTestApp({ webDir: pages.folder });
    const view = await server.createConsultation('declined');
    const people = peopleOf(view);
    await using browser = await launchBrowser();
    const link = (page: string, person: string) =>
      `${server.origin}/${page}#token=${personToken(person)}&consultation=${view.consultationId}`;
    await using patient = await Person.open(browser, link('patient', people.patient), PHONE);
    await using doctor = await Person.open(browser, link('doctor', people.doctor), DESK);
    await patient.byId('waiting').waitFor();
    await choose(doctor.page, 'decline');
    await doctor.byId('decline-reason').selectOption('emergency');
    await choose(doctor.page, 'decline-confirm');
    await patient.byId('decline-advice').getByText('120 in China, 112 in Europe').waitFor();
    expect([...patient.errors, ...doctor.errors]).toEqual([]);
  },
  60_000,
);
