const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;

/** Office documents have tens of parts, books of pictures some thousands. */
const MAX_ENTRIES = 20_000;

/**
 * The names in a ZIP file, from the directory at its end; nothing is unpacked. Null when the file is not exactly one
 * ZIP: when something else stands before, between or behind, when it is cut, or needs the 64-bit form.
 */
export function zipNames(file: Buffer): string[] | null {
  // Without a comment the directory's end is the file's end: office programs write none, and a comment could hide a file.
  const endAt = file.byteLength - END_BYTES;
  if (endAt < 0 || file.readUInt32LE(endAt) !== END_SIGNATURE) return null;
  const count = file.readUInt16LE(endAt + 10);
  const byteSize = file.readUInt32LE(endAt + 12);
  const start = file.readUInt32LE(endAt + 16);
  if (count > MAX_ENTRIES || start + byteSize !== endAt) return null;
  const names: string[] = [];
  let at = start;
  for (let index = 0; index < count; index += 1) {
    if (at + ENTRY_BYTES > endAt || file.readUInt32LE(at) !== ENTRY_SIGNATURE) return null;
    const nameLength = file.readUInt16LE(at + 28);
    const nameAt = at + ENTRY_BYTES;
    names.push(file.toString('utf8', nameAt, nameAt + nameLength));
    at = nameAt + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return at === endAt ? names : null;
}

/** True when a ZIP directory ends the file, whatever the file begins as: such a file is two at once. */
export function endsAsZip(file: Buffer): boolean {
  // The end of the directory may be followed by a comment of up to 64 KiB, whose length it tells.
  const earliest = Math.max(0, file.byteLength - END_BYTES - 0xffff);
  for (let at = file.byteLength - END_BYTES; at >= earliest; at -= 1) {
    if (
      file.readUInt32LE(at) === END_SIGNATURE &&
      at + END_BYTES + file.readUInt16LE(at + 20) === file.byteLength
    )
      return true;
  }
  return false;
}
