/** A media thread that runs: messages there and back, its end, and the watch over one that no longer answers. */
import { Worker } from 'node:worker_threads';
import type { FromMedia, MediaSettings, ToMedia } from './media-protocol.ts';

const ASK_EVERY_MS = 3_000;
/** Three questions without an answer, or any other word: its calls have been silent for longer than anybody bears. */
const MOST_UNANSWERED = 3;
/** One that was asked to end and does not. */
const END_WITHIN_MS = 2_000;
const START_WITHIN_MS = 20_000;

export type StartThread = (settings: MediaSettings) => Worker;

export const startMediaThread: StartThread = (settings) =>
  new Worker(new URL('./media-thread.ts', import.meta.url), { workerData: settings });

export class MediaLink {
  /** Resolves when it is gone, for whatever reason. */
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #watch: NodeJS.Timeout;
  #unanswered = 0;

  /** @throws Error when the thread does not start */
  static async start(
    startThread: StartThread,
    settings: MediaSettings,
    onMessage: (message: Extract<FromMedia, { id: number }>) => void,
  ): Promise<MediaLink> {
    const worker = startThread(settings);
    const started = Promise.withResolvers<void>();
    const refuse = (): void => started.reject(new Error('telephone sound: the thread did not start'));
    const late = setTimeout(refuse, START_WITHIN_MS);
    worker.once('message', started.resolve);
    worker.once('exit', refuse);
    worker.once('error', refuse);
    try {
      await started.promise;
    } catch (error) {
      worker.on('error', () => undefined);
      await worker.terminate();
      throw error;
    } finally {
      clearTimeout(late);
    }
    return new MediaLink(worker, onMessage);
  }

  private constructor(worker: Worker, onMessage: (message: Extract<FromMedia, { id: number }>) => void) {
    this.#worker = worker;
    worker.on('message', (message: FromMedia) => {
      this.#unanswered = 0;
      if (message.type !== 'ready' && message.type !== 'pong') onMessage(message);
    });
    // Its end follows, and is all that matters here.
    worker.on('error', () => undefined);
    this.#watch = setInterval(() => this.#ask(), ASK_EVERY_MS).unref();
    this.exited = new Promise((resolve) => {
      worker.once('exit', () => {
        clearInterval(this.#watch);
        resolve();
      });
    });
  }

  post(message: ToMedia): void {
    this.#worker.postMessage(message);
  }

  async end(): Promise<void> {
    this.post({ type: 'end' });
    const late = setTimeout(() => void this.#worker.terminate(), END_WITHIN_MS);
    await this.exited;
    clearTimeout(late);
  }

  #ask(): void {
    if (this.#unanswered >= MOST_UNANSWERED) {
      clearInterval(this.#watch);
      void this.#worker.terminate();
      return;
    }
    this.#unanswered += 1;
    this.post({ type: 'ping' });
  }
}
