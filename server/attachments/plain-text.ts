import { setImmediate } from 'node:timers/promises';

/** Checked at a time; between them others get their turn. */
const SLICE_BYTES = 512 * 1024;

/** Control characters that no text has. Tab, line feed, form feed and carriage return are text. */
const CONTROL = /(?![\t\n\f\r])[\p{Cc}]/u;

/** True when all of it is UTF-8 text without control characters. */
export async function isPlainText(bytes: Buffer): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let at = 0; at < bytes.byteLength; at += SLICE_BYTES) {
      const text = decoder.decode(bytes.subarray(at, at + SLICE_BYTES), { stream: true });
      if (CONTROL.test(text)) return false;
      await setImmediate();
    }
    decoder.decode();
    return true;
  } catch {
    // Not UTF-8, or it ends within a character.
    return false;
  }
}

/** What a text is if it is more than text, by its beginning: such text would run, or be drawn, where it is opened. */
export function activeTextKind(bytes: Buffer): 'markup' | 'script' | null {
  const beginning = bytes
    .toString('utf8', 0, 4096)
    .replace(/^\ufeff/, '')
    .trimStart()
    .toLowerCase();
  if (beginning.startsWith('#!')) return 'script';
  if (beginning.startsWith('{\\rtf')) return 'markup';
  // HTML, SVG, XML, PHP, and whatever else begins as a tag does.
  if (/^<[a-z!?%]/.test(beginning)) return 'markup';
  return null;
}
