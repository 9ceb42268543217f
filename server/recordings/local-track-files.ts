import { AppError, type FileId } from '@teleconsult/protocol';
import type { Log } from '../host/ports.ts';
import { journalName, parseJournalName, partKey } from './chunk-names.ts';
import { CHUNK_LIMITS, type ChunkLimits, GrowingTrackFile } from './growing-track-file.ts';
import { type ChunkStores, OpenedTrackFile, openChunk } from './opened-track-file.ts';
import { PartSealer } from './part-sealer.ts';
import type { FilePlace, GrowingFile, OpenedFile, TrackFiles } from './ports.ts';

/** Most files that grow at the same time: each holds a file of the system and a key. */
const MAX_GROWING = 1_024;
/** No file is begun on a disk with less room, so that messages and their entries still fit when recordings do not. */
const ROOM_TO_BEGIN = 64 * 1024 * 1024;
/** How long closing waits for parts that are being stored. */
const CLOSE_MS = 8_000;

export interface LocalTrackFilesParts extends ChunkStores {
  readonly log: Log;
  /** Milliseconds; only differences count. */
  readonly clock: () => number;
  readonly limits?: ChunkLimits;
  /** Bytes that must be free on the disk for a file to begin. */
  readonly roomToBegin?: number;
}

/** What a folder of journals holds of one file. */
export interface StoredJournals {
  readonly fileId: FileId;
  readonly names: readonly string[];
  readonly indexes: readonly number[];
}

/**
 * Files that grow on the local disk, as sealed journals, and lie in the object store once they are finished. Whoever opened
 * it closes it, after the files.
 */
export class LocalTrackFiles implements TrackFiles {
  readonly #parts: LocalTrackFilesParts;
  readonly #sealer: PartSealer;
  readonly #growing = new Map<FileId, Promise<GrowingTrackFile>>();
  #closing: Promise<void> | null = null;

  constructor(parts: LocalTrackFilesParts) {
    this.#parts = parts;
    this.#sealer = new PartSealer(parts);
  }

  /** Finished journals that are not parts of the object store yet. */
  get pending(): number {
    return this.#sealer.size;
  }

  /** @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE, OVERLOADED */
  async create(place: FilePlace): Promise<GrowingFile> {
    if (this.#growing.has(place.fileId)) throw new Error('There is a file of this id.');
    return this.#grow(place, async () => ({ chunks: 0, byteSize: 0 }));
  }

  /** @throws AppError INTEGRITY when a part is missing, STORAGE_FULL, STORAGE_UNAVAILABLE, OVERLOADED */
  async resume(place: FilePlace, parts: number): Promise<GrowingFile> {
    const running = this.#growing.get(place.fileId);
    if (running !== undefined) {
      const file = await running;
      const isCurrent = this.#growing.get(place.fileId) === running;
      if (file.failure === null && !file.isClosing && isCurrent) return file;
      // What somebody else closes takes nothing any more.
      await file.close();
    }
    return this.#grow(place, async () => {
      const found = await this.settle(place, parts);
      return { chunks: found.parts, byteSize: found.byteSize };
    });
  }

  /**
   * Finishes a file of a process before: what a crash left is a part, or becomes one. Nothing is lost and nothing is doubled,
   * however often it is tried.
   * @throws AppError INTEGRITY when a part is missing, STORAGE_UNAVAILABLE
   */
  async settle(place: FilePlace, parts: number): Promise<{ byteSize: number; parts: number }> {
    const { folder } = this.#parts;
    const journals = new Set((await this.#journalsOf(place.fileId)).indexes);
    const last = Math.max(parts - 1, ...journals);
    let byteSize = 0;
    for (let index = 0; ; index += 1) {
      const chunk = await openChunk(this.#parts, place, index).catch((error: unknown) => {
        if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
        return null;
      });
      if (chunk === null && index <= last)
        throw new AppError('INTEGRITY', { cause: new Error('A part is missing.') });
      if (chunk === null) return { byteSize, parts: index };
      await chunk[Symbol.asyncDispose]();
      if (chunk.byteSize === 0 && index === last && index >= parts) {
        await folder.remove(journalName(place, index));
        return { byteSize, parts: index };
      }
      byteSize += chunk.byteSize;
      if (journals.has(index)) void this.#sealer.hand({ place, index, byteSize: chunk.byteSize });
    }
  }

  /**
   * As `settle`, of a file of which a chunk is damaged or gone: answers what lies before it. Journals from there on are set
   * aside, so that nothing takes their place; parts stay where they are.
   */
  async salvage(place: FilePlace, parts: number): Promise<{ byteSize: number; parts: number }> {
    const { indexes } = await this.#journalsOf(place.fileId);
    const behind = Math.max(parts, ...indexes.map((index) => index + 1));
    let byteSize = 0;
    let index = 0;
    for (; index < behind; index += 1) {
      const chunk = await openChunk(this.#parts, place, index).catch((error: unknown) => {
        if (error instanceof AppError && ['NOT_FOUND', 'INTEGRITY'].includes(error.code)) return null;
        throw error;
      });
      if (chunk === null) break;
      await chunk[Symbol.asyncDispose]();
      byteSize += chunk.byteSize;
    }
    for (const journal of indexes)
      if (journal < index) void this.#sealer.hand({ place, index: journal, byteSize: null });
      else await this.#parts.folder.setAside(journalName(place, journal));
    return { byteSize, parts: index };
  }

  /** Hands in journals of a file that is finished, where a stop came before they were stored. */
  async finish(place: FilePlace, parts: number): Promise<void> {
    const { indexes } = await this.#journalsOf(place.fileId);
    for (const index of indexes)
      if (index < parts) void this.#sealer.hand({ place, index, byteSize: null });
      else await this.#parts.folder.setAside(journalName(place, index));
  }

  async open(
    place: FilePlace,
    size: { readonly byteSize: number; readonly parts: number },
  ): Promise<OpenedFile> {
    return OpenedTrackFile.open(this.#parts, place, size);
  }

  async remove(place: Omit<FilePlace, 'key'>, parts = 0): Promise<void> {
    const { folder, objects } = this.#parts;
    const growing = await this.#growing.get(place.fileId)?.catch(() => null);
    await growing?.close();
    await this.#sealer.drop(place.fileId);
    const { names, indexes } = await this.#journalsOf(place.fileId);
    const journals = new Set(indexes);
    let chunks = 0;
    while (journals.has(chunks) || (await objects.head(partKey(place, chunks))) !== null) chunks += 1;
    // Where a removal was cut before, the journals may have gone further than the parts.
    chunks = Math.max(chunks, parts, ...indexes.map((index) => index + 1));
    // From the end: what a kill in between leaves is found again from the beginning.
    for (let index = chunks - 1; index >= 0; index -= 1) {
      await objects.delete(partKey(place, index));
      await folder.remove(journalName(place, index));
    }
    for (const name of names) await folder.remove(name);
  }

  /** What lies on the local disk, and how many files there are of which nothing is known by name. */
  async stored(): Promise<{
    readonly files: readonly StoredJournals[];
    readonly strange: readonly string[];
  }> {
    const byFile = new Map<FileId, { fileId: FileId; names: string[]; indexes: number[] }>();
    const strange: string[] = [];
    for (const name of await this.#parts.folder.list()) {
      const parsed = parseJournalName(name);
      if (parsed === null) {
        strange.push(name);
        continue;
      }
      const file = byFile.get(parsed.fileId) ?? { fileId: parsed.fileId, names: [], indexes: [] };
      file.names.push(name);
      file.indexes.push(parsed.index);
      byFile.set(parsed.fileId, file);
    }
    return { files: [...byFile.values()], strange };
  }

  /** Moves what nobody knows of out of the way; it is never removed. */
  async setAside(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#parts.folder.setAside(name);
  }

  /** When a byte was last written for a file that is not finished; null when nothing of it lies here. */
  async lastWrittenAt(fileId: FileId): Promise<number | null> {
    const { names } = await this.#journalsOf(fileId);
    const moments = await Promise.all(names.map((name) => this.#parts.folder.lastWrittenAt(name)));
    const known = moments.filter((moment) => moment !== null);
    return known.length === 0 ? null : Math.max(...known);
  }

  /** Closes what still grows, and gives the object store a moment to take the rest. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const growing = await Promise.allSettled(this.#growing.values());
      await Promise.all(
        growing.map((file) => (file.status === 'fulfilled' ? file.value.close() : Promise.resolve())),
      );
      await this.#sealer.close(CLOSE_MS);
    })();
    return this.#closing;
  }

  async #grow(
    place: FilePlace,
    find: () => Promise<{ chunks: number; byteSize: number }>,
  ): Promise<GrowingTrackFile> {
    if (this.#closing !== null) throw new AppError('SHUTTING_DOWN');
    const { fileId } = place;
    const known = this.#growing.get(fileId);
    // Two who resume at once get the same file.
    if (known !== undefined) return known;
    if (this.#growing.size >= MAX_GROWING) throw new AppError('OVERLOADED');
    const begun = this.#begin(place, find);
    this.#growing.set(fileId, begun);
    try {
      return await begun;
    } catch (error) {
      if (this.#growing.get(fileId) === begun) this.#growing.delete(fileId);
      throw error;
    }
  }

  async #begin(
    place: FilePlace,
    find: () => Promise<{ chunks: number; byteSize: number }>,
  ): Promise<GrowingTrackFile> {
    const { folder, clock, limits = CHUNK_LIMITS, roomToBegin = ROOM_TO_BEGIN } = this.#parts;
    if ((await folder.room()) < roomToBegin) throw new AppError('STORAGE_FULL');
    const found = await find();
    const sealer = this.#sealer;
    const onClosed = () => void this.#growing.delete(place.fileId);
    return GrowingTrackFile.begin({ place, folder, sealer, limits, clock, onClosed }, found);
  }

  async #journalsOf(fileId: FileId): Promise<Omit<StoredJournals, 'fileId'>> {
    const names: string[] = [];
    const indexes: number[] = [];
    for (const name of await this.#parts.folder.list()) {
      // Thousands of others may lie there while the object store is away.
      const parsed = name.includes(fileId) ? parseJournalName(name) : null;
      if (parsed?.fileId !== fileId) continue;
      names.push(name);
      indexes.push(parsed.index);
    }
    return { names, indexes };
  }
}
