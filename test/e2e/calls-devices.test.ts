import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { entries, openVisit, startCallPages } from './call-pages.ts';
import { arrives, callBecomes, followCalls, isLive, openConnections } from './page-calls.ts';

test('[CALL2] [SEAT4] [SDK49] a call rings on two devices, is answered on one and says so on the other, which can go on with it', async () => {
  await using pages = await startCallPages();
  const { id, patient: phone, doctor } = await openVisit(pages);
  const tablet = await pages.patientPage('patient', id);
  await entries(tablet, 'consultation.accepted').waitFor();
  for (const device of [phone, tablet, doctor]) await followCalls(device, id);

  await doctor.byId('call-video').click();
  await Promise.all([phone.byId('call-accept').waitFor(), tablet.byId('call-accept').waitFor()]);
  await phone.byId('call-accept').click();
  await tablet.byId('call-accept').waitFor({ state: 'detached' });
  await tablet.page
    .getByText(/answered .*another device/i)
    .first()
    .waitFor();
  await tablet.page.locator('[data-testid="call-state"][data-state="elsewhere"]').waitFor();
  const elsewhere = await callBecomes(tablet, 'answered elsewhere', ({ role }) => role === 'elsewhere');
  expect(elsewhere.outcome).toBeNull();
  await Promise.all([arrives(phone, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  expect(await openConnections(tablet)).toBe(0);

  // The other device takes the seat: the first is out, and the doctor hears of it as the same call.
  await tablet.byId('call-take-over').click();
  await Promise.all([arrives(tablet, 'doctor', 'camera'), arrives(doctor, 'patient', 'microphone')]);
  await phone.page.locator('[data-testid="call-state"][data-state="elsewhere"]').waitFor();
  expect((await callBecomes(doctor, 'two seats', isLive)).seats.map(({ state }) => state)).toEqual([
    'present',
    'present',
  ]);
  await eventually('the first device to let go', async () => (await openConnections(phone)) === 0);

  await tablet.byId('call-hangup').click();
  await entries(doctor, 'call.ended').waitFor();
  expect(await entries(doctor, 'call.started').count()).toBe(1);
  for (const { page } of [phone, tablet, doctor])
    await page.locator('[data-testid="call-panel"]').waitFor({ state: 'detached' });
}, 120_000);

test('[CALL2] a call that is declined on one device stops on the other, which says that it was declined elsewhere', async () => {
  await using pages = await startCallPages();
  const { id, patient: phone, doctor } = await openVisit(pages);
  const tablet = await pages.patientPage('patient', id);
  await entries(tablet, 'consultation.accepted').waitFor();
  for (const device of [phone, tablet, doctor]) await followCalls(device, id);

  await doctor.byId('call-voice').click();
  await Promise.all([phone.byId('call-decline').waitFor(), tablet.byId('call-decline').waitFor()]);
  await phone.byId('call-decline').click();
  await tablet.byId('incoming-call').waitFor({ state: 'detached' });
  const over = await callBecomes(tablet, 'the end', ({ state }) => state === 'ended');
  expect(over.outcome).toBe('declined_elsewhere');
  await tablet.page
    .getByText(/declined .*another device/i)
    .first()
    .waitFor();
  expect((await callBecomes(phone, 'the end', ({ state }) => state === 'ended')).outcome).toBe('declined');
  expect((await callBecomes(doctor, 'the end', ({ state }) => state === 'ended')).outcome).toBe('declined');
  await entries(doctor, 'call.ended').waitFor();
}, 120_000);

test('[SEAT5] a caller whose page is closed while it rings is waited for, and then nothing rings any more', async () => {
  await using pages = await startCallPages({ TELECONSULT_CALLER_GRACE_MS: '1500' });
  const { id, patient, doctor } = await openVisit(pages);
  await followCalls(patient, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').waitFor();
  const closedAt = performance.now();
  await doctor.page.close();
  await patient.byId('incoming-call').waitFor({ state: 'detached', timeout: 10_000 });
  // It ends by the grace, long before the ring's own time of 45 s.
  expect(performance.now() - closedAt).toBeGreaterThan(1_000);
  const over = await callBecomes(patient, 'the end', ({ state }) => state === 'ended');
  expect(over.seats).toHaveLength(2);
  await entries(patient, 'call.ended').waitFor();
  await eventually(
    'the page to be free',
    async () => (await patient.byId('call-voice').isEnabled()) === true,
  );
}, 120_000);
