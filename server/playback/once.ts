/** Beyond so many the oldest are forgotten: what they stood for is then recorded once more. */
const MAX_KEPT = 20_000;

/**
 * Does something once for each key within a time, such as recording the first use of a link; whoever comes meanwhile waits
 * for it. What failed is done again by the next.
 */
export class Once {
  readonly #done = new Map<string, { readonly until: number; readonly work: Promise<void> }>();

  async first(
    key: string,
    {
      now,
      until,
      work,
    }: { readonly now: number; readonly until: number; readonly work: () => Promise<void> },
  ): Promise<void> {
    const earlier = this.#done.get(key);
    if (earlier !== undefined && earlier.until > now) return earlier.work;
    const mine = { until, work: work() };
    this.#done.delete(key);
    this.#done.set(key, mine);
    this.#forget(now);
    try {
      await mine.work;
    } catch (error) {
      if (this.#done.get(key) === mine) this.#done.delete(key);
      throw error;
    }
  }

  /** How many are remembered. */
  get size(): number {
    return this.#done.size;
  }

  /** The oldest come first; those whose time is over go from the front. */
  #forget(now: number): void {
    for (const [key, { until }] of this.#done) {
      if (until > now && this.#done.size <= MAX_KEPT) return;
      this.#done.delete(key);
    }
  }
}
