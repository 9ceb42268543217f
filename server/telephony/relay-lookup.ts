/** What an adapter asks of the store of record to turn a report into an event. Keyed hashes are behind it. */
import type { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { PhoneNumber } from './numbers.ts';
import type { PhoneLanguage, RelayParty } from './ports.ts';

/** A call the store knows; ended ones as long as reports of it may come. */
export interface KnownPhoneCall {
  readonly bindingId: PhoneBindingId;
  readonly phoneCallId: PhoneCallId | null;
  readonly caller: RelayParty;
  readonly language: PhoneLanguage;
  /** When it was decided or first reported, milliseconds since 1970. */
  readonly since: number;
  readonly ended: boolean;
}

/** Each may reject: the report is then refused and told again. */
export interface RelayLookup {
  /**
   * The binding a report is of: the one whose `BoundRelay.ref` is `ref`, and, where the report brings back our own id
   * (`ours`), only if both mean the same one. Unbound ones as long as reports may come; null: none of ours.
   */
  bindingOf(provider: string, ref: string, ours: PhoneBindingId | null): Promise<PhoneBindingId | null>;
  /** Which side of a binding a number is now; null: neither. */
  partyOf(bindingId: PhoneBindingId, number: PhoneNumber): Promise<RelayParty | null>;
  callOf(provider: string, callRef: string): Promise<KnownPhoneCall | null>;
}
