import { MediaWorker } from './media-worker.ts';
import { type MediasoupSfuOptions, restartDelayMs, WORKER_SOUND_MS } from './settings.ts';

type SlotState =
  | { readonly type: 'starting'; readonly done: Promise<void> }
  | { readonly type: 'running'; readonly worker: MediaWorker; readonly since: number }
  | { readonly type: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly type: 'closed' };

export interface WorkerSlotOptions {
  readonly settings: MediasoupSfuOptions;
  /** Its place among the workers; it decides the port. */
  readonly index: number;
  readonly onStarted: () => void;
  readonly onDied: () => void;
}

/** The place of one worker. Whoever dies in it is replaced, for ever, until the slot is closed. */
export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  #state: SlotState;
  #deathsInARow = 0;

  /** Throws when the first worker cannot be started: that is a wrong setting and not an accident. */
  static async open(options: WorkerSlotOptions): Promise<WorkerSlot> {
    const slot = new WorkerSlot(options, await MediaWorker.start(options.settings, options.index));
    return slot;
  }

  private constructor(options: WorkerSlotOptions, worker: MediaWorker) {
    this.#options = options;
    this.#state = this.#running(worker);
  }

  /** The worker, if it is alive now. */
  get worker(): MediaWorker | undefined {
    return this.#state.type === 'running' && this.#state.worker.alive ? this.#state.worker : undefined;
  }

  /** Resolves when no process is left. May be called twice. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { type: 'closed' };
    switch (state.type) {
      case 'starting':
        return state.done;
      case 'running':
        return state.worker.end();
      case 'waiting':
        return clearTimeout(state.timer);
      case 'closed':
        return;
      default:
        return state satisfies never;
    }
  }

  #running(worker: MediaWorker): SlotState {
    const { settings, index } = this.#options;
    worker.onDied((cause) => this.#workerDied(cause));
    settings.logger.info('worker.started', { worker: index, pid: worker.pid });
    return { type: 'running', worker, since: performance.now() };
  }

  #workerDied(cause: Error): void {
    if (this.#state.type !== 'running') return;
    if (performance.now() - this.#state.since >= WORKER_SOUND_MS) this.#deathsInARow = 0;
    this.#options.settings.logger.error('worker.died', { worker: this.#options.index, cause: cause.message });
    this.#replaceLater();
    this.#options.onDied();
  }

  #replaceLater(): void {
    const timer = setTimeout(() => this.#replace(), restartDelayMs(this.#deathsInARow));
    this.#deathsInARow += 1;
    this.#state = { type: 'waiting', timer };
  }

  #replace(): void {
    this.#state = { type: 'starting', done: this.#startReplacement() };
  }

  /** Never rejects: one that cannot be started is tried again later. */
  async #startReplacement(): Promise<void> {
    const { settings, index, onStarted } = this.#options;
    try {
      const worker = await MediaWorker.start(settings, index);
      if (this.#state.type === 'closed') return await worker.end();
      this.#state = this.#running(worker);
      onStarted();
    } catch (error) {
      if (this.#state.type === 'closed') return;
      settings.logger.error('worker.start_failed', { worker: index, cause: String(error) });
      this.#replaceLater();
    }
  }
}
