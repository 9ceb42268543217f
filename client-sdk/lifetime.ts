import { AppError } from '@teleconsult/protocol/errors';

type EndListener = (reason: AppError) => void;

export interface WaitOptions {
  /** Ends the wait early, without an error: subscribes and returns how to unsubscribe. */
  readonly wake?: (wakeUp: () => void) => () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The life of something that is closed once (the client, a consultation, a call, a media session). Timers and
 * waits belong to a life and end with it, so that closing leaves nothing behind: no timer, no listener, no
 * promise that never settles.
 */
export class Lifetime {
  #reason: AppError | null = null;
  readonly #listeners = new Set<EndListener>();

  /** Why it ended; null while it lasts. */
  get endReason(): AppError | null {
    return this.#reason;
  }

  get over(): boolean {
    return this.#reason !== null;
  }

  /** Ends it; ending again changes nothing. */
  end(reason: AppError): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
  }

  /** Tells the listener when the life ends, at once if it has. The returned function unsubscribes. */
  onEnd(listener: EndListener): () => void {
    if (this.#reason !== null) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A life that ends with this one or before it. */
  child(): Lifetime {
    const child = new Lifetime();
    const detach = this.onEnd((reason) => child.end(reason));
    child.onEnd(detach);
    return child;
  }

  /**
   * The promise's outcome, or the reason of the end, or `ABORTED`, whichever comes first. The promise itself goes
   * on; its late failure is not reported anywhere.
   */
  within<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const stopWaiting = this.#until(signal, reject);
      void promise.then(resolve, reject).finally(stopWaiting);
    });
  }

  /** As `within`, and `TIMEOUT` when it takes longer. */
  async withinTime<T>(promise: Promise<T>, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    const limit = this.child();
    const timer = setTimeout(() => limit.end(new AppError('TIMEOUT')), timeoutMs);
    try {
      return await limit.within(promise, signal);
    } finally {
      clearTimeout(timer);
      limit.end(new AppError('TIMEOUT'));
    }
  }

  /** Waits. Rejects with the reason of the end, or `ABORTED`. */
  async wait(durationMs: number, options: WaitOptions = {}): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, durationMs);
    const stopWaking = options.wake?.(resolve);
    try {
      await this.within(promise, options.signal);
    } finally {
      clearTimeout(timer);
      stopWaking?.();
    }
  }

  /** The same life for interfaces that want a signal. `abort` it when the work is done, whatever came of it. */
  toSignal(signal?: AbortSignal): { readonly signal: AbortSignal; readonly abort: () => void } {
    const controller = new AbortController();
    const release = this.#until(signal, (reason) => controller.abort(reason));
    const abort = () => {
      release();
      controller.abort();
    };
    return { signal: controller.signal, abort };
  }

  /** Calls `stop` once, when the life ends or the signal aborts, unless released before. */
  #until(signal: AbortSignal | undefined, stop: (reason: AppError) => void): () => void {
    const release = () => {
      detach();
      signal?.removeEventListener('abort', abort);
    };
    const abort = () => {
      release();
      stop(aborted(signal));
    };
    let detach = () => {};
    if (signal?.aborted === true) {
      stop(aborted(signal));
      return release;
    }
    signal?.addEventListener('abort', abort);
    detach = this.onEnd((reason) => {
      release();
      stop(reason);
    });
    return release;
  }
}

/** The error of a wait that its caller gave up. */
export function aborted(signal?: AbortSignal): AppError {
  return new AppError('ABORTED', { cause: signal?.reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

/** Whether it is, once that is known. Never rejects. */
export const isFulfilled = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );
