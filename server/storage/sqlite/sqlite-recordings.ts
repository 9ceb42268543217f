import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, FileId, PersonId, RecordingId } from '@teleconsult/protocol';
import type { RecordingStore, StoredFile, StoredRecording } from '../../recordings/ports.ts';
import { prepareRead, type Row } from './read.ts';
import { UniqueViolation, type Writer } from './writer.ts';
import type { SqlValue } from './writer-protocol.ts';

/** Recordings and their files. A change says in its statement which state it must find. */
export class SqliteRecordings implements RecordingStore {
  readonly #writer: Writer;
  readonly #reads: ReturnType<typeof prepareReads>;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reads = prepareReads(reader);
  }

  async createRecording(
    recording: StoredRecording,
  ): Promise<{ created: boolean; recording: StoredRecording }> {
    const { recordingId, consultationId, startedBy, clientId } = recording;
    const existing = () =>
      this.#reads.recording.get(recordingId) ??
      (clientId === null ? undefined : this.#reads.byClient.get(consultationId, startedBy, clientId));
    const earlier = existing();
    if (earlier !== undefined) return { created: false, recording: toRecording(earlier) };
    try {
      await this.#write(
        `INSERT INTO recording (recording_id, consultation_id, purpose, started_by, started_at, ended_at, state,
          client_id, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          recordingId,
          consultationId,
          recording.purpose,
          startedBy,
          recording.startedAt,
          recording.endedAt,
          recording.state,
          clientId,
          recording.sealed,
        ],
      );
      return { created: true, recording };
    } catch (error) {
      // Two requests at once: the second finds the first one's recording.
      const winner = error instanceof UniqueViolation ? existing() : undefined;
      if (winner === undefined) throw error;
      return { created: false, recording: toRecording(winner) };
    }
  }

  async loadRecording(recordingId: RecordingId): Promise<StoredRecording | null> {
    const row = this.#reads.recording.get(recordingId);
    return row === undefined ? null : toRecording(row);
  }

  async recordingsOf(consultationId: ConsultationId): Promise<readonly StoredRecording[]> {
    return this.#reads.recordingsOf.all(consultationId).map(toRecording);
  }

  async updateRecording(
    { recordingId, state, endedAt, sealed }: Parameters<RecordingStore['updateRecording']>[0],
    from: readonly StoredRecording['state'][],
  ): Promise<boolean> {
    // One statement for any number of states, so that it is prepared once.
    const [first = null, second = null, third = null] = from;
    return this.#write(
      `UPDATE recording SET state = ?, ended_at = ?, sealed = ?
        WHERE recording_id = ? AND state IN (?, ?, ?)`,
      [state, endedAt, sealed, recordingId, first, second, third],
    );
  }

  async runningRecordings(): Promise<readonly StoredRecording[]> {
    return this.#reads.running.all().map(toRecording);
  }

  async createFile(file: StoredFile): Promise<void> {
    await this.#write(
      `INSERT INTO recording_file (file_id, recording_id, consultation_id, kind, created_at, state, byte_size,
        parts, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        file.fileId,
        file.recordingId,
        file.consultationId,
        file.kind,
        file.createdAt,
        file.state,
        file.byteSize,
        file.parts,
        file.sealed,
      ],
    );
  }

  async loadFile(fileId: FileId): Promise<StoredFile | null> {
    const row = this.#reads.file.get(fileId);
    return row === undefined ? null : toFile(row);
  }

  async filesOf(recordingId: RecordingId): Promise<readonly StoredFile[]> {
    return this.#reads.filesOf.all(recordingId).map(toFile);
  }

  async updateFile({
    fileId,
    state,
    byteSize,
    parts,
    sealed,
  }: Parameters<RecordingStore['updateFile']>[0]): Promise<boolean> {
    return this.#write(
      `UPDATE recording_file SET state = ?, byte_size = ?, parts = ?, sealed = ?
        WHERE file_id = ? AND state = 'growing'`,
      [state, byteSize, parts, sealed, fileId],
    );
  }

  async growingFiles(): Promise<readonly StoredFile[]> {
    return this.#reads.growing.all().map(toFile);
  }

  async unmeasuredFiles(limit: number): Promise<readonly StoredFile[]> {
    return this.#reads.unmeasured.all(limit).map(toFile);
  }

  async measuredFile({ fileId, sealed }: Pick<StoredFile, 'fileId' | 'sealed'>): Promise<boolean> {
    return this.#write(
      `UPDATE recording_file SET measured = 1, sealed = ?
        WHERE file_id = ? AND state IN ('whole', 'truncated')`,
      [sealed, fileId],
    );
  }

  async halfErased(limit: number): Promise<readonly StoredRecording[]> {
    return this.#reads.halfErased.all(limit).map(toRecording);
  }

  async removeFile(fileId: FileId): Promise<void> {
    await this.#write('DELETE FROM recording_file WHERE file_id = ?', [fileId]);
  }

  /** Whether it changed anything. */
  async #write(sql: string, params: readonly SqlValue[]): Promise<boolean> {
    const [changes] = await this.#writer.write([{ sql, params }]);
    return changes !== undefined && changes > 0;
  }
}

const prepareReads = (db: DatabaseSync) => ({
  recording: prepareRead(db, 'SELECT * FROM recording WHERE recording_id = ?'),
  byClient: prepareRead(
    db,
    'SELECT * FROM recording WHERE consultation_id = ? AND started_by = ? AND client_id = ?',
  ),
  recordingsOf: prepareRead(
    db,
    'SELECT * FROM recording WHERE consultation_id = ? ORDER BY started_at DESC, recording_id DESC',
  ),
  running: prepareRead(db, "SELECT * FROM recording WHERE state = 'running' ORDER BY started_at"),
  file: prepareRead(db, 'SELECT * FROM recording_file WHERE file_id = ?'),
  filesOf: prepareRead(
    db,
    'SELECT * FROM recording_file WHERE recording_id = ? ORDER BY created_at, file_id',
  ),
  unmeasured: prepareRead(
    db,
    `SELECT * FROM recording_file WHERE measured = 0 AND state IN ('whole', 'truncated')
      ORDER BY created_at LIMIT ?`,
  ),
  halfErased: prepareRead(
    db,
    // The rows are read of those alone that have files: of most that were erased nothing is left.
    `SELECT * FROM recording WHERE recording_id IN (SELECT r.recording_id FROM recording r
      WHERE state = 'erased' AND EXISTS (SELECT 1 FROM recording_file f WHERE f.recording_id = r.recording_id)
      ORDER BY started_at LIMIT ?) ORDER BY started_at`,
  ),
  growing: prepareRead(
    db,
    "SELECT * FROM recording_file WHERE state = 'growing' ORDER BY created_at, file_id",
  ),
});

const toRecording = (row: Row): StoredRecording => ({
  recordingId: row['recording_id'] as RecordingId,
  consultationId: row['consultation_id'] as ConsultationId,
  purpose: row['purpose'] as StoredRecording['purpose'],
  startedBy: row['started_by'] as PersonId,
  startedAt: Number(row['started_at']),
  endedAt: row['ended_at'] as number | null,
  state: row['state'] as StoredRecording['state'],
  clientId: row['client_id'] as string | null,
  sealed: row['sealed'] as Uint8Array,
});

const toFile = (row: Row): StoredFile => ({
  fileId: row['file_id'] as FileId,
  recordingId: row['recording_id'] as RecordingId,
  consultationId: row['consultation_id'] as ConsultationId,
  kind: row['kind'] as StoredFile['kind'],
  createdAt: Number(row['created_at']),
  state: row['state'] as StoredFile['state'],
  byteSize: Number(row['byte_size']),
  parts: Number(row['parts']),
  sealed: row['sealed'] as Uint8Array,
});
