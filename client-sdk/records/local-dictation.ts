import type { RecordingView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MAX_DICTATION_FILES, MAX_DICTATION_MS } from '@teleconsult/protocol/limits';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { CallOptions } from '../api.ts';
import { Emitter } from '../events.ts';
import type { ClientInsides } from '../insides.ts';
import { Lifetime, throwIfAborted } from '../lifetime.ts';
import { toAppError } from '../requests.ts';
import { DictationRun, freeMicrophone, type Microphone } from './dictation-run.ts';
import { DictationSender, type SentDictation } from './dictation-sender.ts';
import type { Journal, JournalHead } from './journal.ts';
import type { Release } from './page-locks.ts';
import type { Dictation, DictationEvents } from './records-api.ts';
import { SoundFile } from './sound-file.ts';

export interface LocalDictationOptions {
  readonly insides: ClientInsides;
  readonly journal: Journal;
  readonly head: JournalHead;
  /** What the journal has of it; empty for a new one. */
  readonly files: readonly SoundFile[];
  /** Lets other pages have it. */
  readonly release: Release;
  readonly openMicrophone: (signal?: AbortSignal) => Promise<Microphone>;
  readonly onChange: () => void;
  /** It is finished or thrown away, and off the shelf. */
  readonly onGone: () => void;
}

type State =
  | { readonly kind: 'recording'; readonly run: DictationRun }
  /** Without a run its microphone was taken away: going on needs another. */
  | { readonly kind: 'paused'; readonly run: DictationRun | null }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'finishing' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly error: AppError };

/** A dictation of this device: recorded, kept in the journal, and brought to the server from there. */
export class LocalDictation implements Dictation {
  readonly #options: LocalDictationOptions;
  readonly #events = new Emitter<DictationEvents>();
  readonly #life: Lifetime;
  readonly #sender: DictationSender;
  readonly #files: SoundFile[];
  #head: JournalHead;
  #state: State;
  /** Why the microphone went away, or why the server takes no more. */
  #problem: AppError | null = null;
  #recording: RecordingView | null = null;
  #ending = Promise.withResolvers<RecordingView>();
  #noting: Promise<void> = Promise.resolve();
  #isStarting = false;
  #isReleased = false;

  constructor(options: LocalDictationOptions) {
    const { head, files, insides } = options;
    this.#options = options;
    this.#head = head;
    this.#files = [...files];
    this.#life = insides.life.child();
    this.#state = head.stage === 'finishing' ? { kind: 'finishing' } : { kind: 'interrupted' };
    // Nobody may be waiting when it is rejected.
    this.#ending.promise.catch(() => {});
    this.#sender = new DictationSender({ insides, life: this.#life, dictation: this.#asSent() });
    if (files.length > 0 || head.stage === 'discarding') this.#sender.wake();
    insides.life.onEnd(() => this.#releaseIfOver());
  }

  get id(): string {
    return this.#head.id;
  }

  get consultationId(): JournalHead['consultationId'] {
    return this.#head.consultationId;
  }

  get purpose(): Dictation['purpose'] {
    return this.#head.purpose;
  }

  get followUpId(): Dictation['followUpId'] {
    return this.#head.followUpId;
  }

  get startedAt(): number {
    return this.#head.startedAt;
  }

  get state(): Dictation['state'] {
    return this.#state.kind;
  }

  get error(): AppError | null {
    if (this.#state.kind === 'failed') return this.#state.error;
    return this.#problem ?? this.#run?.file.failure ?? null;
  }

  get durationMs(): number {
    const run = this.#run;
    const closed = this.#files.filter((file) => file !== run?.file);
    return sum(closed, ({ durationMs }) => durationMs) + (run?.durationMs ?? 0);
  }

  get keptMs(): number {
    return sum(this.#files, ({ keptMs }) => keptMs);
  }

  get savedMs(): number {
    return Math.round(sum(this.#files, ({ sentMs }) => sentMs));
  }

  get recording(): RecordingView | null {
    return this.#recording;
  }

  get on(): Dictation['on'] {
    return this.#events.on;
  }

  get hasRun(): boolean {
    return this.#run !== null;
  }

  pause(): void {
    if (this.#state.kind !== 'recording') return;
    const { run } = this.#state;
    run.pause();
    this.#change({ kind: 'paused', run });
  }

  resume(): void {
    if (this.#state.kind !== 'paused') return;
    const { run } = this.#state;
    if (run === null) {
      this.continue().catch((error: unknown) => {
        this.#problem = toAppError(error);
        this.#tell();
      });
      return;
    }
    run.resume();
    this.#change({ kind: 'recording', run });
  }

  async continue({ signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    switch (this.#state.kind) {
      case 'recording':
        return;
      case 'paused':
        if (this.#state.run === null) return this.#startRun(await this.#takeMicrophone(signal));
        return this.resume();
      case 'interrupted':
        return this.#startRun(await this.#takeMicrophone(signal));
      case 'finishing':
      case 'finished':
      case 'failed':
        throw new AppError('WRONG_STATE', { detail: this.#state.kind });
      default:
        return unreachable(this.#state);
    }
  }

  /** The first run of a new dictation, with the microphone that is there. */
  begin(microphone: Microphone): void {
    this.#startRun(microphone);
  }

  async finish({ signal }: CallOptions = {}): Promise<RecordingView> {
    throwIfAborted(signal);
    if (this.#state.kind === 'finished' && this.#recording !== null) return this.#recording;
    await this.#stopRun();
    // Looked at when nothing is waited for any more: what was thrown away meanwhile stays so.
    if (this.#head.stage === 'discarding' || this.#head.stage === 'done')
      throw new AppError('WRONG_STATE', { detail: 'it was thrown away' });
    if (this.#files.length === 0) throw new AppError('WRONG_STATE', { detail: 'nothing was recorded' });
    if (this.#state.kind !== 'finishing') {
      this.#ending = Promise.withResolvers<RecordingView>();
      this.#ending.promise.catch(() => {});
      this.#problem = null;
      // Before anything is asked of the server: a page that goes on with it knows that this was all.
      await this.#note({ stage: 'finishing' });
      this.#change({ kind: 'finishing' });
      this.#releaseIfOver();
      this.#sender.again();
    }
    return this.#life.within(this.#ending.promise, signal);
  }

  async discard({ signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    const { journal } = this.#options;
    await this.#stopRun();
    if (this.#head.stage === 'done') throw new AppError('WRONG_STATE', { detail: 'finished' });
    const gone = new AppError('ABORTED', { detail: 'it was thrown away' });
    this.#ending.reject(gone);
    await this.#note({ stage: 'discarding' });
    await journal.removeSound(this.id).catch(() => {});
    this.#change({ kind: 'failed', error: gone });
    this.#options.onGone();
    if (this.#head.recordingId === null && this.#files.length === 0) return this.#end();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#life.onEnd(() => resolve());
    this.#sender.again();
    await this.#options.insides.life.within(promise, signal);
  }

  async blobs(): Promise<readonly Blob[]> {
    const { contentType } = this.#head;
    return Promise.all(this.#files.map((file) => file.blob(contentType)));
  }

  /** This page lets go of it: what was said is kept, and another page may go on. */
  async leave(): Promise<void> {
    await this.#stopRun();
    if (this.#state.kind === 'paused') this.#change({ kind: 'interrupted' });
    this.#release();
  }

  /** Of this page, and neither finished nor thrown away, also when that is still being written down. */
  get #isOpen(): boolean {
    return this.#head.stage === 'open' && !this.#isReleased;
  }

  get #run(): DictationRun | null {
    const { kind } = this.#state;
    return kind === 'recording' || kind === 'paused' ? this.#state.run : null;
  }

  #asSent(): SentDictation {
    const dictation = this;
    return {
      get head() {
        return dictation.#head;
      },
      files: this.#files,
      handleBegun: (recording, byteSizes) => this.#handleBegun(recording, byteSizes),
      handleSent: () => this.#tell(),
      handleFinished: (recording) => this.#handleFinished(recording),
      handleErased: () => this.#end(),
      handleRefused: (error) => this.#handleRefused(error),
    };
  }

  async #takeMicrophone(signal: AbortSignal | undefined): Promise<Microphone> {
    if (this.#files.length >= MAX_DICTATION_FILES || this.durationMs >= MAX_DICTATION_MS)
      throw new AppError('TOO_LARGE', { detail: 'it cannot be continued any more' });
    if (this.#isStarting) throw new AppError('WRONG_STATE', { detail: 'it is being continued' });
    if (!this.#isOpen) throw new AppError('WRONG_STATE', { detail: 'it takes nothing more' });
    this.#isStarting = true;
    const before = this.#state;
    try {
      const microphone = await this.#options.openMicrophone(signal);
      if (this.#state === before && this.#isOpen) return microphone;
      // It was finished, thrown away or let go of meanwhile.
      freeMicrophone(microphone);
      throw new AppError('WRONG_STATE', { detail: this.#state.kind });
    } finally {
      this.#isStarting = false;
    }
  }

  #startRun(microphone: Microphone): void {
    const file = new SoundFile({
      journal: this.#options.journal,
      dictationId: this.id,
      number: this.#files.length,
      onChange: () => this.#handleFileChange(file),
    });
    const run = new DictationRun({
      microphone,
      contentType: this.#head.contentType,
      file,
      onSound: () => this.#handleSound(file),
      onLevel: (level) => this.#events.emit('level', level),
      onEnded: (reason) => void this.#stopFor(reason),
    });
    this.#problem = null;
    this.#change({ kind: 'recording', run });
  }

  /** Only a file with sound in it is one of the dictation. */
  #handleSound(file: SoundFile): void {
    if (!this.#files.includes(file)) this.#files.push(file);
    if (this.durationMs < MAX_DICTATION_MS) return;
    void this.#stopFor(new AppError('TOO_LARGE', { detail: 'it is as long as it may be' }));
  }

  #handleFileChange(file: SoundFile): void {
    const { failure } = file;
    if (file.isFull && failure !== null) void this.#stopFor(failure);
    this.#sender.wake();
    this.#tell();
  }

  /** Paused for want of a microphone, of room, or of time. */
  async #stopFor(reason: AppError): Promise<void> {
    if (this.#run === null || this.#run.isStopping) return;
    await this.#stopRun();
    this.#problem = reason;
    this.#releaseIfOver();
    this.#tell();
  }

  /** Ends the present run, and keeps the last of its sound. */
  async #stopRun(): Promise<void> {
    const run = this.#run;
    if (run === null) return;
    await run.stop();
    // Another who waited for it was here before.
    if (this.#run !== run) return;
    this.#problem ??= run.file.failure;
    this.#change({ kind: 'paused', run: null });
    this.#sender.wake();
  }

  #handleBegun(recording: RecordingView, byteSizes: readonly number[]): void {
    this.#recording = recording;
    if (this.#head.recordingId !== recording.recordingId)
      void this.#note({ recordingId: recording.recordingId });
    for (const [number, byteSize] of byteSizes.entries()) {
      const file = this.#files[number];
      // Sound that this device does not have cannot be of this dictation.
      if (
        file === undefined ||
        byteSize > (file.wasSent ? Math.max(file.byteSize, file.isClosed ? byteSize : 0) : 0)
      )
        throw new AppError('CONFLICT', { detail: 'the server has another' });
      file.sentBytes = byteSize;
    }
    for (const file of this.#files.slice(byteSizes.length)) file.sentBytes = 0;
    this.#tell();
  }

  async #handleFinished(recording: RecordingView): Promise<void> {
    this.#recording = recording;
    await this.#note({ stage: 'done' });
    this.#change({ kind: 'finished' });
    this.#ending.resolve(recording);
    this.#options.onGone();
    await this.#end();
  }

  #handleRefused(error: AppError): void {
    this.#problem = error;
    this.#ending.reject(error);
    // Who speaks is told, and not cut off: it is still kept here.
    if (this.hasRun) this.#tell();
    else this.#change({ kind: 'failed', error });
  }

  /** Nothing of it is needed any more. */
  async #end(): Promise<void> {
    // What cannot be removed now is removed by the next page.
    await this.#options.journal.remove(this.id).catch(() => {});
    this.#release();
  }

  /** A client that was closed for good brings nothing to the server: another page may. One that still records goes on. */
  #releaseIfOver(): void {
    if (this.#options.insides.life.over && !this.hasRun) this.#release();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#life.end(new AppError('ABORTED', { detail: 'this page has let go of it' }));
    this.#options.release();
  }

  /** Writes it down. A device without room for that goes on in memory. */
  async #note(changes: Partial<Pick<JournalHead, 'stage' | 'recordingId'>>): Promise<void> {
    this.#head = { ...this.#head, ...changes, at: Date.now() };
    const head = this.#head;
    this.#noting = this.#noting.then(() => this.#options.journal.writeHead(head)).catch(() => {});
    await this.#noting;
  }

  #change(state: State): void {
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    this.#events.emit('changed', this);
    this.#options.onChange();
  }
}

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0);
}
