/** Waits until `probe` returns something other than undefined, null or false; fails with what was last seen. */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: { withinMs?: number; lastSeen?: () => unknown } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const { withinMs = 10_000, lastSeen } = options;
  const deadline = performance.now() + withinMs;
  let seen: unknown;
  for (;;) {
    try {
      const value = await probe();
      seen = value;
      if (value !== undefined && value !== null && value !== false)
        return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      seen = error;
    }
    if (performance.now() > deadline)
      throw new Error(`Not within ${withinMs} ms: ${what}. Last seen: ${show(lastSeen ? lastSeen() : seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const show = (value: unknown): string =>
  value instanceof Error ? `${value.name}: ${value.message}` : (JSON.stringify(value) ?? String(value));
