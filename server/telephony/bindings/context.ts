import type { PhoneRecordingMode } from '@teleconsult/protocol';
import type { Clock, Log } from '../../host/ports.ts';
import type { PhoneNumber } from '../numbers.ts';
import { RelayError, type RelayProvider } from '../ports.ts';
import { openPair, type PairNumbers, type PhoneSeals } from './phone-seals.ts';
import type { PhoneHost, PhoneIds, PhoneRecordings } from './ports.ts';
import type { PhoneSettings } from './settings.ts';
import type { PhoneStore, StoredBinding } from './store.ts';

/** What all parts of the bindings stand on. */
export interface PhoneContext {
  readonly store: PhoneStore;
  readonly host: PhoneHost;
  readonly seals: PhoneSeals;
  /** The first one is asked for new bindings; the others still have some. */
  readonly providers: readonly RelayProvider[];
  readonly recordings: PhoneRecordings | null;
  /** Whether what is asked for may be recorded, as the operator says it. */
  readonly recording: PhoneRecordingMode;
  readonly settings: PhoneSettings;
  readonly ids: PhoneIds;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws RelayError unavailable when the server was started without it */
export function providerOf({ providers }: Pick<PhoneContext, 'providers'>, name: string): RelayProvider {
  const provider = providers.find((one) => one.name === name);
  if (provider === undefined) throw new RelayError('unavailable', { detail: 'not configured' });
  return provider;
}

/** The numbers behind a binding. @throws AppError NOT_FOUND, INTEGRITY */
export async function numbersOf(
  { host }: Pick<PhoneContext, 'host'>,
  binding: StoredBinding,
): Promise<PairNumbers> {
  const { key } = await host.sealing(binding.consultationId);
  return openPair(key, binding);
}

/** The relay number of a binding; null while the provider has not chosen one. */
export async function relayOf(
  { store, seals }: Pick<PhoneContext, 'store' | 'seals'>,
  { xHash }: Pick<StoredBinding, 'xHash'>,
): Promise<PhoneNumber | null> {
  const relay = xHash === null ? null : await store.numbers.relay(xHash);
  return relay === null ? null : seals.openRelay(relay.xHash, relay.sealed);
}
