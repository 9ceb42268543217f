import type { RecordingView, RequestResult } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MAX_DICTATION_PART_BYTES } from '@teleconsult/protocol/limits';
import { askedOf, atLeastAsAsked, delayOf, retryDelay } from '../backoff.ts';
import type { ClientInsides } from '../insides.ts';
import type { Lifetime } from '../lifetime.ts';
import { toAppError, whenItMayWork } from '../requests.ts';
import { appendPart } from './dictation-wire.ts';
import type { JournalHead } from './journal.ts';
import type { SoundFile } from './sound-file.ts';

/** What the sender needs of a dictation, and tells it. */
export interface SentDictation {
  readonly head: JournalHead;
  readonly files: readonly SoundFile[];
  /** The server knows it, and has so many bytes of each file. Rejects when that cannot be. */
  readonly handleBegun: (recording: RecordingView, byteSizes: readonly number[]) => void;
  readonly handleSent: () => void;
  /** All of it is on the server, which was told so. */
  readonly handleFinished: (recording: RecordingView) => Promise<void>;
  /** The server has erased it, or never had it. */
  readonly handleErased: () => Promise<void>;
  /** Trying again changes nothing. */
  readonly handleRefused: (error: AppError) => void;
}

export interface DictationSenderOptions {
  readonly insides: Pick<ClientInsides, 'url' | 'tokens' | 'signalling'>;
  readonly life: Lifetime;
  readonly dictation: SentDictation;
}

type Step = 'moved' | 'sent' | 'nothing' | 'over';

/** While it is recorded, sound gathers for so long before it is sent: a request a second is enough. */
const GATHER_MS = 1_000;
/** A server tells a container by its first bytes, so they go together. */
const HEAD_BYTES = 16;
/** Parts are halved down to this when a line is too slow for them. */
const SMALLEST_PART_BYTES = 64 * 1024;

/**
 * Brings a dictation to the server as it grows: in order, each byte until it is confirmed, over any number of losses.
 * Where it goes on is always the server's word.
 */
export class DictationSender {
  readonly #options: DictationSenderOptions;
  #woken = Promise.withResolvers<void>();
  #partBytes = MAX_DICTATION_PART_BYTES;
  /** Nothing is known of the server's part yet, or not any more. */
  #isBegun = false;
  #isRefused = false;
  #isRunning = false;
  #hurry: (() => void) | null = null;
  readonly #hurries = (wakeUp: () => void): (() => void) => {
    this.#hurry = wakeUp;
    return () => {
      this.#hurry = null;
    };
  };

  constructor(options: DictationSenderOptions) {
    this.#options = options;
  }

  /** Starts; later: there may be something to do. */
  wake(): void {
    this.#woken.resolve();
    // Nobody waits for the gathering of what does not grow any more.
    if (!this.#isGrowing) this.#hurry?.();
    if (this.#isRunning || this.#options.life.over) return;
    this.#isRunning = true;
    // It ends with the life, and tells everything else.
    this.#run()
      .catch(() => {})
      .finally(() => {
        this.#isRunning = false;
      });
  }

  /** Asks the server once more, though it has refused. */
  again(): void {
    this.#isRefused = false;
    this.#isBegun = false;
    this.wake();
  }

  async #run(): Promise<void> {
    const { life, dictation } = this.#options;
    let attempt = 0;
    while (!life.over) {
      this.#woken = Promise.withResolvers<void>();
      try {
        const step = this.#isRefused ? 'nothing' : await this.#step();
        if (step === 'over') return;
        if (step !== 'nothing') attempt = 0;
        await this.#pause(step);
      } catch (thrown) {
        const error = toAppError(thrown);
        if (life.over) return;
        if (error.retryable) {
          attempt += 1;
          await this.#backOff(error, attempt);
        } else {
          this.#isRefused = true;
          dictation.handleRefused(error);
        }
      }
    }
  }

  async #step(): Promise<Step> {
    const { dictation, life, insides } = this.#options;
    if (dictation.head.stage === 'discarding') return this.#erase();
    if (dictation.files.every(({ sendableBytes }) => sendableBytes === 0)) return 'nothing';
    await insides.signalling.untilConnected(life);
    if (!this.#isBegun) {
      await this.#begin();
      return 'moved';
    }
    for (const file of dictation.files) {
      if (file.sendableBytes > file.sentBytes) return this.#send(file);
      // What follows it goes nowhere before it is complete.
      if (!file.isClosed || file.sentBytes < file.byteSize) return 'nothing';
    }
    return dictation.head.stage === 'finishing' ? this.#finish() : 'nothing';
  }

  async #begin(): Promise<void> {
    const { recording, byteSizes } = await this.#ask();
    this.#options.dictation.handleBegun(recording, byteSizes);
    this.#isBegun = true;
  }

  #ask(): Promise<RequestResult<'dictation.begin'>> {
    const { insides, life, dictation } = this.#options;
    const { consultationId, id, purpose, followUpId, contentType, startedAt } = dictation.head;
    return life.within(
      insides.signalling.request('dictation.begin', {
        consultationId,
        clientDictationId: id,
        purpose,
        ...(followUpId === null ? {} : { followUpId }),
        contentType,
        startedAt,
      }),
    );
  }

  async #send(file: SoundFile): Promise<Step> {
    const { insides, life, dictation } = this.#options;
    const { consultationId, recordingId } = dictation.head;
    const offset = file.sentBytes;
    if (recordingId === null) return 'nothing';
    if (offset === 0 && file.sendableBytes < HEAD_BYTES && !file.isClosed) return 'nothing';
    const bytes = await file.read(offset, Math.min(this.#partBytes, file.sendableBytes - offset));
    if (bytes === null) throw new AppError('INTEGRITY', { detail: 'this device does not have it any more' });
    file.wasSent = true;
    const part = { consultationId, recordingId, file: file.number, offset, bytes };
    const reached = await appendPart(insides, part, life);
    // The server cannot have what it was never given.
    if (reached > Math.max(file.byteSize, offset + bytes.length)) throw new AppError('CONFLICT');
    if (reached === offset) throw new AppError('INTERNAL', { detail: 'nothing was appended' });
    file.sentBytes = reached;
    dictation.handleSent();
    return 'sent';
  }

  async #finish(): Promise<Step> {
    const { insides, life, dictation } = this.#options;
    const { consultationId, recordingId } = dictation.head;
    if (recordingId === null) return 'nothing';
    const files = dictation.files.map(({ byteSize, durationMs }) => ({
      byteSize,
      durationMs: Math.round(durationMs),
    }));
    const { recording } = await life.within(
      insides.signalling.request('dictation.finish', { consultationId, recordingId, files }),
    );
    // It may have been thrown away meanwhile.
    if (dictation.head.stage !== 'finishing') return 'moved';
    await dictation.handleFinished(recording);
    return 'over';
  }

  /** Also one that runs: what still arrives of it is refused by then. */
  async #erase(): Promise<Step> {
    const { insides, life, dictation } = this.#options;
    const { signalling } = insides;
    await signalling.untilConnected(life);
    try {
      const { recording } = await this.#ask();
      const { consultationId, recordingId } = recording;
      await life.within(signalling.request('recording.delete', { consultationId, recordingId }));
    } catch (error) {
      // Erased already, without any sound, or not to be erased by this person: nothing more can be done from here.
      if (toAppError(error).retryable || life.over) throw error;
    }
    await dictation.handleErased();
    return 'over';
  }

  async #pause(step: Step): Promise<void> {
    const { life } = this.#options;
    if (step === 'nothing') await life.within(this.#woken.promise);
    else if (step === 'sent' && this.#isGrowing) await life.wait(GATHER_MS, { wake: this.#hurries });
  }

  /** Sound is still being added. */
  get #isGrowing(): boolean {
    const { head, files } = this.#options.dictation;
    return head.stage === 'open' && files.at(-1)?.isClosed === false;
  }

  async #backOff(error: AppError, attempt: number): Promise<void> {
    const { life, insides } = this.#options;
    if (error.code === 'TIMEOUT') this.#partBytes = Math.max(this.#partBytes >> 1, SMALLEST_PART_BYTES);
    if (error.code === 'DISCONNECTED') insides.signalling.probe();
    // Where the server stands may have changed with it.
    this.#isBegun = false;
    const delayMs = atLeastAsAsked(delayOf(retryDelay, attempt), error);
    // Nothing cuts short what the server asked for.
    const wake = (wakeUp: () => void) => {
      const stops = [this.#hurries(wakeUp), whenItMayWork(insides.signalling, wakeUp)];
      return () => {
        for (const stop of stops) stop();
      };
    };
    await life.wait(delayMs, askedOf(error) > 0 ? {} : { wake });
  }
}
