/** Files to send, good and bad, made here. */
import { crc32 } from 'node:zlib';

export const pdf = (body = '') => Buffer.from(`%PDF-1.7\n${body}\n%%EOF\n`, 'latin1');

export const dicom = (preamble = Buffer.alloc(128)) =>
  Buffer.concat([preamble, Buffer.from('DICM'), Buffer.alloc(200, 1)]);

/** A ZIP file of unpacked parts. */
export function zip(parts: Record<string, string>, comment = ''): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(parts)) {
    const body = Buffer.from(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.byteLength, 14);
    common.writeUInt32LE(body.byteLength, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const file = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), body]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), common, place, Buffer.from(name)]));
    local.push(file);
    at += file.byteLength;
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(table.byteLength, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...local, table, end, Buffer.from(comment)]);
}

const types = { '[Content_Types].xml': '<Types/>', '_rels/.rels': '<Relationships/>' };

export const docx = (more: Record<string, string> = {}) =>
  zip({ ...types, 'word/document.xml': '<w:document/>', ...more });
export const xlsx = (more: Record<string, string> = {}) =>
  zip({ ...types, 'xl/workbook.xml': '<workbook/>', ...more });
export const pptx = (more: Record<string, string> = {}) =>
  zip({ ...types, 'ppt/presentation.xml': '<p:presentation/>', ...more });
