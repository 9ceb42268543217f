import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { KeyringNode } from '@aws-crypto/client-node';
import { AppError, type ConsultationId } from '@teleconsult/protocol';
import { memorySource } from '../storage/objects/memory-source.ts';
import { openColumn, sealColumn } from './column.ts';
import { aesKeyring } from './encryption-sdk.ts';
import type { KeyProvider } from './key-provider.ts';
import { sealStream } from './seal-stream.ts';
import { openSealedObject } from './sealed-object.ts';

const SECRET_BYTES = 32;

/** The namespace under which headers of objects name the consultation key that wraps theirs. */
const OBJECT_NAMESPACE = 'teleconsult.consultation';

/**
 * The secret of one consultation, in two uses that cannot be exchanged: database fields are sealed with it, and
 * the data keys of objects are wrapped with it. Where its wrapped form is gone, all of that is gone.
 */
export class ConsultationKey {
  readonly consultationId: ConsultationId;
  /** Wraps the data keys of this consultation's objects. For the vault. */
  readonly objectKeyring: KeyringNode;
  readonly #columns: KeyObject;

  /** @param secret 32 random bytes; the caller overwrites them afterwards */
  constructor(consultationId: ConsultationId, secret: Uint8Array) {
    this.consultationId = consultationId;
    this.#columns = createSecretKey(derive(secret, 'columns'));
    this.objectKeyring = aesKeyring(OBJECT_NAMESPACE, consultationId, derive(secret, 'objects'));
  }

  /**
   * Seals a database field.
   * @param place which field of which row it is, such as `message|17`: needed again to open it. The consultation
   * is part of it anyway. Two fields must not share a place, or one could be put where the other was.
   */
  seal(plaintext: string | Uint8Array, place: string): Uint8Array {
    return sealColumn(this.#columns, plaintext, this.#within(place));
  }

  /** @throws AppError INTEGRITY when it is not what was sealed for this place */
  open(sealed: Uint8Array, place: string): Buffer {
    return openColumn(this.#columns, sealed, this.#within(place));
  }

  #within(place: string): string {
    return place === '' ? '' : `${this.consultationId}|${place}`;
  }
}

/** Makes a consultation's key, and the form of it that is stored. */
export async function createConsultationKey(
  provider: KeyProvider,
  consultationId: ConsultationId,
): Promise<{ wrapped: Uint8Array; key: ConsultationKey }> {
  const secret = randomBytes(SECRET_BYTES);
  try {
    const sealed = sealStream(Readable.from([secret]), {
      keyring: provider.wrapping,
      encryptionContext: wrappingContext(consultationId),
      frameLength: 2 * SECRET_BYTES,
    });
    const wrapped = Uint8Array.from(await buffer(sealed));
    return { wrapped, key: new ConsultationKey(consultationId, secret) };
  } finally {
    secret.fill(0);
  }
}

/** What is stored in the place of a wrapped key that was destroyed: nothing opens the consultation again. */
export const ERASED_KEY = new Uint8Array(0);

/**
 * @throws AppError INTEGRITY when it is not this consultation's key, or no known key unwraps it; NOT_FOUND when it was
 * erased; STORAGE_UNAVAILABLE when the key service cannot be asked just now
 */
export async function openConsultationKey(
  provider: KeyProvider,
  consultationId: ConsultationId,
  wrapped: Uint8Array,
): Promise<ConsultationKey> {
  if (wrapped.byteLength === ERASED_KEY.byteLength) throw new AppError('NOT_FOUND');
  try {
    const secret = await unwrapSecret(provider, consultationId, wrapped);
    try {
      return new ConsultationKey(consultationId, secret);
    } finally {
      secret.fill(0);
    }
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('INTEGRITY', { cause: error });
  }
}

async function unwrapSecret(
  provider: KeyProvider,
  consultationId: ConsultationId,
  wrapped: Uint8Array,
): Promise<Buffer> {
  const object = await openSealedObject(memorySource(wrapped), {
    keyring: provider.unwrapping,
    encryptionContext: wrappingContext(consultationId),
  });
  if (object.byteSize !== SECRET_BYTES) throw new Error('The key has an odd length.');
  return buffer(object.read());
}

const wrappingContext = (consultation: ConsultationId) => ({ consultation, purpose: 'consultation-key' });

/** RFC 5869. The secret is uniformly random, so no salt is needed. */
const derive = (secret: Uint8Array, use: 'columns' | 'objects'): Uint8Array =>
  new Uint8Array(hkdfSync('sha512', secret, Buffer.alloc(0), `teleconsult ${use} 1`, 32));
