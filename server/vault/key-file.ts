import { randomBytes } from 'node:crypto';
import { chown, type FileHandle, link, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder, syncFolder } from '../storage/objects/durable-folder.ts';
import { VaultError } from './vault-error.ts';

const KEY_BYTES = 32;

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/** What follows the file's name in that of a draft. */
const DRAFT = /^\.[0-9a-f]{16}\.new$/;

/** All ids have one length: the Encryption SDK takes an id that begins another for that other. */
const KeyId = z.string().regex(/^key_[0-9a-f]{16}$/);

const Key = z.strictObject({
  id: KeyId,
  /** When it was made, ISO 8601. */
  created: z.iso.datetime(),
  /** 32 random bytes. */
  material: z.base64().refine((text) => Buffer.from(text, 'base64').byteLength === KEY_BYTES),
});

const KeyFile = z
  .strictObject({ keys: z.array(Key).min(1), current: KeyId })
  .refine(({ keys }) => new Set(keys.map((key) => key.id)).size === keys.length, 'names a key twice')
  .refine(({ keys, current }) => keys.some((key) => key.id === current), 'names no current key');

/** What `docs/VAULT-FORMAT.md` describes as the key file. Holds key material: never to be logged or quoted. */
export type KeyFile = z.infer<typeof KeyFile>;

/**
 * Reads a key file; null when there is none. Refuses one that others could have read or replaced.
 * @throws VaultError
 */
export async function readKeyFile(path: string): Promise<KeyFile | null> {
  const text = await readSafely(path);
  return text === null ? null : parse(text, path);
}

/** A new key of 32 random bytes. */
export const makeKey = (now: number): z.infer<typeof Key> => ({
  id: `key_${randomBytes(8).toString('hex')}`,
  created: new Date(now).toISOString(),
  material: randomBytes(KEY_BYTES).toString('base64'),
});

/**
 * Writes a key file where there is none. Of several that do so at once one wins, and the others leave it alone.
 * @throws VaultError KEY_FILE_UNAVAILABLE
 */
export function createKeyFile(path: string, file: KeyFile): Promise<void> {
  return writeDraft(path, file, async (draft) => {
    try {
      await link(draft, path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    } finally {
      await rm(draft, { force: true });
    }
  });
}

/**
 * Puts a key file in the place of another: whoever reads finds the old one or the new one, whole, also after a power
 * cut. To be called with the lock of the file held (`key-file-lock.ts`).
 * @throws VaultError KEY_FILE_UNAVAILABLE
 */
export async function replaceKeyFile(path: string, file: KeyFile): Promise<void> {
  await removeDrafts(path);
  await writeDraft(path, KeyFile.parse(file), async (draft) => {
    // Changed by root, it must still be the server's user who can read it.
    const [former, made] = await Promise.all([stat(path), stat(draft)]);
    if (former.uid !== made.uid || former.gid !== made.gid) await chown(draft, former.uid, former.gid);
    await rename(draft, path);
  });
}

/** A kill leaves its draft behind: it must not keep a key that is retired, nor get into the backup of the folder. */
async function removeDrafts(path: string): Promise<void> {
  const name = basename(path);
  try {
    for (const other of await readdir(dirname(path)))
      if (other.startsWith(`${name}.`) && DRAFT.test(other.slice(name.length)))
        await rm(join(dirname(path), other), { force: true });
  } catch (error) {
    throw unavailable(path, error);
  }
}

async function writeDraft(path: string, file: KeyFile, put: (draft: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const draft = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    await makeFolder(folder);
    await writeFlushed(draft, `${JSON.stringify(file, null, 2)}\n`);
    try {
      await put(draft);
    } catch (error) {
      await unlink(draft).catch(() => undefined);
      throw error;
    }
    await syncFolder(folder);
  } catch (error) {
    throw unavailable(path, error);
  }
}

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

async function writeFlushed(path: string, text: string): Promise<void> {
  await using file: FileHandle = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const unavailable = (path: string, cause: unknown): VaultError =>
  new VaultError('KEY_FILE_UNAVAILABLE', `The key file ${path} cannot be read or written.`, { cause });
