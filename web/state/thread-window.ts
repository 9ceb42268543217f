import type { Consultation } from '@teleconsult/client-sdk/api';
import type { Entry } from '@teleconsult/protocol';
import { Changes } from './changes.ts';

type Thread = Pick<Consultation, 'entries' | 'page' | 'view'>;

/**
 * Most entries shown at once. With a day before each of them and the outbox below, a thread of any length stays under
 * 300 rows in the page.
 */
export const MAX_SHOWN = 120;
/** How many entries a step up or down brings. */
const STEP = 60;

export type Moving = 'older' | 'newer' | 'jump';

/**
 * The part of a thread that is in the page: a gapless run of entries. It follows the newest while it reaches to the
 * end; elsewhere new entries wait below until the reader comes to them. What the SDK still holds is taken from there,
 * everything else is fetched and let go again.
 */
export class ThreadWindow {
  readonly changes = new Changes();
  readonly #thread: Thread;
  #entries: readonly Entry[];
  #moving: Moving | null = null;
  /** Rises with every jump, so that a page that comes late does not replace where the reader went since. */
  #course = 0;
  /** The thread begins here: nothing older came. */
  #isAtStart: boolean;

  constructor(thread: Thread) {
    this.#thread = thread;
    this.#entries = thread.entries.slice(-MAX_SHOWN);
    this.#isAtStart = reachesStart(this.#entries);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get moving(): Moving | null {
    return this.#moving;
  }

  get hasOlder(): boolean {
    return !this.#isAtStart;
  }

  /** Entries below that are not shown. */
  get hasNewer(): boolean {
    return this.#last < this.#newest;
  }

  holds(sequence: number): boolean {
    return sequence >= this.#first && sequence <= this.#last;
  }

  find(sequence: number): Entry | undefined {
    return this.#entries.find((entry) => entry.sequence === sequence) ?? this.#held(sequence);
  }

  /** New entries. While the reader is at the end they push out the oldest; elsewhere a full window leaves them below. */
  add(entries: readonly Entry[], isReaderAtEnd: boolean): void {
    // Only what goes on where the window ends: everything else is below it.
    const next = entries.filter(({ sequence }) => sequence > this.#last);
    const follows = next[0]?.sequence === this.#last + 1 || this.#entries.length === 0;
    if (follows) {
      const room = isReaderAtEnd ? next.length : Math.max(0, MAX_SHOWN - this.#entries.length);
      this.#show([...this.#entries, ...next.slice(0, room)], 'top');
    }
    for (const entry of entries) {
      if (entry.kind === 'message.recalled') this.#withdraw(entry.target, 'recalled');
      if (entry.kind === 'message.removed') this.#withdraw(entry.target, 'removed');
    }
    this.changes.announce();
  }

  /** Entries that read differently now. */
  update(entries: readonly Entry[]): void {
    const changed = new Map(entries.map((entry) => [entry.sequence, entry]));
    this.#entries = this.#entries.map((entry) => changed.get(entry.sequence) ?? entry);
    this.changes.announce();
  }

  async older(): Promise<void> {
    if (!this.hasOlder) return;
    await this.#move('older', async () => {
      const first = this.#first;
      const held = this.#heldRun(({ sequence }) => sequence < first).slice(-STEP);
      const joins = held.at(-1)?.sequence === first - 1;
      const older = joins ? held : (await this.#thread.page({ before: first }, { limit: STEP })).entries;
      return () => {
        if (this.#first !== first) return;
        if (older.length === 0) this.#isAtStart = true;
        this.#show([...older, ...this.#entries], 'bottom');
      };
    });
  }

  async newer(): Promise<void> {
    if (!this.hasNewer) return;
    await this.#move('newer', async () => {
      const last = this.#last;
      const held = this.#heldRun(({ sequence }) => sequence > last).slice(0, STEP);
      const joins = held[0]?.sequence === last + 1;
      const newer = joins ? held : (await this.#thread.page({ after: last }, { limit: STEP })).entries;
      return () => {
        if (this.#last === last) this.#show([...this.#entries, ...newer], 'top');
      };
    });
  }

  /** Shows the entries around one; false when there is none of that number. */
  async jumpTo(sequence: number): Promise<boolean> {
    if (this.holds(sequence)) return true;
    await this.#move('jump', async () => {
      const from = Math.max(0, sequence - STEP / 2);
      const held = this.#heldRun((entry) => entry.sequence > from).slice(0, STEP);
      const isHeld = held[0]?.sequence === from + 1;
      const around = isHeld ? held : (await this.#thread.page({ after: from }, { limit: STEP })).entries;
      return () => this.#replace(around);
    });
    return this.holds(sequence);
  }

  async toBeginning(): Promise<void> {
    if (!this.hasOlder) return;
    await this.#move('jump', async () => {
      const page = await this.#thread.page({ after: 0 }, { limit: STEP });
      return () => this.#replace(page.entries);
    });
  }

  toNewest(): void {
    this.#course += 1;
    this.#moving = null;
    if (this.hasNewer) this.#replace(this.#thread.entries.slice(-MAX_SHOWN));
    this.changes.announce();
  }

  /** One step at a time; a jump overtakes a step. `load` answers what to do when it was not overtaken. */
  async #move(moving: Moving, load: () => Promise<() => void>): Promise<void> {
    if (this.#moving !== null && moving !== 'jump') return;
    this.#course += 1;
    const course = this.#course;
    this.#moving = moving;
    this.changes.announce();
    try {
      const show = await load();
      if (course === this.#course) show();
    } finally {
      if (course === this.#course) {
        this.#moving = null;
        this.changes.announce();
      }
    }
  }

  #replace(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#entries = entries.slice(-MAX_SHOWN);
    this.#isAtStart = reachesStart(this.#entries);
  }

  /** Shows these, letting go at one end what is too much. */
  #show(entries: readonly Entry[], letGo: 'top' | 'bottom'): void {
    this.#entries = letGo === 'top' ? entries.slice(-MAX_SHOWN) : entries.slice(0, MAX_SHOWN);
    if (reachesStart(this.#entries)) this.#isAtStart = true;
    else if (letGo === 'top' && entries.length > MAX_SHOWN) this.#isAtStart = false;
  }

  #withdraw(target: number, how: 'recalled' | 'removed'): void {
    this.#entries = this.#entries.map((entry) =>
      entry.sequence === target && entry.kind === 'message.sent' && entry.content.type !== 'withdrawn'
        ? { ...entry, content: { type: 'withdrawn', how } }
        : entry,
    );
  }

  #held(sequence: number): Entry | undefined {
    const { entries } = this.#thread;
    // Held entries are a gapless run, so the number is the place.
    return entries[sequence - (entries[0]?.sequence ?? 0)];
  }

  #heldRun(wanted: (entry: Entry) => boolean): readonly Entry[] {
    return this.#thread.entries.filter(wanted);
  }

  get #first(): number {
    return this.#entries[0]?.sequence ?? 0;
  }

  get #last(): number {
    return this.#entries.at(-1)?.sequence ?? 0;
  }

  get #newest(): number {
    return this.#thread.entries.at(-1)?.sequence ?? 0;
  }
}

/** The first entry of every thread has the number 1. */
const reachesStart = (entries: readonly Entry[]): boolean => (entries[0]?.sequence ?? 1) <= 1;
