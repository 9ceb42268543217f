import { Worker } from 'node:worker_threads';
import { AppError } from '@teleconsult/protocol';
import type { FromWriter, Statement, ToWriter, Unit, UnitResult, WriteFailure } from './writer-protocol.ts';

/** Most units on their way to the disk. Beyond it the disk cannot keep up and callers are told so. */
const PENDING_LIMIT = 20_000;

/** A unit broke a uniqueness rule; `constraint` names it as SQLite does. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation';
  readonly constraint: string;
  constructor(constraint: string) {
    super('a uniqueness rule was broken');
    this.constraint = constraint;
  }
}

type Waiting = PromiseWithResolvers<readonly number[]>;

/** The server's side of the writing thread. A resolved write has been synced to the disk. */
export class Writer {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #outgoing: Unit[] = [];
  #lastId = 0;
  #state: 'open' | 'broken' | 'closed' | 'dead' = 'open';

  static async open(path: string): Promise<Writer> {
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: path });
    await new Promise<void>((resolve, reject) => {
      const refuse = (): void => reject(new Error('the database thread did not start'));
      worker.once('error', reject);
      worker.once('exit', refuse);
      worker.once('message', (message: FromWriter) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') reject(new Error(message.message));
        else refuse();
      });
    });
    return new Writer(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.removeAllListeners('error').removeAllListeners('exit');
    worker.on('message', (message: FromWriter) => {
      if (message.type === 'results') for (const result of message.results) this.#settle(result);
    });
    worker.on('error', () => this.#die());
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#die();
        resolve();
      });
    });
  }

  /** False when the thread is gone or the disk has failed: the store can no longer be written. */
  get alive(): boolean {
    return this.#state === 'open';
  }

  /** Writes all statements or none; answers how many rows each changed. Throws UniqueViolation or AppError. */
  write(statements: readonly Statement[]): Promise<readonly number[]> {
    if (this.#state !== 'open') return Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    if (this.#waiting.size >= PENDING_LIMIT) return Promise.reject(new AppError('RATE_LIMITED'));
    const id = ++this.#lastId;
    // One message a turn of the event loop carries all that the turn produced.
    if (this.#outgoing.length === 0) queueMicrotask(() => setImmediate(() => this.#flush()));
    this.#outgoing.push({ id, statements });
    const waiting: Waiting = Promise.withResolvers();
    this.#waiting.set(id, waiting);
    return waiting.promise;
  }

  /** Takes no more writes; resolves when those asked for before are settled. May be called twice. */
  async finish(): Promise<void> {
    this.#flush();
    if (this.#state !== 'dead') this.#state = 'closed';
    await Promise.allSettled([...this.#waiting.values()].map(({ promise }) => promise));
  }

  /** Finishes and ends the thread. May be called twice. */
  async close(): Promise<void> {
    await this.finish();
    this.#post({ type: 'close' });
    await this.#exited;
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const units = this.#outgoing;
    this.#outgoing = [];
    this.#post({ type: 'units', units });
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  #settle(result: UnitResult): void {
    const waiting = this.#waiting.get(result.id);
    this.#waiting.delete(result.id);
    if (result.ok) {
      waiting?.resolve(result.changes);
      return;
    }
    if (result.failure.kind === 'broken' && this.#state === 'open') this.#state = 'broken';
    waiting?.reject(toError(result.failure));
  }

  #die(): void {
    if (this.#state !== 'closed') this.#state = 'dead';
    this.#outgoing = [];
    for (const { reject } of this.#waiting.values()) reject(new AppError('STORAGE_UNAVAILABLE'));
    this.#waiting.clear();
  }
}

function toError(failure: WriteFailure): Error {
  switch (failure.kind) {
    case 'unique':
      return new UniqueViolation(failure.constraint);
    case 'full':
      return new AppError('STORAGE_FULL');
    case 'unavailable':
    case 'broken':
      return new AppError('STORAGE_UNAVAILABLE', {
        cause: new Error(`SQLite result code ${failure.errcode}`),
      });
    case 'bug':
      return new Error(failure.message);
  }
}
