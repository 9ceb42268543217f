import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Runs tasks one after another. Between two tasks it lets the event loop turn once, so that the answer of the
 * first has reached its caller before the second can report anything: facts keep the order in which they
 * happened.
 */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = settled(result);
    return result;
  }
}

async function settled(result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch {
    // The caller of `run` has it.
  }
  await nextTurn();
}
