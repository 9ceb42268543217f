import { setImmediate } from 'node:timers/promises';
import type { ConsultationId, ConsultationView, PersonId, QueuePlace } from '@teleconsult/protocol';
import type { ConsultationState } from '../consultation/state.ts';
import type { Stepped } from '../host/batch.ts';
import type { Clock, ConsultationStore, Log, Publisher, WaitingPatient } from '../host/ports.ts';
import { RunningVisits } from './running-visits.ts';
import { COUNTED_VISITS, estimateMs, expectation } from './wait-estimate.ts';

/** A doctor's queue is told at most once in this time, however much happens in it. */
const AGAIN_AFTER_MS = 200;
/** An estimate that moved by less is not told again: time passing is no news. */
const WORTH_TELLING_MS = 30_000;
/** How long a queue that was read is good for others who ask, unless it changes: all its patients return at once. */
const SAME_FOR_MS = 1_000;
/** Most queues that are kept for that long. */
const MAX_READ = 1_000;
/** Places that are told before everybody else has a turn of the event loop. */
const TOLD_AT_ONCE = 100;
/** Most doctors whose told places are remembered; one who is forgotten is told everything again. */
const MAX_TOLD = 10_000;

export interface WaitingRoomsParts {
  readonly store: Pick<ConsultationStore, 'waitingFor' | 'visitDurations'>;
  readonly publisher: Pick<Publisher, 'toPerson'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Queue {
  readonly places: readonly QueuePlace[];
  readonly patients: ReadonlyMap<ConsultationId, PersonId>;
}

type Told = ReadonlyMap<ConsultationId, QueuePlace>;

/** A doctor's queue that is being told, or rests afterwards. `again`: something changed meanwhile. */
interface Telling {
  again: boolean;
  rest: NodeJS.Timeout | null;
}

/** Each doctor's queue of waiting patients, with places and estimates. Longest waiting is first. */
export class WaitingRooms {
  readonly #parts: WaitingRoomsParts;
  readonly #running = new RunningVisits();
  readonly #told = new Map<PersonId, Told>();
  readonly #read = new Map<PersonId, { readonly at: number; readonly queue: Promise<Queue> }>();
  readonly #telling = new Map<PersonId, Telling>();
  readonly #working = new Set<Promise<void>>();
  #closed = false;

  constructor(parts: WaitingRoomsParts) {
    this.#parts = parts;
  }

  /** The places in those of the consultations that wait: a patient's own, and for the doctor those of the patients. */
  async placesOf(
    consultations: readonly ConsultationView[],
    personId: PersonId,
  ): Promise<readonly QueuePlace[]> {
    for (const { phase, phaseSince, consultationId, ...view } of consultations) {
      const doctorId = doctorOf(view);
      if (phase === 'active' && doctorId !== null) this.#running.began(doctorId, consultationId, phaseSince);
    }
    const queues = new Map<PersonId, Queue>();
    const places: QueuePlace[] = [];
    for (const view of consultations) {
      const doctorId = doctorOf(view);
      if (view.phase !== 'waiting' || doctorId === null || !seesPlaces(view, personId)) continue;
      const queue = queues.get(doctorId) ?? (await this.#recentQueueOf(doctorId));
      queues.set(doctorId, queue);
      const place = queue.places.find(({ consultationId }) => consultationId === view.consultationId);
      if (place !== undefined) places.push(place);
    }
    return places;
  }

  /** A consultation changed: when its phase did, the places of its doctor's queue that changed are told. */
  handleChange({ before, after }: Stepped): void {
    const doctorId = doctorOf(after);
    if (before.phase === after.phase || doctorId === null || this.#closed) return;
    this.#read.delete(doctorId);
    if (after.phase.name === 'active') this.#running.began(doctorId, after.id, after.phase.since);
    if (after.phase.name === 'ended') this.#running.ended(doctorId, after.id);
    // An active visit that ends leaves the places as they are, but not the estimates.
    if ([before.phase.name, after.phase.name].some((phase) => phase === 'waiting' || phase === 'active'))
      this.#tell(doctorId);
  }

  /** Tells nothing more and waits for what is being read. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { rest } of this.#telling.values()) if (rest !== null) clearTimeout(rest);
    this.#telling.clear();
    this.#read.clear();
    await Promise.all(this.#working);
  }

  #tell(doctorId: PersonId): void {
    const telling = this.#telling.get(doctorId);
    if (telling !== undefined) {
      telling.again = true;
      return;
    }
    const begun: Telling = { again: false, rest: null };
    this.#telling.set(doctorId, begun);
    const work = this.#tellChanged(doctorId)
      .catch((error: unknown) => this.#parts.log.error('queue.failed', { person: doctorId, error }))
      .finally(() => {
        this.#working.delete(work);
        if (!this.#closed) this.#rest(doctorId, begun);
      });
    this.#working.add(work);
  }

  #rest(doctorId: PersonId, telling: Telling): void {
    telling.rest = setTimeout(() => {
      this.#telling.delete(doctorId);
      if (telling.again) this.#tell(doctorId);
    }, AGAIN_AFTER_MS);
    telling.rest.unref();
  }

  async #tellChanged(doctorId: PersonId): Promise<void> {
    const { places, patients } = await this.#queueOf(doctorId);
    if (this.#closed) return;
    const told = this.#told.get(doctorId);
    const now = new Map<ConsultationId, QueuePlace>();
    let count = 0;
    for (const place of places) {
      const { consultationId } = place;
      const before = told?.get(consultationId);
      if (before !== undefined && !isNews(before, place)) {
        now.set(consultationId, before);
        continue;
      }
      // The doctor's own device takes in meanwhile what it was told: it is not let go for what waits for it.
      if (count > 0 && count % TOLD_AT_ONCE === 0) {
        await setImmediate();
        if (this.#closed) return;
        // What changed meanwhile is told with the next reading, and what was not told yet with it.
        if (this.#telling.get(doctorId)?.again === true) break;
      }
      count += 1;
      now.set(consultationId, place);
      const patientId = patients.get(consultationId);
      if (patientId !== undefined) this.#parts.publisher.toPerson(patientId, 'queue.changed', place);
      this.#parts.publisher.toPerson(doctorId, 'queue.changed', place);
    }
    this.#remember(doctorId, now);
  }

  #remember(doctorId: PersonId, told: Told): void {
    this.#told.delete(doctorId);
    if (told.size > 0) this.#told.set(doctorId, told);
    const [oldest] = this.#told.keys();
    if (this.#told.size > MAX_TOLD && oldest !== undefined) this.#told.delete(oldest);
  }

  /** Who asks at the same moment is answered from one reading. */
  #recentQueueOf(doctorId: PersonId): Promise<Queue> {
    const now = this.#parts.clock();
    const recent = this.#read.get(doctorId);
    if (recent !== undefined && now - recent.at < SAME_FOR_MS) return recent.queue;
    const queue = this.#queueOf(doctorId);
    this.#read.delete(doctorId);
    this.#read.set(doctorId, { at: now, queue });
    queue.catch(() => {
      if (this.#read.get(doctorId)?.queue === queue) this.#read.delete(doctorId);
    });
    const [oldest] = this.#read.keys();
    if (this.#read.size > MAX_READ && oldest !== undefined) this.#read.delete(oldest);
    return queue;
  }

  async #queueOf(doctorId: PersonId): Promise<Queue> {
    const { store, clock } = this.#parts;
    const waiting = await store.waitingFor(doctorId);
    const durations = waiting.length === 0 ? [] : await store.visitDurations(doctorId, COUNTED_VISITS);
    const expected = expectation({ durations, activeSince: this.#running.activeSince(doctorId) }, clock());
    return {
      places: waiting.map(({ consultationId }, index) => ({
        consultationId,
        position: index + 1,
        estimateMs: estimateMs(expected, index + 1),
      })),
      patients: new Map(waiting.map((one: WaitingPatient) => [one.consultationId, one.patientId])),
    };
  }
}

/** The doctor whose waiting room it is; a thread of colleagues has none. */
function doctorOf({ kind, participants }: Pick<ConsultationState, 'kind' | 'participants'>): PersonId | null {
  if (kind !== 'visit') return null;
  return participants.find(({ role }) => role === 'doctor')?.personId ?? null;
}

/** Who was drawn in does not queue. */
const seesPlaces = ({ participants }: ConsultationView, personId: PersonId): boolean =>
  participants.some(
    (other) => other.personId === personId && (other.role === 'patient' || other.role === 'doctor'),
  );

function isNews(before: QueuePlace, place: QueuePlace): boolean {
  if (before.position !== place.position) return true;
  if (before.estimateMs === null || place.estimateMs === null) return before.estimateMs !== place.estimateMs;
  return Math.abs(before.estimateMs - place.estimateMs) >= WORTH_TELLING_MS;
}
