import { AppError } from '@teleconsult/protocol';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { openSealedJournal } from '../vault/opened-journal.ts';
import type { ByteRange } from '../vault/sealed-object.ts';
import type { Vault } from '../vault/vault.ts';
import { journalContext, journalName, partContext, partKey } from './chunk-names.ts';
import type { JournalFolder } from './journal-folder.ts';
import type { FilePlace, OpenedFile } from './ports.ts';

/** Chunks whose size is asked for at the same time. */
const ABREAST = 8;

export interface ChunkStores {
  readonly folder: JournalFolder;
  readonly objects: ObjectStore;
  readonly vault: Vault;
}

/** A chunk, opened: a journal or a part. */
interface OpenedChunk extends AsyncDisposable {
  readonly byteSize: number;
  /** False for a journal that was cut. */
  readonly whole: boolean;
  read(range: ByteRange): AsyncIterable<Uint8Array>;
}

/**
 * Opens a chunk as what it is. A journal that was closed is taken first, since it needs no store of elsewhere; of one that was
 * cut there may be a part that was made of it when it was longer.
 * @throws AppError NOT_FOUND, INTEGRITY, STORAGE_UNAVAILABLE
 */
export async function openChunk(stores: ChunkStores, place: FilePlace, index: number): Promise<OpenedChunk> {
  const journal = await openJournal(stores, place, index);
  if (journal?.whole) return journal;
  try {
    const part = await openPart(stores, place, index);
    await journal?.[Symbol.asyncDispose]();
    return part;
  } catch (error) {
    if (journal !== null && error instanceof AppError && error.code !== 'INTEGRITY') return journal;
    await journal?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function openJournal(
  { folder }: ChunkStores,
  place: FilePlace,
  index: number,
): Promise<OpenedChunk | null> {
  const source = await unlessMissing(folder.open(journalName(place, index)));
  if (source === null) return null;
  try {
    const context = journalContext(place, index);
    const journal = await openSealedJournal(source, { key: place.key, context });
    const { byteSize, whole } = journal;
    return {
      byteSize,
      whole,
      read: (range) => journal.read(range),
      [Symbol.asyncDispose]: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function openPart(
  { objects, vault }: ChunkStores,
  place: FilePlace,
  index: number,
): Promise<OpenedChunk> {
  const source = await objects.open(partKey(place, index));
  try {
    const part = await vault.open(source, { key: place.key, context: partContext(place, index) });
    return {
      byteSize: part.byteSize,
      whole: true,
      read: (range) => part.read(range) as AsyncIterable<Uint8Array>,
      [Symbol.asyncDispose]: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** A file whose chunks were all looked at once; nothing of it is held open. */
export class OpenedTrackFile implements OpenedFile {
  readonly byteSize: number;
  readonly #stores: ChunkStores;
  readonly #place: FilePlace;
  readonly #sizes: readonly number[];

  private constructor(stores: ChunkStores, place: FilePlace, sizes: readonly number[]) {
    this.#stores = stores;
    this.#place = place;
    this.#sizes = sizes;
    this.byteSize = sum(sizes);
  }

  /** @throws AppError INTEGRITY when the chunks are not those that were told; NOT_FOUND when there are none */
  static async open(
    stores: ChunkStores,
    place: FilePlace,
    { byteSize, parts }: { readonly byteSize: number; readonly parts: number },
  ): Promise<OpenedTrackFile> {
    if (parts === 0) throw new AppError('NOT_FOUND');
    const sizes: number[] = [];
    let wasCut = false;
    for (let first = 0; first < parts; first += ABREAST) {
      const indexes = Array.from({ length: Math.min(ABREAST, parts - first) }, (_, index) => first + index);
      const chunks = await Promise.all(indexes.map((index) => sizeOf(stores, place, index)));
      for (const chunk of chunks) {
        if (chunk === null) throw missing(sizes.length);
        sizes.push(chunk.byteSize);
        wasCut = !chunk.whole;
      }
    }
    // A disk that failed may have lost what had been read back from it; what is there is played.
    const fits = sum(sizes) === byteSize || (wasCut && sum(sizes) < byteSize);
    if (!fits) throw new AppError('INTEGRITY', { cause: new Error('The file has another length.') });
    return new OpenedTrackFile(stores, place, sizes);
  }

  async *read(range: ByteRange = { start: 0, endExclusive: this.byteSize }): AsyncGenerator<Uint8Array> {
    const { start, endExclusive } = range;
    if (!(start >= 0 && start <= endExclusive && endExclusive <= this.byteSize))
      throw new RangeError('The range does not lie in the file.');
    let offset = 0;
    for (const [index, size] of this.#sizes.entries()) {
      const from = Math.max(start, offset);
      const to = Math.min(endExclusive, offset + size);
      if (from < to) {
        await using chunk = await openChunk(this.#stores, this.#place, index);
        yield* chunk.read({ start: from - offset, endExclusive: to - offset });
      }
      offset += size;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

async function sizeOf(
  stores: ChunkStores,
  place: FilePlace,
  index: number,
): Promise<{ byteSize: number; whole: boolean } | null> {
  const chunk = await unlessMissing(openChunk(stores, place, index));
  if (chunk === null) return null;
  await chunk[Symbol.asyncDispose]();
  return { byteSize: chunk.byteSize, whole: chunk.whole };
}

/** The first chunk that is missing says that there is no file; a later one that somebody took of it. */
const missing = (found: number): AppError =>
  found === 0
    ? new AppError('NOT_FOUND')
    : new AppError('INTEGRITY', { cause: new Error('A part is missing.') });

async function unlessMissing<T>(opening: Promise<T>): Promise<T | null> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0);
