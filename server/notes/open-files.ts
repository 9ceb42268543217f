import type { FileId } from '@teleconsult/protocol';
import type { FilePlace, GrowingFile, StoredFile, TrackFiles } from '../recordings/ports.ts';

/** Files that take bytes now; each holds a descriptor and a buffer. The one that was idle longest makes room. */
const OPEN_FILES = 256;

/** A file was sealed up as far as it goes; whoever keeps the books writes down how far that is. */
type OnLetGo = (fileId: FileId, size: { readonly byteSize: number; readonly parts: number }) => Promise<void>;

/** Growing files by id, opened when bytes come. What is closed here is only let go: it goes on by `resume`. */
export class OpenFiles {
  readonly #files: TrackFiles;
  readonly #onLetGo: OnLetGo;
  /** In the order of their last use. */
  readonly #open = new Map<FileId, Promise<GrowingFile>>();
  /** How many are at work on a file: such a file makes room for no other. */
  readonly #users = new Map<FileId, number>();
  /** Files that are being sealed up. Who wants one of them waits: a file that is closing takes nothing. */
  readonly #leaving = new Map<FileId, Promise<void>>();

  constructor(files: TrackFiles, onLetGo: OnLetGo) {
    this.#files = files;
    this.#onLetGo = onLetGo;
  }

  async create(place: FilePlace): Promise<GrowingFile> {
    return this.#keep(place.fileId, this.#files.create(place));
  }

  /** The file stays open as long as the task takes. */
  async use<T>(
    place: FilePlace,
    stored: Pick<StoredFile, 'parts'>,
    task: (file: GrowingFile) => Promise<T>,
  ): Promise<T> {
    const { fileId } = place;
    this.#users.set(fileId, (this.#users.get(fileId) ?? 0) + 1);
    try {
      return await task(await this.of(place, stored));
    } finally {
      const others = (this.#users.get(fileId) ?? 1) - 1;
      if (others === 0) this.#users.delete(fileId);
      else this.#users.set(fileId, others);
    }
  }

  async of(place: FilePlace, { parts }: Pick<StoredFile, 'parts'>): Promise<GrowingFile> {
    await this.#leaving.get(place.fileId);
    const open = this.#open.get(place.fileId);
    if (open === undefined) return this.#keep(place.fileId, this.#files.resume(place, parts));
    this.#open.delete(place.fileId);
    this.#open.set(place.fileId, open);
    return open;
  }

  /** Seals up what is there, as far as it goes. It goes on when bytes come. */
  async letGo(fileId: FileId): Promise<void> {
    const open = this.#open.get(fileId);
    this.#open.delete(fileId);
    if (open !== undefined) await this.#letGo(fileId, open);
  }

  /** Something went wrong with it, or it is closed: the next use finds out what is there. */
  forget(fileId: FileId): void {
    this.#open.delete(fileId);
  }

  /** Everything that was appended is sealed and on disk. */
  async closeAll(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.allSettled(open.map(([fileId, file]) => this.#letGo(fileId, file)));
  }

  async #letGo(fileId: FileId, file: Promise<GrowingFile>): Promise<void> {
    const letting = (async () => this.#onLetGo(fileId, await (await file).close()))();
    const leaving = letting.catch(() => undefined);
    this.#leaving.set(fileId, leaving);
    try {
      await letting;
    } finally {
      if (this.#leaving.get(fileId) === leaving) this.#leaving.delete(fileId);
    }
  }

  async #keep(fileId: FileId, opening: Promise<GrowingFile>): Promise<GrowingFile> {
    this.#open.set(fileId, opening);
    opening.catch(() => this.#open.delete(fileId));
    const idle = this.#open.size > OPEN_FILES ? this.#idle(fileId) : undefined;
    if (idle !== undefined) {
      this.#open.delete(idle[0]);
      // What was flushed of it is there; that its size is not written down is no fault of the file that comes.
      await this.#letGo(...idle).catch(() => undefined);
    }
    return opening;
  }

  #idle(newcomer: FileId): [FileId, Promise<GrowingFile>] | undefined {
    for (const entry of this.#open) if (entry[0] !== newcomer && !this.#users.has(entry[0])) return entry;
    return undefined;
  }
}
