import { setImmediate as turn } from 'node:timers/promises';
import {
  AppError,
  type ConsultationId,
  type Note,
  type NoteId,
  type PublishedClip,
} from '@teleconsult/protocol';
import type { RecordingStore, StoredFile, TrackFiles } from '../recordings/ports.ts';
import { type FileFacts, openFileFacts } from '../recordings/sealed-facts.ts';
import { type Audited, hostDoing } from './audited.ts';
import { entityTag, fileNameOf, type LinkedMedia, requireRight } from './media-links.ts';
import type { Consultations, RecordingAccess, Seen } from './recording-access.ts';
import { servedFile } from './served-file.ts';
import { watchedBytes } from './watched-bytes.ts';

/** Signed notes, as the host application reads them. */
export interface SignedNotes {
  /** null: there is none of this id in this consultation that is signed. */
  signedNote(consultationId: ConsultationId, noteId: NoteId): Promise<Note | null>;
  /** In the order in which they were begun. */
  signedNotes(consultationId: ConsultationId): Promise<readonly Note[]>;
}

export interface PublishedClipsParts {
  readonly host: Consultations;
  readonly notes: SignedNotes;
  readonly store: Pick<RecordingStore, 'filesOf'>;
  readonly files: TrackFiles;
  readonly access: RecordingAccess;
  readonly audited: Audited;
  /** Erases the sound of a clip, on record. */
  readonly erase: (recording: Pick<Seen['recording'], 'consultationId' | 'recordingId'>) => Promise<unknown>;
}

interface FoundFile {
  readonly seen: Seen;
  readonly file: StoredFile;
  readonly facts: FileFacts;
}

/**
 * Clips that doctors have handed over for publication, for the host application. It is the only way by which media leave
 * for it, and it leads to nothing else: a draft, or a note about a patient, is not found.
 */
export class PublishedClips {
  readonly #parts: PublishedClipsParts;

  constructor(parts: PublishedClipsParts) {
    this.#parts = parts;
  }

  /** @throws AppError NOT_FOUND where it is no health channel, or that it cannot be recorded */
  async list(consultationId: ConsultationId): Promise<readonly PublishedClip[]> {
    const { audited, notes } = this.#parts;
    const doing = hostDoing({ action: 'clip.list', consultationId, object: null });
    const clips = await audited.judging(doing, async () => {
      await this.#requireChannel(consultationId);
      const found: PublishedClip[] = [];
      for (const note of await notes.signedNotes(consultationId)) {
        found.push(await this.#viewOf(note));
        // Calls go on while a long list is made.
        await turn();
      }
      return found;
    });
    await audited.granted(doing);
    return clips;
  }

  /** @throws AppError NOT_FOUND, or that it cannot be recorded */
  async read(consultationId: ConsultationId, noteId: NoteId): Promise<PublishedClip> {
    const { audited } = this.#parts;
    const doing = hostDoing({ action: 'clip.read', consultationId, object: noteId });
    const clip = await audited.judging(doing, async () =>
      this.#viewOf(await this.#clip(consultationId, noteId)),
    );
    await audited.granted(doing);
    return clip;
  }

  /**
   * The bytes of one file; whoever asked closes them.
   * @throws AppError NOT_FOUND, EXPIRED once it is withdrawn, INTEGRITY, or that it cannot be recorded
   */
  async open(consultationId: ConsultationId, noteId: NoteId, number: number): Promise<LinkedMedia> {
    const { audited, files } = this.#parts;
    const judge = (): Promise<FoundFile> => this.#file(consultationId, noteId, number);
    const doing = hostDoing({ action: 'clip.download', consultationId, object: noteId });
    const { seen, file, facts } = await audited.judging(doing, judge);
    await audited.granted(doing);
    const { recordingId } = seen.recording;
    const place = { consultationId, recordingId, fileId: file.fileId, key: seen.key };
    const opened = await audited.judging(doing, () => files.open(place, file));
    const served = servedFile(opened, facts.seekIndex ?? null);
    return {
      byteSize: served.byteSize,
      contentType: facts.contentType,
      etag: entityTag(file, served),
      fileName: fileNameOf(file, facts),
      personId: 'host',
      read: (range) => watchedBytes(served.read(range), judge),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  }

  /** Again changes nothing. @throws AppError NOT_FOUND, or that it cannot be recorded */
  async withdraw(consultationId: ConsultationId, noteId: NoteId): Promise<PublishedClip> {
    const { audited, erase } = this.#parts;
    const doing = hostDoing({ action: 'clip.withdraw', consultationId, object: noteId });
    const note = await audited.judging(doing, () => this.#clip(consultationId, noteId));
    await erase({ consultationId, recordingId: note.audio.recordingId });
    return this.#viewOf(note);
  }

  async #file(consultationId: ConsultationId, noteId: NoteId, number: number): Promise<FoundFile> {
    const { access, store } = this.#parts;
    const { audio } = await this.#clip(consultationId, noteId);
    const { recordingId } = audio;
    const seen = await access.find({ consultationId, recordingId }, null);
    if (seen.recording.state === 'erased')
      throw new AppError('EXPIRED', { detail: 'the clip was withdrawn' });
    requireRight(seen, 'download');
    const tracks = (await store.filesOf(recordingId)).filter(({ kind }) => kind === 'track');
    const track = tracks[number];
    if (track === undefined) throw new AppError('NOT_FOUND', { detail: 'the clip has no such file' });
    return { seen, ...(await access.file(seen, track.fileId)) };
  }

  async #requireChannel(consultationId: ConsultationId): Promise<void> {
    const { kind } = await this.#parts.host.view(consultationId, null);
    if (kind !== 'health_channel') throw new AppError('NOT_FOUND', { detail: 'it is no health channel' });
  }

  async #clip(consultationId: ConsultationId, noteId: NoteId) {
    await this.#requireChannel(consultationId);
    const note = await this.#parts.notes.signedNote(consultationId, noteId);
    if (note === null) throw new AppError('NOT_FOUND');
    return { ...note, audio: soundOf(note) };
  }

  async #viewOf(note: Note): Promise<PublishedClip> {
    const { access, store } = this.#parts;
    const { noteId, consultationId, author, signedAt, createdAt, current } = note;
    const { recordingId, startMs, endMs } = soundOf(note);
    const { recording, key } = await access.find({ consultationId, recordingId }, null);
    const isWithdrawn = recording.state === 'erased';
    const tracks = isWithdrawn
      ? []
      : (await store.filesOf(recordingId)).filter(({ kind }) => kind === 'track');
    return {
      noteId,
      consultationId,
      author,
      publishedAt: signedAt ?? createdAt,
      state: isWithdrawn ? 'withdrawn' : 'published',
      text: current.text,
      trim: { startMs, endMs },
      files: tracks.map((file, number) => {
        const { contentType, durationMs } = openFileFacts(key, file);
        return { number, contentType, durationMs };
      }),
    };
  }
}

/** Nothing is published without. */
function soundOf({ current: { audio } }: Note) {
  if (audio === null) throw new AppError('INTEGRITY', { detail: 'a published clip has sound' });
  return audio;
}
