import {
  AppError,
  type ConsultationId,
  type PersonId,
  type RecordingId,
  type RecordingView,
  type RequestPayload,
  type RequestResult,
  type Waveform,
} from '@teleconsult/protocol';
import type { AuditTrail } from '../audit/ports.ts';
import type { Clock, IdGenerator, Log, Publisher } from '../host/ports.ts';
import type { RecordingStore, StoredRecording, TrackFiles } from '../recordings/ports.ts';
import { isOfCall } from '../recordings/purposes.ts';
import type { FileFacts } from '../recordings/sealed-facts.ts';
import type { AskedBy, RecordingRequests } from '../signalling/handlers/recording-port.ts';
import { Audited, hostDoing, personDoing } from './audited.ts';
import { Composing } from './composing.ts';
import { Erasing } from './erasing.ts';
import { Measuring } from './measuring.ts';
import type { MediaTools } from './media-child.ts';
import { MediaLinks, requireRight } from './media-links.ts';
import { Once } from './once.ts';
import { PublishedClips, type SignedNotes } from './published-clips.ts';
import { type Consultations, RecordingAccess, type Seen } from './recording-access.ts';
import { RecordingTurns } from './recording-turns.ts';

export interface PlaybackParts {
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  readonly host: Consultations;
  readonly audit: AuditTrail;
  readonly publisher: Pick<Publisher, 'toWatchers' | 'toPerson' | 'isConnected'>;
  readonly ids: Pick<IdGenerator, 'fileId'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tools: MediaTools;
  /** Whether a signed note holds this dictation. */
  readonly isHeld: (consultationId: ConsultationId, recordingId: RecordingId) => Promise<boolean>;
  readonly signed: SignedNotes;
}

/** A page asks for the list with each change: one device's looking is on record once in this time, in milliseconds. */
const LIST_ONCE_MS = 5 * 60_000;

/**
 * What is done with recordings that are made: listed, played, composed, erased. Whatever is done is in the audit trail
 * before it is done, and is not done when that fails.
 */
export class Playback implements RecordingRequests {
  readonly links: MediaLinks;
  /** For the host application. */
  readonly clips: PublishedClips;
  readonly #turns = new RecordingTurns();
  readonly #parts: PlaybackParts;
  readonly #access: RecordingAccess;
  readonly #audited: Audited;
  readonly #measuring: Measuring;
  readonly #composing: Composing;
  readonly #erasing: Erasing;
  readonly #listed = new Once();

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
    const onChanged = (recording: StoredRecording): void => this.#tell(recording);
    this.#access = new RecordingAccess(parts);
    this.#audited = new Audited(parts);
    this.links = new MediaLinks({ ...parts, access: this.#access, audited: this.#audited });
    this.clips = new PublishedClips({
      ...parts,
      notes: parts.signed,
      access: this.#access,
      audited: this.#audited,
      erase: ({ consultationId, recordingId }) => this.deleteForHost(consultationId, recordingId),
    });
    this.#measuring = new Measuring({
      ...parts,
      onMeasured: ({ recordingId }) => void this.#tellOf(recordingId),
    });
    const measuring = this.#measuring;
    this.#composing = new Composing({ ...parts, measuring, onChanged });
    this.#erasing = new Erasing({
      ...parts,
      access: this.#access,
      composing: this.#composing,
      turns: this.#turns,
      onChanged,
    });
  }

  /** Takes up what was cut off: erasing first, then compositions, and measuring behind everything else. */
  async start(): Promise<void> {
    await this.#erasing.finish();
    await this.#composing.start();
    this.#measuring.look();
  }

  /** A file of a recording is finished: to be measured when there is time. */
  fileFinished(): void {
    this.#measuring.look();
  }

  /** Finishes erasing what a store that failed has left. */
  sweep(): Promise<void> {
    return this.#erasing.finish();
  }

  /** Stops composing and measuring; both go on after the next start. May be called twice. */
  async close(): Promise<void> {
    await this.#composing.close();
    await this.#measuring.close();
  }

  async list(
    { consultationId }: RequestPayload<'recording.list'>,
    asked: AskedBy,
  ): Promise<RequestResult<'recording.list'>> {
    const { clock } = this.#parts;
    const doing = personDoing(asked, { action: 'recording.list', consultationId, object: null });
    const seen = await this.#audited.judging(doing, () => this.#access.list(consultationId, asked.by));
    const key = `${consultationId} ${asked.by} ${asked.deviceId}`;
    const work = (): Promise<void> => this.#audited.granted(doing);
    await this.#listed.first(key, { now: clock(), until: clock() + LIST_ONCE_MS, work });
    return { recordings: await this.#views(seen) };
  }

  link(payload: RequestPayload<'recording.link'>, asked: AskedBy): Promise<RequestResult<'recording.link'>> {
    return this.links.create(payload, asked);
  }

  async waveform(
    payload: RequestPayload<'recording.waveform'>,
    asked: AskedBy,
  ): Promise<RequestResult<'recording.waveform'>> {
    const { consultationId, fileId, channel } = payload;
    const doing = personDoing(asked, { action: 'recording.waveform', consultationId, object: fileId });
    const { facts } = await this.#audited.judging(doing, async () => {
      const seen = await this.#access.find(payload, asked.by);
      requireRight(seen, 'play');
      return this.#access.file(seen, fileId);
    });
    const waveform = waveformOf(facts, channel);
    await this.#audited.granted(doing);
    return waveform;
  }

  /** For those who may take it with them: it is what is taken. */
  async compose(
    payload: RequestPayload<'recording.compose'>,
    asked: AskedBy,
  ): Promise<RequestResult<'recording.compose'>> {
    const { consultationId, recordingId } = payload;
    const doing = personDoing(asked, { action: 'recording.compose', consultationId, object: recordingId });
    await this.#turns.take(recordingId, async () => {
      const seen = await this.#audited.judging(doing, () => this.#allowed(payload, asked.by, 'download'));
      const { composition } = await this.#access.viewOf(seen, null);
      if (composition.state === 'ready' || this.#composing.liveOf(recordingId) !== null) return;
      await this.#audited.granted(doing);
      await this.#composing.ask(seen);
    });
    return { recording: await this.#view(payload, asked.by) };
  }

  async delete(
    payload: RequestPayload<'recording.delete'>,
    asked: AskedBy,
  ): Promise<RequestResult<'recording.delete'>> {
    const { consultationId, recordingId } = payload;
    const doing = personDoing(asked, { action: 'recording.delete', consultationId, object: recordingId });
    await this.#audited.judging(doing, async () => {
      await this.#erasable(payload, asked.by);
      await this.#erasing.erase(payload, () => this.#audited.granted(doing));
    });
    return { recording: await this.#view(payload, asked.by) };
  }

  /** For the host application. @throws AppError NOT_FOUND */
  async listForHost(consultationId: ConsultationId): Promise<readonly RecordingView[]> {
    const seen = await this.#access.list(consultationId, null);
    await this.#audited.granted(hostDoing({ action: 'recording.list', consultationId, object: null }));
    return this.#views(seen);
  }

  /** For the host application. Again changes nothing. @throws AppError NOT_FOUND, WRONG_STATE */
  async deleteForHost(consultationId: ConsultationId, recordingId: RecordingId): Promise<RecordingView> {
    const recording = { consultationId, recordingId };
    const doing = hostDoing({ action: 'recording.delete', consultationId, object: recordingId });
    await this.#audited.judging(doing, async () => {
      await this.#erasable(recording, null);
      await this.#erasing.erase(recording, () => this.#audited.granted(doing), { takesBack: true });
    });
    return this.#view(recording, null);
  }

  /** Erases a dictation that its author has thrown away with its draft. */
  async eraseDictation(consultationId: ConsultationId, recordingId: RecordingId): Promise<void> {
    const recording = await this.#parts.store.loadRecording(recordingId);
    if (recording === null) return;
    const who = recording.startedBy;
    const doing = { who, deviceId: null, action: 'recording.delete', consultationId } as const;
    await this.#erasing.erase({ consultationId, recordingId }, () =>
      this.#audited.granted({ ...doing, object: recordingId }),
    );
  }

  /**
   * Runs while nothing of this consultation is erased: what a note is signed with stays until it is signed, and is held then.
   * @throws AppError RATE_LIMITED when too many wait
   */
  whileKept<T>(consultationId: ConsultationId, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(consultationId, work);
  }

  /**
   * Runs while nothing else changes this recording: a dictation that takes bytes or is finished is not erased meanwhile.
   * @throws AppError RATE_LIMITED when too many wait
   */
  inTurn<T>(recordingId: RecordingId, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(recordingId, work);
  }

  /** A recording as this person sees it. @throws AppError NOT_FOUND */
  async viewOf(recordingId: RecordingId, by: PersonId): Promise<RecordingView> {
    const recording = await this.#parts.store.loadRecording(recordingId);
    if (recording === null) throw new AppError('NOT_FOUND');
    return this.#view(recording, by);
  }

  async #view(
    recording: { readonly consultationId: ConsultationId; readonly recordingId: RecordingId },
    by: PersonId | null,
  ): Promise<RecordingView> {
    const seen = await this.#access.find(recording, by);
    return this.#access.viewOf(seen, this.#composing.liveOf(recording.recordingId));
  }

  #views(seen: readonly Seen[]): Promise<RecordingView[]> {
    return Promise.all(
      seen.map((one) => this.#access.viewOf(one, this.#composing.liveOf(one.recording.recordingId))),
    );
  }

  async #allowed(
    recording: { readonly consultationId: ConsultationId; readonly recordingId: RecordingId },
    by: PersonId,
    right: 'play' | 'download' | 'delete',
  ): Promise<Seen> {
    const seen = await this.#access.find(recording, by);
    requireRight(seen, right);
    return seen;
  }

  /** @throws AppError NOT_FOUND, FORBIDDEN, or WRONG_STATE to who could erase it were it not part of a signed note */
  async #erasable(
    recording: { readonly consultationId: ConsultationId; readonly recordingId: RecordingId },
    by: PersonId | null,
  ): Promise<void> {
    const seen = await this.#access.find(recording, by);
    const standing = await this.#access.standing(seen.recording);
    const isKept = standing === 'held dictation' || (standing === 'published clip' && by !== null);
    if (isKept && (by === null || by === seen.recording.startedBy))
      throw new AppError('WRONG_STATE', { detail: 'a signed note holds it' });
    requireRight(seen, 'delete');
  }

  /** A draft's dictation is its author's alone: nobody else hears of it. */
  #tell({ recordingId, consultationId, purpose, startedBy }: StoredRecording): void {
    const { publisher } = this.#parts;
    const fact = { consultationId, recordingId };
    if (isOfCall({ purpose })) publisher.toWatchers(consultationId, 'recording.changed', fact);
    else publisher.toPerson(startedBy, 'recording.changed', fact);
  }

  async #tellOf(recordingId: RecordingId): Promise<void> {
    try {
      const recording = await this.#parts.store.loadRecording(recordingId);
      if (recording !== null) this.#tell(recording);
    } catch (error) {
      this.#parts.log.warn('recording.notTold', { recording: recordingId, error });
    }
  }
}

/** @throws AppError WRONG_STATE, INVALID when there is no such channel */
function waveformOf({ waveform, channelWaveforms }: FileFacts, channel: number | undefined): Waveform {
  if (waveform === null) throw new AppError('WRONG_STATE', { detail: 'it is not measured, or has no sound' });
  if (channel === undefined) return waveform;
  const own = channelWaveforms?.[channel];
  if (own === undefined) throw new AppError('INVALID', { detail: 'channel: it has no such channel' });
  return own;
}
