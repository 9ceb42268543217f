import { type KeyFile, makeKey, readKeyFile, replaceKeyFile } from './key-file.ts';
import { lockKeyFile } from './key-file-lock.ts';
import { VaultError } from './vault-error.ts';

/**
 * Adds a new key to a key file and makes it the current one. Keys that are there stay, and a server that runs takes up
 * the new one by itself (`watched-key-file.ts`).
 * @returns the new key's id and the former current one's
 * @throws VaultError
 */
export async function addCurrentKey(
  path: string,
  now: number,
): Promise<{ readonly added: string; readonly former: string }> {
  // Before the lock, which makes a folder: a wrong path is told, and left as it is.
  await existing(path);
  using _lock = await lockKeyFile(path);
  const file = await existing(path);
  const key = makeKey(now);
  await replaceKeyFile(path, { keys: [...file.keys, key], current: key.id });
  return { added: key.id, former: file.current };
}

/**
 * Takes a key out of a key file, for good. `assertUnneeded` is asked with the lock held, is told the current key, and
 * throws where something stored needs the other: nobody can make another key current meanwhile.
 * @throws VaultError KEY_UNKNOWN, KEY_NEEDED
 */
export async function removeKey(
  path: string,
  keyId: string,
  assertUnneeded: (currentKeyId: string) => Promise<void>,
): Promise<void> {
  await existing(path);
  using _lock = await lockKeyFile(path);
  const file = await existing(path);
  if (!file.keys.some(({ id }) => id === keyId))
    throw new VaultError('KEY_UNKNOWN', `The key file holds no key ${keyId}.`);
  if (file.current === keyId)
    throw new VaultError(
      'KEY_NEEDED',
      `${keyId} is the current key: what is written now is wrapped with it. Run "vault rotate" first.`,
    );
  await assertUnneeded(file.current);
  await replaceKeyFile(path, { ...file, keys: file.keys.filter(({ id }) => id !== keyId) });
}

async function existing(path: string): Promise<KeyFile> {
  const file = await readKeyFile(path);
  if (file === null) throw new VaultError('KEY_FILE_MISSING', `There is no key file at ${path}.`);
  return file;
}
