import { AppError, type FileId } from '@teleconsult/protocol';
import type { GrowingFile, OpenedFile, TrackFiles } from '@teleconsult/server/recordings/ports';

interface Held {
  /** What survives a kill of the process. */
  flushed: Buffer;
  parts: number;
}

/** Growing files in memory that lose what was not flushed when they are resumed, as after a kill. */
export class FakeTrackFiles implements TrackFiles {
  readonly files = new Map<FileId, Held>();
  /** The disk is full from now on. */
  full = false;
  opened = 0;

  async create({ fileId }: { fileId: FileId }): Promise<GrowingFile> {
    this.files.set(fileId, { flushed: Buffer.alloc(0), parts: 0 });
    return this.#grow(fileId);
  }

  async resume({ fileId }: { fileId: FileId }): Promise<GrowingFile> {
    return this.#grow(fileId);
  }

  async open({ fileId }: { fileId: FileId }): Promise<OpenedFile> {
    const { flushed } = this.#held(fileId);
    return {
      byteSize: flushed.byteLength,
      read: async function* (range) {
        yield flushed.subarray(range?.start, range?.endExclusive);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async remove({ fileId }: { fileId: FileId }): Promise<void> {
    this.files.delete(fileId);
  }

  bytesOf(fileId: FileId): Buffer {
    return this.#held(fileId).flushed;
  }

  #held(fileId: FileId): Held {
    const held = this.files.get(fileId);
    if (held === undefined) throw new AppError('NOT_FOUND');
    return held;
  }

  #grow(fileId: FileId): GrowingFile {
    const held = this.#held(fileId);
    let bytes = held.flushed;
    const isFull = () => this.full;
    this.opened += 1;
    return {
      get byteSize() {
        return bytes.byteLength;
      },
      append: (more) => {
        if (isFull()) throw new AppError('STORAGE_FULL');
        bytes = Buffer.concat([bytes, more]);
      },
      flush: async () => {
        // What is written takes a moment, in which other requests come.
        await new Promise((resolve) => setImmediate(resolve));
        held.flushed = bytes;
      },
      close: async () => {
        held.flushed = bytes;
        held.parts += 1;
        this.opened -= 1;
        return { byteSize: bytes.byteLength, parts: held.parts };
      },
    };
  }
}
