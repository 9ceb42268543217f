import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import type { Next } from '../consultation/outcome.ts';
import type { Timings } from '../consultation/state.ts';
import { indexOf } from './actor.ts';
import type { Stepped } from './batch.ts';
import { EntryCodec } from './entry-codec.ts';
import type { Clock, ConsultationKeys, ConsultationStore, CreateResult, IdGenerator, Log } from './ports.ts';

export interface OpeningsParts {
  readonly store: Pick<ConsultationStore, 'create'>;
  readonly keys: ConsultationKeys;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly log: Log;
}

/** A consultation that is to be made. */
export interface Beginning {
  readonly begin: (id: ConsultationId, now: number) => Next;
  /** Makes it once for a key, to be compared with `asked`. */
  readonly once?: { readonly idempotencyKey: string; readonly asked: object } | undefined;
  /** The doctor whose health channel it is: it is in nobody's list. */
  readonly channelOf?: PersonId;
}

/** It was written, and this is what became true; or it was there already, and nothing was. */
export type Opened =
  | { readonly kind: 'created'; readonly change: Stepped }
  | Extract<CreateResult, { readonly kind: 'exists' }>;

/** Makes consultations: a key, a state, the first entries, sealed and written as one. */
export class Openings {
  readonly #parts: OpeningsParts;

  constructor(parts: OpeningsParts) {
    this.#parts = parts;
  }

  async open({ begin, once, channelOf }: Beginning): Promise<Opened> {
    const { store, keys, ids, clock, timings, log } = this.#parts;
    const id = ids.consultationId();
    const now = clock();
    const { wrapped, key } = await keys.createConsultationKey(id);
    const codec = new EntryCodec(id, key);
    const { state, facts } = begin(id, now);
    const sealed = facts.map((fact, index) => codec.seal(fact, index + 1, now));
    const listed = channelOf === undefined ? state.participants : [];
    const result = await store.create({
      consultationId: id,
      createdAt: now,
      wrappedKey: wrapped,
      sealedState: codec.sealState(state),
      index: indexOf(state, timings),
      participants: listed.map(({ personId, role }) => ({ personId, role })),
      channelOf: channelOf ?? null,
      idempotencyKey: once?.idempotencyKey ?? null,
      sealedRequest: once === undefined ? null : codec.sealRequest(once.asked),
      entries: sealed.map(({ stored }) => stored),
    });
    if (result.kind === 'exists') return result;
    log.info('consultation.created', { consultation: id });
    const entries = sealed.map(({ entry }) => entry);
    return {
      kind: 'created',
      change: { before: { ...state, sequence: 0 }, after: state, entries, effects: [] },
    };
  }
}
