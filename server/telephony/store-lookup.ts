import { PhoneBindingId } from '@teleconsult/protocol';
import { openPair } from './bindings/phone-seals.ts';
import type { PhoneHost } from './bindings/ports.ts';
import type { PhoneSettings } from './bindings/settings.ts';
import type { PhoneStore } from './bindings/store.ts';
import type { PhoneNumber } from './numbers.ts';
import type { RelayParty } from './ports.ts';
import type { KnownPhoneCall, RelayLookup } from './relay-lookup.ts';

export interface StoreLookupParts {
  readonly store: PhoneStore;
  readonly host: Pick<PhoneHost, 'sealing'>;
  readonly settings: Pick<PhoneSettings, 'language'>;
}

/** What adapters of providers ask, answered from the store of record. */
export class StoreLookup implements RelayLookup {
  readonly #parts: StoreLookupParts;

  constructor(parts: StoreLookupParts) {
    this.#parts = parts;
  }

  /** Where a provider keeps nothing, its name of a binding is ours. */
  async bindingOf(provider: string, ref: string): Promise<PhoneBindingId | null> {
    const parsed = PhoneBindingId.safeParse(ref);
    if (!parsed.success) return null;
    const binding = await this.#parts.store.bindings.binding(parsed.data);
    return binding?.provider === provider ? binding.bindingId : null;
  }

  async partyOf(bindingId: PhoneBindingId, number: PhoneNumber): Promise<RelayParty | null> {
    const { store, host } = this.#parts;
    const binding = await store.bindings.binding(bindingId);
    if (binding === null || binding.state === 'unbound') return null;
    const { key } = await host.sealing(binding.consultationId);
    const { a, b } = openPair(key, binding);
    if (number === a) return 'a';
    return number === b ? 'b' : null;
  }

  async callOf(provider: string, callRef: string): Promise<KnownPhoneCall | null> {
    const { store, settings } = this.#parts;
    const call = await store.calls.callByRef(provider, callRef);
    if (call === null) return null;
    const { bindingId, phoneCallId, caller, startedAt: since, state } = call;
    return { bindingId, phoneCallId, caller, since, language: settings.language, ended: state === 'ended' };
  }
}
