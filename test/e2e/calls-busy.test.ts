import { expect, test } from 'vitest';
import type { Person } from './browser.ts';
import { entries, openVisit, startCallPages, takeUp } from './call-pages.ts';
import { holdFrames, holdsRequest, letFramesGo } from './held-frames.ts';
import { arrives, callBecomes, followCalls, isLive } from './page-calls.ts';

/** Opens another consultation of the doctor's list. */
async function choose(doctor: Person, id: string): Promise<void> {
  await doctor.page.locator(`[data-testid="consultation-item"][data-consultation="${id}"]`).click();
}

/** The doctor in a running call with one patient, and a second patient's page in a visit of the same doctor. */
async function doctorInACall(settings: Record<string, string> = {}) {
  await using stack = new AsyncDisposableStack();
  const pages = stack.use(await startCallPages(settings));
  const first = await openVisit(pages, { patient: 'anna' });
  const { doctor } = first;
  const { consultationId: secondId } = await pages.create('bruno', 'doctor');
  const bruno = await pages.patientPage('bruno', secondId);
  await choose(doctor, secondId);
  await takeUp(doctor);
  await entries(bruno, 'consultation.accepted').waitFor();
  await choose(doctor, first.id);
  for (const [person, id] of [
    [first.patient, first.id],
    [doctor, first.id],
    [bruno, secondId],
  ] as const)
    await followCalls(person, id);
  await doctor.byId('call-video').click();
  await first.patient.byId('call-accept').click();
  await Promise.all([arrives(doctor, 'anna', 'camera'), arrives(first.patient, 'doctor', 'camera')]);
  await followCalls(doctor, secondId);
  const owned = stack.move();
  return {
    doctor,
    anna: first.patient,
    annaId: first.id,
    bruno,
    brunoId: secondId,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('[CALL3] when both press call before either has heard of the other, they are in one call with pictures both ways', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  const both = [patient, doctor];
  for (const person of both) await followCalls(person, id);
  for (const person of both) await holdFrames(person);
  for (const person of both) await person.byId('call-video').click();
  for (const person of both) await holdsRequest(person, 'call.start');
  await Promise.all(both.map(letFramesGo));

  await Promise.all([arrives(patient, 'doctor', 'camera'), arrives(doctor, 'patient', 'camera')]);
  await Promise.all([arrives(patient, 'doctor', 'microphone'), arrives(doctor, 'patient', 'microphone')]);
  const [atPatient, atDoctor] = await Promise.all(both.map((person) => callBecomes(person, 'live', isLive)));
  expect(atPatient?.callId).toBe(atDoctor?.callId);
  for (const person of both) {
    expect(await person.byId('incoming-call').count()).toBe(0);
    expect(await entries(person, 'call.started').count()).toBe(1);
    expect(await entries(person, 'call.answered').count()).toBe(1);
  }
  await patient.byId('call-hangup').click();
  await entries(doctor, 'call.ended').waitFor();
}, 120_000);

test('[CALL9] [CALL14] who calls a doctor in another call reads that they are busy, and the doctor finds the missed call', async () => {
  await using visit = await doctorInACall();
  const { doctor, anna, bruno, brunoId } = visit;
  await bruno.byId('call-video').click();
  await entries(bruno, 'call.ended').getByText(/busy/i).waitFor();
  await bruno.page
    .getByText(/in another call/i)
    .first()
    .waitFor();
  // Nothing rang, and the call that is under way was not disturbed.
  expect(await doctor.byId('incoming-call').count()).toBe(0);
  await Promise.all([arrives(doctor, 'anna', 'camera'), arrives(anna, 'doctor', 'camera')]);
  expect(await bruno.byId('call-panel').count()).toBe(0);
  await choose(doctor, brunoId);
  await entries(doctor, 'call.ended').getByText(/busy/i).waitFor();
  // The call goes on beside the other consultation, and is large again with its own.
  await Promise.all([arrives(doctor, 'anna', 'microphone'), arrives(anna, 'doctor', 'microphone')]);
  await doctor.byId('floating-expand').click();
  await Promise.all([arrives(doctor, 'anna', 'camera'), arrives(doctor, 'anna', 'microphone')]);
  // When the doctor is free again, the patient gets through.
  await doctor.byId('call-hangup').click();
  await entries(anna, 'call.ended').waitFor();
  await bruno.byId('call-video').click();
  await doctor.byId('call-accept').click();
  await arrives(bruno, 'doctor', 'camera');
}, 120_000);

test('[CALL15] with call waiting the doctor in a call is knocked at, and answering the second call leaves the first', async () => {
  await using visit = await doctorInACall({ TELECONSULT_CALL_WAITING: 'doctors' });
  const { doctor, anna, bruno } = visit;
  await bruno.byId('call-video').click();
  const knocking = await callBecomes(doctor, 'a second call', ({ state }) => state === 'ringing');
  expect(knocking.seats.find(({ personId }) => personId === 'doctor')?.callWaiting).toBe(true);
  await arrives(anna, 'doctor', 'camera');

  // A card above the call that goes on, which says that answering leaves it.
  const card = doctor.page.locator('[data-testid="incoming-call"][data-waiting="1"]');
  await card.getByTestId('call-accept').getByText(/anna/i).waitFor();
  await card.getByTestId('call-accept').click();
  await Promise.all([arrives(doctor, 'bruno', 'camera'), arrives(bruno, 'doctor', 'camera')]);
  await Promise.all([arrives(doctor, 'bruno', 'microphone'), arrives(bruno, 'doctor', 'microphone')]);
  await entries(anna, 'call.ended').waitFor();
  expect((await callBecomes(anna, 'the end', ({ state }) => state === 'ended')).outcome).toBe('completed');
}, 120_000);
