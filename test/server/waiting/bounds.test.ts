import { ConsultationId, type ConsultationView, DeviceId, PersonId } from '@teleconsult/protocol';
import { requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { viewConsultation } from '@teleconsult/server/consultation/view';
import { RunningVisits } from '@teleconsult/server/waiting/running-visits';
import { Typing } from '@teleconsult/server/waiting/typing';
import { WaitingRooms } from '@teleconsult/server/waiting/waiting-rooms';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';

const id = (number: number) => ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);
const person = (number: number) => PersonId.parse(`person-${number}`);
const deviceId = DeviceId.parse('device-0001');

test('[PRES10] of those who type a bounded number is remembered, and those who stopped are forgotten', () => {
  const typing = new Typing({ toOtherWatchers: () => undefined });
  for (let number = 0; number < 25_000; number++)
    typing.set({ personId: person(number), deviceId }, id(1), 'typing', 1_000);
  expect(typing.size).toBe(20_000);
  typing.set({ personId: person(1), deviceId }, id(1), 'typing', 8_000);
  expect(typing.size).toBe(1);
});

test('[WAIT8] of running visits a bounded number is remembered, the latest of a doctor counts, and ended ones go', () => {
  const running = new RunningVisits();
  running.began(person(1), id(1), 1_000);
  running.began(person(1), id(2), 2_000);
  expect(running.activeSince(person(1))).toBe(2_000);
  running.ended(person(1), id(2));
  expect(running.activeSince(person(1))).toBe(1_000);
  running.ended(person(1), id(1));
  expect(running.activeSince(person(1))).toBeNull();
  for (let number = 0; number < 10_001; number++) running.began(person(number), id(number), number);
  expect(running.activeSince(person(0))).toBeNull();
  expect(running.activeSince(person(10_000))).toBe(10_000);
});

const doctorId = PersonId.parse('doctor');

/** The visit of a patient who waits for the one doctor. */
function waitingVisit(number: number): ConsultationState {
  const { state } = requestConsultation(
    id(number),
    {
      participants: [
        { personId: person(number), role: 'patient', displayName: 'P' },
        { personId: doctorId, role: 'doctor', displayName: 'D' },
      ],
    },
    0,
  );
  return { ...state, phase: { name: 'waiting', since: 0 } };
}

/** A doctor's queue of so many patients; what is told, and in which turn of the event loop. */
function longQueue(length: number) {
  const told: { personId: PersonId; turn: number }[] = [];
  const at = { turn: 0, reads: 0, now: 0 };
  const turn = (): void => {
    at.turn += 1;
    immediate = setImmediate(turn);
  };
  let immediate = setImmediate(turn);
  const rooms = new WaitingRooms({
    store: {
      waitingFor: async () => {
        at.reads += 1;
        return Array.from({ length }, (_, number) => ({
          consultationId: id(number),
          patientId: person(number),
          since: number,
        }));
      },
      visitDurations: async () => [],
    },
    publisher: { toPerson: (personId) => void told.push({ personId, turn: at.turn }) },
    clock: () => at.now,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const close = async (): Promise<void> => {
    clearImmediate(immediate);
    await rooms.close();
  };
  return { rooms, told, at, [Symbol.asyncDispose]: close };
}

test('[WAIT9] a queue of a thousand is told in parts, and everybody else has a turn in between', async () => {
  await using queue = longQueue(1_000);
  const entered = waitingVisit(999);
  queue.rooms.handleChange({
    before: { ...entered, phase: { name: 'requested', since: 0 } },
    after: entered,
    entries: [],
    effects: [],
  });
  await eventually('everybody to be told', () => queue.told.length === 2_000);
  const doctors = queue.told.filter(({ personId }) => personId === doctorId);
  expect(doctors).toHaveLength(1_000);
  const turns = Map.groupBy(doctors, ({ turn }) => turn);
  expect(Math.max(...[...turns.values()].map(({ length }) => length))).toBeLessThanOrEqual(100);
});

test('[WAIT9] a thousand patients who return at once cost one reading of the queue; a change, a new one', async () => {
  await using queue = longQueue(1_000);
  const views: ConsultationView[] = Array.from({ length: 1_000 }, (_, number) =>
    viewConsultation(waitingVisit(number)),
  );
  const places = await Promise.all(views.map((view, number) => queue.rooms.placesOf([view], person(number))));
  expect(places.map(([place]) => place?.position)).toEqual(views.map((_, index) => index + 1));
  expect(queue.at.reads).toBe(1);
  const accepted = waitingVisit(0);
  queue.rooms.handleChange({
    before: accepted,
    after: { ...accepted, phase: { name: 'active', since: 0 } },
    entries: [],
    effects: [],
  });
  await queue.rooms.placesOf(views.slice(5, 6), person(5));
  // One to tell the change, and one for who asked after it.
  expect(queue.at.reads).toBe(3);
  queue.at.now += 1_000;
  await queue.rooms.placesOf(views.slice(5, 6), person(5));
  expect(queue.at.reads).toBe(4);
});
