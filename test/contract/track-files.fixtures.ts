import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ConsultationId, FileId, RecordingId } from '@teleconsult/protocol';
import type { Log } from '@teleconsult/server/host/ports';
import { DiskJournalFolder, type JournalFolder } from '@teleconsult/server/recordings/journal-folder';
import { LocalTrackFiles, type LocalTrackFilesParts } from '@teleconsult/server/recordings/local-track-files';
import type { FilePlace, OpenedFile } from '@teleconsult/server/recordings/ports';
import { MemoryObjectStore } from '@teleconsult/server/storage/objects/memory';
import type { ObjectStore } from '@teleconsult/server/storage/objects/object-store';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { tempDir } from '../helpers/temp-dir.ts';

export const consultationId = ConsultationId.parse(`cns_${'A'.repeat(22)}`);
export const recordingId = RecordingId.parse(`rec_${'R'.repeat(22)}`);
export const fileId = (letter: string) => FileId.parse(`fil_${letter.repeat(22)}`);

export const noLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** Chunks so small that a short test makes many. */
export const SMALL_CHUNKS = { bytes: 20_000, ms: 60_000 };

export interface Disk extends AsyncDisposable {
  readonly path: string;
  readonly folder: JournalFolder;
  readonly objects: ObjectStore & { nextCall?: (failure: 'full' | 'unavailable') => void };
  readonly vault: Vault;
  place(letter: string): FilePlace;
  /** Files over this disk, as a process just started has them. */
  files(change?: Partial<LocalTrackFilesParts>): LocalTrackFiles;
}

export async function openDisk(objects: ObjectStore = new MemoryObjectStore()): Promise<Disk> {
  const dir = await tempDir();
  const keys = await openLocalKeyFile({ path: join(dir.path, 'keys', 'k.json'), mayCreate: true, now: 0 });
  const vault = new Vault(keys);
  const { key } = await vault.createConsultationKey(consultationId);
  const path = join(dir.path, 'recordings');
  const folder = await DiskJournalFolder.open(path);
  return {
    path,
    folder,
    objects,
    vault,
    place: (letter) => ({ consultationId, recordingId, fileId: fileId(letter), key }),
    files: (change = {}) =>
      new LocalTrackFiles({
        folder,
        objects,
        vault,
        log: noLog,
        clock: Date.now,
        limits: SMALL_CHUNKS,
        roomToBegin: 0,
        ...change,
      }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

export const bytesOf = (
  file: OpenedFile,
  range?: { readonly start: number; readonly endExclusive: number },
): Promise<Buffer> => buffer(Readable.from(file.read(range)));

export const noise = (length: number): Buffer => randomBytes(length);
