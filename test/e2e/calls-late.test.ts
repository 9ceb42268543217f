import { expect, test } from 'vitest';
import { entries, openVisit, startCallPages, takeUp } from './call-pages.ts';
import { arrives, followCalls } from './page-calls.ts';

test('[CALL2] a page that is opened while it rings already rings, and answers', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  await followCalls(doctor, id);
  await patient.page.close();
  await doctor.byId('call-video').click();
  await entries(doctor, 'call.started').waitFor();

  const opened = await pages.patientPage('patient', id);
  await opened.byId('call-accept').click();
  await followCalls(opened, id);
  await Promise.all([arrives(opened, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
}, 120_000);

test('[CALL21] a doctor’s page that is loaded while a patient of another consultation calls, rings', async () => {
  await using pages = await startCallPages();
  const { id, doctor } = await openVisit(pages, { patient: 'anna' });
  const { consultationId: secondId } = await pages.create('bruno', 'doctor');
  const bruno = await pages.patientPage('bruno', secondId);
  await doctor.page.locator(`[data-testid="consultation-item"][data-consultation="${secondId}"]`).click();
  await takeUp(doctor);
  await entries(bruno, 'consultation.accepted').waitFor();
  await doctor.page.close();
  await followCalls(bruno, secondId);
  await bruno.byId('call-video').click();
  await entries(bruno, 'call.started').waitFor();

  // This page shows the first patient; who rings is the second.
  const opened = await pages.doctorPage('doctor', id);
  await opened.byId('call-accept').click();
  await followCalls(opened, secondId);
  await Promise.all([arrives(opened, 'bruno', 'camera'), arrives(bruno, 'doctor', 'camera')]);
  expect(await entries(bruno, 'call.started').count()).toBe(1);
}, 120_000);
