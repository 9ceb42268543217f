import type { ConsultationId } from '@teleconsult/protocol';
import type { ConsultationStore, Log } from '../host/ports.ts';
import type { Receiver } from './receiver.ts';

/**
 * How often progress is written down, in milliseconds. What was told since then is told again after a crash, under
 * the same id; writing after each would cost as much as the messages themselves.
 */
const SAVE_MS = 500;

/** Most consultations whose receivers stand at different places; the store then knows how far the slowest was told. */
const UNEQUAL_LIMIT = 100_000;

type ReceiverName = Receiver['name'];

interface Standing {
  readonly told: Map<ReceiverName, number>;
  saved: number;
}

export interface ProgressParts {
  readonly store: Pick<ConsultationStore, 'notifiedUpTo' | 'markNotified'>;
  readonly receivers: readonly ReceiverName[];
  readonly log: Log;
  /** Half a second unless told. */
  readonly saveMs?: number | undefined;
}

/** How far each receiver was told, of the consultations at work. The store keeps what all of them were told. */
export class Progress {
  readonly #parts: ProgressParts;
  readonly #standings = new Map<ConsultationId, Promise<Standing>>();
  readonly #unsaved = new Set<ConsultationId>();
  #timer: NodeJS.Timeout | null = null;
  #saving: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
  }

  async upTo(id: ConsultationId, receiver: ReceiverName): Promise<number> {
    return (await this.#standing(id)).told.get(receiver) ?? 0;
  }

  async told(id: ConsultationId, receiver: ReceiverName, sequence: number): Promise<void> {
    // First, so that nobody forgets the standing before it is changed.
    this.#unsaved.add(id);
    (await this.#standing(id)).told.set(receiver, sequence);
    this.#saveSoon();
  }

  /** There is nothing more to tell one receiver for now. Never rejects. */
  async rest(id: ConsultationId): Promise<void> {
    const standing = await this.#standings.get(id)?.catch(() => undefined);
    if (standing !== undefined) this.#forgetKnown(id, standing);
  }

  /** Resolves when everything that was told is written down, or could not be. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.save();
  }

  #standing(id: ConsultationId): Promise<Standing> {
    let standing = this.#standings.get(id);
    if (standing === undefined) {
      standing = this.#load(id);
      this.#standings.set(id, standing);
      standing.catch(() => this.#standings.delete(id));
    }
    return standing;
  }

  async #load(id: ConsultationId): Promise<Standing> {
    const saved = await this.#parts.store.notifiedUpTo(id);
    return { told: new Map(this.#parts.receivers.map((name) => [name, saved])), saved };
  }

  #saveSoon(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.save();
    }, this.#parts.saveMs ?? SAVE_MS);
    this.#timer.unref();
  }

  async #save(): Promise<void> {
    const ids = [...this.#unsaved];
    this.#unsaved.clear();
    await Promise.all(ids.map((id) => this.#saveOne(id)));
  }

  async #saveOne(id: ConsultationId): Promise<void> {
    const { store, log } = this.#parts;
    try {
      const standing = await this.#standing(id);
      const upTo = Math.min(...standing.told.values());
      if (upTo > standing.saved) {
        await store.markNotified(id, upTo);
        standing.saved = upTo;
      }
      this.#forgetKnown(id, standing);
    } catch (error) {
      log.warn('notify.notSaved', { consultation: id, error });
      this.#unsaved.add(id);
      this.#saveSoon();
    }
  }

  /** What the store knows as well need not be kept, whoever is at work on it. */
  #forgetKnown(id: ConsultationId, standing: Standing): void {
    if (this.#unsaved.has(id)) return;
    const isEqual = [...standing.told.values()].every((told) => told === standing.saved);
    if (isEqual || this.#standings.size > UNEQUAL_LIMIT) this.#standings.delete(id);
  }
}
