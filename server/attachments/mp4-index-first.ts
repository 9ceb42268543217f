interface Box {
  readonly type: string;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/** Boxes that lead from `moov` to the tables of chunk offsets. */
const CONTAINERS = new Set(['trak', 'mdia', 'minf', 'stbl']);

/**
 * Puts the index of an MP4 file (`moov`) before its data, so that it can be read from a pipe: recorders of iOS write
 * it last. Other files, damaged ones included, come back as they are. ISO/IEC 14496-12, 8.1 and 8.7.5.
 */
export function mp4IndexFirst(file: Buffer): Buffer {
  const boxes = boxesOf(file, 0, file.byteLength);
  const index = boxes.find((box) => box.type === 'moov');
  const data = boxes.find((box) => box.type === 'mdat');
  if (index === undefined || data === undefined || index.start < data.start) return file;
  const moved = Buffer.from(file.subarray(index.start, index.end));
  // Everything from the data on moves back by the length of the index, and with it what the offsets point at.
  const [root] = boxesOf(moved, 0, moved.byteLength);
  if (root === undefined) return file;
  shiftOffsets(moved, root, moved.byteLength);
  return Buffer.concat([
    file.subarray(0, data.start),
    moved,
    file.subarray(data.start, index.start),
    file.subarray(index.end),
  ]);
}

/** The boxes that lie whole between two places; reading ends at the first that does not. */
function boxesOf(bytes: Buffer, from: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let start = from; start + 8 <= end; ) {
    const box = boxAt(bytes, start, end);
    if (box === null) break;
    boxes.push(box);
    start = box.end;
  }
  return boxes;
}

function boxAt(bytes: Buffer, start: number, end: number): Box | null {
  const short = bytes.readUInt32BE(start);
  const type = bytes.toString('latin1', start + 4, start + 8);
  // Size 1: the size follows in 64 bits. Size 0: the box reaches to the end.
  const isLong = short === 1;
  if (isLong && start + 16 > end) return null;
  const size = isLong ? Number(bytes.readBigUInt64BE(start + 8)) : short === 0 ? end - start : short;
  const contentStart = start + (isLong ? 16 : 8);
  if (start + size < contentStart || start + size > end) return null;
  return { type, start, contentStart, end: start + size };
}

function shiftOffsets(bytes: Buffer, parent: Box, by: number): void {
  for (const box of boxesOf(bytes, parent.contentStart, parent.end)) {
    if (CONTAINERS.has(box.type)) shiftOffsets(bytes, box, by);
    else if (box.type === 'stco') shiftTable(bytes, box, { width: 4, by });
    else if (box.type === 'co64') shiftTable(bytes, box, { width: 8, by });
  }
}

function shiftTable(bytes: Buffer, box: Box, { width, by }: { width: 4 | 8; by: number }): void {
  const first = box.contentStart + 8;
  if (first > box.end) return;
  // The count is not trusted beyond the box.
  const count = Math.min(bytes.readUInt32BE(box.contentStart + 4), Math.floor((box.end - first) / width));
  for (let index = 0; index < count; index += 1) {
    const at = first + index * width;
    if (width === 4) bytes.writeUInt32BE((bytes.readUInt32BE(at) + by) >>> 0, at);
    else bytes.writeBigUInt64BE(BigInt.asUintN(64, bytes.readBigUInt64BE(at) + BigInt(by)), at);
  }
}
