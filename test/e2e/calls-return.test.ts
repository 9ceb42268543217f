import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { entries, openVisit, startCallPages } from './call-pages.ts';
import { arrives, callBecomes, followCalls, isLive } from './page-calls.ts';

test('[SDK66] [WEB111] a page that is reloaded in the middle of a call is in it again, small, with what was on then, and large at a press', async () => {
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
  await patient.byId('floating-hang-up').waitFor();
  await followCalls(patient, id);
  // One presentation of the call, and as it was: muted, with the camera on.
  await arrives(patient, 'doctor', 'camera');
  expect(await patient.byId('call-panel').count()).toBe(0);
  expect(await patient.byId('floating-microphone').getAttribute('aria-pressed')).toBe('false');
  expect(await patient.byId('floating-camera').getAttribute('aria-pressed')).toBe('true');
  expect(await patient.byId('floating-name').textContent()).toContain('Doctor');
  await Promise.all([arrives(doctor, 'patient', 'camera'), arrives(patient, 'doctor', 'microphone')]);
  expect((await callBecomes(patient, 'live', isLive)).callId).toBe(callId);
  expect((await callBecomes(doctor, 'live', isLive)).callId).toBe(callId);
  await doctor.page.getByText('Patient is muted').first().waitFor();

  await patient.byId('floating-expand').click();
  await patient.byId('call-panel').waitFor();
  await patient.byId('floating-hang-up').waitFor({ state: 'hidden' });
  await arrives(patient, 'doctor', 'camera');
  await patient.byId('call-mute').click();
  await arrives(doctor, 'patient', 'microphone');
  expect(await entries(doctor, 'call.started').count()).toBe(1);
  expect(await entries(doctor, 'call.ended').count()).toBe(0);

  // Reloaded again, unmuted this time, it is ended from the small window.
  await patient.page.reload();
  await patient.byId('floating-hang-up').waitFor();
  await eventually(
    'the microphone to be on',
    async () => (await patient.byId('floating-microphone').getAttribute('aria-pressed')) === 'true',
  );
  await arrives(doctor, 'patient', 'microphone');
  await patient.byId('floating-hang-up').click();
  await entries(doctor, 'call.ended').waitFor();
  await doctor.byId('call-panel').waitFor({ state: 'detached' });
  await patient.page.reload();
  await entries(patient, 'call.ended').waitFor();
  expect(await patient.byId('call-panel').count()).toBe(0);
  expect(await patient.byId('floating-hang-up').filter({ visible: true }).count()).toBe(0);
}, 120_000);

test('[SEAT3] [CALL17] [WEB112] who closes the page in a call is waited for in words, also after the grace, and then the call ends for the other', async () => {
  await using pages = await startCallPages({
    TELECONSULT_SEAT_GRACE_MS: '1500',
    TELECONSULT_RETURN_MS: '6000',
  });
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-voice').click();
  await patient.byId('call-accept').click();
  await arrives(doctor, 'patient', 'microphone');
  await patient.page.close();
  await doctor.page.locator('[data-testid="call-state"][data-state="otherReconnecting"]').waitFor();
  await doctor.page.locator('[data-testid="call-state"][data-state="otherLost"]').waitFor();
  await doctor
    .byId('call-tile')
    .getByText(/lost the connection and can come back until/)
    .waitFor();
  expect(await entries(doctor, 'call.ended').count()).toBe(0);
  await entries(doctor, 'call.ended').waitFor();
  await doctor.byId('call-panel').waitFor({ state: 'detached' });
  expect((await callBecomes(doctor, 'the end', ({ state }) => state === 'ended')).outcome).toBe('lost');
}, 120_000);

test('[WEB113] a page that comes back after the grace is back in the same call, and the other side goes on where it stood', async () => {
  await using pages = await startCallPages({ TELECONSULT_SEAT_GRACE_MS: '1000' });
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  const { callId } = await callBecomes(doctor, 'live', isLive);
  const { page } = patient;
  const address = page.url();
  await page.goto('about:blank');
  await doctor.page.locator('[data-testid="call-state"][data-state="otherLost"]').waitFor();

  // The token of the page is kept for the tab.
  await page.goto(address);
  await patient.byId('floating-hang-up').waitFor();
  await followCalls(patient, id);
  await doctor.page.locator('[data-testid="call-state"][data-state="live"]').waitFor();
  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  expect((await callBecomes(patient, 'live', isLive)).callId).toBe(callId);
  expect(await entries(doctor, 'call.ended').count()).toBe(0);
}, 120_000);
