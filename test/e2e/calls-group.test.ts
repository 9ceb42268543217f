import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { entries, openVisit, startCallPages } from './call-pages.ts';
import { act, arrives, callBecomes, callsOf, followCalls, isLive } from './page-calls.ts';

type Named = Readonly<Record<string, Person>>;

/** Each sees and hears each of the others, from now on. */
async function allSeeAndHear(people: Named): Promise<void> {
  const pairs = Object.entries(people).flatMap(([name, person]) =>
    Object.keys(people).flatMap((other) => (other === name ? [] : [{ person, other }])),
  );
  await Promise.all(
    pairs.flatMap(({ person, other }) => [
      arrives(person, other, 'camera'),
      arrives(person, other, 'microphone'),
    ]),
  );
}

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
  await pages.addRelative(id, 'relative', 'Relative');
  const relative = await pages.patientPage('relative', id);
  await entries(relative, 'participant.joined').first().waitFor();
  await followCalls(relative, id);
  expect(await relative.byId('incoming-call').count()).toBe(0);

  await act(doctor, 'invite', 'relative');
  await relative.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor, relative });
  await Promise.all(
    [patient, doctor, relative].map((person) =>
      callBecomes(person, 'three seats', (call) => isLive(call) && call.seats.length === 3),
    ),
  );

  // A guest may not end it for the others: who hangs up leaves.
  await relative.byId('call-hangup').click();
  await relative.byId('call-panel').waitFor({ state: 'detached' });
  await entries(doctor, 'call.left').waitFor();
  await eventually('the seat to be left', async () => (await seatsOf(doctor))['relative'] === 'left');
  await allSeeAndHear({ patient, doctor });
  expect(await entries(doctor, 'call.ended').count()).toBe(0);

  await act(patient, 'invite', 'relative');
  await relative.byId('call-accept').click();
  await allSeeAndHear({ patient, doctor, relative });

  await act(doctor, 'hangUp');
  for (const person of [patient, doctor, relative]) {
    await entries(person, 'call.ended').waitFor();
    await person.byId('call-panel').waitFor({ state: 'detached' });
    expect(await entries(person, 'call.started').count()).toBe(1);
  }
}, 120_000);
