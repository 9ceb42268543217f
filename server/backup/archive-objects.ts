import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@teleconsult/protocol';
import { syncFolder } from '../storage/objects/durable-folder.ts';
import type { ObjectStore, RandomAccessSource } from '../storage/objects/object-store.ts';
import { MAX_HEADER_BYTES } from '../vault/sealed-header.ts';
import { readLabel } from '../vault/sealed-label.ts';
import { openFile } from './file-source.ts';
import type { ArchivedHeader, KeyArchive, KeyArchiveWriter } from './key-archive.ts';
import { bodiesIn, bodyNameOf, bodyPath, journalObject, journalsIn } from './layout.ts';

const CHUNK_BYTES = 256 * 1024;

export interface ArchivedObjects {
  readonly count: number;
  /** Bodies that had to be copied; the others were there from earlier backups. */
  readonly copied: number;
}

/** Something sealed that is to be archived. Its source is opened when its turn comes. */
export interface Archivable {
  readonly object: string;
  /** @throws AppError NOT_FOUND when it was removed meanwhile */
  open(): Promise<RandomAccessSource>;
}

/** Everything sealed outside of the database. */
export async function* everythingSealed(
  dataFolder: string,
  objects: ObjectStore,
): AsyncGenerator<Archivable> {
  // The journals first: one that becomes an object of the store meanwhile is found there, and none is found nowhere.
  for (const name of await namesIn(journalsIn(dataFolder)))
    if (name.endsWith('.journal'))
      yield { object: journalObject(name), open: () => openFile(join(journalsIn(dataFolder), name)) };
  for await (const object of objects.list('')) yield { object, open: () => objects.open(object) };
}

/**
 * Copies the bodies of all these things that the backup folder does not have yet, and puts their headers into the key
 * archive. What is removed meanwhile is left out.
 */
export async function archiveObjects(
  things: AsyncIterable<Archivable>,
  options: {
    folder: string;
    keys: KeyArchiveWriter;
    former: KeyArchive | null;
    /** Takes one line for each. */
    list: FileHandle;
  },
): Promise<ArchivedObjects> {
  const { folder, keys, former, list } = options;
  let count = 0;
  let copied = 0;
  for await (const thing of things) {
    const { object } = thing;
    try {
      await using source = await thing.open();
      const { archived, isNew } = await archiveOne(source, { object, folder, former });
      keys.addHeader(archived);
      const { header: _header, ...listed } = archived;
      // `write` may write a part of it where the disk fills up, and say so by a number alone.
      await list.writeFile(`${JSON.stringify(listed)}\n`);
      count += 1;
      if (isNew) copied += 1;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
    }
  }
  return { count, copied };
}

async function archiveOne(
  source: RandomAccessSource,
  { object, folder, former }: { object: string; folder: string; former: KeyArchive | null },
): Promise<{ archived: ArchivedHeader; isNew: boolean }> {
  const start = await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES));
  const label = readLabel(start);
  const headerBytes = label?.headerBytes ?? 0;
  const header = Uint8Array.from(start.subarray(0, headerBytes));
  // What is no sealed object of one header is kept whole.
  const identity = label?.messageId ?? (await hashOf(source));
  const bodyBytes = source.byteSize - headerBytes;
  const known = former?.headerOf({ object, identity }) ?? null;
  const place = await makePlace(folder, bodyPath({ object, identity, bodyBytes }));
  if ((await sizeOf(place.path)) === bodyBytes) {
    const isKnown = known?.bodyBytes === bodyBytes;
    const bodySha256 = isKnown ? known.bodySha256 : await hashOfFile(place.path);
    return { archived: { object, identity, header, bodyBytes, bodySha256 }, isNew: false };
  }
  const bodySha256 = await copyBody(source, headerBytes, place);
  return { archived: { object, identity, header, bodyBytes, bodySha256 }, isNew: true };
}

/** Removes the bodies whose headers are in the key archive no more: nobody could open them. Answers how many. */
export async function removeErasedBodies(folder: string, keys: KeyArchive): Promise<number> {
  const bodies = bodiesIn(folder);
  let removed = 0;
  for (const shard of await namesIn(bodies))
    for (const file of await namesIn(join(bodies, shard))) {
      if (keys.hasBody(bodyNameOf(file))) continue;
      await rm(join(bodies, shard, file), { force: true });
      removed += 1;
    }
  return removed;
}

async function makePlace(
  folder: string,
  { shard, file }: ReturnType<typeof bodyPath>,
): Promise<{ path: string; shardFolder: string }> {
  const shardFolder = join(bodiesIn(folder), shard);
  await mkdir(shardFolder, { recursive: true, mode: 0o700 });
  return { path: join(shardFolder, file), shardFolder };
}

async function copyBody(
  source: RandomAccessSource,
  from: number,
  { path, shardFolder }: { path: string; shardFolder: string },
): Promise<string> {
  const hash = createHash('sha256');
  const draft = `${path}.new`;
  {
    await using file = await open(draft, 'w', 0o600);
    for await (const chunk of chunksOf(source, from)) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  }
  await rename(draft, path);
  await syncFolder(shardFolder);
  return hash.digest('hex');
}

async function* chunksOf(source: RandomAccessSource, from: number): AsyncGenerator<Buffer> {
  for (let at = from; at < source.byteSize; at += CHUNK_BYTES)
    yield await source.read(at, Math.min(source.byteSize, at + CHUNK_BYTES));
}

async function hashOf(source: RandomAccessSource): Promise<string> {
  const hash: Hash = createHash('sha256');
  for await (const chunk of chunksOf(source, 0)) hash.update(chunk);
  return hash.digest('hex');
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
