import type { Readable } from 'node:stream';
import type { ConsultationId } from '@teleconsult/protocol';
import type { RandomAccessSource } from '../storage/objects/object-store.ts';
import { type ConsultationKey, createConsultationKey, openConsultationKey } from './consultation-key.ts';
import { flatten, type ObjectContext } from './encryption-context.ts';
import type { KeyProvider } from './key-provider.ts';
import { sealStream } from './seal-stream.ts';
import { MAX_FRAME_LENGTH } from './sealed-header.ts';
import { openSealedObject, type SealedObject } from './sealed-object.ts';
import { openRecord, type RecordContext, sealRecord } from './sealed-record.ts';

/**
 * Bytes of plaintext in a frame of a finished object. Larger frames are sealed faster; a reader fetches and checks
 * whole frames. A live recording needs small ones, since a frame is written when it is full.
 */
export const DEFAULT_FRAME_LENGTH = 64 * 1024;

export interface SealOptions {
  readonly context: ObjectContext;
  /**
   * Wraps the object's data key: destroying the consultation's key then destroys the object, and rotating the
   * provider's key need not touch it. Without one the provider's current key wraps it.
   */
  readonly key?: ConsultationKey | undefined;
  /** Bytes of plaintext in a frame; 64 KiB unless told. */
  readonly frameLength?: number | undefined;
}

export interface OpenSealedOptions {
  /** What the object must have been sealed as. */
  readonly context: ObjectContext;
  /** The consultation's key, exactly if it was sealed with one. */
  readonly key?: ConsultationKey | undefined;
}

/** Everything that is kept is sealed here. Has no state but the key provider; there is nothing to close. */
export class Vault {
  readonly #keys: KeyProvider;

  constructor(keys: KeyProvider) {
    this.#keys = keys;
  }

  /**
   * Seals a stream, with a fresh data key. The result is to be stored whole; what is cut does not open.
   * An error of the plaintext destroys the result with the same error.
   */
  seal(plaintext: AsyncIterable<Uint8Array>, options: SealOptions): Readable {
    const { context, key, frameLength = DEFAULT_FRAME_LENGTH } = options;
    if (!Number.isInteger(frameLength) || frameLength < 1 || frameLength > MAX_FRAME_LENGTH)
      throw new RangeError('The frame length is out of bounds.');
    return sealStream(plaintext, {
      keyring: keyringOf(context, key) ?? this.#keys.wrapping,
      encryptionContext: flatten(context),
      frameLength,
    });
  }

  /**
   * Opens a sealed object for reading anywhere in it. The source stays the caller's to close.
   * @throws AppError INTEGRITY when it was changed, cut, lengthened, or is another object
   */
  open(source: RandomAccessSource, options: OpenSealedOptions): Promise<SealedObject> {
    const { context, key } = options;
    return openSealedObject(source, {
      keyring: keyringOf(context, key) ?? this.#keys.unwrapping,
      encryptionContext: flatten(context),
    });
  }

  /** Makes the key of a new consultation. `wrapped` is to be stored; destroying it destroys what it sealed. */
  createConsultationKey(
    consultationId: ConsultationId,
  ): Promise<{ wrapped: Uint8Array; key: ConsultationKey }> {
    return createConsultationKey(this.#keys, consultationId);
  }

  /** @throws AppError INTEGRITY when it is not this consultation's key */
  openConsultationKey(consultationId: ConsultationId, wrapped: Uint8Array): Promise<ConsultationKey> {
    return openConsultationKey(this.#keys, consultationId, wrapped);
  }

  /** Seals a small record that belongs to no consultation, such as one of a person. */
  sealRecord(plaintext: Uint8Array, context: RecordContext): Promise<Uint8Array> {
    return sealRecord(this.#keys.wrapping, plaintext, context);
  }

  /** @throws AppError INTEGRITY when it was changed, or is another record */
  openRecord(sealed: Uint8Array, context: RecordContext): Promise<Buffer> {
    return openRecord(this.#keys.unwrapping, sealed, context);
  }
}

function keyringOf(context: ObjectContext, key: ConsultationKey | undefined) {
  if (key !== undefined && key.consultationId !== context.consultation)
    throw new TypeError('The key is that of another consultation.');
  return key?.objectKeyring;
}
