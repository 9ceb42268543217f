import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type KeyringNode, MultiKeyringNode } from '@aws-crypto/client-node';
import { z } from 'zod';
import { makeFolder, syncFolder } from '../storage/objects/durable-folder.ts';
import { aesKeyring } from './encryption-sdk.ts';
import type { KeyProvider } from './key-provider.ts';
import { VaultError } from './vault-error.ts';

const KEY_BYTES = 32;

/** The namespace under which headers name the keys of such a file. */
const NAMESPACE = 'teleconsult.local';

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/** All ids have one length: the Encryption SDK takes an id that begins another for that other. */
const KeyId = z.string().regex(/^key_[0-9a-f]{16}$/);

const KeyFile = z
  .strictObject({
    keys: z
      .array(
        z.strictObject({
          id: KeyId,
          /** When it was made, ISO 8601. */
          created: z.iso.datetime(),
          /** 32 random bytes. */
          material: z.base64().refine((text) => Buffer.from(text, 'base64').byteLength === KEY_BYTES),
        }),
      )
      .min(1),
    current: KeyId,
  })
  .refine(({ keys }) => new Set(keys.map((key) => key.id)).size === keys.length, 'names a key twice')
  .refine(({ keys, current }) => keys.some((key) => key.id === current), 'names no current key');
type KeyFile = z.infer<typeof KeyFile>;

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
  const { path, mayCreate } = options;
  let text = await readSafely(path);
  if (text === null) {
    if (!mayCreate)
      throw new VaultError(
        'KEY_FILE_MISSING',
        `There is no key file at ${path}, but there is data that was sealed with one. Restore it from its backup.`,
      );
    await create(options);
    text = await readSafely(path);
  }
  if (text === null) throw new VaultError('KEY_FILE_MISSING', `The key file at ${path} has disappeared.`);
  return toProvider(parse(text, path));
}

/** The text of the file, or null when there is none. Refuses one that others could have read or replaced. */
async function readSafely(path: string): Promise<string | null> {
  try {
    await using file = await open(path, 'r');
    const { mode } = await file.stat();
    if ((mode & OTHERS) !== 0)
      throw new VaultError(
        'KEY_FILE_EXPOSED',
        `Other users can read the key file ${path}. Run: chmod 600 ${path}`,
      );
    const folder = dirname(path);
    if (((await stat(folder)).mode & OTHERS_WRITE) !== 0)
      throw new VaultError(
        'KEY_FILE_EXPOSED',
        `Other users can replace the key file ${path}. Run: chmod go-w ${folder}`,
      );
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof VaultError) throw error;
    if (isCode(error, 'ENOENT')) return null;
    throw unavailable(path, error);
  }
}

function parse(text: string, path: string): KeyFile {
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch {
    // No cause: a parser's message may quote what it read, and that is key material.
    throw new VaultError(
      'KEY_FILE_MALFORMED',
      `The key file ${path} is damaged or not a key file. Restore it from its backup.`,
    );
  }
}

/** Writes a file with one new key under another name, flushes it, and gives it its name unless one has it already. */
async function create({ path, now }: LocalKeyFileOptions): Promise<void> {
  const id = `key_${randomBytes(8).toString('hex')}`;
  const file: KeyFile = {
    keys: [{ id, created: new Date(now).toISOString(), material: randomBytes(KEY_BYTES).toString('base64') }],
    current: id,
  };
  const folder = dirname(path);
  const draft = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    await makeFolder(folder);
    await writeFlushed(draft, `${JSON.stringify(file, null, 2)}\n`);
    try {
      await link(draft, path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    } finally {
      await unlink(draft);
    }
    await syncFolder(folder);
  } catch (error) {
    throw unavailable(path, error);
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  await using file: FileHandle = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

function toProvider({ keys, current }: KeyFile): KeyProvider {
  const keyrings = new Map<string, KeyringNode>();
  for (const { id, material } of keys) {
    const bytes = Buffer.from(material, 'base64');
    keyrings.set(id, aesKeyring(NAMESPACE, id, bytes));
    bytes.fill(0);
  }
  const wrapping = keyrings.get(current);
  if (wrapping === undefined) throw new TypeError('A key file names a key that it holds.');
  return {
    currentKeyId: current,
    wrapping,
    unwrapping: new MultiKeyringNode({ children: [...keyrings.values()] }),
  };
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const unavailable = (path: string, cause: unknown): VaultError =>
  new VaultError('KEY_FILE_UNAVAILABLE', `The key file ${path} cannot be read or written.`, { cause });
