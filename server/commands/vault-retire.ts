import { AppError } from '@teleconsult/protocol';
import { KeyArchive } from '../backup/key-archive.ts';
import { keyArchiveIn } from '../backup/layout.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { removeKey } from '../vault/change-keys.ts';
import { countByKey, describeCounts } from '../vault/count-by-key.ts';
import { readRotationStatus } from '../vault/rotation-status.ts';
import { MAX_HEADER_BYTES } from '../vault/sealed-header.ts';
import { providerKeysOf, readLabel } from '../vault/sealed-label.ts';
import { keyFileIn } from '../vault/server-keys.ts';
import { VaultError } from '../vault/vault-error.ts';
import { type Command, type CommandContext, onlyOperand } from './command.ts';
import { lockDataFolder, openData } from './data-folder.ts';

/** Objects between two lines of progress. */
const PROGRESS_OBJECTS = 10_000;

export const vaultRetire: Command = {
  name: 'vault retire',
  usage: '<key id> [--backup <folder>]…',
  purpose: 'takes a key out of the key file, unless something stored, or the named backups, still need it',
  takes: ['backup'],
  async run(context) {
    const keyId = onlyOperand(context, 'key');
    const { dataFolder, say } = context;
    await removeKey(keyFileIn(dataFolder), keyId, (current) => assertUnneeded(keyId, current, context));
    say(`${keyId} is retired: the key file does not hold it any more.`);
    say(
      'A copy of the key file that still holds it opens old backups; destroy that copy when those are gone.',
    );
    return 0;
  },
};

/** @throws VaultError KEY_NEEDED */
async function assertUnneeded(keyId: string, inFile: string, context: CommandContext): Promise<void> {
  const { dataFolder, kms, options, say } = context;
  // Held to the end, so that no server begins meanwhile with the key that goes.
  const lock = lockDataFolder(dataFolder);
  try {
    if (lock === null) await assertServerHasMovedOn(kms?.keyId ?? inFile, dataFolder);
    using data = await openData(context);
    const inDatabase = (await countByKey(data.values)).get(keyId);
    if (inDatabase !== undefined) throw needed(keyId, describeCounts(inDatabase), 'the database');
    const inStore = await countObjects(keyId, data.objects, say);
    if (inStore > 0) throw needed(keyId, `${inStore} objects`, 'the object store');
    for (const folder of options.get('backup') ?? []) {
      using archive = new KeyArchive(keyArchiveIn(folder));
      const inBackup = (await countByKey(archive)).get(keyId);
      if (inBackup !== undefined) throw needed(keyId, describeCounts(inBackup), `the backup in ${folder}`);
    }
  } finally {
    lock?.close();
  }
}

/**
 * A server that runs may be writing with the key just now; only what it says itself rules that out. It must have come to
 * the key that is current now: of two rotations in a row it may be taking up the first at this very moment.
 */
async function assertServerHasMovedOn(currentKeyId: string, dataFolder: string): Promise<void> {
  const status = await readRotationStatus(dataFolder);
  if (status?.currentKeyId !== currentKeyId)
    throw new VaultError(
      'KEY_NEEDED',
      `The server that runs does not wrap with ${currentKeyId} yet. It takes up the current key within seconds.`,
    );
  if (status.state !== 'settled')
    throw new VaultError(
      'KEY_NEEDED',
      `The server is still sealing anew (${status.remaining} to go). See "vault status".`,
    );
}

async function countObjects(
  keyId: string,
  objects: ObjectStore,
  say: (line: string) => void,
): Promise<number> {
  let needing = 0;
  let looked = 0;
  for await (const key of objects.list('')) {
    try {
      await using source = await objects.open(key);
      const bytes = await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES));
      if (providerKeysOf(readLabel(bytes)).includes(keyId)) needing += 1;
    } catch (error) {
      // What was removed meanwhile needs no key.
      if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
    }
    looked += 1;
    if (looked % PROGRESS_OBJECTS === 0) say(`${looked} objects looked at`);
  }
  return needing;
}

const needed = (keyId: string, what: string, where: string): VaultError =>
  new VaultError('KEY_NEEDED', `${keyId} is still needed: it wraps ${what} in ${where}. It was not retired.`);
