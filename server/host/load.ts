import { AppError, type ConsultationId } from '@teleconsult/protocol';
import type { ConsultationState } from '../consultation/state.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { EntryCodec } from './entry-codec.ts';
import type { ConsultationKeys, ConsultationStore } from './ports.ts';

export interface Loaded {
  readonly key: ConsultationKey;
  readonly codec: EntryCodec;
  readonly state: ConsultationState;
  readonly lastAt: number;
}

/** Reads a consultation from the store and opens its state. Throws `NOT_FOUND` when there is none. */
export async function loadState(
  id: ConsultationId,
  store: ConsultationStore,
  keys: ConsultationKeys,
): Promise<Loaded> {
  const stored = await store.load(id);
  if (stored === null) throw new AppError('NOT_FOUND');
  const key = await keys.openConsultationKey(id, stored.wrappedKey);
  const codec = new EntryCodec(id, key);
  const { createdAt, lastSequence: sequence, lastAt } = stored;
  return { key, codec, lastAt, state: { ...codec.openState(stored.sealedState), id, createdAt, sequence } };
}
