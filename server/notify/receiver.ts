import type { Entry, PersonId } from '@teleconsult/protocol';

/** Somebody outside who is told of entries, one after the other. */
export interface Receiver {
  readonly name: 'webhook' | 'push';
  /** Tells of one entry. Throws when it is to be tried again; what comes after it in the consultation waits. */
  tell(entry: Entry, signal: AbortSignal): Promise<void>;
  /**
   * Whether any of these people, or anybody beside them, waits to hear of what concerns these people alone. False: `tell`
   * would do nothing now, so such entries are passed over without being read.
   */
  isAwaitedBy(people: readonly PersonId[]): Promise<boolean>;
  /** Gives up what it does beside, and resolves when nothing is under way. May be called twice. */
  close(): Promise<void>;
}

/** The receiver did not take it. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
  /** How long it asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(status: number, retryAfterMs: number | null) {
    super(`answered ${status}`);
    this.retryAfterMs = retryAfterMs;
  }
}
