import { join } from 'node:path';
import { createFakeSfu } from '@teleconsult/media';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { ConsultationHost, type HostParts } from '@teleconsult/server/host/host';
import type { Publisher } from '@teleconsult/server/host/ports';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { createLog } from '@teleconsult/server/log';
import { MemoryStore } from '@teleconsult/server/storage/memory/memory-store';
import { TurnCredentials } from '@teleconsult/server/turn/turn-credentials';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { tempDir } from '../../helpers/temp-dir.ts';

/** Reaches nobody. */
const silent: Publisher = {
  toWatchers: () => undefined,
  toPerson: () => undefined,
  toDevice: () => undefined,
  toOtherWatchers: () => undefined,
  stopWatching: () => undefined,
  isConnected: () => false,
  isWatched: () => false,
  isOnline: () => false,
};

/** A host in memory that nobody is connected to. */
export async function openBareHost(change: Partial<HostParts> = {}) {
  const dir = await tempDir();
  const keys = await openLocalKeyFile({ path: join(dir.path, 'k.json'), mayCreate: true, now: 0 });
  const clock = () => 1_800_000_000_000;
  const logs: string[] = [];
  const host = new ConsultationHost({
    store: new MemoryStore(),
    keys: new Vault(keys),
    publisher: silent,
    sfu: createFakeSfu(),
    ids: randomIds,
    clock,
    timings: DEFAULT_TIMINGS,
    log: createLog({ level: 'error', destination: { write: (line) => void logs.push(line) } }),
    callWaiting: false,
    turn: new TurnCredentials({ urls: [], secret: null, lifetimeMs: 1_000 }, clock),
    showsRead: async () => true,
    observers: [],
    onQuality: () => undefined,
    attachmentContent: () => Promise.reject(new Error('There are none.')),
    ...change,
  });
  return {
    host,
    logs,
    [Symbol.asyncDispose]: async () => {
      await host.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}
