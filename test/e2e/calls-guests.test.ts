import { test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { entries, invite, openVisit, startCallPages, takeUp } from './call-pages.ts';
import { allSeeAndHear, arrives, callBecomes, followCalls } from './page-calls.ts';

test('[SEAT11] [SDK143] the doctor mutes a patient, who reads it, is not heard, and is heard again when they switch it on', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor });

  await doctor.byId('call-more').click();
  await doctor.byId('call-open-people').click();
  await doctor.byId('call-mute-person').click();
  await doctor.byId('call-mute-confirm').click();
  await patient.page.locator('[data-testid="you-muted"][data-by="other"]').waitFor();
  await doctor.byId('dialog-close').click();
  await callBecomes(doctor, 'a muted microphone', ({ tracks }) =>
    tracks.some(({ from, source, paused }) => from === 'patient' && source === 'microphone' && paused),
  );
  await arrives(doctor, 'patient', 'camera');

  await patient.byId('call-mute').click();
  await arrives(doctor, 'patient', 'microphone');
  await patient.byId('you-muted').waitFor({ state: 'detached' });
}, 120_000);

test('[CALL16] a colleague who looks at a visit of their own is rung into the running call of another', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  const { consultationId: ownId } = await pages.create('bruno', 'colleague');
  const colleague = await pages.doctorPage('colleague', ownId);
  await takeUp(colleague);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor });

  await pages.addGuest(id, 'colleague', 'colleague');
  await invite(doctor, 'colleague');
  await colleague.byId('call-accept').click();
  await followCalls(colleague, id);
  await allSeeAndHear({ patient, doctor, colleague });
  // Who answered is shown the consultation that the call is of.
  await eventually('the tiles', async () => (await colleague.byId('call-tile').count()) === 3);
  await entries(colleague, 'call.invited').waitFor();
}, 120_000);
