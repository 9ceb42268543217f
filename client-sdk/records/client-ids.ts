import { mintPageId } from '../mint-id.ts';
import { toAppError } from '../requests.ts';

/** More that failed at once than a person would try again. */
const MAX_REMEMBERED = 64;

/**
 * Ids that make a repeated request the same request. Whoever asks for the same again after it failed for now (no answer,
 * or the wait was aborted) gets the same id, so that nothing is made twice.
 */
export class ClientIds {
  readonly #ids = new Map<string, string>();

  /** Runs the request with the id of what is asked for. */
  async use<T>(wish: readonly unknown[], ask: (id: string) => Promise<T>): Promise<T> {
    const key = JSON.stringify(wish);
    const id = this.#ids.get(key) ?? `r-${mintPageId()}`;
    this.#ids.set(key, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > MAX_REMEMBERED && oldest !== undefined) this.#ids.delete(oldest);
    try {
      const result = await ask(id);
      this.#ids.delete(key);
      return result;
    } catch (thrown) {
      const { code, retryable } = toAppError(thrown);
      if (!retryable && code !== 'ABORTED') this.#ids.delete(key);
      throw thrown;
    }
  }
}
