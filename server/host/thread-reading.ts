import type { ConsultationId, Entry, PersonId, Unread } from '@teleconsult/protocol';
import type { ConsultationStore, StoredMarks } from './ports.ts';

export interface ThreadReadingParts {
  readonly store: ConsultationStore;
  readonly id: ConsultationId;
  /** The sequence of the newest entry that is on disk. */
  readonly lastSequence: () => number;
}

/** What one person has not read: exact for the entries after `read` up to `upTo`. */
interface Count {
  readonly read: number;
  readonly upTo: number;
  readonly unread: number;
}

/**
 * How far the people of one consultation in use have received and read it, and what they have not. Marks and counts
 * are asked of the store once and kept: a message only adds one to the counts of the others.
 */
export class ThreadReading {
  readonly #parts: ThreadReadingParts;
  #marks: Promise<Map<PersonId, StoredMarks>> | null = null;
  readonly #counts = new Map<PersonId, Count>();
  readonly #counting = new Map<PersonId, Promise<Count>>();
  /** Rises when what was counted before no longer holds. */
  #recounts = 0;

  constructor(parts: ThreadReadingParts) {
    this.#parts = parts;
  }

  async marksOf(personId: PersonId): Promise<StoredMarks> {
    return (await this.#loadedMarks()).get(personId) ?? { personId, delivered: 0, read: 0 };
  }

  /** Raises a person's marks, on disk, to these; never lowers them. Answers whether they rose. */
  async raise(wanted: StoredMarks): Promise<{ readonly delivered: boolean; readonly read: boolean }> {
    const { store, id } = this.#parts;
    const { personId } = wanted;
    const before = await this.marksOf(personId);
    if (wanted.delivered <= before.delivered && wanted.read <= before.read)
      return { delivered: false, read: false };
    const stored = await store.raiseMarks(id, wanted);
    // Another request of the person may have raised them meanwhile.
    const marks = await this.#loadedMarks();
    const held = await this.marksOf(personId);
    const raised = {
      personId,
      delivered: Math.max(held.delivered, stored.delivered),
      read: Math.max(held.read, stored.read),
    };
    marks.set(personId, raised);
    const rose = { delivered: raised.delivered > held.delivered, read: raised.read > held.read };
    if (rose.read) {
      this.#recounts += 1;
      this.#counts.delete(personId);
    }
    return rose;
  }

  async unread(personId: PersonId): Promise<Unread> {
    const { unread, read } = this.#counts.get(personId) ?? (await this.#count(personId));
    return { consultationId: this.#parts.id, unread, read };
  }

  /** New entries are on disk. */
  handleEntries(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'message.sent') this.#handleMessage(entry.by, entry.sequence);
      if (entry.kind === 'message.recalled' || entry.kind === 'message.removed') this.#recountAll();
      // Who comes back is counted anew.
      if (entry.kind === 'participant.left') this.#counts.delete(entry.personId);
    }
  }

  #handleMessage(by: PersonId | null, sequence: number): void {
    for (const [personId, count] of this.#counts) {
      // A count that was made since the entry was written holds it already.
      if (personId === by || sequence <= count.upTo) continue;
      this.#counts.set(personId, { ...count, upTo: sequence, unread: count.unread + 1 });
    }
  }

  #recountAll(): void {
    this.#recounts += 1;
    this.#counts.clear();
  }

  #loadedMarks(): Promise<Map<PersonId, StoredMarks>> {
    if (this.#marks === null) {
      const loading = this.#loadMarks();
      this.#marks = loading;
      loading.catch(() => {
        this.#marks = null;
      });
    }
    return this.#marks;
  }

  async #loadMarks(): Promise<Map<PersonId, StoredMarks>> {
    const stored = await this.#parts.store.marks(this.#parts.id);
    return new Map(stored.map((marks) => [marks.personId, marks]));
  }

  /** Several who ask at once share one count. */
  #count(personId: PersonId): Promise<Count> {
    let counting = this.#counting.get(personId);
    if (counting === undefined) {
      counting = this.#countAnew(personId);
      this.#counting.set(personId, counting);
    }
    return counting;
  }

  async #countAnew(personId: PersonId): Promise<Count> {
    const { store, id, lastSequence } = this.#parts;
    try {
      for (;;) {
        const recounts = this.#recounts;
        const { read } = await this.marksOf(personId);
        const upTo = lastSequence();
        const unread = await store.countUnread(id, personId, read, upTo);
        // What was sent, withdrawn or read during the count may be in it or not: count again.
        if (recounts !== this.#recounts || upTo !== lastSequence()) continue;
        const count = { read, upTo, unread };
        this.#counts.set(personId, count);
        return count;
      }
    } finally {
      // In the same turn: who asks a moment later, after another change, must not share this count.
      this.#counting.delete(personId);
    }
  }
}
