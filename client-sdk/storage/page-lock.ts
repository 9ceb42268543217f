import { mintPageId } from '../mint-id.ts';

/** Names of this SDK among the locks of an origin. */
const PREFIX = 'teleconsult.page.';
const RESTORING = 'teleconsult.restoring';

/**
 * Tells the pages of one browser apart, by the Web Locks API: each holds the lock of its own name as long as it lives,
 * however it dies. So a page knows which messages are another's that still sends them.
 */
export class PageLock {
  readonly id: string;
  readonly #locks: LockManager;
  readonly #release = Promise.withResolvers<void>();

  private constructor(locks: LockManager, id: string) {
    this.#locks = locks;
    this.id = id;
  }

  /** Null where there are no Web Locks (insecure pages, old browsers): then every page is taken for the only one. */
  static async hold(): Promise<PageLock | null> {
    const locks = globalThis.navigator?.locks;
    if (locks === undefined) return null;
    const page = new PageLock(locks, mintPageId());
    const { promise: granted, resolve, reject } = Promise.withResolvers<void>();
    locks
      .request(`${PREFIX}${page.id}`, () => {
        resolve();
        return page.#release.promise;
      })
      .catch(reject);
    try {
      await granted;
      return page;
    } catch {
      // Refused by the browser's settings.
      return null;
    }
  }

  /** The pages that live now, this one included. */
  async living(): Promise<ReadonlySet<string>> {
    const { held = [] } = await this.#locks.query();
    const names = held.flatMap(({ name }) => (name?.startsWith(PREFIX) === true ? [name] : []));
    return new Set(names.map((name) => name.slice(PREFIX.length)));
  }

  /** Resolves when the page is gone. Rejects when the signal aborts. */
  async untilGone(page: string, signal: AbortSignal): Promise<void> {
    await this.#locks.request(`${PREFIX}${page}`, { signal }, () => {});
  }

  /** While the work lasts, no other page does work of this kind. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#locks.request(RESTORING, work);
  }

  leave(): void {
    this.#release.resolve();
  }
}
