import { AppError } from '@teleconsult/protocol';
import { describe } from 'vitest';
import { MemoryObjectStore } from '../../server/storage/objects/memory.ts';
import type { ObjectStore, PutOptions } from '../../server/storage/objects/object-store.ts';
import { MoodyObjectStore, openPair } from './object-store.stand-in.ts';
import { objectStoreContract } from './object-store.suite.ts';

/** Fails every other put after it has read all of it. */
class EveryOtherPut extends MemoryObjectStore {
  #puts = 0;

  override async put(key: string, bytes: AsyncIterable<Uint8Array>, options?: PutOptions) {
    this.#puts += 1;
    if (this.#puts % 2 === 0) return await super.put(key, bytes, options);
    await new MemoryObjectStore().put(key, bytes, options);
    throw new AppError('STORAGE_UNAVAILABLE');
  }
}

const moody = (store: ObjectStore, mood: MoodyObjectStore['mood']) =>
  Object.assign(new MoodyObjectStore(store), { mood });

describe('[OBJ41] two stores keep the contract of one', () => {
  objectStoreContract('while the first is well', () => openPair());

  objectStoreContract('while the first is full', () =>
    openPair({ first: moody(new MemoryObjectStore(), 'full') }),
  );

  objectStoreContract('while the first fails every other put', () =>
    openPair({ first: new MoodyObjectStore(new EveryOtherPut()) }),
  );
});
