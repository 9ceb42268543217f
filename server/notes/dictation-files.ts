import { createHash } from 'node:crypto';
import {
  AppError,
  type FileId,
  MAX_DICTATION_BYTES,
  MAX_DICTATION_FILES,
  type RecordingId,
} from '@teleconsult/protocol';
import type { Clock, IdGenerator } from '../host/ports.ts';
import type {
  FilePlace,
  GrowingFile,
  RecordingStore,
  StoredFile,
  StoredRecording,
  TrackFiles,
} from '../recordings/ports.ts';
import {
  type FileFacts,
  openFileFacts,
  openRecordingFacts,
  sealFileFacts,
} from '../recordings/sealed-facts.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { beginsAs } from './dictation-bytes.ts';
import { OpenFiles } from './open-files.ts';

/** Files whose last part is remembered. */
const REMEMBERED = 4_096;

export interface DictationFilesParts {
  readonly recordings: RecordingStore;
  readonly files: TrackFiles;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  /** A file is finished: its length and loudness can be found out. */
  readonly measuring: (place: FilePlace) => void;
}

export interface SentPart {
  /** Which file of the dictation; 0 is the first. */
  readonly number: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

/** What a device appended last, to tell a repeat from something else at the same place. */
interface LastPart {
  readonly offset: number;
  readonly byteSize: number;
  readonly digest: string;
}

/** The bytes do not go where the file stands; `byteSize` says where that is. */
export class OffsetMismatch extends AppError {
  readonly byteSize: number;
  constructor(byteSize: number) {
    super('CONFLICT', { detail: 'the offset is another' });
    this.byteSize = byteSize;
  }
}

/** The files of dictations: where they stand, and what they take. What is asked about one dictation comes in turn. */
export class DictationFiles {
  readonly #parts: DictationFilesParts;
  readonly #open: OpenFiles;
  readonly #last = new Map<FileId, LastPart>();

  constructor(parts: DictationFilesParts) {
    this.#parts = parts;
    this.#open = new OpenFiles(parts.files, (fileId, size) => this.#noteSize(fileId, size));
  }

  async tracks(recordingId: RecordingId): Promise<readonly StoredFile[]> {
    const files = await this.#parts.recordings.filesOf(recordingId);
    return files.filter(({ kind }) => kind === 'track');
  }

  /** How far each file reaches. */
  async byteSizes({ recordingId, state }: StoredRecording, key: ConsultationKey): Promise<number[]> {
    const files = await this.tracks(recordingId);
    if (state !== 'running') return files.map(({ byteSize }) => byteSize);
    return Promise.all(
      files.map(async (file) =>
        file.state === 'growing' ? (await this.#growing(file, key)).byteSize : file.byteSize,
      ),
    );
  }

  /**
   * Answers how far the file reaches once that is on disk.
   * @throws OffsetMismatch when bytes before these are missing, or others were said at the same place
   */
  async append(recording: StoredRecording, key: ConsultationKey, sent: SentPart): Promise<number> {
    const files = await this.tracks(recording.recordingId);
    const file = files[sent.number] ?? (await this.#begin(recording, key, files, sent));
    if (file.state !== 'growing') return this.#requireSaid(file, sent);
    return this.#open.use(placeOf(file, key), file, (growing) =>
      this.#appendTo(growing, { file, files, sent }, key),
    );
  }

  /** It takes nothing more. A file that ended before stays as it is. */
  async end(
    file: StoredFile,
    key: ConsultationKey,
    { durationMs, lostAt }: { durationMs: number | null; lostAt: number | null },
  ): Promise<void> {
    if (file.state !== 'growing') return;
    const { fileId, recordingId, consultationId } = file;
    const { byteSize, parts } = await (await this.#growing(file, key)).close();
    this.#open.forget(fileId);
    this.#last.delete(fileId);
    const truncated = lostAt === null ? null : ({ at: lostAt, reason: 'device_lost' } as const);
    await this.#parts.recordings.updateFile({
      fileId,
      state: truncated === null ? 'whole' : 'truncated',
      byteSize,
      parts,
      sealed: sealFileFacts(key, fileId, { ...openFileFacts(key, file), durationMs, truncated }),
    });
    this.#parts.measuring({ fileId, recordingId, consultationId, key });
  }

  /** Everything that was answered is on disk anyway; this spares the next start its looking. */
  async close(): Promise<void> {
    await this.#open.closeAll();
  }

  async #begin(
    { recordingId, consultationId, startedBy, startedAt, sealed }: StoredRecording,
    key: ConsultationKey,
    files: readonly StoredFile[],
    { number, offset, bytes }: SentPart,
  ): Promise<StoredFile> {
    const { recordings, ids, clock } = this.#parts;
    if (number !== files.length || number >= MAX_DICTATION_FILES)
      throw new AppError('NOT_FOUND', { detail: 'there is no such file of the dictation' });
    if (offset !== 0) throw new OffsetMismatch(0);
    const contentType = openRecordingFacts(key, { recordingId, sealed }).dictated?.contentType ?? '';
    requireBeginning(contentType, bytes);
    // The device has gone on: what came before is rarely appended to, and its size counts from here on.
    for (const former of files) await this.#open.letGo(former.fileId);
    const fileId = ids.fileId();
    const createdAt = Math.max(clock(), (files.at(-1)?.createdAt ?? 0) + 1);
    const facts: FileFacts = {
      personId: startedBy,
      source: 'microphone',
      contentType,
      startedAt: number === 0 ? startedAt : createdAt,
      durationMs: null,
      truncated: null,
      waveform: null,
    };
    const file: StoredFile = {
      fileId,
      recordingId,
      consultationId,
      kind: 'track',
      createdAt,
      state: 'growing',
      byteSize: 0,
      parts: 0,
      sealed: sealFileFacts(key, fileId, facts),
    };
    await recordings.createFile(file);
    await this.#open.create({ recordingId, consultationId, fileId, key });
    return file;
  }

  async #appendTo(
    growing: GrowingFile,
    { file, files, sent }: { file: StoredFile; files: readonly StoredFile[]; sent: SentPart },
    key: ConsultationKey,
  ): Promise<number> {
    const standing = growing.byteSize;
    if (sent.offset > standing) throw new OffsetMismatch(standing);
    // Also where an attempt before found no room: a file is what its first bytes say.
    if (standing === 0) requireBeginning(openFileFacts(key, file).contentType, sent.bytes);
    const fresh = this.#fresh(file.fileId, sent, standing);
    if (fresh.byteLength === 0) return standing;
    const others = files.filter(({ fileId }) => fileId !== file.fileId);
    const total = others.reduce((sum, { byteSize }) => sum + byteSize, standing + fresh.byteLength);
    if (total > MAX_DICTATION_BYTES) throw new AppError('TOO_LARGE', { detail: 'the dictation is too long' });
    try {
      growing.append(fresh);
      await growing.flush();
    } catch (error) {
      this.#open.forget(file.fileId);
      throw error;
    }
    this.#remember(file.fileId, sent);
    return growing.byteSize;
  }

  /** A file that takes nothing more, since finishing its dictation was cut off behind it, has these bytes already. */
  #requireSaid({ byteSize }: StoredFile, { offset, bytes }: SentPart): number {
    if (offset > byteSize) throw new OffsetMismatch(byteSize);
    if (offset + bytes.byteLength > byteSize)
      throw new AppError('WRONG_STATE', { detail: 'the file is finished' });
    return byteSize;
  }

  #growing(file: StoredFile, key: ConsultationKey): Promise<GrowingFile> {
    return this.#open.of(placeOf(file, key), file);
  }

  /** What of these bytes is not there yet. Bytes said again must be the same, where that can still be told. */
  #fresh(fileId: FileId, { offset, bytes }: SentPart, standing: number): Buffer {
    if (offset === standing) return bytes;
    const last = this.#last.get(fileId);
    const isRepeat = last?.offset === offset && last.byteSize === bytes.byteLength;
    if (isRepeat && last.digest !== digestOf(bytes)) throw new OffsetMismatch(standing);
    return bytes.subarray(Math.min(bytes.byteLength, standing - offset));
  }

  #remember(fileId: FileId, { offset, bytes }: SentPart): void {
    this.#last.delete(fileId);
    this.#last.set(fileId, { offset, byteSize: bytes.byteLength, digest: digestOf(bytes) });
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
  }

  /** A file that was let go in memory: the store knows how far it reaches, so that it goes on from there. */
  async #noteSize(fileId: FileId, size: { byteSize: number; parts: number }): Promise<void> {
    const { recordings } = this.#parts;
    const file = await recordings.loadFile(fileId);
    if (file?.state === 'growing') await recordings.updateFile({ ...file, ...size, state: 'growing' });
  }
}

const placeOf = ({ fileId, recordingId, consultationId }: StoredFile, key: ConsultationKey): FilePlace => ({
  fileId,
  recordingId,
  consultationId,
  key,
});

function requireBeginning(contentType: string, bytes: Uint8Array): void {
  if (!beginsAs(contentType, bytes))
    throw new AppError('UNSUPPORTED_MEDIA', { detail: `does not begin as ${contentType}` });
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
