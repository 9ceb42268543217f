/** How often it is looked whether somebody still may, while bytes flow. */
const RECHECK_MS = 2_000;

/** The bytes, as long as who takes them may have them. @param judge throws when they may not any more */
export async function* watchedBytes(
  bytes: AsyncIterable<Uint8Array>,
  judge: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  let judgedAt = performance.now();
  for await (const some of bytes) {
    if (performance.now() - judgedAt >= RECHECK_MS) {
      await judge();
      judgedAt = performance.now();
    }
    yield some;
  }
}
