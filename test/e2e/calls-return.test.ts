import { expect, test } from 'vitest';
import { entries, openVisit, startCallPages } from './call-pages.ts';
import { arrives, callBecomes, followCalls, isLive } from './page-calls.ts';

test('[SDK66] a page that is reloaded in the middle of a call is in it again, with what was on then', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  const { callId } = await callBecomes(doctor, 'live', isLive);
  await patient.byId('call-mute').click();
  await doctor.page.getByText('Patient is muted').first().waitFor();

  await patient.page.reload();
  await patient.byId('call-panel').waitFor();
  await followCalls(patient, id);
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await arrives(patient, 'doctor', 'microphone');
  expect((await callBecomes(patient, 'live', isLive)).callId).toBe(callId);
  expect((await callBecomes(doctor, 'live', isLive)).callId).toBe(callId);
  await doctor.page.getByText('Patient is muted').first().waitFor();
  await patient.byId('call-mute').click();
  await arrives(doctor, 'patient', 'microphone');
  expect(await entries(doctor, 'call.started').count()).toBe(1);
  expect(await entries(doctor, 'call.ended').count()).toBe(0);
}, 120_000);

test('[SEAT3] [CALL17] who closes the page in a call is waited for, and then the call ends for the other', async () => {
  await using pages = await startCallPages({ TELECONSULT_SEAT_GRACE_MS: '1500' });
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-voice').click();
  await patient.byId('call-accept').click();
  await arrives(doctor, 'patient', 'microphone');
  await patient.page.close();
  await doctor.page.locator('[data-testid="call-state"][data-state="otherReconnecting"]').waitFor();
  await entries(doctor, 'call.ended').waitFor();
  await doctor.byId('call-panel').waitFor({ state: 'detached' });
  expect((await callBecomes(doctor, 'the end', ({ state }) => state === 'ended')).outcome).toBe('lost');
}, 120_000);
