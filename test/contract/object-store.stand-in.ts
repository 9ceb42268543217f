/** A pair of stores for tests, each of which can be made to fail. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { type NothingAwayNote, nothingAwayFile } from '../../server/storage/objects/away-keys.ts';
import { GuardedObjectStore } from '../../server/storage/objects/guarded.ts';
import { MemoryObjectStore } from '../../server/storage/objects/memory.ts';
import type {
  ObjectStore,
  PutOptions,
  RandomAccessSource,
} from '../../server/storage/objects/object-store.ts';
import { ReplayFolder } from '../../server/storage/objects/replayable-bytes.ts';
import { StandInObjectStore } from '../../server/storage/objects/stand-in.ts';

export type StoreMood =
  | 'up'
  /** Nothing can be done. */
  | 'down'
  /** Nothing can be put. */
  | 'full'
  /** Whatever changes something is done, and the answer is lost. */
  | 'mute';

/** A store in a mood. A put in a bad mood has read its bytes before it fails. */
export class MoodyObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  mood: StoreMood = 'up';
  /** How often it was asked for anything. */
  asked = 0;

  constructor(store: ObjectStore = new MemoryObjectStore()) {
    this.#store = store;
  }

  async put(key: string, bytes: AsyncIterable<Uint8Array>, options?: PutOptions) {
    this.asked += 1;
    if (this.mood === 'up') return await this.#store.put(key, bytes, options);
    if (this.mood === 'mute') await this.#store.put(key, bytes, options);
    // Elsewhere, with the same rules about bytes and signals: an answer comes after them.
    else await new MemoryObjectStore().put(key, bytes, options);
    throw new AppError(this.mood === 'full' ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE');
  }

  async open(key: string): Promise<RandomAccessSource> {
    this.#readable();
    return await this.#store.open(key);
  }

  async head(key: string) {
    this.#readable();
    return await this.#store.head(key);
  }

  async delete(key: string) {
    this.#readable();
    await this.#store.delete(key);
    if (this.mood === 'mute') throw new AppError('STORAGE_UNAVAILABLE');
  }

  async *list(prefix: string) {
    this.#readable();
    yield* this.#store.list(prefix);
  }

  #readable(): void {
    this.asked += 1;
    if (this.mood === 'down') throw new AppError('STORAGE_UNAVAILABLE');
  }
}

export interface Pair extends AsyncDisposable {
  readonly store: StandInObjectStore;
  readonly first: MoodyObjectStore;
  readonly second: MoodyObjectStore;
  /** The clock of the pair, in milliseconds. */
  now: number;
  /** As after the end of the process: only what the two stores and the note keep is left. */
  restart(): Promise<void>;
  readonly folder: string;
}

export async function openPair({
  first = new MoodyObjectStore(),
  second = new MoodyObjectStore(),
  maxAway,
}: {
  first?: MoodyObjectStore;
  second?: MoodyObjectStore;
  maxAway?: number;
} = {}): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-pair-'));
  const note: NothingAwayNote = nothingAwayFile(join(folder, 'second-is-empty'));
  const replays = await ReplayFolder.open(join(folder, 'replay'));
  let guards: GuardedObjectStore[] = [];
  const openStore = async () => {
    for (const guard of guards) guard.close();
    guards = [new GuardedObjectStore(first), new GuardedObjectStore(second)];
    const [one, other] = guards;
    if (one === undefined || other === undefined) throw new Error('Unreachable.');
    return await StandInObjectStore.open({
      first: one,
      second: other,
      replays,
      note,
      clock: () => pair.now,
      ...(maxAway === undefined ? {} : { maxAway }),
    });
  };
  const pair = {
    now: 0,
    first,
    second,
    folder,
    store: undefined as StandInObjectStore | undefined,
    async restart() {
      pair.store = await openStore();
    },
    async [Symbol.asyncDispose]() {
      for (const guard of guards) guard.close();
      await rm(folder, { recursive: true });
    },
  };
  const opened = Object.assign(pair, { store: await openStore() });
  return opened;
}
