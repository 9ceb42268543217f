/** Parameters after `;`, names in lower case; a parameter without a value has ''. */
export type Parameters = ReadonlyMap<string, string>;

/** Splits at a separator that is neither within quotes nor within angle brackets. null: a quote is left open. */
export function splitOutside(text: string, separator: string): string[] | null {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let angle = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') angle = true;
    else if (character === '>') angle = false;
    else if (character === separator && !angle) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  if (quoted || angle) return null;
  parts.push(text.slice(from).trim());
  return parts;
}

const MAX_PARAMETERS = 32;

/** `;a=1;b` or `a=1;b`. null: not parameters. Of a repeated name the first counts. */
export function parseParameters(text: string): Parameters | null {
  const parameters = new Map<string, string>();
  const parts = splitOutside(text, ';');
  if (parts === null || parts.length > MAX_PARAMETERS) return null;
  for (const part of parts) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (!/^[^\s"<>@,]+$/.test(name)) return null;
    const value = equals < 0 ? '' : part.slice(equals + 1).trim();
    if (!parameters.has(name)) parameters.set(name, unquote(value));
  }
  return parameters;
}

export const formatParameters = (parameters: Parameters): string =>
  [...parameters]
    .map(([name, value]) =>
      value === '' ? `;${name}` : `;${name}=${/[\s;,"<>\\]/.test(value) ? quote(value) : value}`,
    )
    .join('');

export const unquote = (text: string): string =>
  text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;

export const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** A token of RFC 3261 §25.1. */
export const isToken = (text: string): boolean => /^[A-Za-z0-9\-.!%*_+`'~]+$/.test(text);

/** Text that may stand in a header: no line ends, no control characters. */
export const isHeaderText = (text: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text);

/** A header field of numbers, as `CSeq` or `Expires`; null: none, or more than fits. */
export function parseCount(text: string | null, max = 2 ** 31 - 1): number | null {
  if (text === null || !/^\d{1,10}$/.test(text.trim())) return null;
  const value = Number(text);
  return value <= max ? value : null;
}
