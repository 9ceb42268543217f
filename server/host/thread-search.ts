import {
  AppError,
  type Entry,
  type MessageContent,
  type PersonId,
  type RequestResult,
} from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Held } from './held-consultations.ts';
import type { ConsultationStore, ReadEntry } from './ports.ts';
import { PageSpace } from './thread-page.ts';
import { attachmentsOf } from './thread-targets.ts';

/** Most entries one request looks at; `nextBefore` goes on from there. */
const LOOK_AT_MOST = 5_000;
/** Entries that are read from the store at once: a page of them is read in about a millisecond. */
const PAGE = 100;
/** How long one search may hold the event loop, in milliseconds, before everybody else has a turn. */
const SLICE_MS = 5;
/** Searches that may wait for their turn, over all people. */
const WAITING_LIMIT = 500;
/** Searches of one person at once, over all their devices: one who asks for many takes no turns from the others. */
const SEARCHES_A_PERSON = 20;

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
  /** How many searches of a person are under way. */
  readonly #searching = new Map<PersonId, number>();

  constructor(store: ConsultationStore) {
    this.#store = store;
  }

  /** @throws AppError RATE_LIMITED when too many wait, or this person has begun too many */
  async search(held: Held, personId: PersonId, wish: SearchWish): Promise<RequestResult<'thread.search'>> {
    const own = this.#searching.get(personId) ?? 0;
    if (this.#waiting.length >= WAITING_LIMIT || own >= SEARCHES_A_PERSON) throw new AppError('RATE_LIMITED');
    this.#searching.set(personId, own + 1);
    try {
      return await this.#search(held, wish);
    } finally {
      const others = (this.#searching.get(personId) ?? 1) - 1;
      if (others > 0) this.#searching.set(personId, others);
      else this.#searching.delete(personId);
    }
  }

  async #search({ actor, codec }: Held, wish: SearchWish): Promise<RequestResult<'thread.search'>> {
    const needle = folded(wish.query).trim();
    const matches: Entry[] = [];
    const space = new PageSpace();
    let before = wish.beforeSequence ?? Number.MAX_SAFE_INTEGER;
    let looked = 0;
    const found = (stored: ReadEntry): Entry | null => {
      if (stored.kind !== 'message.sent' || stored.withdrawn !== null) return null;
      const entry = codec.open(stored);
      if (entry.kind !== 'message.sent') return null;
      return textsOf(entry.content).some((text) => holds(text, needle)) ? entry : null;
    };
    let sliceEndsAt = await this.#turn();
    while (looked < LOOK_AT_MOST) {
      const page = await this.#store.page(actor.state.id, { before, limit: PAGE });
      for (const stored of page.toReversed()) {
        if (performance.now() > sliceEndsAt) sliceEndsAt = await this.#turn();
        const entry = found(stored);
        // The next request begins with what has no room in this answer.
        if (entry !== null && !space.takes(stored)) return { matches, nextBefore: before };
        before = stored.sequence;
        looked += 1;
        if (entry === null) continue;
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
