import type {
  ConsultationId,
  FollowUpBoard,
  FollowUpId,
  Note,
  NoteId,
  RecordingId,
  RecordingView,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { CallOptions } from '../api.ts';
import { Emitter } from '../events.ts';
import { type ClientInsides, insides } from '../insides.ts';
import type { Lifetime } from '../lifetime.ts';
import { CallRecordings } from './call-recording.ts';
import { ClientIds } from './client-ids.ts';
import { DictationShelf } from './dictation-shelf.ts';
import { FollowUpActs } from './follow-up-acts.ts';
import { LiveView } from './live-view.ts';
import { NoteActs } from './note-acts.ts';
import { RecordingActs } from './recording-acts.ts';
import type { Dictation, OpenRecords, Records, RecordsEvents } from './records-api.ts';

const NO_FOLLOW_UPS: FollowUpBoard = { followUps: [], contactRefusedSince: null };

/**
 * What is recorded of one consultation, over the connection of the client. Dictations that earlier pages left, of whichever
 * consultation, are brought to the server from now on. Throws `INVALID` for a client that is not the SDK's own.
 */
export const openRecords: OpenRecords = (client, consultationId) => {
  const shared = insides.get(client);
  if (shared === undefined) throw new AppError('INVALID', { detail: 'client' });
  return new ConsultationRecords(shared, consultationId as ConsultationId);
};

class ConsultationRecords implements Records {
  readonly consultationId: ConsultationId;
  readonly callRecording: Records['callRecording'];
  readonly #events = new Emitter<RecordsEvents>();
  readonly #life: Lifetime;
  readonly #shelf: DictationShelf;
  readonly #recordingActs: RecordingActs;
  readonly #noteActs: NoteActs;
  readonly #followUpActs: FollowUpActs;
  readonly #recordings: LiveView<readonly RecordingView[]>;
  readonly #notes: LiveView<readonly Note[]>;
  readonly #board: LiveView<FollowUpBoard>;
  #isLoaded = false;

  constructor(shared: ClientInsides, consultationId: ConsultationId) {
    const { signalling, life, facts, url } = shared;
    this.consultationId = consultationId;
    this.#life = life.child();
    const parts = { consultationId, signalling, life: this.#life };
    const ids = new ClientIds();
    this.callRecording = new CallRecordings(parts);
    this.#recordingActs = new RecordingActs({ ...parts, url });
    this.#noteActs = new NoteActs({ ...parts, ids });
    this.#followUpActs = new FollowUpActs({ ...parts, ids });
    this.#recordings = new LiveView<readonly RecordingView[]>({
      ...parts,
      empty: [],
      fetch: (options) => this.#recordingActs.list(options),
      onChange: (recordings) => this.#events.emit('recordings', recordings),
    });
    this.#notes = new LiveView<readonly Note[]>({
      ...parts,
      empty: [],
      fetch: (options) => this.#noteActs.list(options),
      onChange: (notes) => this.#events.emit('notes', notes),
    });
    this.#board = new LiveView<FollowUpBoard>({
      ...parts,
      empty: NO_FOLLOW_UPS,
      fetch: (options) => this.#followUpActs.list(options),
      onChange: (board) => this.#events.emit('followUps', board),
    });
    this.#shelf = DictationShelf.of(shared);
    this.#follow(signalling, facts);
    // A device that cannot be read says so to `load` and `dictate`.
    this.#shelf.load().catch(() => {});
  }

  get recordings(): readonly RecordingView[] {
    return this.#recordings.value;
  }

  get notes(): readonly Note[] {
    return this.#notes.value;
  }

  get followUps(): FollowUpBoard {
    return this.#board.value;
  }

  get dictations(): readonly Dictation[] {
    return this.#shelf.list(this.consultationId);
  }

  get on(): Records['on'] {
    return this.#events.on;
  }

  async load(options?: CallOptions): Promise<void> {
    this.#isLoaded = true;
    const fetching = [this.#recordings.load(options), this.#notes.load(options), this.#board.load(options)];
    await this.#life.within(Promise.all([this.#shelf.load(), ...fetching]), options?.signal);
  }

  link: Records['link'] = ({ fileId }, { recordingId }, right, options) =>
    this.#recordingActs.link({ fileId, recordingId }, right, options);

  waveform: Records['waveform'] = ({ fileId }, { recordingId }, options) =>
    this.#recordingActs.waveform({ fileId, recordingId }, options);

  compose: Records['compose'] = async (recordingId, options) =>
    this.#showRecording(await this.#recordingActs.compose(recordingId as RecordingId, options));

  erase: Records['erase'] = async (recordingId, options) =>
    this.#showRecording(await this.#recordingActs.erase(recordingId as RecordingId, options));

  dictate: Records['dictate'] = async ({ purpose, followUpId, signal }) => {
    if (this.#life.endReason !== null) throw this.#life.endReason;
    if ((purpose === 'follow_up') !== (followUpId !== undefined))
      throw new AppError('INVALID', { detail: 'followUpId: for follow_up, and for it alone' });
    const belongsTo = (followUpId ?? null) as FollowUpId | null;
    return this.#shelf.dictate({
      consultationId: this.consultationId,
      purpose,
      followUpId: belongsTo,
      signal,
    });
  };

  createNote: Records['createNote'] = async (draft, options) =>
    this.#showNote(await this.#noteActs.create(draft, options));

  saveNote: Records['saveNote'] = async (note, content, options) =>
    this.#showNote(await this.#noteActs.save(note, content, options));

  signNote: Records['signNote'] = async (note, options) =>
    this.#showNote(await this.#noteActs.sign(note, options));

  addToNote: Records['addToNote'] = async (noteId, content, options) =>
    this.#showNote(await this.#noteActs.add(noteId as NoteId, content, options));

  discardNote: Records['discardNote'] = async (noteId, options) => {
    await this.#noteActs.discard(noteId as NoteId, options);
    this.#notes.set(this.notes.filter((note) => note.noteId !== noteId));
    // With the dictations that it alone held.
    this.#recordings.hear();
  };

  noteHistory: Records['noteHistory'] = (noteId, options) =>
    this.#noteActs.history(noteId as NoteId, options);

  planFollowUp: Records['planFollowUp'] = async (plan, options) => {
    const planned = await this.#followUpActs.plan(plan, options);
    this.#board.set(planned.board);
    return planned;
  };

  changeFollowUp: Records['changeFollowUp'] = async (followUpId, plan, options) =>
    this.#showBoard(await this.#followUpActs.change(followUpId as FollowUpId, plan, options));

  cancelFollowUp: Records['cancelFollowUp'] = async (followUpId, options) =>
    this.#showBoard(await this.#followUpActs.cancel(followUpId as FollowUpId, options));

  beginFollowUp: Records['beginFollowUp'] = async (followUpId, options) =>
    this.#showBoard(await this.#followUpActs.begin(followUpId as FollowUpId, options));

  completeFollowUp: Records['completeFollowUp'] = async (followUpId, result, options) =>
    this.#showBoard(await this.#followUpActs.complete(followUpId as FollowUpId, result, options));

  refuseContact: Records['refuseContact'] = async (refused, options) =>
    this.#showBoard(await this.#followUpActs.refuseContact(refused, options));

  close(): void {
    this.#life.end(new AppError('ABORTED', { detail: 'the records were closed' }));
    this.#events.clear();
  }

  #follow(signalling: ClientInsides['signalling'], facts: ClientInsides['facts']): void {
    const { consultationId } = this;
    const isHere = (fact: { readonly consultationId: ConsultationId }): boolean =>
      fact.consultationId === consultationId;
    const stops = [
      facts.on('recording.changed', (fact) => {
        if (isHere(fact)) this.#recordings.hear();
      }),
      facts.on('note.changed', (fact) => {
        if (isHere(fact)) this.#notes.hear();
      }),
      facts.on('followUps.changed', (fact) => {
        if (isHere(fact)) this.#board.set(fact.board);
      }),
      // What was told while this device was away.
      signalling.onConnected(() => {
        if (!this.#isLoaded) return;
        for (const view of [this.#recordings, this.#notes, this.#board]) view.hear();
      }),
      this.#shelf.events.on('changed', (changed) => {
        if (changed === consultationId) this.#events.emit('dictations', this.dictations);
      }),
    ];
    this.#life.onEnd(() => {
      for (const stop of stops) stop();
    });
  }

  #showRecording(recording: RecordingView): RecordingView {
    const all = withOne(this.recordings, recording, ({ recordingId }) => recordingId);
    this.#recordings.set(all.toSorted((a, b) => b.startedAt - a.startedAt));
    return recording;
  }

  #showNote(note: Note): Note {
    this.#notes.set(withOne(this.notes, note, ({ noteId }) => noteId));
    return note;
  }

  #showBoard(board: FollowUpBoard): FollowUpBoard {
    this.#board.set(board);
    return board;
  }
}

/** In its place, or at the end. */
function withOne<T>(list: readonly T[], one: T, idOf: (one: T) => string): readonly T[] {
  const isThere = list.some((other) => idOf(other) === idOf(one));
  return isThere ? list.map((other) => (idOf(other) === idOf(one) ? one : other)) : [...list, one];
}
