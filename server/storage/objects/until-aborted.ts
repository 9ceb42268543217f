import { AppError } from '@teleconsult/protocol';

/**
 * The same bytes, given up with `ABORTED` when the signal says so, even while their source stalls: it is told to
 * end, and not waited for.
 */
export async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) return yield* bytes;
  const gaveUp = () => new AppError('ABORTED', { cause: signal.reason });
  // One waiter at a time, not one promise raced by every chunk: that would hold on to all of them.
  let giveUp: ((reason: AppError) => void) | null = null;
  const onAbort = () => giveUp?.(gaveUp());
  signal.addEventListener('abort', onAbort, { once: true });
  const source = bytes[Symbol.asyncIterator]();
  const next = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      if (signal.aborted) return reject(gaveUp());
      giveUp = reject;
      return void source.next().then(resolve, reject);
    });
  try {
    for (let step = await next(); step.done !== true; step = await next()) yield step.value;
  } finally {
    signal.removeEventListener('abort', onAbort);
    void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}
