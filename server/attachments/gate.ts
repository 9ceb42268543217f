/** Lets a limited number of tasks run; the others wait in the order they came. */
export interface Gate {
  run<T>(task: () => Promise<T>): Promise<T>;
}

/** @param width how many tasks may run at once, 1 or more */
export function createGate(width: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];

  const enter = async (): Promise<void> => {
    if (running < width) {
      running += 1;
      return;
    }
    // Whoever leaves hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  return {
    async run(task) {
      await enter();
      try {
        return await task();
      } finally {
        leave();
      }
    },
  };
}
