import type { Entry, MessageContent } from '@teleconsult/protocol';
import type { Attributed } from '../consultation/outcome.ts';
import type { ConsultationState } from '../consultation/state.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { StoredEntry } from './ports.ts';

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

  open(stored: StoredEntry): Entry {
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

/** Whether two contents are the same message, whatever order their fields were written in. */
export function sameContent(a: MessageContent, b: MessageContent): boolean {
  return canonical(a) === canonical(b);
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
