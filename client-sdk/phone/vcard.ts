/** One property of a vCard. Its value stands as it is to be written: text through `vcardText`. */
export interface VcardProperty {
  /** With its parameters, such as `TEL;TYPE=voice`. */
  readonly name: string;
  readonly value: string;
}

/** Bytes of a line before it is folded, without its end (RFC 6350 §3.2; RFC 2426 §2.6). */
const LINE_BYTES = 75;

/** Tabs and line breaks are text. */
const CONTROLS = /(?![\t\n])\p{Cc}/gu;

/** A text value: backslash, comma, semicolon and line breaks are escaped (RFC 6350 §3.4), other controls are left out. */
export const vcardText = (text: string): string =>
  text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(CONTROLS, '')
    .replaceAll(/[\\,;]/g, (sign) => `\\${sign}`)
    .replaceAll('\n', '\\n');

/** The lines of a card between BEGIN and END, folded, each ended by CRLF. */
export function vcard(properties: readonly VcardProperty[]): string {
  const lines = [{ name: 'BEGIN', value: 'VCARD' }, ...properties, { name: 'END', value: 'VCARD' }];
  return lines.map(({ name, value }) => `${folded(`${name}:${value}`)}\r\n`).join('');
}

/** Never within a character: what reads it line by line would find broken UTF-8. */
function folded(line: string): string {
  const encoder = new TextEncoder();
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const character of line) {
    const size = encoder.encode(character).length;
    if (bytes + size > LINE_BYTES) {
      parts.push(part);
      part = ' ';
      bytes = 1;
    }
    part += character;
    bytes += size;
  }
  return [...parts, part].join('\r\n');
}
