import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DESK, launchBrowser, Person, PHONE } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, namedToken } from '../helpers/test-tokens.ts';
import { buildPages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const choose = async (person: Person, ...testIds: readonly string[]): Promise<void> => {
  for (const testId of testIds) await person.byId(testId).last().click();
};

const tile = (person: Person, of: string) =>
  person.page.locator(`[data-testid="call-tile"][data-person="${of}"]`);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB62] doctor, patient and a relative are in one call in real browsers: called in, seen, muted by the doctor, shown a screen, and left without ending it',
  async () => {
    await using pages = await buildPages('pages');
    await using dir = await tempDir();
    await using server = await startServerProcess({
      dataDir: dir.path,
      port: await freePort(),
      env: { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_WEB_DIR: pages.folder },
    });
    const view = await createConsultation(server.origin, hostToken(), 'group');
    const people = peopleOf(view);
    const link = (page: string, token: string) =>
      `${server.origin}/${page}#token=${token}&consultation=${view.consultationId}`;
    await using browser = await launchBrowser();
    await using doctor = await Person.open(
      browser,
      link('doctor', namedToken(people.doctor, 'Dr Wei Li', 'doctor', view.consultationId)),
      DESK,
    );
    await using patient = await Person.open(
      browser,
      link('patient', namedToken(people.patient, 'Anna', undefined, view.consultationId)),
      PHONE,
    );
    await choose(doctor, 'accept');
    await choose(doctor, 'visit-menu', 'menu-invite', 'invite-role-relative', 'invite-create');
    const invitation = new URL(await doctor.byId('invite-link').inputValue());
    await choose(doctor, 'dialog-close');
    const code = invitation.hash;
    await using relative = await Person.open(
      browser,
      `${server.origin}/patient${code}&token=${namedToken('relative-9', 'Karin')}`,
      PHONE,
    );
    await choose(relative, 'invitation-accept');
    await relative.byId('thread').waitFor();

    // The call begins with everybody; one declines and is called in again.
    await choose(doctor, 'call-video');
    await choose(patient, 'call-accept');
    await choose(relative, 'call-decline');
    await eventually('a call of two', async () => (await doctor.byId('call-tile').count()) === 2);
    await choose(doctor, 'call-more', 'call-open-people', 'call-invite');
    await choose(relative, 'call-accept');
    for (const person of [doctor, patient, relative])
      await eventually(
        'three tiles with pictures',
        async () => {
          const seen = await person.byId('remote-video').count();
          return (await person.byId('call-tile').count()) === 3 && seen === 2;
        },
        { withinMs: 20_000 },
      );
    await relative.seesAndHears();
    expect(await relative.byId('remote-audio').count()).toBe(2);

    // The doctor mutes the relative, who reads it and unmutes.
    await doctor.page
      .locator('[data-testid="call-person"][data-person="relative-9"]')
      .getByTestId('call-mute-person')
      .click();
    await choose(doctor, 'call-mute-confirm');
    const mutedBy = relative.page.locator('[data-testid="you-muted"][data-by="other"]');
    const doctorName = view.participants.find(({ role }) => role === 'doctor')?.displayName ?? '';
    await mutedBy.waitFor();
    expect(await mutedBy.textContent()).toContain(`${doctorName} has muted you.`);
    await relative.byId('call-mute').click();
    await mutedBy.waitFor({ state: 'detached' });
    await doctor.page.getByTestId('call-people-dialog').getByTestId('dialog-close').click();

    // A screen.
    await choose(doctor, 'call-screen-share');
    await doctor.byId('you-share').waitFor();
    await patient.byId('screen-video').waitFor();
    await eventually('the screen to be seen', () =>
      patient
        .byId('screen-video')
        .evaluate((video) => video instanceof HTMLVideoElement && video.videoWidth > 0),
    );
    await choose(doctor, 'call-screen-share');
    await patient.byId('call-screen').waitFor({ state: 'detached' });

    // How the connection is.
    await patient.byId('call-quality').waitFor({ timeout: 20_000 });
    await choose(patient, 'call-quality');
    await patient.byId('quality-now').waitFor();
    await patient.page.getByTestId('quality-dialog').getByTestId('dialog-close').click();

    // The relative leaves; the others go on; the doctor ends it.
    await choose(relative, 'call-hangup');
    await relative.byId('call-panel').waitFor({ state: 'detached' });
    await eventually('two to go on', async () => (await tile(doctor, 'relative-9').count()) === 0);
    await doctor.seesAndHears();
    await choose(doctor, 'call-hangup');
    await patient.byId('call-panel').waitFor({ state: 'detached' });
    for (const person of [doctor, patient, relative]) expect(person.errors).toEqual([]);
  },
  120_000,
);
