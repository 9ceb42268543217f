import { setImmediate } from 'node:timers/promises';
import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type PersonId,
  type RequestResult,
  type ThreadMarks,
  type Unread,
} from '@teleconsult/protocol';
import { viewCall, viewConsultation } from '../consultation/view.ts';
import type { Stepped } from './batch.ts';
import type { Held, HeldConsultations } from './held-consultations.ts';
import type { ConsultationStore, Log, Publisher } from './ports.ts';
import { UnreadNews } from './thread-news.ts';
import { fitting } from './thread-page.ts';
import { type SearchWish, ThreadSearch } from './thread-search.ts';

/** How long a list may hold the event loop, in milliseconds, before everybody else has a turn. */
const SLICE_MS = 5;

export interface ThreadDeskParts {
  readonly held: HeldConsultations;
  readonly store: ConsultationStore;
  readonly publisher: Publisher;
  readonly log: Log;
  /** Whether others may see what this person has read. */
  readonly showsRead: (personId: PersonId) => Promise<boolean>;
}

export interface PageRange {
  readonly afterSequence?: number | undefined;
  readonly beforeSequence?: number | undefined;
  readonly limit: number;
}

/** Reading: lists, pages, marks, what is unread, and search. A consultation of others looks like none. */
export class ThreadDesk {
  readonly #parts: ThreadDeskParts;
  readonly #news: UnreadNews;
  readonly #search: ThreadSearch;

  constructor(parts: ThreadDeskParts) {
    this.#parts = parts;
    this.#news = new UnreadNews({ ...parts, unread: (id, personId) => this.#unread(id, personId) });
    this.#search = new ThreadSearch(parts.store);
  }

  /** A change is on disk and announced. */
  handleChange(change: Stepped): void {
    this.#news.handleChange(change);
  }

  /** Tells nothing more. */
  close(): void {
    this.#news.close();
  }

  async snapshot(
    id: ConsultationId,
    by: PersonId,
    range: PageRange,
  ): Promise<Omit<RequestResult<'consultation.watch'>, 'queue' | 'online'>> {
    const held = await this.#parts.held.visible(id, by);
    const { state } = held.actor;
    const { entries, hasMore } = await this.#page(held, range);
    return {
      consultation: viewConsultation(state),
      call: state.call === null ? null : viewCall(state, state.call),
      marks: await Promise.all(state.participants.map(({ personId }) => this.#marksOf(held, personId))),
      unread: await held.reading.unread(by),
      entries,
      hasMore: range.afterSequence !== undefined && hasMore,
    };
  }

  async thread(
    id: ConsultationId,
    by: PersonId | null,
    range: PageRange,
  ): Promise<RequestResult<'thread.page'>> {
    return this.#page(await this.#parts.held.visible(id, by), range);
  }

  /** One that cannot be read does not hide the others. `only` is the one a token is good for; null: all. */
  async list(
    personId: PersonId,
    page: { limit: number; createdBefore?: number | undefined },
    only: ConsultationId | null,
  ): Promise<Omit<RequestResult<'consultation.list'>, 'queue'>> {
    const { store } = this.#parts;
    const { limit, createdBefore = null } = page;
    const ids = only === null ? await store.listFor(personId, { limit, createdBefore }) : [only];
    const listed: { view: ConsultationView; unread: Unread }[] = [];
    let sliceEndsAt = performance.now() + SLICE_MS;
    for (const id of ids) {
      if (performance.now() > sliceEndsAt) {
        await setImmediate();
        sliceEndsAt = performance.now() + SLICE_MS;
      }
      const one = await this.#listed(id, personId);
      if (one !== null && one.view.createdAt < (createdBefore ?? Infinity)) listed.push(one);
    }
    const oldest = listed.at(-1)?.view.createdAt;
    const older =
      oldest === undefined || only !== null
        ? []
        : await store.listFor(personId, { limit: 1, createdBefore: oldest });
    return {
      consultations: listed.map(({ view }) => view),
      unread: listed.map(({ unread }) => unread),
      hasMore: older.length > 0,
    };
  }

  /** Raises how far a person has received and read; what was read was received. Answers when it is on disk. */
  async mark(
    id: ConsultationId,
    mark: { by: PersonId; delivered?: number | undefined; read?: number | undefined },
  ): Promise<Unread> {
    const { by: personId, delivered = 0, read = 0 } = mark;
    const { publisher } = this.#parts;
    const held = await this.#parts.held.visible(id, personId);
    const last = held.actor.state.sequence;
    const wanted = {
      personId,
      delivered: Math.min(Math.max(delivered, read), last),
      read: Math.min(read, last),
    };
    const rose = await held.reading.raise(wanted);
    // Taken out while it was written: it is nobody's business any more.
    if (!held.actor.state.participants.some((one) => one.personId === personId))
      throw new AppError('NOT_FOUND');
    if (rose.read) this.#news.tell(id, personId);
    if (rose.read || rose.delivered) {
      const marks = await this.#marksOf(held, personId);
      // That somebody read something is not told either while they do not tell what.
      if (rose.delivered || marks.read !== null)
        publisher.toWatchers(id, 'marks.changed', { consultationId: id, ...marks });
    }
    return held.reading.unread(personId);
  }

  /** Messages that hold a text, newest first. */
  async search(
    id: ConsultationId,
    personId: PersonId,
    wish: SearchWish,
  ): Promise<RequestResult<'thread.search'>> {
    return this.#search.search(await this.#parts.held.visible(id, personId), personId, wish);
  }

  async #marksOf({ reading }: Held, personId: PersonId): Promise<ThreadMarks> {
    const showsRead = await this.#parts.showsRead(personId);
    // Asked last, so that what is told never falls behind what was told before.
    const { delivered, read } = await reading.marksOf(personId);
    return { personId, delivered, read: showsRead ? read : null };
  }

  /** null: the person takes no part in it. */
  async #unread(id: ConsultationId, personId: PersonId): Promise<Unread | null> {
    try {
      const { reading } = await this.#parts.held.visible(id, personId);
      return await reading.unread(personId);
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  /** null: it cannot be read, or the person takes no part in it any more. */
  async #listed(
    id: ConsultationId,
    personId: PersonId,
  ): Promise<{ view: ConsultationView; unread: Unread } | null> {
    try {
      const { actor, reading } = await this.#parts.held.visible(id, personId);
      // Found by a token for it alone: it is in no list.
      if (actor.state.kind === 'health_channel') return null;
      return { view: viewConsultation(actor.state), unread: await reading.unread(personId) };
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'NOT_FOUND'))
        this.#parts.log.error('consultation.unreadable', { consultation: id, error });
      return null;
    }
  }

  async #page(held: Held, range: PageRange): Promise<RequestResult<'thread.page'>> {
    const { store } = this.#parts;
    // What was written a moment ago and is not announced yet comes live: whoever reads an entry finds the state that
    // goes with it, above all those who ring the closed devices of a call.
    const { id, sequence: lastSequence } = held.actor.state;
    const limit = range.limit + 1;
    const ascending = range.afterSequence !== undefined;
    const onDisk = ascending
      ? await store.page(id, { after: range.afterSequence ?? 0, limit })
      : await store.page(id, { before: Math.min(range.beforeSequence ?? Infinity, lastSequence + 1), limit });
    const stored = onDisk.filter(({ sequence }) => sequence <= lastSequence);
    const kept = ascending
      ? fitting(stored.slice(0, range.limit), 'beginning')
      : fitting(stored.slice(-range.limit), 'end');
    const hasMore = stored.length > kept.length;
    return { entries: kept.map((entry) => held.codec.open(entry)), hasMore, lastSequence };
  }
}
