import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { KeyringNode } from '@aws-crypto/client-node';
import { AppError } from '@teleconsult/protocol';
import { memorySource } from '../storage/objects/memory-source.ts';
import { sealStream } from './seal-stream.ts';
import { openSealedObject } from './sealed-object.ts';

/** Larger than any record; one frame then holds it whole. */
const FRAME_LENGTH = 16 * 1024;

/**
 * What a record that belongs to no consultation is: its purpose, and the names of the row it lies in. All of it is
 * authenticated and must be given again to open it, so no row can stand in for another. It has no `consultation`, so
 * no record passes for anything of one either.
 */
export interface RecordContext {
  readonly purpose: string;
  readonly [name: string]: string;
}

/** Seals a small record under the provider's key. Takes some 350 bytes and 0.6 ms: for what is rarely written. */
export async function sealRecord(
  keyring: KeyringNode,
  plaintext: Uint8Array,
  context: RecordContext,
): Promise<Uint8Array> {
  if (plaintext.byteLength >= FRAME_LENGTH) throw new RangeError('The record is too large.');
  const sealed = sealStream(Readable.from([plaintext]), {
    keyring,
    encryptionContext: checked(context),
    frameLength: FRAME_LENGTH,
  });
  return Uint8Array.from(await buffer(sealed));
}

/** @throws AppError INTEGRITY when it was changed, or is another record */
export async function openRecord(
  keyring: KeyringNode,
  sealed: Uint8Array,
  context: RecordContext,
): Promise<Buffer> {
  try {
    const object = await openSealedObject(memorySource(sealed), {
      keyring,
      encryptionContext: checked(context),
    });
    return await buffer(object.read());
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('INTEGRITY', { cause: error });
  }
}

function checked(context: RecordContext): Record<string, string> {
  for (const [name, value] of Object.entries(context))
    if (value === '' || name === 'consultation') throw new TypeError(`A record cannot have this ${name}.`);
  return { ...context };
}
