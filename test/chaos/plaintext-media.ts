import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What only media in the clear has in it: the beginnings and landmarks of the formats that are recorded. */
const MARKS: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['OpusHead', Buffer.from('OpusHead')],
  ['OpusTags', Buffer.from('OpusTags')],
  ['Ogg page', Buffer.from('OggS\0')],
  ['Matroska header', Buffer.from([0x1a, 0x45, 0xdf, 0xa3])],
  ['Matroska codec', Buffer.from('A_OPUS')],
  ['WebM', Buffer.from('webm')],
  ['Matroska muxer', Buffer.from('Lavf')],
  ['MP4', Buffer.from('ftyp')],
];

/** Files under these folders in which media lies in the clear, and what gave it away. */
export async function plaintextMediaIn(
  folders: readonly string[],
  canaries: readonly Buffer[] = [],
): Promise<string[]> {
  const marks = [...MARKS, ...canaries.map((bytes) => ['a canary', bytes] as const)];
  const found: string[] = [];
  for (const folder of folders)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      // Four bytes occur by chance once in 4 GB; a test writes megabytes.
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      for (const [name, mark] of marks) if (bytes.includes(mark)) found.push(`${path}: ${name}`);
    }
  return found;
}
