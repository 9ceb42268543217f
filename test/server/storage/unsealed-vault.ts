/** Sabotage: a vault that keeps everything as it comes. For proving that a check would notice. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ConsultationId } from '@teleconsult/protocol';
import type { RandomAccessSource } from '@teleconsult/server/storage/objects/object-store';
import { ConsultationKey } from '@teleconsult/server/vault/consultation-key';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import type { ByteRange, SealedObject } from '@teleconsult/server/vault/sealed-object';
import { type SealOptions, Vault } from '@teleconsult/server/vault/vault';

/** What is left open: what people upload, what is written to the database, or both. */
export type Unsealed = 'objects' | 'fields' | 'everything';

export async function openUnsealedVault(dataDir: string, unsealed: Unsealed): Promise<Vault> {
  const path = join(dataDir, 'keys', 'k.json');
  return new UnsealedVault(await openLocalKeyFile({ path, mayCreate: true, now: 0 }), unsealed);
}

class UnsealedVault extends Vault {
  readonly #unsealed: Unsealed;

  constructor(keys: ConstructorParameters<typeof Vault>[0], unsealed: Unsealed) {
    super(keys);
    this.#unsealed = unsealed;
  }

  override seal(plaintext: AsyncIterable<Uint8Array>, options: SealOptions): Readable {
    return this.#unsealed === 'fields' ? super.seal(plaintext, options) : Readable.from(plaintext);
  }

  override async open(
    source: RandomAccessSource,
    options: Parameters<Vault['open']>[1],
  ): Promise<SealedObject> {
    return this.#unsealed === 'fields' ? super.open(source, options) : new UnsealedObject(source);
  }

  override async createConsultationKey(id: ConsultationId) {
    if (this.#unsealed === 'objects') return super.createConsultationKey(id);
    return { wrapped: new Uint8Array(32), key: new UnsealedKey(id, new Uint8Array(32)) };
  }

  override async openConsultationKey(id: ConsultationId, wrapped: Uint8Array): Promise<ConsultationKey> {
    if (this.#unsealed === 'objects') return super.openConsultationKey(id, wrapped);
    return new UnsealedKey(id, wrapped);
  }
}

class UnsealedKey extends ConsultationKey {
  override seal(plaintext: string | Uint8Array): Uint8Array {
    return Buffer.from(plaintext);
  }

  override open(sealed: Uint8Array): Buffer {
    return Buffer.from(sealed);
  }
}

class UnsealedObject implements SealedObject {
  readonly #source: RandomAccessSource;

  constructor(source: RandomAccessSource) {
    this.#source = source;
  }

  get byteSize(): number {
    return this.#source.byteSize;
  }

  read({ start, endExclusive }: ByteRange = { start: 0, endExclusive: this.byteSize }): Readable {
    const source = this.#source;
    const bytes = (async function* () {
      yield await source.read(start, endExclusive);
    })();
    return Readable.from(bytes, { objectMode: false });
  }
}
