import type { types } from 'mediasoup';
import { mediaCodecs } from './codecs.ts';
import { listenInfos, type MediasoupSfuOptions } from './settings.ts';
import { endWorkerProcess, startWorkerProcess } from './worker-process.ts';

/** One running worker process with its one WebRtcServer. */
export class MediaWorker {
  readonly webRtcServer: types.WebRtcServer;
  readonly #worker: types.Worker;
  #rooms = 0;

  /** Throws when the process or its sockets cannot be opened; nothing is left behind then. */
  static async start(options: MediasoupSfuOptions, index: number): Promise<MediaWorker> {
    const { workerBin } = options;
    const worker = await startWorkerProcess({
      logLevel: 'error',
      ...(workerBin === undefined ? {} : { workerBin }),
    });
    try {
      const webRtcServer = await worker.createWebRtcServer({ listenInfos: listenInfos(options, index) });
      return new MediaWorker(worker, webRtcServer);
    } catch (error) {
      await endWorkerProcess(worker);
      throw error;
    }
  }

  private constructor(worker: types.Worker, webRtcServer: types.WebRtcServer) {
    this.#worker = worker;
    this.webRtcServer = webRtcServer;
  }

  get pid(): number {
    return this.#worker.pid;
  }

  get alive(): boolean {
    return !this.#worker.closed;
  }

  /** Rooms open or being opened here. Rooms of a consultation are alike, so their number is the load. */
  get rooms(): number {
    return this.#rooms;
  }

  /** Called once, after the rooms of the worker have been told. */
  onDied(listener: (cause: Error) => void): void {
    this.#worker.once('died', listener);
  }

  /** Rejects when the worker dies meanwhile: see `alive`. */
  async openRouter(): Promise<types.Router> {
    this.#rooms += 1;
    try {
      const router = await this.#worker.createRouter({ mediaCodecs: mediaCodecs() });
      router.observer.once('close', () => {
        this.#rooms -= 1;
      });
      return router;
    } catch (error) {
      this.#rooms -= 1;
      throw error;
    }
  }

  /** Resolves when the process is gone. */
  end(): Promise<void> {
    return endWorkerProcess(this.#worker);
  }
}
