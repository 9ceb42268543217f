import { Worker } from 'node:worker_threads';
import type { MediaLogger } from '../mediasoup/settings.ts';
import type { G711Codec } from './g711.ts';
import type { Endpoint, FromMixer, LineOpened, LineSettings, LineStatistics, ToMixer } from './messages.ts';

/** A thread that does not answer for so long carries no sound either. It starts in well under a second. */
const ANSWER_PATIENCE_MS = 5_000;

/** Telephones at once. One that hears two voices takes about 0.25 % of a core: these take half of one, and all share it. */
const MOST_LINES = 200;

export type MixerErrorReason = 'failed' | 'too_many' | 'closed';

export class MixerError extends Error {
  override readonly name = 'MixerError';
  readonly reason: MixerErrorReason;
  constructor(reason: MixerErrorReason) {
    super(`phone mixer: ${reason}`);
    this.reason = reason;
  }
}

export interface MixerLineOptions extends Omit<LineSettings, 'lineId'> {
  readonly onFirstPacket: () => void;
  /** The line, or the thread with all lines, broke. Called at most once, and not after `close`. */
  readonly onFailed: () => void;
}

/** A telephone in the thread of the mixer. */
export class MixerLine {
  readonly opened: LineOpened;
  readonly #tell: (message: ToMixer) => void;
  readonly #ask: (lineId: number) => Promise<LineStatistics | null>;
  readonly #onClosed: () => void;
  #closed = false;

  constructor(options: {
    readonly opened: LineOpened;
    readonly tell: (message: ToMixer) => void;
    readonly ask: (lineId: number) => Promise<LineStatistics | null>;
    readonly onClosed: () => void;
  }) {
    this.opened = options.opened;
    this.#tell = options.tell;
    this.#ask = options.ask;
    this.#onClosed = options.onClosed;
  }

  /** From now on sound flows, in both directions. */
  connect(room: Endpoint): void {
    if (!this.#closed) this.#tell({ type: 'connect', lineId: this.opened.lineId, room });
  }

  addVoice(ssrc: number, codec: G711Codec): void {
    if (!this.#closed) this.#tell({ type: 'addVoice', lineId: this.opened.lineId, ssrc, codec });
  }

  removeVoice(ssrc: number): void {
    if (!this.#closed) this.#tell({ type: 'removeVoice', lineId: this.opened.lineId, ssrc });
  }

  /** Null once it is closed. */
  async statistics(): Promise<LineStatistics | null> {
    return this.#closed ? null : this.#ask(this.opened.lineId);
  }

  /** May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    this.#tell({ type: 'close', lineId: this.opened.lineId });
  }
}

/** One thread and what is expected of it. */
interface Thread {
  readonly worker: Worker;
  readonly opening: Map<number, PromiseWithResolvers<LineOpened>>;
  readonly lines: Map<number, MixerLineOptions>;
  readonly asked: Map<number, (statistics: LineStatistics | null) => void>;
}

/**
 * The telephones of all rooms, in one thread that is started with the first of them. A thread that dies takes its lines
 * with it; the next line has a new one.
 */
export class PhoneMixer {
  readonly #logger: MediaLogger;
  #thread: Thread | null = null;
  #lastId = 0;
  #closed = false;

  constructor(logger: MediaLogger) {
    this.#logger = logger;
  }

  get lines(): number {
    return this.#thread?.lines.size ?? 0;
  }

  /** Ends the thread as if it had died, for tests. */
  async endThread(): Promise<void> {
    await this.#thread?.worker.terminate();
  }

  /** @throws MixerError */
  async open(options: MixerLineOptions): Promise<MixerLine> {
    if (this.#closed) throw new MixerError('closed');
    const thread = (this.#thread ??= this.#start());
    if (thread.lines.size + thread.opening.size >= MOST_LINES) throw new MixerError('too_many');
    const lineId = (this.#lastId += 1);
    const answer = Promise.withResolvers<LineOpened>();
    thread.opening.set(lineId, answer);
    const { codec, remote, ssrc } = options;
    tell(thread, { type: 'open', line: { lineId, codec, remote, ssrc } });
    const patience = setTimeout(() => void thread.worker.terminate(), ANSWER_PATIENCE_MS);
    try {
      const opened = await answer.promise;
      // Known from now on to be there; between the two nothing was awaited that the thread could have answered.
      thread.lines.set(lineId, options);
      return new MixerLine({
        opened,
        tell: (message) => tell(thread, message),
        ask: () => this.#ask(thread, lineId),
        onClosed: () => thread.lines.delete(lineId),
      });
    } finally {
      clearTimeout(patience);
      thread.opening.delete(lineId);
    }
  }

  /** Ends the thread; its lines tell nobody. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    this.#thread = null;
    if (thread === null) return;
    thread.lines.clear();
    this.#over(thread);
    await thread.worker.terminate();
  }

  #start(): Thread {
    const worker = new Worker(new URL('./mixer-thread.ts', import.meta.url));
    const thread: Thread = { worker, opening: new Map(), lines: new Map(), asked: new Map() };
    worker.on('message', (message: FromMixer) => this.#heard(thread, message));
    worker.on('error', (error) => this.#logger.error('phone_mixer.failed', { cause: String(error) }));
    worker.once('exit', () => this.#over(thread));
    // A server that ends does not wait for it.
    worker.unref();
    return thread;
  }

  #heard(thread: Thread, message: FromMixer): void {
    switch (message.type) {
      case 'opened':
        thread.opening.get(message.line.lineId)?.resolve(message.line);
        return;
      case 'refused':
        thread.opening.get(message.lineId)?.reject(new MixerError('failed'));
        return;
      case 'firstPacket':
        thread.lines.get(message.lineId)?.onFirstPacket();
        return;
      case 'failed':
        this.#failed(thread, message.lineId);
        return;
      case 'statistics':
        thread.asked.get(message.askId)?.(message.statistics);
        return;
      default: {
        const unreachable: never = message;
        throw new TypeError(`no such message: ${String(unreachable)}`);
      }
    }
  }

  #failed(thread: Thread, lineId: number): void {
    const line = thread.lines.get(lineId);
    thread.lines.delete(lineId);
    line?.onFailed();
  }

  /** The thread is gone, by itself or because it was ended. */
  #over(thread: Thread): void {
    if (this.#thread === thread) {
      this.#thread = null;
      this.#logger.warn('phone_mixer.died', { lines: thread.lines.size });
    }
    for (const answer of thread.opening.values()) answer.reject(new MixerError('failed'));
    for (const lineId of [...thread.lines.keys()]) this.#failed(thread, lineId);
    for (const resolve of thread.asked.values()) resolve(null);
  }

  async #ask(thread: Thread, lineId: number): Promise<LineStatistics | null> {
    const askId = (this.#lastId += 1);
    const { promise, resolve } = Promise.withResolvers<LineStatistics | null>();
    thread.asked.set(askId, resolve);
    const patience = setTimeout(() => resolve(null), ANSWER_PATIENCE_MS);
    tell(thread, { type: 'statistics', lineId, askId });
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
      thread.asked.delete(askId);
    }
  }
}

/** A thread that is gone hears nothing, and its end is told by itself. */
function tell({ worker }: Thread, message: ToMixer): void {
  worker.postMessage(message);
}
