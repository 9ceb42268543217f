import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';

/** The first byte of every sealed field: which layout and cipher the rest has. */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

/** What sealing adds to a field, in bytes. */
export const COLUMN_OVERHEAD = HEADER_BYTES + TAG_BYTES;

/** Asking the system for random bytes costs as much as sealing a short text, so nonces are fetched many at a time. */
const NONCES_AT_ONCE = 512;

/** Names this use of AES-GCM, so that no other use of the same key could ever accept a field. */
const DOMAIN = `teleconsult column ${VERSION}`;

/**
 * Seals one database field with AES-256-GCM: version, random nonce, ciphertext, tag. Synchronous and fast.
 *
 * A random nonce of 96 bits may be used 2^32 times a key (NIST SP 800-38D, 8.3); a key serves one consultation.
 * @param place what the field is (consultation, table row, column): it is not stored, but must be given again to open
 */
export function sealColumn(key: KeyObject, plaintext: string | Uint8Array, place: string): Uint8Array {
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(place));
  const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
  cipher.final();
  const sealed = Buffer.allocUnsafe(COLUMN_OVERHEAD + body.byteLength);
  sealed[0] = VERSION;
  sealed.set(nonce, 1);
  sealed.set(body, HEADER_BYTES);
  sealed.set(cipher.getAuthTag(), HEADER_BYTES + body.byteLength);
  return sealed;
}

/**
 * Opens a field.
 * @throws AppError INTEGRITY when a bit of it was changed, it was sealed with another key, or for another place
 */
export function openColumn(key: KeyObject, sealed: Uint8Array, place: string): Buffer {
  try {
    if (sealed.byteLength < COLUMN_OVERHEAD || sealed[0] !== VERSION) throw new Error('No sealed field.');
    const nonce = sealed.subarray(1, HEADER_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(place));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES));
    decipher.final();
    return plain;
  } catch (error) {
    throw new AppError('INTEGRITY', { cause: error });
  }
}

const nonces = Buffer.alloc(NONCES_AT_ONCE * NONCE_BYTES);
let usedNonceBytes = nonces.byteLength;

/** Twelve random bytes that were never handed out before; valid until the next call. */
function nextNonce(): Buffer {
  if (usedNonceBytes === nonces.byteLength) {
    randomFillSync(nonces);
    usedNonceBytes = 0;
  }
  usedNonceBytes += NONCE_BYTES;
  return nonces.subarray(usedNonceBytes - NONCE_BYTES, usedNonceBytes);
}

function associatedData(place: string): Buffer {
  // An empty place would make every field of a key exchangeable for every other: a mistake of the caller.
  if (place === '') throw new TypeError('A sealed field needs a place.');
  return Buffer.from(`${DOMAIN}\0${place}`, 'utf8');
}
