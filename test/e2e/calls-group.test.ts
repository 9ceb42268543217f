import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { entries, invite, openVisit, startCallPages } from './call-pages.ts';
import { allSeeAndHear, callBecomes, callsOf, followCalls, isLive } from './page-calls.ts';

const tilesOf = (person: Person): Promise<(string | null)[]> =>
  person.byId('call-tile').evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('data-person')));

const seatsOf = async (person: Person): Promise<Record<string, string>> =>
  Object.fromEntries(
    ((await callsOf(person)).at(-1)?.seats ?? []).map(({ personId, state }) => [personId, state]),
  );

test('[CALL16] [CALL17] [CALL18] a relative is drawn into a running call, leaves it without ending it, comes back, and the doctor ends it for all', async () => {
  await using pages = await startCallPages();
  const { id, patient, doctor } = await openVisit(pages);
  for (const person of [patient, doctor]) await followCalls(person, id);
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor });

  // Somebody new in the consultation is not in its call before they are invited.
  await pages.addGuest(id, 'relative', 'relative');
  const relative = await pages.patientPage('relative', id);
  await entries(relative, 'participant.joined').first().waitFor();
  await followCalls(relative, id);
  expect(await relative.byId('incoming-call').count()).toBe(0);

  await invite(doctor, 'relative');
  await relative.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor, relative });
  await Promise.all(
    [patient, doctor, relative].map((person) =>
      callBecomes(person, 'three seats', (call) => isLive(call) && call.seats.length === 3),
    ),
  );

  for (const person of [patient, doctor, relative]) {
    await eventually('three tiles', async () => (await person.byId('call-tile').count()) === 3);
    expect(new Set(await tilesOf(person))).toEqual(new Set(['doctor', 'patient', 'relative']));
    expect(await person.byId('remote-audio').count()).toBe(2);
  }

  // A guest may not end it for the others: who hangs up leaves.
  await relative.byId('call-hangup').click();
  await relative.byId('call-panel').waitFor({ state: 'detached' });
  await entries(doctor, 'call.left').waitFor();
  await eventually('the seat to be left', async () => (await seatsOf(doctor))['relative'] === 'left');
  await allSeeAndHear({ patient, doctor });
  expect(await entries(doctor, 'call.ended').count()).toBe(0);

  await invite(patient, 'relative');
  await relative.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor, relative });

  await doctor.byId('call-hangup').click();
  await doctor.byId('call-end-all').click();
  for (const person of [patient, doctor, relative]) {
    await entries(person, 'call.ended').waitFor();
    await person.byId('call-panel').waitFor({ state: 'detached' });
    expect(await entries(person, 'call.started').count()).toBe(1);
  }
}, 120_000);
