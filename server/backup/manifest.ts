import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { archivesIn, DATABASE_FILE, isArchiveName, MANIFEST_FILE, OBJECTS_FILE } from './layout.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Part = z.strictObject({ byteSize: z.int().min(0), sha256: Sha256 });

/** What an archive consists of, and what its parts must be like. */
const Manifest = z.strictObject({
  format: z.literal(1),
  /** ISO 8601. */
  createdAt: z.iso.datetime(),
  database: Part,
  objects: Part,
});
export type Manifest = z.infer<typeof Manifest>;

/** One line of the list of objects. */
const ListedObject = z.strictObject({
  object: z.string(),
  identity: z.string().regex(/^[0-9a-f]{64}$/),
  bodyBytes: z.int().min(0),
  bodySha256: Sha256,
});
export type ListedObject = z.infer<typeof ListedObject>;

/** What a file is like now. */
export async function describeFile(path: string): Promise<z.infer<typeof Part>> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { byteSize: (await stat(path)).size, sha256: hash.digest('hex') };
}

/** Complete archives, oldest first. */
export async function archiveNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(archivesIn(folder))).filter(isArchiveName).toSorted();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * The manifest of an archive, once its files were found to be what it says.
 * @throws Error that names the file that is not
 */
export async function verifiedManifest(archive: string): Promise<Manifest> {
  const manifest = Manifest.parse(JSON.parse(await readFile(join(archive, MANIFEST_FILE), 'utf8')));
  for (const [file, expected] of [
    [DATABASE_FILE, manifest.database],
    [OBJECTS_FILE, manifest.objects],
  ] as const) {
    const actual = await describeFile(join(archive, file));
    if (actual.sha256 !== expected.sha256 || actual.byteSize !== expected.byteSize)
      throw new Error(`${join(archive, file)} is not what the manifest says: it was changed or is damaged.`);
  }
  return manifest;
}

/** @throws Error when a line is not what this product writes */
export const parseListedObject = (line: string): ListedObject => ListedObject.parse(JSON.parse(line));
