import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What files begin with that hold media or documents. */
const MAGIC: Readonly<Record<string, Buffer>> = {
  JPEG: Buffer.from([0xff, 0xd8, 0xff]),
  PNG: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  'RIFF (WebP, WAV)': Buffer.from('RIFF'),
  Ogg: Buffer.from('OggS'),
  WebM: Buffer.from([0x1a, 0x45, 0xdf, 0xa3]),
  PDF: Buffer.from('%PDF'),
};

/** Larger files of others in a shared folder are not read. */
const LARGEST_BYTES = 200 * 1024 * 1024;

export interface Findings {
  /** `file: word` for each word that stands in a file in any common encoding. */
  readonly words: readonly string[];
  /** `file: format` for each file that begins like one. */
  readonly formats: readonly string[];
  readonly filesRead: number;
}

/** A word as databases, editors and operating systems might write it down. */
const writings = (word: string): Buffer[] => [
  Buffer.from(word, 'utf8'),
  Buffer.from(word, 'utf16le'),
  Buffer.from(word, 'utf16le').swap16(),
  Buffer.from(Buffer.from(word).toString('hex')),
];

/** Looks for words, and for media that lies open, in every file under a folder that was written since a moment. */
export async function scan(folder: string, words: readonly string[], since = 0): Promise<Findings> {
  const found = { words: [] as string[], formats: [] as string[], filesRead: 0 };
  for (const entry of await entriesOf(folder)) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await read(path, since);
    if (bytes === null) continue;
    found.filesRead += 1;
    const name = path.slice(folder.length + 1);
    for (const word of words)
      if (writings(word).some((writing) => bytes.includes(writing))) found.words.push(`${name}: ${word}`);
    for (const [format, magic] of Object.entries(MAGIC))
      if (bytes.subarray(0, magic.byteLength).equals(magic)) found.formats.push(`${name}: ${format}`);
  }
  return found;
}

/** Files of a folder that others may be changing meanwhile. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  const found: Dirent[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) found.push(entry);
    if (entry.isDirectory()) found.push(...(await entriesOf(join(folder, entry.name))));
  }
  return found;
}

async function read(path: string, since: number): Promise<Buffer | null> {
  try {
    const { mtimeMs, size } = await stat(path);
    return mtimeMs < since || size > LARGEST_BYTES ? null : await readFile(path);
  } catch {
    return null;
  }
}
