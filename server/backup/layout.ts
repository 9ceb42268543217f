/**
 * What lies where in a backup folder:
 *
 * ```
 * keys.db                   wrapped keys and headers of objects, of the last backup alone
 * archives/<moment>/        teleconsult.db, objects.jsonl, manifest.json
 * objects/<shard>/<name>    objects without their headers, shared by all archives
 * ```
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

export const keyArchiveIn = (folder: string): string => join(folder, 'keys.db');
export const archivesIn = (folder: string): string => join(folder, 'archives');
export const bodiesIn = (folder: string): string => join(folder, 'objects');

export const DATABASE_FILE = 'teleconsult.db';
export const OBJECTS_FILE = 'objects.jsonl';
export const MANIFEST_FILE = 'manifest.json';

/** An archive that is not complete. */
export const PARTIAL = '.partial';

/** The name of an archive made at a moment: sorts by time and has no character that a file system dislikes. */
export const archiveName = (now: number): string => new Date(now).toISOString().replace(/[:.]/g, '-');
export const isArchiveName = (name: string): boolean =>
  /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/.test(name);

/** Where a data folder has the journals of recordings that are not parts of the object store yet. */
export const journalsIn = (dataFolder: string): string => join(dataFolder, 'recordings');

/** Journals are archived like objects, under names that no object can have. */
const JOURNAL = 'journal:';
export const journalObject = (name: string): string => `${JOURNAL}${name}`;
/** The name of the journal that was archived so; null for an object of the store. */
export const journalNameOf = (object: string): string | null =>
  object.startsWith(JOURNAL) ? object.slice(JOURNAL.length) : null;

/** Which object a body belongs to. One that was written again under its name is another, and a journal grows. */
export interface BodyName {
  readonly object: string;
  /** The message id of the object's header; the SHA-256 of the whole where it has none. */
  readonly identity: string;
}

/** How the names of an object's bodies begin. The alphabet of object names has neither `.` nor `~`. */
export const bodyName = ({ object, identity }: BodyName): string =>
  `${object.replaceAll('/', '.')}~${identity.slice(0, 32)}`;

/** Where the body of an object lies below the folder of bodies. */
export function bodyPath(name: BodyName & { readonly bodyBytes: number }): {
  readonly shard: string;
  readonly file: string;
} {
  const beginning = bodyName(name);
  const shard = createHash('sha256').update(beginning).digest('hex').slice(0, 2);
  return { shard, file: `${beginning}~${name.bodyBytes}` };
}

/** The beginning that the name of a body's file has. */
export const bodyNameOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf('~')));

/** Flushes a file that something else has written. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.sync();
}
