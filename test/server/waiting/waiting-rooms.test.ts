import {
  ConsultationId,
  type FactName,
  type FactPayload,
  PersonId,
  type QueuePlace,
} from '@teleconsult/protocol';
import { requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import type { ConsultationState, Phase } from '@teleconsult/server/consultation/state';
import { viewConsultation } from '@teleconsult/server/consultation/view';
import type { WaitingPatient } from '@teleconsult/server/host/ports';
import { WaitingRooms } from '@teleconsult/server/waiting/waiting-rooms';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const id = (number: number) => ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);
const person = (name: string) => PersonId.parse(name);
const doctorId = person('doctor');

/** A visit of patient `number`, in this phase. */
function visit(
  number: number,
  phase: Phase['name'],
  kind: 'visit' | 'colleagues' = 'visit',
): ConsultationState {
  const { state } = requestConsultation(
    id(number),
    {
      participants: [
        {
          personId: person(`patient-${number}`),
          role: kind === 'visit' ? 'patient' : 'doctor',
          displayName: 'P',
        },
        { personId: doctorId, role: 'doctor', displayName: 'D' },
        { personId: person('guest'), role: 'relative', displayName: 'G' },
      ],
      requestedBy: kind === 'visit' ? null : doctorId,
    },
    0,
  );
  const ended = {
    name: 'ended',
    since: 0,
    reason: 'completed',
    declineReason: null,
    activeSince: null,
  } as const;
  return { ...state, phase: phase === 'ended' ? ended : { name: phase, since: 0 } };
}

const change = (number: number, from: Phase['name'], to: Phase['name'], kind?: 'colleagues') => ({
  before: visit(number, from, kind),
  after: visit(number, to, kind),
  entries: [],
  effects: [],
});

function room() {
  const waiting: WaitingPatient[] = [];
  const durations: number[] = [];
  const told: { personId: string; place: QueuePlace }[] = [];
  const errors: string[] = [];
  const state = { reads: 0, atOnce: 0, most: 0, fails: false };
  const rooms = new WaitingRooms({
    store: {
      waitingFor: async () => {
        state.reads += 1;
        state.atOnce += 1;
        state.most = Math.max(state.most, state.atOnce);
        await new Promise((resolve) => setTimeout(resolve, 20));
        state.atOnce -= 1;
        if (state.fails) throw new Error('the disk is gone');
        return [...waiting];
      },
      visitDurations: async () => durations,
    },
    publisher: {
      toPerson: <N extends FactName>(personId: PersonId, _name: N, payload: FactPayload<N>) =>
        void told.push({ personId, place: payload as QueuePlace }),
    },
    clock: () => Date.now(),
    log: { info: () => undefined, warn: () => undefined, error: (step) => void errors.push(step) },
  });
  const enter = (number: number) => {
    waiting.push({ consultationId: id(number), patientId: person(`patient-${number}`), since: number });
    rooms.handleChange(change(number, 'requested', 'waiting'));
  };
  const leave = (number: number, to: 'active' | 'ended') => {
    const index = waiting.findIndex(({ consultationId }) => consultationId === id(number));
    waiting.splice(index, 1);
    rooms.handleChange(change(number, 'waiting', to));
  };
  return { rooms, waiting, durations, told, errors, state, enter, leave };
}

const settle = () => vi.advanceTimersByTimeAsync(1_000);

test('[WAIT1] who enters hears their place, and so does the doctor', async () => {
  const { told, enter } = room();
  enter(1);
  await settle();
  const place = { consultationId: id(1), position: 1, estimateMs: null };
  expect(told).toEqual([
    { personId: 'patient-1', place },
    { personId: 'doctor', place },
  ]);
});

test('[WAIT2] when the first leaves, those behind move up, and only changed places are told', async () => {
  const { told, enter, leave } = room();
  for (const number of [1, 2, 3]) {
    enter(number);
    await settle();
  }
  expect(told).toHaveLength(6);
  told.length = 0;
  leave(2, 'ended');
  await settle();
  expect(told.map(({ personId, place }) => [personId, place.consultationId, place.position])).toEqual([
    ['patient-3', id(3), 2],
    ['doctor', id(3), 2],
  ]);
});

test('[WAIT4] a hundred changes at once are read one after the other, and few times', async () => {
  const { told, state, enter } = room();
  for (let number = 1; number <= 100; number++) enter(number);
  await settle();
  expect(state.most).toBe(1);
  expect(state.reads).toBeLessThanOrEqual(3);
  const last = new Map(told.map(({ personId, place }) => [personId, place.position]));
  for (let number = 1; number <= 100; number++) expect(last.get(`patient-${number}`)).toBe(number);
});

test('[WAIT5] a store that fails is logged, throws into nobody, and the next change is told', async () => {
  const { told, errors, state, enter } = room();
  state.fails = true;
  expect(() => enter(1)).not.toThrow();
  await settle();
  expect([told, errors]).toEqual([[], ['queue.failed']]);
  state.fails = false;
  enter(2);
  await settle();
  expect(told.map(({ personId }) => personId)).toEqual(['patient-1', 'doctor', 'patient-2', 'doctor']);
});

test('[WAIT3] an estimate is told when a visit begins or ends, and not because time passes', async () => {
  const { rooms, told, durations, enter, leave } = room();
  durations.push(600_000, 600_000, 600_000);
  enter(1);
  enter(2);
  await settle();
  expect(told.at(-1)?.place).toMatchObject({ position: 2, estimateMs: 600_000 });
  told.length = 0;
  const { before, after } = change(1, 'waiting', 'active');
  leave(1, 'ended');
  rooms.handleChange({
    before,
    after: { ...after, phase: { name: 'active', since: Date.now() } },
    entries: [],
    effects: [],
  });
  await settle();
  expect(told.at(-1)?.place).toMatchObject({ consultationId: id(2), position: 1 });
  expect(told.at(-1)?.place.estimateMs).toBeGreaterThan(590_000);
  told.length = 0;
  await vi.advanceTimersByTimeAsync(10_000);
  enter(3);
  await settle();
  expect(new Set(told.map(({ place }) => place.consultationId))).toEqual(new Set([id(3)]));
  told.length = 0;
  rooms.handleChange(change(1, 'active', 'ended'));
  await settle();
  expect(told.find(({ personId }) => personId === 'patient-2')?.place.estimateMs).toBe(0);
});

test('[WAIT6] a thread of colleagues queues nowhere, and who was drawn in has no place', async () => {
  const { rooms, told, state, enter } = room();
  rooms.handleChange(change(7, 'requested', 'waiting', 'colleagues'));
  await settle();
  expect([told, state.reads]).toEqual([[], 0]);
  enter(1);
  const settled = settle();
  const views = [viewConsultation(visit(1, 'waiting')), viewConsultation(visit(2, 'active'))];
  const places = (name: string) => rooms.placesOf(views, person(name));
  const found = Promise.all([places('patient-1'), places('doctor'), places('guest'), places('stranger')]);
  await settled;
  const place = { consultationId: id(1), position: 1, estimateMs: null };
  expect(await found).toEqual([[place], [place], [], []]);
});

test('[WAIT7] after the close nothing is told and no timer is left', async () => {
  const { rooms, told, enter } = room();
  enter(1);
  await settle();
  told.length = 0;
  enter(2);
  const closed = rooms.close();
  await settle();
  await closed;
  await rooms.close();
  enter(3);
  await settle();
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
