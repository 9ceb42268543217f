import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import webPush from 'web-push';
import { z } from 'zod';
import { makeFolder, syncFolder } from '../storage/objects/durable-folder.ts';
import type { PushSettings } from './settings.ts';

/** No push service can reach it, and a development server has nobody to be reached. */
const DEVELOPMENT_CONTACT = 'mailto:push@teleconsult.example';

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

const bytesOf = (count: number) =>
  z.base64url().refine((text) => Buffer.from(text, 'base64url').byteLength === count);

/** The key pair that names this server to push services (VAPID, RFC 8292): a point and a number of P-256. */
const KeyFile = z.strictObject({ publicKey: bytesOf(65), privateKey: bytesOf(32) });
type KeyFile = z.infer<typeof KeyFile>;

/**
 * What pushing needs, or null where it is off: in production without a contact. The keys are made at the first start
 * and kept in the data folder, for their owner alone. They are never replaced: every subscription names them.
 * @throws Error when there is a key file that cannot be used; the server must not start then
 */
export async function pushSettings(config: {
  readonly DATA_DIR: string;
  readonly PUSH_CONTACT?: string | undefined;
  readonly PUSH_ORIGINS: readonly string[];
  readonly production: boolean;
}): Promise<PushSettings | null> {
  const contact = config.PUSH_CONTACT ?? (config.production ? null : DEVELOPMENT_CONTACT);
  if (contact === null) return null;
  const keys = await openPushKeys(join(config.DATA_DIR, 'keys', 'push-keys.json'));
  return { contact, ...keys, extraOrigins: config.PUSH_ORIGINS };
}

/** Two servers that start at once on one empty folder agree on one file. */
export async function openPushKeys(path: string): Promise<KeyFile> {
  const text = (await readSafely(path)) ?? (await create(path));
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch {
    // No cause: a parser's message may quote what it read, and that is key material.
    throw new Error(
      `The push key file ${path} is damaged. Restore it from its backup; if there is none, remove it: ` +
        'new keys are made then, and every device has to allow notifications again.',
    );
  }
}

async function create(path: string): Promise<string> {
  const draft = `${path}.${randomBytes(8).toString('hex')}.new`;
  const folder = dirname(path);
  await makeFolder(folder);
  try {
    await writeFlushed(draft, `${JSON.stringify(webPush.generateVAPIDKeys(), null, 2)}\n`);
    // Fails where another server was faster: then its keys are the keys.
    await link(draft, path).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
  await syncFolder(folder);
  const text = await readSafely(path);
  if (text === null) throw new Error(`The push key file ${path} has disappeared.`);
  return text;
}

/** The text of the file, or null when there is none. Refuses one that others could have read or replaced. */
async function readSafely(path: string): Promise<string | null> {
  try {
    await using file = await open(path, 'r');
    if (((await file.stat()).mode & OTHERS) !== 0)
      throw new Error(`Other users can read the push key file ${path}. Run: chmod 600 ${path}`);
    const folder = dirname(path);
    if (((await stat(folder)).mode & OTHERS_WRITE) !== 0)
      throw new Error(`Other users can replace the push key file ${path}. Run: chmod go-w ${folder}`);
    return await file.readFile('utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  await using file: FileHandle = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
