import { AppError, type ConsultationId, type PersonId } from '@teleconsult/protocol';
import type { Timings } from '../consultation/state.ts';
import { ConsultationActor } from './actor.ts';
import type { Stepped } from './batch.ts';
import { type Loaded, loadState } from './load.ts';
import type { Clock, ConsultationKeys, ConsultationStore } from './ports.ts';
import { ThreadReading } from './thread-reading.ts';

/** How long an unused consultation stays in memory. */
const IDLE_MS = 5 * 60_000;
/** Of so many, each of some 5 KB, those that were not used for a little while go: ten thousand people read lists at once. */
const MANY = 20_000;
const IDLE_OF_MANY_MS = 30_000;
/** How often memory is looked through. */
const EVICT_MS = 5_000;

export interface Held extends Loaded {
  readonly actor: ConsultationActor;
  readonly reading: ThreadReading;
  usedAt: number;
}

export interface HeldConsultationsParts {
  readonly store: ConsultationStore;
  readonly keys: ConsultationKeys;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly onLoaded: (held: Held) => void;
  /** Told of each change that is on disk, in order. */
  readonly onChange: (change: Stepped) => void;
}

/** The consultations in use, each loaded once and kept until nobody needs it. */
export class HeldConsultations {
  readonly #parts: HeldConsultationsParts;
  readonly #held = new Map<ConsultationId, Promise<Held>>();
  /** Those that are loaded, to look through without waiting. */
  readonly #loaded = new Map<ConsultationId, Held>();
  #evictAt = 0;

  constructor(parts: HeldConsultationsParts) {
    this.#parts = parts;
  }

  /** Throws `NOT_FOUND` when there is none, `INTEGRITY` when it cannot be opened. */
  async hold(id: ConsultationId): Promise<Held> {
    let pending = this.#held.get(id);
    if (pending === undefined) {
      pending = this.#load(id);
      this.#held.set(id, pending);
      pending.catch(() => this.#held.delete(id));
    }
    const held = await pending;
    held.usedAt = this.#parts.clock();
    return held;
  }

  /** For a person who takes part, or (null) for the host application; to anybody else there is none. */
  async visible(id: ConsultationId, by: PersonId | null): Promise<Held> {
    const held = await this.hold(id);
    if (by !== null && !held.actor.state.participants.some(({ personId }) => personId === by))
      throw new AppError('NOT_FOUND');
    return held;
  }

  /** Lets go of a consultation that another writer owns, so that the next use loads it anew. */
  async forgetStale(id: ConsultationId): Promise<void> {
    const pending = this.#held.get(id);
    const held = await pending?.catch(() => null);
    if (held?.actor.stale && this.#held.get(id) === pending) this.#forget(id);
  }

  /**
   * Lets go of a consultation that is erased: its key and its state leave memory, and who still has hold of it can
   * change nothing more.
   * @throws AppError WRONG_STATE while a call runs in it
   */
  async letGo(id: ConsultationId): Promise<void> {
    const pending = this.#held.get(id);
    const held = await pending?.catch(() => null);
    if (held == null) return;
    if (held.actor.state.call !== null) throw new AppError('WRONG_STATE', { detail: 'a call is running' });
    await held.actor.giveUp();
    if (this.#held.get(id) === pending) this.#forget(id);
  }

  /** Lets go of what was not used for a while and that `isNeeded` does not hold on to. */
  evict(isNeeded: (id: ConsultationId) => boolean): void {
    const now = this.#parts.clock();
    if (now < this.#evictAt) return;
    this.#evictAt = now + EVICT_MS;
    const before = now - (this.#loaded.size > MANY ? IDLE_OF_MANY_MS : IDLE_MS);
    for (const [id, { usedAt, actor }] of this.#loaded) {
      if (usedAt > before || isNeeded(id)) continue;
      if (actor.idle && actor.state.call === null) this.#forget(id);
    }
  }

  /** How many are in memory. */
  get size(): number {
    return this.#loaded.size;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    for (const pending of this.#held.values()) await (await pending.catch(() => null))?.actor.settled;
  }

  #forget(id: ConsultationId): void {
    this.#held.delete(id);
    this.#loaded.delete(id);
  }

  async #load(id: ConsultationId): Promise<Held> {
    const { store, keys, clock, timings, onChange, onLoaded } = this.#parts;
    const loaded = await loadState(id, store, keys);
    const reading = new ThreadReading({ store, id, lastSequence: () => actor.state.sequence });
    const actor = new ConsultationActor(
      {
        store,
        clock,
        timings,
        codec: loaded.codec,
        onChange: (change) => {
          reading.handleEntries(change.entries);
          onChange(change);
        },
      },
      loaded.state,
      loaded.lastAt,
    );
    const held: Held = { ...loaded, actor, reading, usedAt: clock() };
    this.#loaded.set(id, held);
    onLoaded(held);
    return held;
  }
}
