import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Person } from '../e2e/browser.ts';
import { openVisit, startCallPages } from '../e2e/call-pages.ts';
import { eventually } from '../helpers/eventually.ts';
import { buildPages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** How far the recorder's clock on the page has to come before it is stopped. */
const RECORDED = /0:0[5-9]/;

async function openDialog(person: Person, name: 'records' | 'notes' | 'followUps'): Promise<void> {
  await person.byId('visit-menu').click();
  await person.byId(`menu-${name}`).click();
}

const close = (person: Person): Promise<void> => person.byId('dialog-close').click();

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB156] on the real server: a call is recorded with consent and played in two lanes; a dictated summary is signed and heard by the patient; a follow-up is planned and seen',
  async () => {
    await using built = await buildPages('pages');
    await using pages = await startCallPages({ TELECONSULT_WEB_DIR: built.folder });
    const { patient, doctor } = await openVisit(pages);

    await doctor.byId('call-video').click();
    await patient.byId('call-accept').click();
    await doctor.page.locator('[data-testid=call-state][data-state=live]').waitFor();
    await doctor.byId('call-more').click();
    await doctor.byId('call-record').click();
    await patient.byId('recording-agree').click();
    for (const person of [doctor, patient])
      await person.page.locator('[data-testid=recording-strip][data-phase=running]').waitFor();
    await eventually('some seconds are recorded', async () =>
      RECORDED.test(await doctor.byId('recording-strip').innerText()),
    );
    await doctor.byId('recording-stop').click();
    await patient.byId('recording-strip').waitFor({ state: 'detached' });
    await doctor.byId('call-hangup').click();
    await doctor.byId('call-panel').waitFor({ state: 'detached' });

    await openDialog(doctor, 'records');
    await doctor.page.locator('[data-testid=recording][data-state=ready]').waitFor({ timeout: 20_000 });
    await doctor.byId('recording-listen').click();
    await eventually('a lane for each', async () => (await doctor.byId('lane').count()) === 2);
    await doctor.byId('lane-play').click();
    await eventually('it plays', async () => /0:0[2-9] \//.test(await doctor.byId('lane-time').innerText()), {
      withinMs: 20_000,
      lastSeen: () => 'see the player',
    });
    await close(doctor);

    await openDialog(doctor, 'notes');
    await doctor.byId('dictate').click();
    await eventually('it was dictated for seconds', async () =>
      /0:0[3-9]/.test(await doctor.byId('dictation-time').innerText()),
    );
    await doctor.byId('dictation-finish').click();
    await doctor.byId('note-text').fill('All well.');
    await doctor.byId('note-sign').click();
    await doctor.byId('note-sign-confirm').click();
    await doctor.byId('signed-note').waitFor();
    await close(doctor);

    await openDialog(patient, 'notes');
    const note = patient.byId('signed-note');
    await note.waitFor();
    expect(await note.innerText()).toContain('All well.');
    await patient.byId('lane-play').click();
    await eventually(
      'the patient hears it',
      async () => /0:0[1-9] \//.test(await patient.byId('lane-time').innerText()),
      { withinMs: 20_000 },
    );
    await close(patient);

    await openDialog(doctor, 'followUps');
    await doctor.byId('follow-up-plan').click();
    const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    await doctor.byId('follow-up-date').fill(day);
    await doctor.byId('follow-up-reason').fill('Blood pressure');
    await doctor.byId('follow-up-save').click();
    await openDialog(patient, 'followUps');
    await patient.byId('follow-up').filter({ hasText: 'Blood pressure' }).waitFor();
    await patient.byId('refuse-contact').click();
    await doctor.byId('contact-refused').waitFor();
  },
  150_000,
);
