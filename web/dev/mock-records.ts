import type {
  CallRecordingControl,
  Dictation,
  NoteContent,
  NoteDraft,
  Records,
  RecordsEvents,
} from '@teleconsult/client-sdk/records';
import type {
  CallRecording,
  ConsultationId,
  FollowUp,
  FollowUpBoard,
  FollowUpId,
  FollowUpOutcome,
  Note,
  NoteId,
  NoteVersion,
  PersonId,
  RecordingFile,
  RecordingView,
  Waveform,
} from '@teleconsult/protocol';
import { AppError, type ErrorCode } from '@teleconsult/protocol/errors';
import type { MockCall } from './mock-call.ts';
import { MockDictation } from './mock-dictation.ts';
import { MockEvents } from './mock-events.ts';
import * as ids from './mock-ids.ts';
import { mockVoice } from './mock-media.ts';
import { speech } from './mock-speech.ts';

const LINK_MS = 300_000;

/** Recordings, notes and follow-ups in memory. */
export class MockRecords implements Records {
  readonly consultationId: ConsultationId;
  readonly #events = new MockEvents<RecordsEvents>();
  readonly on = this.#events.on;
  recordings: readonly RecordingView[] = [];
  notes: readonly Note[] = [];
  followUps: FollowUpBoard = { followUps: [], contactRefusedSince: null };
  dictations: readonly MockDictation[] = [];
  self: PersonId = ids.personId('doctor-1');
  /** What the files hold, by file. */
  readonly media = new Map<string, Blob>();
  readonly waveforms = new Map<string, Waveform>();
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** What these requests fail with, each once. */
  readonly refusals = new Map<string, ErrorCode>();
  /** How long a link is good. */
  linkMs = LINK_MS;
  readonly #versions = new Map<string, NoteVersion[]>();

  constructor(consultationId: ConsultationId) {
    this.consultationId = consultationId;
  }

  async load(): Promise<void> {
    this.#ask('load');
  }

  readonly callRecording: CallRecordingControl = {
    start: async (call) => {
      this.#ask('record');
      const mock = call as MockCall;
      const others = mock.view.seats.filter(
        ({ personId, state }) => personId !== this.self && state === 'present',
      );
      return this.#tellCall(mock, {
        recordingId: ids.recordingId(),
        startedBy: this.self,
        phase: 'asking',
        since: Date.now(),
        answerUntil: Date.now() + 60_000,
        consents: [
          { personId: this.self, state: 'granted', since: Date.now() },
          ...others.map(({ personId }) => ({ personId, state: 'asked' as const, since: Date.now() })),
        ],
        recorded: [],
      });
    },
    answer: async (call, granted) => {
      this.#ask(`answer ${granted}`);
      const mock = call as MockCall;
      const { recording } = mock.view;
      if (!granted || recording === null) return this.#tellCall(mock, null);
      const consents = recording.consents.map((consent) =>
        consent.personId === this.self ? { ...consent, state: 'granted' as const } : consent,
      );
      const isAll = consents.every(({ state }) => state === 'granted');
      return this.#tellCall(mock, {
        ...recording,
        consents,
        ...(isAll ? { phase: 'running', since: Date.now(), answerUntil: null } : {}),
        recorded: isAll ? consents.map(({ personId }) => personId) : recording.recorded,
      });
    },
    pause: async (call) => this.#phase(call as MockCall, 'paused'),
    resume: async (call) => this.#phase(call as MockCall, 'running'),
    stop: async (call) => {
      this.#ask('stop');
      return this.#tellCall(call as MockCall, null);
    },
  };

  async link(file: { fileId: string }): Promise<{ url: string; contentType: string; expiresAt: number }> {
    this.#ask(`link ${file.fileId}`);
    const blob = this.media.get(file.fileId);
    if (blob === undefined) throw new AppError('NOT_FOUND');
    return { url: URL.createObjectURL(blob), contentType: blob.type, expiresAt: Date.now() + this.linkMs };
  }

  async waveform(file: { fileId: string }): Promise<Waveform> {
    return this.waveforms.get(file.fileId) ?? { stepMs: 100, peaks: [] };
  }

  async compose(recordingId: string): Promise<RecordingView> {
    this.#ask('compose');
    return this.change(recordingId, { composition: { state: 'working', progress: 0.35 } });
  }

  async erase(recordingId: string): Promise<RecordingView> {
    this.#ask('erase');
    return this.change(recordingId, { state: 'erased', files: [], rights: [] });
  }

  async dictate(options: { purpose: Dictation['purpose']; followUpId?: string }): Promise<Dictation> {
    this.#ask('dictate');
    return this.addDictation(options).become({ state: 'recording' });
  }

  addDictation(options: { purpose: Dictation['purpose']; followUpId?: string }): MockDictation {
    const dictation = new MockDictation({
      ...options,
      id: `dictation-${this.dictations.length + 1}`,
      onChange: () => this.#events.emit('dictations', this.dictations),
      recorded: ({ purpose, durationMs }) => this.addDictated(purpose, Math.max(3000, durationMs)),
    });
    this.dictations = [...this.dictations, dictation];
    return dictation;
  }

  /** A finished dictation of the doctor. */
  addDictated(purpose: Dictation['purpose'], durationMs: number): RecordingView {
    const file = this.addFile({
      personId: this.self,
      durationMs,
      startedAt: Date.now() - durationMs,
      spoken: speech(durationMs, 0),
    });
    return this.add({ purpose, files: [file], startedAt: file.startedAt, rights: ['play'] });
  }

  add(view: Partial<RecordingView>): RecordingView {
    const recording: RecordingView = {
      recordingId: ids.recordingId(),
      consultationId: this.consultationId,
      purpose: 'consultation',
      callId: null,
      phoneCallId: null,
      followUpId: null,
      startedBy: this.self,
      startedAt: Date.now(),
      endedAt: Date.now(),
      state: 'ready',
      files: [],
      composition: { state: 'none' },
      rights: ['play', 'download', 'delete'],
      ...view,
    };
    this.recordings = [recording, ...this.recordings];
    this.#events.emit('recordings', this.recordings);
    return recording;
  }

  change(recordingId: string, change: Partial<RecordingView>): RecordingView {
    this.recordings = this.recordings.map((recording) =>
      recording.recordingId === recordingId ? { ...recording, ...change } : recording,
    );
    this.#events.emit('recordings', this.recordings);
    const found = this.recordings.find((recording) => recording.recordingId === recordingId);
    if (found === undefined) throw new AppError('NOT_FOUND');
    return found;
  }

  /** `spoken`: when the person speaks, in milliseconds. */
  addFile(options: {
    readonly personId: PersonId;
    readonly startedAt: number;
    readonly durationMs: number;
    readonly spoken?: readonly (readonly [number, number])[];
    readonly film?: Blob;
    readonly truncated?: RecordingFile['truncated'];
  }): RecordingFile {
    const { personId, startedAt, durationMs, spoken = [], film, truncated = null } = options;
    const fileId = ids.fileId();
    const blob = film ?? mockVoice(Math.ceil(durationMs / 1000));
    this.media.set(fileId, blob);
    const stepMs = 100;
    const peaks = Array.from({ length: Math.ceil(durationMs / stepMs) }, (_, index) => {
      const at = index * stepMs;
      const speaks = spoken.some(([from, to]) => at >= from && at < to);
      return speaks ? Math.round(30 + 55 * Math.abs(Math.sin(index * 0.9) * Math.cos(index * 0.23))) : 1;
    });
    this.waveforms.set(fileId, { stepMs, peaks });
    return {
      fileId,
      personId,
      channels: null,
      source: film === undefined ? 'microphone' : 'camera',
      contentType: blob.type,
      startedAt,
      durationMs,
      byteSize: blob.size,
      state: truncated === null ? 'whole' : 'truncated',
      truncated,
    };
  }

  async createNote({ purpose, followUpId, ...content }: NoteDraft): Promise<Note> {
    this.#ask('createNote');
    return this.addNote({ purpose, followUpId: (followUpId ?? null) as FollowUpId | null, ...content });
  }

  addNote(note: Pick<Note, 'purpose' | 'followUpId'> & NoteContent): Note {
    const noteId = ids.noteId();
    const current = this.#version(noteId, note);
    const created: Note = {
      noteId,
      consultationId: this.consultationId,
      purpose: note.purpose,
      followUpId: note.followUpId,
      author: ids.personId('doctor-1'),
      createdAt: Date.now(),
      state: 'draft',
      signedAt: null,
      current,
      additions: [],
    };
    this.#setNotes([...this.notes, created]);
    return created;
  }

  async saveNote(note: Pick<Note, 'noteId' | 'current'>, content: NoteContent): Promise<Note> {
    this.#ask('saveNote');
    const held = this.#note(note.noteId);
    if (held.current.version !== note.current.version) throw new AppError('CONFLICT');
    return this.#changeNote(note.noteId, { current: this.#version(note.noteId, content) });
  }

  /** Another device of the doctor saves. */
  saveElsewhere(noteId: string, content: NoteContent, isTold = false): void {
    const current = this.#version(noteId, content);
    this.notes = this.notes.map((note) => (note.noteId === noteId ? { ...note, current } : note));
    if (isTold) this.#setNotes(this.notes);
  }

  async signNote(note: Pick<Note, 'noteId' | 'current'>): Promise<Note> {
    this.#ask('signNote');
    return this.#changeNote(note.noteId, { state: 'signed', signedAt: Date.now() });
  }

  async addToNote(noteId: string, content: NoteContent): Promise<Note> {
    this.#ask('addToNote');
    const { additions } = this.#note(noteId);
    const addition: NoteVersion = {
      version: additions.length + 1,
      at: Date.now(),
      by: this.self,
      ...content,
    };
    return this.#changeNote(noteId, { additions: [...additions, addition] });
  }

  async discardNote(noteId: string): Promise<void> {
    this.#ask('discardNote');
    this.#setNotes(this.notes.filter((note) => note.noteId !== noteId));
  }

  async noteHistory(noteId: string): Promise<readonly NoteVersion[]> {
    return this.#versions.get(noteId) ?? [];
  }

  async planFollowUp(plan: {
    dueAt: number;
    reason: string;
  }): Promise<{ board: FollowUpBoard; followUpId: string }> {
    this.#ask('planFollowUp');
    const { followUpId } = this.addFollowUp(plan);
    return { board: this.followUps, followUpId };
  }

  addFollowUp(followUp: Partial<FollowUp> & { dueAt: number; reason: string }): FollowUp {
    const added: FollowUp = {
      followUpId: ids.followUpId(),
      plannedBy: ids.personId('doctor-1'),
      plannedAt: Date.now(),
      state: 'planned',
      since: Date.now(),
      outcome: null,
      noteId: null,
      ...followUp,
    };
    this.#board({ followUps: [...this.followUps.followUps, added] });
    return added;
  }

  changeFollowUp = async (followUpId: string, plan: { dueAt: number; reason: string }) =>
    this.#followUp('changeFollowUp', followUpId, plan);
  cancelFollowUp = async (followUpId: string) =>
    this.#followUp('cancelFollowUp', followUpId, { state: 'cancelled' });
  beginFollowUp = async (followUpId: string) =>
    this.#followUp('beginFollowUp', followUpId, { state: 'in_progress' });
  completeFollowUp = async (
    followUpId: string,
    { outcome, noteId }: { outcome: FollowUpOutcome; noteId?: string },
  ) =>
    this.#followUp('completeFollowUp', followUpId, {
      state: 'done',
      outcome,
      noteId: (noteId ?? null) as NoteId | null,
    });

  async refuseContact(refused: boolean): Promise<FollowUpBoard> {
    this.#ask(`refuseContact ${refused}`);
    return this.#board({ contactRefusedSince: refused ? Date.now() : null });
  }

  close(): void {}

  #phase(call: MockCall, phase: 'running' | 'paused'): CallRecording | null {
    this.#ask(phase);
    const { recording } = call.view;
    return recording === null ? null : this.#tellCall(call, { ...recording, phase, since: Date.now() });
  }

  #tellCall(call: MockCall, recording: CallRecording | null): CallRecording | null {
    call.recordingIs(recording);
    return recording;
  }

  #followUp(asked: string, followUpId: string, change: Partial<FollowUp>): FollowUpBoard {
    this.#ask(asked);
    return this.#board({
      followUps: this.followUps.followUps.map((followUp) =>
        followUp.followUpId === followUpId ? { ...followUp, ...change, since: Date.now() } : followUp,
      ),
    });
  }

  #board(change: Partial<FollowUpBoard>): FollowUpBoard {
    this.followUps = { ...this.followUps, ...change };
    this.#events.emit('followUps', this.followUps);
    return this.followUps;
  }

  #version(noteId: string, { text, audio }: NoteContent): NoteVersion {
    const versions = this.#versions.get(noteId) ?? [];
    const version = {
      version: versions.length + 1,
      at: Date.now(),
      by: ids.personId('doctor-1'),
      text,
      audio,
    };
    this.#versions.set(noteId, [...versions, version]);
    return version;
  }

  #note(noteId: string): Note {
    const note = this.notes.find((held) => held.noteId === noteId);
    if (note === undefined) throw new AppError('NOT_FOUND');
    return note;
  }

  #changeNote(noteId: string, change: Partial<Note>): Note {
    this.#setNotes(this.notes.map((note) => (note.noteId === noteId ? { ...note, ...change } : note)));
    return this.#note(noteId);
  }

  #setNotes(notes: readonly Note[]): void {
    this.notes = notes;
    this.#events.emit('notes', notes);
  }

  #ask(what: string): void {
    this.asked.push(what);
    const code = this.refusals.get(what);
    if (code === undefined) return;
    this.refusals.delete(what);
    throw new AppError(code);
  }
}
