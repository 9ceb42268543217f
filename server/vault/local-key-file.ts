import { type KeyringNode, MultiKeyringNode } from '@aws-crypto/client-node';
import { aesKeyring } from './encryption-sdk.ts';
import { createKeyFile, type KeyFile, makeKey, readKeyFile } from './key-file.ts';
import type { KeyProvider } from './key-provider.ts';
import { VaultError } from './vault-error.ts';

/** The namespace under which headers name the keys of such a file. */
export const LOCAL_NAMESPACE = 'teleconsult.local';

export interface LocalKeyFileOptions {
  readonly path: string;
  /**
   * False when sealed data exists: then a missing file means lost keys, and a new key would only hide that what is
   * stored can no longer be read.
   */
  readonly mayCreate: boolean;
  /** The present moment in milliseconds, for a key that is made. */
  readonly now: number;
}

/**
 * Key-encryption keys in a file that only the server's user can read. The file is made, with one key, when there is
 * none and `mayCreate` allows it. It must be backed up apart from the data: without it the data is lost.
 *
 * Two servers that start at once on one empty folder agree on one file.
 * @throws VaultError when there is no usable key; the server must not start then
 */
export async function openLocalKeyFile(options: LocalKeyFileOptions): Promise<KeyProvider> {
  const { path, mayCreate, now } = options;
  let file = await readKeyFile(path);
  if (file === null) {
    if (!mayCreate)
      throw new VaultError(
        'KEY_FILE_MISSING',
        `There is no key file at ${path}, but there is data that was sealed with one. Restore it from its backup.`,
      );
    const key = makeKey(now);
    await createKeyFile(path, { keys: [key], current: key.id });
    file = await readKeyFile(path);
  }
  if (file === null) throw new VaultError('KEY_FILE_MISSING', `The key file at ${path} has disappeared.`);
  return providerOf(keyringsOf(file), file.current);
}

/** A keyring for each key of a file, by the key's id. */
export function keyringsOf({ keys }: KeyFile): Map<string, KeyringNode> {
  const keyrings = new Map<string, KeyringNode>();
  for (const { id, material } of keys) {
    const bytes = Buffer.from(material, 'base64');
    keyrings.set(id, aesKeyring(LOCAL_NAMESPACE, id, bytes));
    bytes.fill(0);
  }
  return keyrings;
}

/** Wraps under the current one of these keys and unwraps what any of them wrapped. */
export function providerOf(keyrings: ReadonlyMap<string, KeyringNode>, current: string): KeyProvider {
  const wrapping = keyrings.get(current);
  if (wrapping === undefined) throw new TypeError('A key file names a key that it holds.');
  return {
    currentKeyId: current,
    keyIds: [...keyrings.keys()],
    wrapping,
    unwrapping: new MultiKeyringNode({ children: [...keyrings.values()] }),
  };
}
