import type { ConsultationId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { entries, openVisit, startCallPages, takeUp } from './call-pages.ts';
import { arrives, callBecomes, followCalls, isLive } from './page-calls.ts';

const choose = (doctor: Person, id: ConsultationId): Promise<void> =>
  doctor.page.locator(`[data-testid="consultation-item"][data-consultation="${id}"]`).click();

/** The large call and the small window, as far as they are to be seen. */
const presentations = async (person: Person): Promise<string> => {
  const isSeen = async (testId: string) =>
    (await person.byId(testId).filter({ visible: true }).count()) > 0 ? testId : null;
  const seen = await Promise.all(['call-panel', 'floating-hang-up'].map(isSeen));
  return seen.filter((testId) => testId !== null).join(' ');
};

const showsAlone = (person: Person, testId: string) => {
  let seen = '';
  return eventually(
    `${testId} alone`,
    async () => {
      seen = await presentations(person);
      return seen === testId;
    },
    { lastSeen: () => seen },
  );
};

test('[WEB114] while the call floats the doctor reads another visit, writes and dictates there, goes back to the list and returns to the call', async () => {
  await using pages = await startCallPages();
  const { id, patient: anna, doctor } = await openVisit(pages, { patient: 'anna' });
  const { consultationId: otherId } = await pages.create('bruno', 'doctor');
  const bruno = await pages.patientPage('bruno', otherId);
  for (const person of [anna, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await anna.byId('call-accept').click();
  await Promise.all([arrives(anna, 'doctor', 'camera'), arrives(doctor, 'anna', 'camera')]);
  const { callId } = await callBecomes(doctor, 'live', isLive);
  await showsAlone(doctor, 'call-panel');

  await choose(doctor, otherId);
  await takeUp(doctor);
  await showsAlone(doctor, 'floating-hang-up');
  expect(await doctor.byId('floating-name').textContent()).toContain('Anna');
  await doctor.byId('text-input').fill('I will call you in ten minutes.');
  await doctor.byId('send').click();
  await bruno.byId('entry').getByText('I will call you in ten minutes.').waitFor();
  await doctor.byId('voice-record').click();
  await doctor.byId('voice-send').waitFor();
  await doctor.byId('voice-time').getByText('0:01').waitFor();
  // The call has its microphone and its picture meanwhile.
  await Promise.all([arrives(anna, 'doctor', 'microphone'), arrives(doctor, 'anna', 'camera')]);
  await doctor.byId('voice-send').click();
  await bruno.byId('voice-play').first().waitFor({ timeout: 20_000 });

  // What Anna writes meanwhile is counted in the small window.
  await anna.byId('call-small').click();
  await anna.byId('text-input').fill('Can you hear me?');
  await anna.byId('send').click();
  await eventually(
    'the badge',
    async () => (await doctor.byId('floating-expand').textContent())?.includes('1') === true,
  );

  // The browser's own way back, and forth.
  await doctor.page.goBack();
  await showsAlone(doctor, 'call-panel');
  await doctor.page.goForward();
  await showsAlone(doctor, 'floating-hang-up');
  await doctor.byId('floating-expand').click();
  await showsAlone(doctor, 'call-panel');
  await doctor.byId('entry').getByText('Can you hear me?').waitFor();
  await Promise.all([arrives(anna, 'doctor', 'camera'), arrives(doctor, 'anna', 'camera')]);
  expect((await callBecomes(doctor, 'live', isLive)).callId).toBe(callId);
  expect(await entries(doctor, 'call.started').count()).toBe(1);

  await anna.byId('floating-hang-up').click();
  await entries(doctor, 'call.ended').waitFor();
  await doctor.byId('call-panel').waitFor({ state: 'detached' });
  expect([...doctor.errors, ...anna.errors, ...bruno.errors]).toEqual([]);
}, 120_000);

test('[WEB115] a doctor who reloads beside another visit finds that visit, and the call floating beside it', async () => {
  await using pages = await startCallPages();
  const { id, patient: anna, doctor } = await openVisit(pages, { patient: 'anna' });
  const { consultationId: otherId } = await pages.create('bruno', 'doctor');
  await pages.patientPage('bruno', otherId);
  for (const person of [anna, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await anna.byId('call-accept').click();
  await Promise.all([arrives(anna, 'doctor', 'camera'), arrives(doctor, 'anna', 'camera')]);
  const { callId } = await callBecomes(anna, 'live', isLive);
  await choose(doctor, otherId);
  await takeUp(doctor);

  await doctor.page.reload();
  await doctor.byId('floating-hang-up').waitFor();
  await entries(doctor, 'consultation.accepted').waitFor();
  await eventually('the name', async () =>
    (await doctor.byId('floating-name').textContent())?.includes('Anna'),
  );
  await showsAlone(doctor, 'floating-hang-up');
  await followCalls(doctor, id);
  await Promise.all([arrives(doctor, 'anna', 'camera'), arrives(anna, 'doctor', 'camera')]);
  expect((await callBecomes(doctor, 'live', isLive)).callId).toBe(callId);
  await doctor.byId('floating-hang-up').click();
  await entries(anna, 'call.ended').waitFor();
}, 120_000);
