import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { FolderInUseError, FolderLock } from '../storage/folder-lock.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { openConnection } from '../storage/sqlite/connection.ts';
import { SqliteWrappedValues } from '../storage/sqlite/sqlite-wrapped-values.ts';
import type { KeyProvider } from '../vault/key-provider.ts';
import { type KmsOptions, openKms } from '../vault/kms-key-provider.ts';
import { openLocalKeyFile } from '../vault/local-key-file.ts';
import { keyFileIn } from '../vault/server-keys.ts';
import { severalProviders } from '../vault/several-providers.ts';
import { VaultError } from '../vault/vault-error.ts';
import type { CommandContext } from './command.ts';
import { openStoresBeside } from './stores-beside.ts';

/** A data folder opened beside the server that may be running on it. */
export interface OpenedData extends Disposable {
  /** Cannot write. */
  readonly db: DatabaseSync;
  readonly values: SqliteWrappedValues;
  readonly objects: ObjectStore;
}

export const databaseIn = (dataFolder: string): string => join(dataFolder, 'teleconsult.db');

/** @throws Error when there is no database in the folder */
export async function openData({
  dataFolder,
  objectPlaces,
}: Pick<CommandContext, 'dataFolder' | 'objectPlaces'>): Promise<OpenedData> {
  const path = databaseIn(dataFolder);
  if (!existsSync(path)) throw new Error(`There is no database in ${dataFolder}. Is it the data folder?`);
  const stores = await openStoresBeside(dataFolder, objectPlaces);
  const db = openConnection(path, { readOnly: true });
  return {
    db,
    values: new SqliteWrappedValues(null, db),
    objects: stores.store,
    [Symbol.dispose]() {
      db.close();
      stores.close();
    },
  };
}

/** The keys a server on this folder would have, made nowhere. */
export async function openKeys(
  dataFolder: string,
  kms: KmsOptions | null,
): Promise<{ readonly provider: KeyProvider } & Disposable> {
  const path = keyFileIn(dataFolder);
  const openFile = () => openLocalKeyFile({ path, mayCreate: false, now: 0 });
  if (kms === null) return { provider: await openFile(), [Symbol.dispose]: () => undefined };
  const service = openKms(kms);
  try {
    const wraps = kms.keyId === null ? 'file' : 'service';
    const provider = existsSync(path)
      ? severalProviders({ service, file: await openFile(), wraps })
      : service;
    return { provider, [Symbol.dispose]: () => service.close() };
  } catch (error) {
    service.close();
    throw error;
  }
}

/**
 * Keeps servers off a data folder while it is held; null when one runs.
 * @throws Error when there is no such folder, or it cannot be locked
 */
export function lockDataFolder(dataFolder: string): FolderLock | null {
  try {
    return new FolderLock(dataFolder);
  } catch (error) {
    if (error instanceof FolderInUseError) return null;
    throw error;
  }
}

/** @throws VaultError KEY_FILE_UNAVAILABLE when a server runs on the folder */
export function lockedDataFolder(dataFolder: string, what: string): FolderLock {
  const lock = lockDataFolder(dataFolder);
  if (lock === null) throw new VaultError('KEY_FILE_UNAVAILABLE', `A server runs on ${dataFolder}. ${what}`);
  return lock;
}
