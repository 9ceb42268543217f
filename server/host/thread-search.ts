import { AppError, type Entry, type MessageContent, type RequestResult } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Held } from './held-consultations.ts';
import type { ConsultationStore } from './ports.ts';
import { attachmentsOf } from './thread-targets.ts';

/** Most entries one request looks at; `nextBefore` goes on from there. */
const LOOK_AT_MOST = 5_000;
/** Entries that are read from the store at once: a page of them is read in about a millisecond. */
const PAGE = 100;
/** How long one search may hold the event loop, in milliseconds, before everybody else has a turn. */
const SLICE_MS = 5;
/** Searches that may wait for their turn, over all people. */
const WAITING_LIMIT = 500;

export interface SearchWish {
  readonly query: string;
  readonly beforeSequence?: number | undefined;
  readonly limit: number;
}

/**
 * Searches threads by opening them, newest first: what people say lies sealed, so there is no index of it. One
 * search at a time has a turn, and between two turns the event loop serves everybody else.
 */
export class ThreadSearch {
  readonly #store: ConsultationStore;
  readonly #waiting: (() => void)[] = [];

  constructor(store: ConsultationStore) {
    this.#store = store;
  }

  async search({ actor, codec }: Held, wish: SearchWish): Promise<RequestResult<'thread.search'>> {
    if (this.#waiting.length >= WAITING_LIMIT) throw new AppError('RATE_LIMITED');
    const needle = folded(wish.query).trim();
    const matches: Entry[] = [];
    let before = wish.beforeSequence ?? Number.MAX_SAFE_INTEGER;
    let looked = 0;
    let sliceEndsAt = await this.#turn();
    while (looked < LOOK_AT_MOST) {
      const page = await this.#store.page(actor.state.id, { before, limit: PAGE });
      for (const stored of page.toReversed()) {
        if (performance.now() > sliceEndsAt) sliceEndsAt = await this.#turn();
        before = stored.sequence;
        looked += 1;
        if (stored.kind !== 'message.sent' || stored.withdrawn !== null) continue;
        const entry = codec.open(stored);
        if (entry.kind !== 'message.sent' || !textsOf(entry.content).some((text) => holds(text, needle)))
          continue;
        matches.push(entry);
        if (matches.length === wish.limit) return { matches, nextBefore: before > 1 ? before : null };
      }
      if (page.length < PAGE) return { matches, nextBefore: null };
    }
    return { matches, nextBefore: before > 1 ? before : null };
  }

  /** Waits for a turn of the event loop that no other search has; answers until when it lasts. */
  #turn(): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(performance.now() + SLICE_MS));
      if (this.#waiting.length === 1) this.#pump();
    });
  }

  #pump(): void {
    setImmediate(() => {
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#pump();
    });
  }
}

/** Letters of any case and width are the same (Unicode NFKC, then lower case). */
const folded = (text: string): string => text.normalize('NFKC').toLowerCase();

const holds = (text: string, needle: string): boolean => folded(text).includes(needle);

/** What can be found of a message. */
function textsOf(content: MessageContent): readonly string[] {
  const fileNames = attachmentsOf(content).flatMap((one) => (one.kind === 'file' ? [one.fileName] : []));
  switch (content.type) {
    case 'text':
      return [content.text];
    case 'image':
    case 'file':
      return content.caption === undefined ? fileNames : [content.caption, ...fileNames];
    case 'voice':
    case 'withdrawn':
      return [];
    case 'form': {
      const { chiefComplaint, symptoms = [], history, medications, allergies } = content.form;
      const fields = [chiefComplaint, history, medications, allergies].filter((field) => field !== undefined);
      return [...fields, ...symptoms, ...fileNames];
    }
    default:
      return unreachable(content);
  }
}
