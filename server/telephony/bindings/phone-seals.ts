import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import type { ConsultationId, PersonId, PhoneBindingId } from '@teleconsult/protocol';
import { openColumn, sealColumn } from '../../vault/column.ts';
import type { ConsultationKey } from '../../vault/consultation-key.ts';
import type { Vault } from '../../vault/vault.ts';
import { isPhoneNumber, type PhoneNumber } from '../numbers.ts';
import type { RelayParty } from '../ports.ts';
import type { PhoneKeyStore } from './store.ts';

const SECRET_BYTES = 32;
const PLACE = { purpose: 'phone-key' };

export type PairNumbers = Readonly<Record<RelayParty, PhoneNumber>>;

/**
 * Seals and hashes telephone numbers. All numbers there are can be hashed in minutes, so the hash is keyed; its key lies in
 * the database as a record of the vault, and is sealed anew with the vault's key like every other.
 */
export class PhoneSeals {
  readonly #hashing: KeyObject;
  readonly #sealing: KeyObject;

  /** Reads the key, or makes it. Two servers that do so at once agree on one. */
  static async open(
    store: PhoneKeyStore,
    vault: Pick<Vault, 'sealRecord' | 'openRecord'>,
  ): Promise<PhoneSeals> {
    let sealed = await store.loadKey();
    if (sealed === null) {
      const fresh = randomBytes(SECRET_BYTES);
      sealed = await store.keepKey(await vault.sealRecord(fresh, PLACE));
      fresh.fill(0);
    }
    const secret = await vault.openRecord(sealed, PLACE);
    try {
      return new PhoneSeals(secret);
    } finally {
      secret.fill(0);
    }
  }

  private constructor(secret: Uint8Array) {
    this.#hashing = createSecretKey(derive(secret, 'hash'));
    this.#sealing = createSecretKey(derive(secret, 'seal'));
  }

  /** Finds who calls. */
  hashOf(number: PhoneNumber): string {
    return this.#hash('person', number);
  }

  /** Finds what was called. It is another hash than a person's of the same number. */
  relayHashOf(x: PhoneNumber): string {
    return this.#hash('relay', x);
  }

  /** The same whoever of the two is a. */
  pairHashOf({ a, b }: PairNumbers): string {
    return this.#hash('pair', [this.hashOf(a), this.hashOf(b)].toSorted().join('|'));
  }

  sealPersonNumber(personId: PersonId, number: PhoneNumber): Uint8Array {
    return sealColumn(this.#sealing, number, `phone number|${personId}`);
  }

  /** @throws AppError INTEGRITY */
  openPersonNumber(personId: PersonId, sealed: Uint8Array): PhoneNumber {
    return toNumber(openColumn(this.#sealing, sealed, `phone number|${personId}`).toString('utf8'));
  }

  sealRelay(x: PhoneNumber): Uint8Array {
    return sealColumn(this.#sealing, x, `phone relay|${this.relayHashOf(x)}`);
  }

  /** @throws AppError INTEGRITY */
  openRelay(xHash: string, sealed: Uint8Array): PhoneNumber {
    return toNumber(openColumn(this.#sealing, sealed, `phone relay|${xHash}`).toString('utf8'));
  }

  #hash(what: string, text: string): string {
    return createHmac('sha256', this.#hashing).update(`${what}\0${text}`).digest('base64url');
  }
}

/** The numbers of a binding belong to its consultation, and go with its key. */
export const sealPair = (
  key: ConsultationKey,
  bindingId: PhoneBindingId,
  { a, b }: PairNumbers,
): Uint8Array => key.seal(JSON.stringify([a, b]), pairPlace(bindingId));

/** @throws AppError INTEGRITY */
export function openPair(
  key: ConsultationKey,
  { bindingId, sealed }: { readonly bindingId: PhoneBindingId; readonly sealed: Uint8Array },
): PairNumbers {
  const [a, b] = JSON.parse(key.open(sealed, pairPlace(bindingId)).toString('utf8')) as readonly string[];
  return { a: toNumber(a ?? ''), b: toNumber(b ?? '') };
}

export type PairOf = (binding: {
  readonly bindingId: PhoneBindingId;
  readonly consultationId: ConsultationId;
  readonly sealed: Uint8Array;
}) => Promise<PairNumbers>;

const pairPlace = (bindingId: PhoneBindingId): string => `phone binding|${bindingId}`;

function toNumber(text: string): PhoneNumber {
  if (!isPhoneNumber(text)) throw new TypeError('What was sealed is no number.');
  return text;
}

/** RFC 5869. The secret is uniformly random, so no salt is needed. */
const derive = (secret: Uint8Array, use: 'hash' | 'seal'): Uint8Array =>
  new Uint8Array(hkdfSync('sha512', secret, Buffer.alloc(0), `teleconsult phone ${use} 1`, 32));
