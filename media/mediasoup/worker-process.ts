/**
 * The two things about a worker that only the operating system can do. This is the one file of media/ that
 * touches `process`.
 */
import process from 'node:process';
import { createWorker, type types } from 'mediasoup';
import { WORKER_END_MS } from './settings.ts';

const END_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Starts a worker process. mediasoup lets each of its workers listen to SIGINT and SIGTERM and end by itself.
 * That would cut every call the moment the server is asked to stop, before it can drain; so those listeners
 * are taken off again: the server opened the workers, the server closes them.
 */
export function startWorkerProcess(settings: types.WorkerSettings): Promise<types.Worker> {
  const before = END_SIGNALS.map((signal) => new Set(process.listeners(signal)));
  // The process is spawned, and its listeners are added, before this call returns its promise.
  const starting = createWorker(settings);
  for (const [index, signal] of END_SIGNALS.entries()) {
    for (const listener of process.listeners(signal)) {
      if (!before[index]?.has(listener)) process.removeListener(signal, listener);
    }
  }
  return starting;
}

/** Ends a worker and waits until its process is gone. One that does not answer is killed. */
export async function endWorkerProcess(worker: types.Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  const gone = Promise.withResolvers<void>();
  worker.once('subprocessclose', () => gone.resolve());
  worker.close();
  const timer = setTimeout(() => killProcess(worker.pid), WORKER_END_MS);
  await gone.promise;
  clearTimeout(timer);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in this very moment.
  }
}
