import type { Entry, MessageEntry } from '@teleconsult/protocol';
import type { Attributed } from '../consultation/outcome.ts';
import type { ConsultationState } from '../consultation/state.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { ReadEntry, StoredEntry } from './ports.ts';

type StateBody = Omit<ConsultationState, 'id' | 'createdAt' | 'sequence'>;

/** Binds a sealed entry to its place, author and moment: moved or edited, it does not open. The key adds the consultation. */
const entryAad = (entry: Omit<StoredEntry, 'sealed'>): string =>
  ['entry', entry.sequence, entry.kind, entry.at, entry.by ?? '', entry.clientMessageId ?? ''].join('|');

/** Turns entries and states into what the store holds and back, with the key of one consultation. */
export class EntryCodec {
  readonly #consultationId: ConsultationState['id'];
  readonly #key: ConsultationKey;

  constructor(consultationId: ConsultationState['id'], key: ConsultationKey) {
    this.#consultationId = consultationId;
    this.#key = key;
  }

  seal({ fact, by }: Attributed, sequence: number, at: number): { entry: Entry; stored: StoredEntry } {
    const { kind, ...body } = fact;
    const clientMessageId = fact.kind === 'message.sent' ? fact.clientMessageId : null;
    const place = { sequence, at, by, kind, clientMessageId };
    const sealed = this.#key.seal(JSON.stringify(body), entryAad(place));
    // The draft's kind decides its body; TypeScript cannot follow that through the spread.
    const entry = { consultationId: this.#consultationId, sequence, at, by, kind, ...body } as Entry;
    return { entry, stored: { ...place, sealed } };
  }

  /** The entry as people read it: of a withdrawn message they read that it was withdrawn. */
  open(stored: ReadEntry): Entry {
    const entry = this.openOriginal(stored);
    if (entry.kind !== 'message.sent' || stored.withdrawn === null) return entry;
    return { ...entry, content: { type: 'withdrawn', how: stored.withdrawn } };
  }

  /** The entry as it was sealed, also when it was withdrawn since: to compare with and to look into, never to serve. */
  openOriginal(stored: StoredEntry): Entry {
    const { sequence, at, by, kind } = stored;
    const body: object = this.#parse(stored.sealed, entryAad(stored));
    return { consultationId: this.#consultationId, sequence, at, by, kind, ...body } as Entry;
  }

  sealState({ id: _id, createdAt: _createdAt, sequence: _sequence, ...body }: ConsultationState): Uint8Array {
    return this.#key.seal(JSON.stringify(body), 'state');
  }

  openState(sealed: Uint8Array): StateBody {
    return this.#parse(sealed, 'state') as StateBody;
  }

  /** What a consultation was created from, so that a repetition can be told from another wish. */
  sealRequest(request: object): Uint8Array {
    return this.#key.seal(canonical(request), 'request');
  }

  isRequest(sealed: Uint8Array, request: object): boolean {
    return this.#key.open(sealed, 'request').toString('utf8') === canonical(request);
  }

  sealAttachment(attachmentId: string, body: object): Uint8Array {
    return this.#key.seal(JSON.stringify(body), `attachment|${attachmentId}`);
  }

  openAttachment(attachmentId: string, sealed: Uint8Array): object {
    return this.#parse(sealed, `attachment|${attachmentId}`);
  }

  #parse(sealed: Uint8Array, place: string): object {
    return JSON.parse(this.#key.open(sealed, place).toString('utf8'));
  }
}

type Said = Pick<MessageEntry, 'content'> & { readonly replyTo?: number | undefined };

/** Whether two messages say the same, whatever order their fields were written in. */
export function sameMessage(a: Said, b: Said): boolean {
  return a.replyTo === b.replyTo && canonical(a.content) === canonical(b.content);
}

/** JSON in which the order of fields does not matter and what is undefined is not there. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
