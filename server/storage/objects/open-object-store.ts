import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { nothingAwayFile } from './away-keys.ts';
import { DiskObjectStore } from './disk.ts';
import { GuardedObjectStore } from './guarded.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectPlace, ObjectPlaces } from './object-store-settings.ts';
import { ReplayFolder } from './replayable-bytes.ts';
import type { S3Options } from './s3.ts';
import { StandInObjectStore } from './stand-in.ts';

/** What the operator is told, without a key of any object. */
export type ObjectStoreNews =
  | { readonly kind: 'storeLost'; readonly which: 'first' | 'second' }
  | { readonly kind: 'storeBack'; readonly which: 'first' | 'second' }
  | { readonly kind: 'broughtHome'; readonly count: number }
  /** Objects of the second store that cannot be read or moved; they stay there. */
  | { readonly kind: 'notBroughtHome'; readonly count: number }
  /** Parts of uploads that a crash had left in a bucket. */
  | { readonly kind: 'unfinishedRemoved'; readonly count: number };

export interface ObjectStoreOptions {
  /** Where the folders `objects`, `objects-second` and `objects-replay` lie. */
  readonly dataDir: string;
  readonly report: (news: ObjectStoreNews) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly now: () => number;
  readonly s3?: S3Options;
  /** Between two looks at what can be brought home or tidied up; for tests. */
  readonly chores?: Partial<ChoreTimes>;
}

/** How long after a chore was done it is done again, and how long after it could not be done. */
export interface ChoreTime {
  readonly afterMs: number;
  readonly afterFailureMs: number;
  /** After a store could not be reached: a single lost answer is told by nobody, so it is looked for soon. */
  readonly afterUnavailableMs: number;
}

interface ChoreTimes {
  readonly bringHome: ChoreTime;
  readonly sweep: ChoreTime;
}

/** One that is full is offered a whole object each time; one that is down is not even asked, once its guard knows. */
const CHORES: ChoreTimes = {
  bringHome: { afterMs: 30_000, afterFailureMs: 300_000, afterUnavailableMs: 10_000 },
  sweep: { afterMs: 6 * 3_600_000, afterFailureMs: 600_000, afterUnavailableMs: 600_000 },
};

export interface OpenedObjectStore extends AsyncDisposable {
  readonly store: ObjectStore;
  /** What the server is not ready without, in words for /readyz. While a second store stands in, it is ready. */
  missing(): readonly string[];
  /** How many objects wait in the second store to come home; 0 without one. */
  awayCount(): number;
  /** Ends the chores and the connections. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens the stores of the settings as one. A bucket need not answer for that: the server starts, and says what is
 * missing.
 * @throws AppError STORAGE_UNAVAILABLE, STORAGE_FULL when a folder cannot be made; Error when a second store is no other
 */
export async function openObjectStore(
  { first, second }: ObjectPlaces,
  options: ObjectStoreOptions,
): Promise<OpenedObjectStore> {
  await using parts = new AsyncDisposableStack();
  const stopping = new AbortController();
  const chores = { ...CHORES, ...options.chores };
  const rootOf = ({ dir }: { readonly dir: string | null }, folder: string) =>
    dir === null ? join(options.dataDir, folder) : resolve(dir);
  const openOne = async (place: ObjectPlace, folder: string): Promise<ObjectStore> => {
    if (place.kind === 'disk') return await DiskObjectStore.open(rootOf(place, folder));
    // Only who uses S3 loads its client.
    const { S3ObjectStore } = await import('./s3.ts');
    const bucket = parts.adopt(new S3ObjectStore(place.place, options.s3), (made) => made.close());
    parts.use(
      everyNowAndThen(chores.sweep, async () => {
        const count = await bucket.sweepUnfinished({ now: options.now(), signal: stopping.signal });
        if (count > 0) options.report({ kind: 'unfinishedRemoved', count });
      }),
    );
    return bucket;
  };
  const one = await openOne(first, 'objects');
  // A disk that fails fails at once; a guard would only keep others from what still can be read.
  if (second === null && first.kind === 'disk') return opened({ store: one, parts, stopping });

  let comeHome = () => {};
  const guard = (store: ObjectStore, which: 'first' | 'second') => {
    const onChange = (reachable: boolean) => {
      options.report({ kind: reachable ? 'storeBack' : 'storeLost', which });
      if (reachable) comeHome();
    };
    return parts.adopt(new GuardedObjectStore(store, { onChange }), (guarded) => guarded.close());
  };
  const guardedFirst = guard(one, 'first');
  if (second === null)
    return opened({ store: guardedFirst, parts, stopping, isReady: () => guardedFirst.reachable });

  const replays = join(options.dataDir, 'objects-replay');
  const guardedSecond = guard(await openOne(second, 'objects-second'), 'second');
  if (second.kind === 'disk') {
    const root = rootOf(second, 'objects-second');
    if (first.kind === 'disk') await assertAnother(root, rootOf(first, 'objects'));
    await assertAnother(root, replays);
  }
  const store = await StandInObjectStore.open({
    first: guardedFirst,
    second: guardedSecond,
    replays: await ReplayFolder.open(replays),
    note: nothingAwayFile(join(options.dataDir, 'objects-second-is-empty')),
    clock: options.clock,
  });
  const homecoming = parts.use(
    everyNowAndThen(chores.bringHome, () => bringHome(store, { options, signal: stopping.signal })),
  );
  comeHome = homecoming.now;
  return opened({
    store,
    parts,
    stopping,
    isReady: () => guardedFirst.reachable || guardedSecond.reachable,
    awayCount: () => store.awayCount,
  });
}

/**
 * What the second store has is brought to the first and then removed, and what is in the folder of replays is removed at
 * the start: where two of them are one folder, under whatever name, that would be the only copy.
 */
async function assertAnother(second: string, folder: string): Promise<void> {
  const other = await stat(folder, { bigint: true }).catch(() => null);
  if (other === null) return;
  const { dev, ino } = await stat(second, { bigint: true });
  if (dev !== other.dev || ino !== other.ino) return;
  throw new Error(
    `The folder of the second object store is ${await realpath(folder)}, which is ` +
      'the folder of the first store or of its replays: name another one, best on another disk.',
  );
}

function opened(made: {
  store: ObjectStore;
  parts: AsyncDisposableStack;
  stopping: AbortController;
  isReady?: () => boolean;
  awayCount?: () => number;
}): OpenedObjectStore {
  const { store, stopping, isReady = () => true, awayCount = () => 0 } = made;
  const owned = made.parts.move();
  const close = async () => {
    stopping.abort();
    await owned.disposeAsync();
  };
  return {
    store,
    missing: () => (isReady() ? [] : ['object store']),
    awayCount,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function bringHome(
  store: StandInObjectStore,
  { options, signal }: { options: ObjectStoreOptions; signal: AbortSignal },
): Promise<void> {
  const { moved, damaged } = await store.bringHome(signal);
  if (moved > 0) options.report({ kind: 'broughtHome', count: moved });
  if (damaged > 0) options.report({ kind: 'notBroughtHome', count: damaged });
}

/** How long to wait before a chore is done again. */
export function waitAfter(error: AppError | null, times: ChoreTime): number {
  if (error === null) return times.afterMs;
  return error.code === 'STORAGE_UNAVAILABLE' ? times.afterUnavailableMs : times.afterFailureMs;
}

/**
 * A chore that is done now and again. What fails with a code is tried again the next time; a store that is down has told
 * so already.
 */
function everyNowAndThen(
  times: ChoreTime,
  chore: () => Promise<void>,
): { now: () => void } & AsyncDisposable {
  let timer: NodeJS.Timeout | null = null;
  let underWay: Promise<void> | null = null;
  let isOver = false;
  let isWantedAgain = false;
  const run = async () => {
    let failed: AppError | null = null;
    isWantedAgain = false;
    try {
      await chore();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failed = error;
    } finally {
      underWay = null;
      if (!isOver) timer = setTimeout(now, isWantedAgain ? 0 : waitAfter(failed, times)).unref();
    }
  };
  const now = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    // Whatever made it wanted may have happened after this run had looked.
    isWantedAgain = true;
    if (!isOver) underWay ??= run();
  };
  now();
  return {
    now,
    async [Symbol.asyncDispose]() {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
      await underWay;
    },
  };
}
