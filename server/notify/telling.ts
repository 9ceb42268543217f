import type { ConsultationId, Entry } from '@teleconsult/protocol';
import { createGate } from '../attachments/gate.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, ConsultationStore, Log } from '../host/ports.ts';
import type { Progress } from './progress.ts';
import { NotTaken, type Receiver } from './receiver.ts';
import { type RetryPace, retryDelay } from './retry-delay.ts';

/** Consultations that are told of at once. */
const WIDTH = 16;
/** Entries read at a time. */
const PAGE = 50;
/** Most consultations at work. The store knows the others, and the notifier asks it again. */
const WORK_LIMIT = 10_000;
/** An entry older than this is told no more: nobody was there to hear of it for three days. */
const GIVE_UP_MS = 3 * 24 * 3_600_000;

/** A second, doubling to five minutes. */
export const DEFAULT_PACE: RetryPace = { firstMs: 1_000, mostMs: 5 * 60_000 };

export interface TellingParts {
  readonly receiver: Receiver;
  readonly progress: Progress;
  readonly host: Pick<ConsultationHost, 'thread' | 'view'>;
  readonly store: Pick<ConsultationStore, 'page'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace: RetryPace;
}

/** Why there may be more to tell of a consultation. */
export type WakeReason =
  /** Something was added, which concerns nobody but those who take part now. */
  | 'added'
  /** What was added names a person, who may take no part any more. */
  | 'named'
  /** A look at the store found it behind. */
  | 'found';

interface Work {
  /** It may hold what is too old to be told: it was found behind, or could not be told. */
  mayBeOld: boolean;
  /** Something was added since it was last looked at. */
  again: boolean;
  /** What is to be told may concern people who take no part any more: it has to be read to know who they are. */
  named: boolean;
  /** Failures since the last entry that was told. */
  failures: number;
  timer: NodeJS.Timeout | null;
}

/**
 * Tells one receiver what the threads say. Of each consultation one entry after the other, in order, each until the
 * receiver took it; of several consultations at once, so that one that fails holds up no other. What is kept in
 * memory are ids: entries are read again from the thread.
 */
export class Telling {
  readonly #parts: TellingParts;
  readonly #work = new Map<ConsultationId, Work>();
  readonly #running = new Set<Promise<void>>();
  readonly #gate = createGate(WIDTH);
  readonly #closing = new AbortController();

  constructor(parts: TellingParts) {
    this.#parts = parts;
  }

  /**
   * There may be more to tell of this consultation. One that waits after a failure goes on waiting.
   * False when too much is at work already: then it is to be woken again later.
   */
  wake(id: ConsultationId, reason: WakeReason): boolean {
    if (this.#closing.signal.aborted) return true;
    const named = reason !== 'added';
    const work = this.#work.get(id);
    if (work !== undefined) {
      work.again = true;
      work.named ||= named;
      return true;
    }
    if (this.#work.size >= WORK_LIMIT) return false;
    const begun: Work = { mayBeOld: reason === 'found', again: false, named, failures: 0, timer: null };
    this.#work.set(id, begun);
    this.#start(id, begun);
    return true;
  }

  /** Gives up what is being told, and resolves when nothing is. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { timer } of this.#work.values()) if (timer !== null) clearTimeout(timer);
    await this.#parts.receiver.close();
    await Promise.all(this.#running);
    this.#work.clear();
  }

  #start(id: ConsultationId, work: Work): void {
    const running = this.#run(id, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Never rejects. */
  async #run(id: ConsultationId, work: Work): Promise<void> {
    const { progress } = this.#parts;
    try {
      let more = true;
      while (more && !this.#closing.signal.aborted) {
        work.again = false;
        // Each page takes its turn anew, so that a long thread does not keep the short ones waiting.
        more = (await this.#gate.run(() => this.#page(id, work))) || work.again;
      }
      this.#work.delete(id);
      await progress.rest(id);
    } catch (error) {
      this.#retry(id, work, error);
    }
  }

  #retry(id: ConsultationId, work: Work, error: unknown): void {
    const { log, pace, receiver } = this.#parts;
    if (this.#closing.signal.aborted) return;
    work.failures += 1;
    work.mayBeOld = true;
    work.named = true;
    const asked = error instanceof NotTaken ? error.retryAfterMs : null;
    const ms = Math.round(Math.max(retryDelay(pace, work.failures), Math.min(asked ?? 0, pace.mostMs)));
    log.warn(`${receiver.name}.failed`, { consultation: id, count: work.failures, ms, error });
    work.timer = setTimeout(() => {
      work.timer = null;
      this.#start(id, work);
    }, ms);
    work.timer.unref();
  }

  /** Tells of the next entries; answers whether there may be more. */
  async #page(id: ConsultationId, work: Work): Promise<boolean> {
    const { host, store, progress, receiver } = this.#parts;
    const { signal } = this.#closing;
    if (signal.aborted) return false;
    if (await this.#passOver(id, work)) return false;
    const after = await progress.upTo(id, receiver.name);
    if (work.mayBeOld) {
      // Looked at as it is stored: what is too old to be told need not be opened, nor be fit to be.
      const stored = await store.page(id, { after, limit: PAGE });
      if (await this.#giveUp(id, stored)) return true;
    }
    // Whoever is named after this read says so again.
    work.named = false;
    const { entries, hasMore } = await host.thread(id, null, { afterSequence: after, limit: PAGE });
    if (hasMore) work.named = true;
    for (const entry of entries) {
      if (signal.aborted) return false;
      await this.#tell(entry, signal);
      work.failures = 0;
    }
    return hasMore;
  }

  /**
   * Most consultations have nobody whom this receiver could tell: their messages are not read and opened once more to find
   * that out. Who begins to wait is told of what is added from then on.
   */
  async #passOver(id: ConsultationId, work: Work): Promise<boolean> {
    const { host, progress, receiver } = this.#parts;
    if (work.named) return false;
    const { participants, lastSequence } = await host.view(id, null);
    if (await receiver.isAwaitedBy(participants.map(({ personId }) => personId))) return false;
    // Every change up to this sequence has woken this work already, and one of them may have named somebody.
    if (work.named) return false;
    await progress.told(id, receiver.name, lastSequence);
    return true;
  }

  async #tell(entry: Entry, signal: AbortSignal): Promise<void> {
    const { receiver, progress } = this.#parts;
    await receiver.tell(entry, signal);
    await progress.told(entry.consultationId, receiver.name, entry.sequence);
  }

  /** Passes over what is too old; false when nothing is. */
  async #giveUp(
    id: ConsultationId,
    stored: readonly { readonly sequence: number; readonly at: number }[],
  ): Promise<boolean> {
    const { clock, log, progress, receiver } = this.#parts;
    const before = clock() - GIVE_UP_MS;
    const firstKept = stored.findIndex(({ at }) => at >= before);
    const given = firstKept < 0 ? stored.length : firstKept;
    const last = stored[given - 1];
    if (last === undefined) return false;
    log.warn(`${receiver.name}.givenUp`, { consultation: id, count: given });
    await progress.told(id, receiver.name, last.sequence);
    return true;
  }
}
