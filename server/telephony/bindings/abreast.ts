const ABREAST = 10;

/** A few side by side: one that is slow is not to hold up all others, and nobody is asked for hundreds of things at once. */
export async function abreast<T>(all: readonly T[], task: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const next = async (): Promise<void> => {
    for (const one of waiting) await task(one);
  };
  await Promise.all(Array.from({ length: ABREAST }, next));
}
