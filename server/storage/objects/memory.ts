import { AppError } from '@teleconsult/protocol';
import { memorySource } from './memory-source.ts';
import { parseObjectKey, parseObjectKeyPrefix } from './object-key.ts';
import type { ObjectStore, PutOptions, RandomAccessSource } from './object-store.ts';
import { untilAborted } from './until-aborted.ts';

/** What the next call can be told to fail with. */
export type MemoryStoreFailure = 'full' | 'unavailable';

const failures = {
  full: 'STORAGE_FULL',
  unavailable: 'STORAGE_UNAVAILABLE',
} as const satisfies Record<MemoryStoreFailure, string>;

/** Objects in memory, gone with the process: for tests and for trying things out. */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, Buffer>();
  #next: MemoryStoreFailure | null = null;

  /** Makes the next call fail: a put after it has read its bytes, every other one at once. */
  nextCall(failure: MemoryStoreFailure): void {
    this.#next = failure;
  }

  async put(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    { signal }: PutOptions = {},
  ): Promise<{ byteSize: number }> {
    parseObjectKey(key);
    const whole = await collect(bytes, signal);
    this.#failIfTold();
    this.#objects.set(key, whole);
    return { byteSize: whole.byteLength };
  }

  async open(key: string): Promise<RandomAccessSource> {
    parseObjectKey(key);
    this.#failIfTold();
    const object = this.#objects.get(key);
    if (object === undefined) throw new AppError('NOT_FOUND');
    return memorySource(object);
  }

  async head(key: string): Promise<{ byteSize: number } | null> {
    parseObjectKey(key);
    this.#failIfTold();
    const object = this.#objects.get(key);
    return object === undefined ? null : { byteSize: object.byteLength };
  }

  async delete(key: string): Promise<void> {
    parseObjectKey(key);
    this.#failIfTold();
    this.#objects.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<string> {
    parseObjectKeyPrefix(prefix);
    this.#failIfTold();
    for (const key of this.#objects.keys()) if (key.startsWith(prefix)) yield key;
  }

  #failIfTold(): void {
    const failure = this.#next;
    this.#next = null;
    if (failure !== null) throw new AppError(failures[failure]);
  }
}

async function collect(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of untilAborted(bytes, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
