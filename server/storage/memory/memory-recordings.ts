import type { ConsultationId, FileId, RecordingId } from '@teleconsult/protocol';
import type { RecordingStore, StoredFile, StoredRecording } from '../../recordings/ports.ts';

/** Recordings in memory, gone with the process: for tests and for trying things out. */
export class MemoryRecordings implements RecordingStore {
  readonly #recordings = new Map<RecordingId, StoredRecording>();
  readonly #files = new Map<FileId, StoredFile>();
  readonly #measured = new Set<FileId>();

  async createRecording(
    recording: StoredRecording,
  ): Promise<{ created: boolean; recording: StoredRecording }> {
    const { recordingId, consultationId, startedBy, clientId } = recording;
    const isSame = (other: StoredRecording): boolean =>
      clientId !== null &&
      other.clientId === clientId &&
      other.consultationId === consultationId &&
      other.startedBy === startedBy;
    const earlier = this.#recordings.get(recordingId) ?? [...this.#recordings.values()].find(isSame);
    if (earlier !== undefined) return { created: false, recording: structuredClone(earlier) };
    this.#recordings.set(recordingId, structuredClone(recording));
    return { created: true, recording };
  }

  async loadRecording(recordingId: RecordingId): Promise<StoredRecording | null> {
    return structuredClone(this.#recordings.get(recordingId) ?? null);
  }

  async recordingsOf(consultationId: ConsultationId): Promise<readonly StoredRecording[]> {
    return [...this.#recordings.values()]
      .filter((recording) => recording.consultationId === consultationId)
      .sort((a, b) => b.startedAt - a.startedAt || (a.recordingId < b.recordingId ? 1 : -1))
      .map((recording) => structuredClone(recording));
  }

  async updateRecording(
    { recordingId, state, endedAt, sealed }: Parameters<RecordingStore['updateRecording']>[0],
    from: readonly StoredRecording['state'][],
  ): Promise<boolean> {
    const found = this.#recordings.get(recordingId);
    if (found === undefined || !from.includes(found.state)) return false;
    this.#recordings.set(recordingId, structuredClone({ ...found, state, endedAt, sealed }));
    return true;
  }

  async runningRecordings(): Promise<readonly StoredRecording[]> {
    return [...this.#recordings.values()]
      .filter(({ state }) => state === 'running')
      .sort((a, b) => a.startedAt - b.startedAt)
      .map((recording) => structuredClone(recording));
  }

  async createFile(file: StoredFile): Promise<void> {
    if (this.#files.has(file.fileId)) throw new Error('There is a file of this id.');
    if (!this.#recordings.has(file.recordingId)) throw new Error('There is no such recording.');
    this.#files.set(file.fileId, structuredClone(file));
  }

  async loadFile(fileId: FileId): Promise<StoredFile | null> {
    return structuredClone(this.#files.get(fileId) ?? null);
  }

  async filesOf(recordingId: RecordingId): Promise<readonly StoredFile[]> {
    return this.#sorted((file) => file.recordingId === recordingId);
  }

  async updateFile(change: Parameters<RecordingStore['updateFile']>[0]): Promise<boolean> {
    const found = this.#files.get(change.fileId);
    if (found?.state !== 'growing') return false;
    const { fileId, state, byteSize, parts, sealed } = change;
    this.#files.set(fileId, structuredClone({ ...found, state, byteSize, parts, sealed }));
    return true;
  }

  async growingFiles(): Promise<readonly StoredFile[]> {
    return this.#sorted(({ state }) => state === 'growing');
  }

  async unmeasuredFiles(limit: number): Promise<readonly StoredFile[]> {
    return this.#sorted(({ fileId, state }) => state !== 'growing' && !this.#measured.has(fileId)).slice(
      0,
      limit,
    );
  }

  async measuredFile({ fileId, sealed }: Pick<StoredFile, 'fileId' | 'sealed'>): Promise<boolean> {
    const found = this.#files.get(fileId);
    if (found === undefined || found.state === 'growing') return false;
    this.#measured.add(fileId);
    this.#files.set(fileId, structuredClone({ ...found, sealed }));
    return true;
  }

  async halfErased(limit: number): Promise<readonly StoredRecording[]> {
    const withFiles = new Set([...this.#files.values()].map(({ recordingId }) => recordingId));
    return [...this.#recordings.values()]
      .filter(({ recordingId, state }) => state === 'erased' && withFiles.has(recordingId))
      .sort((a, b) => a.startedAt - b.startedAt)
      .slice(0, limit)
      .map((recording) => structuredClone(recording));
  }

  async removeFile(fileId: FileId): Promise<void> {
    this.#measured.delete(fileId);
    this.#files.delete(fileId);
  }

  #sorted(fits: (file: StoredFile) => boolean): readonly StoredFile[] {
    return [...this.#files.values()]
      .filter(fits)
      .sort((a, b) => a.createdAt - b.createdAt || (a.fileId < b.fileId ? -1 : 1))
      .map((file) => structuredClone(file));
  }
}
