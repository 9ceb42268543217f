import type { ConsultationId, Entry, ThreadMarks, Unread } from '@teleconsult/protocol';
import type { Lifetime } from './lifetime.ts';
import { persist, type Signalling } from './requests.ts';

export interface ThreadMarkKeeperOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly life: Lifetime;
  readonly onMarks: () => void;
  readonly onUnread: (unread: Unread) => void;
}

interface Position {
  readonly delivered: number;
  readonly read: number;
}

/** Marks that follow each other this closely become one request, in milliseconds. */
const GATHER_MS = 300;

/**
 * How far everybody has received and read one thread. This person's own marks are gathered, sent, and sent again after
 * a lost connection, until the server has them; they only rise.
 */
export class ThreadMarkKeeper {
  readonly #options: ThreadMarkKeeperOptions;
  #marks: readonly ThreadMarks[] = [];
  #unread: Unread;
  #wanted: Position = { delivered: 0, read: 0 };
  /** What the server is known to have of this person. */
  #confirmed: Position = { delivered: 0, read: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;

  constructor(options: ThreadMarkKeeperOptions) {
    this.#options = options;
    this.#unread = { consultationId: options.consultationId, unread: 0, read: 0 };
    options.life.onEnd(() => clearTimeout(this.#timer));
  }

  get marks(): readonly ThreadMarks[] {
    return this.#marks;
  }

  get unread(): Unread {
    return this.#unread;
  }

  handleSnapshot(marks: readonly ThreadMarks[], unread: Unread): void {
    // People may have left meanwhile.
    this.#setMarks(marks.map((mark) => this.#merged(mark)));
    this.handleUnread(unread);
  }

  handleMarks(told: ThreadMarks): void {
    const mark = this.#merged(told);
    const others = this.#marks.filter(({ personId }) => personId !== mark.personId);
    const isNew = others.length === this.#marks.length;
    this.#setMarks(
      isNew ? [...others, mark] : this.#marks.map((one) => (one.personId === mark.personId ? mark : one)),
    );
  }

  handleUnread(told: Unread): void {
    const { unread, read } = told;
    const isOlder = read < this.#unread.read;
    if (isOlder || (unread === this.#unread.unread && read === this.#unread.read)) return;
    this.#unread = { consultationId: this.#options.consultationId, unread, read };
    this.#confirm({ delivered: 0, read });
    this.#options.onUnread(this.#unread);
  }

  /** Entries are held: what others sent has been received. */
  handleEntries(added: readonly Entry[]): void {
    const { personId } = this.#options.signalling;
    const received = added.findLast(({ kind, by }) => kind === 'message.sent' && by !== personId);
    if (received !== undefined) this.#want({ delivered: received.sequence, read: 0 });
  }

  read(sequence: number): void {
    this.#want({ delivered: sequence, read: sequence });
  }

  /** Sends at once what is still gathered, once. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const due = this.#due();
    if (due === null) return;
    const { signalling, consultationId } = this.#options;
    await signalling.request('thread.mark', { consultationId, ...due });
  }

  #want(position: Position): void {
    this.#wanted = higher(this.#wanted, position);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sending) return;
    if (this.#due() === null || this.#options.life.over) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, GATHER_MS);
  }

  async #send(): Promise<void> {
    const { signalling, consultationId, life } = this.#options;
    this.#sending = true;
    let sent = this.#wanted;
    try {
      const unread = await persist({ signalling, life }, () => {
        sent = this.#wanted;
        return signalling.request('thread.mark', { consultationId, ...this.#due() });
      });
      this.handleUnread(unread);
    } catch {
      // Refused: asking again would not help. A later mark says this one as well.
    } finally {
      this.#confirm(sent);
      this.#sending = false;
      this.#schedule();
    }
  }

  /** What the server does not have yet. */
  #due(): { delivered?: number; read?: number } | null {
    const { delivered, read } = this.#wanted;
    const due = {
      ...(delivered > this.#confirmed.delivered ? { delivered } : {}),
      ...(read > this.#confirmed.read ? { read } : {}),
    };
    return Object.keys(due).length === 0 ? null : due;
  }

  #confirm(position: Position): void {
    this.#confirmed = higher(this.#confirmed, position);
  }

  /** Marks only rise; what somebody has read is hidden (null) or shown again by their own choice. */
  #merged(told: ThreadMarks): ThreadMarks {
    const { personId } = told;
    if (personId === this.#options.signalling.personId) {
      this.#confirm({ delivered: told.delivered, read: told.read ?? 0 });
    }
    const before = this.#marks.find((mark) => mark.personId === personId);
    const delivered = Math.max(told.delivered, before?.delivered ?? 0);
    const read = told.read === null ? null : Math.max(told.read, before?.read ?? 0);
    return { personId, delivered, read };
  }

  #setMarks(marks: readonly ThreadMarks[]): void {
    const before = JSON.stringify(this.#marks);
    this.#marks = marks;
    if (JSON.stringify(marks) !== before) this.#options.onMarks();
  }
}

function higher(a: Position, b: Position): Position {
  return { delivered: Math.max(a.delivered, b.delivered), read: Math.max(a.read, b.read) };
}
