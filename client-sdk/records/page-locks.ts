/**
 * What one page at a time may do, by the Web Locks API: a lock is gone with its page, however that dies. Where there are no
 * Web Locks (insecure pages, old browsers) every page is taken for the only one.
 */
export type Release = () => void;

const nothing: Release = () => {};

/** Null while another page (or this one) holds it. */
export function tryLock(name: string): Promise<Release | null> {
  return ask(name, { ifAvailable: true });
}

/** Waits until it is free. Rejects when the signal aborts. */
export async function awaitLock(name: string, signal: AbortSignal): Promise<Release> {
  return (await ask(name, { signal })) ?? nothing;
}

async function ask(name: string, options: LockOptions): Promise<Release | null> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return nothing;
  const granted = Promise.withResolvers<Release | null>();
  const held = Promise.withResolvers<void>();
  locks
    .request(name, options, (lock) => {
      granted.resolve(lock === null ? null : held.resolve);
      return lock === null ? undefined : held.promise;
    })
    .catch((thrown: unknown) => {
      // Refused by the browser's settings: then nobody holds it either.
      if (options.signal?.aborted === true) granted.reject(thrown);
      else granted.resolve(nothing);
    });
  return granted.promise;
}
