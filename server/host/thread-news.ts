import type { ConsultationId, PersonId, Unread } from '@teleconsult/protocol';
import type { Stepped } from './batch.ts';
import type { Log, Publisher } from './ports.ts';

/** A person hears of what they have not read at most once in this time, per consultation. */
const QUIET_MS = 200;

export interface UnreadNewsParts {
  readonly publisher: Publisher;
  readonly log: Log;
  /** null: the person takes no part any more. */
  readonly unread: (id: ConsultationId, personId: PersonId) => Promise<Unread | null>;
}

interface Quiet {
  readonly timer: NodeJS.Timeout;
  changedAgain: boolean;
}

/** Tells people, on all their devices, how much they have not read: at once, then the last of what follows quickly. */
export class UnreadNews {
  readonly #parts: UnreadNewsParts;
  /** Those who were told a moment ago; each leaves when nothing more came. */
  readonly #quiet = new Map<string, Quiet>();
  #closed = false;

  constructor(parts: UnreadNewsParts) {
    this.#parts = parts;
  }

  /** A change of the thread: who has something more or less to read hears of it. */
  handleChange({ after, entries }: Stepped): void {
    let all = false;
    const senders = new Set<PersonId | null>();
    for (const { kind, by } of entries) {
      if (kind === 'message.sent') senders.add(by);
      if (kind === 'message.recalled' || kind === 'message.removed') all = true;
    }
    if (senders.size === 0 && !all) return;
    for (const { personId } of after.participants)
      if (all || senders.size > 1 || !senders.has(personId)) this.tell(after.id, personId);
  }

  /** Nobody is told who has no device here: whoever comes reads it in the list or in a snapshot. */
  tell(id: ConsultationId, personId: PersonId): void {
    if (this.#closed || !this.#parts.publisher.isOnline(personId, id)) return;
    const key = `${personId}|${id}`;
    const quiet = this.#quiet.get(key);
    if (quiet !== undefined) {
      quiet.changedAgain = true;
      return;
    }
    const timer = setTimeout(() => {
      const changed = this.#quiet.get(key)?.changedAgain === true;
      this.#quiet.delete(key);
      if (changed) this.tell(id, personId);
    }, QUIET_MS);
    timer.unref();
    this.#quiet.set(key, { timer, changedAgain: false });
    this.#publish(id, personId).catch((error: unknown) => {
      this.#parts.log.error('unread.failed', { consultation: id, error });
    });
  }

  /** Tells nothing more. May be called twice. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#quiet.values()) clearTimeout(timer);
    this.#quiet.clear();
  }

  async #publish(id: ConsultationId, personId: PersonId): Promise<void> {
    const unread = await this.#parts.unread(id, personId);
    if (unread !== null && !this.#closed) this.#parts.publisher.toPerson(personId, 'unread.changed', unread);
  }
}
