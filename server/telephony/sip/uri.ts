import { isIP } from 'node:net';
import {
  formatParameters,
  type Parameters,
  parseParameters,
  quote,
  splitOutside,
  unquote,
} from './grammar.ts';

export interface SipUri {
  /** `other`: none of ours; only `text` says what it is. */
  readonly scheme: 'sip' | 'sips' | 'tel' | 'other';
  /** The user, unescaped, without a password; of a `tel` URI the number. */
  readonly user: string | null;
  /** Without brackets; '' where there is none. */
  readonly host: string;
  readonly port: number | null;
  readonly parameters: Parameters;
  /** As it was written. */
  readonly text: string;
}

/** Who a From, To, Contact or Route names. */
export interface NameAddress {
  readonly display: string | null;
  readonly uri: SipUri;
  readonly parameters: Parameters;
}

const MAX_URI = 1024;
const NONE: Parameters = new Map();

/** RFC 3261 §19.1, RFC 3966. null: not a URI. */
export function parseUri(text: string): SipUri | null {
  if (text.length > MAX_URI || !/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/.test(text)) return null;
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  const rest = text.slice(colon + 1);
  if (scheme === 'tel') return parseTel(text, rest);
  if (scheme !== 'sip' && scheme !== 'sips')
    return { scheme: 'other', user: null, host: '', port: null, parameters: NONE, text };
  // The user part may hold `;` and `?`, so the host begins after the last `@` before any of the headers.
  const at = rest.lastIndexOf('@');
  const user = at < 0 ? null : unescapeUser(rest.slice(0, at));
  if (user === false) return null;
  const afterUser = rest.slice(at + 1).split('?', 1)[0] ?? '';
  const semicolon = afterUser.indexOf(';');
  const where = parseHostPort(semicolon < 0 ? afterUser : afterUser.slice(0, semicolon));
  const parameters = semicolon < 0 ? NONE : parseParameters(afterUser.slice(semicolon + 1));
  if (where === null || parameters === null) return null;
  return { scheme, user, host: where.host, port: where.port, parameters, text };
}

function parseTel(text: string, rest: string): SipUri | null {
  const semicolon = rest.indexOf(';');
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon);
  const parameters = semicolon < 0 ? NONE : parseParameters(rest.slice(semicolon + 1));
  if (!/^\+?[0-9A-Fa-f*#().-]+$/.test(number) || parameters === null) return null;
  return { scheme: 'tel', user: number, host: '', port: null, parameters, text };
}

function unescapeUser(text: string): string | false {
  const user = text.split(':', 1)[0] ?? '';
  if (user === '') return false;
  try {
    return decodeURIComponent(user);
  } catch {
    return false;
  }
}

/** `host`, `host:port`, `[v6]:port`. */
export function parseHostPort(text: string): { host: string; port: number | null } | null {
  const match =
    /^\[([0-9A-Fa-f:.]{2,45})\](?:\s*:\s*(\d{1,5}))?$/.exec(text) ??
    /^([A-Za-z0-9.-]{1,255})(?:\s*:\s*(\d{1,5}))?$/.exec(text);
  const host = match?.[1];
  if (match === null || host === undefined) return null;
  if (text.startsWith('[') && isIP(host) !== 6) return null;
  if (match[2] === undefined) return { host, port: null };
  const port = Number(match[2]);
  return port >= 1 && port <= 65_535 ? { host, port } : null;
}

export const formatHostPort = (host: string, port: number): string =>
  `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** A name-addr or an addr-spec (RFC 3261 §20.10): parameters after an unbracketed URI belong to the header. */
export function parseNameAddress(text: string): NameAddress | null {
  const value = text.trim();
  const open = openingBracket(value);
  if (open === null) {
    const semicolon = value.indexOf(';');
    const uri = parseUri((semicolon < 0 ? value : value.slice(0, semicolon)).trim());
    const parameters = semicolon < 0 ? NONE : parseParameters(value.slice(semicolon + 1));
    return uri === null || parameters === null ? null : { display: null, uri, parameters };
  }
  const close = value.indexOf('>', open);
  if (close < 0) return null;
  const uri = parseUri(value.slice(open + 1, close).trim());
  const after = value.slice(close + 1).trim();
  const parameters = after === '' ? NONE : after.startsWith(';') ? parseParameters(after.slice(1)) : null;
  if (uri === null || parameters === null) return null;
  const display = unquote(value.slice(0, open).trim());
  return { display: display === '' ? null : display, uri, parameters };
}

/** Where the URI's `<` is; one within the quoted name does not count. null: there is none. */
function openingBracket(value: string): number | null {
  if (splitOutside(value, '\n') === null) return null;
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const character = value[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (character === '<' && !quoted) return at;
  }
  return null;
}

/** `"name" <uri>;parameters`. */
export function formatNameAddress(address: {
  readonly display?: string | null;
  readonly uri: string;
  readonly parameters?: Parameters;
}): string {
  const name = address.display == null ? '' : `${quote(address.display)} `;
  return `${name}<${address.uri}>${formatParameters(address.parameters ?? NONE)}`;
}

/** Builds a `sip:` URI of parts of our own; everything that is not plain is escaped. */
export function sipUri(parts: {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
  readonly parameters?: Parameters;
}): string {
  const user = parts.user === undefined ? '' : `${escapeUser(parts.user)}@`;
  const host = isIP(parts.host) === 6 ? `[${parts.host}]` : parts.host;
  const port = parts.port === undefined ? '' : `:${parts.port}`;
  const text = `sip:${user}${host}${port}${formatParameters(parts.parameters ?? NONE)}`;
  if (parseUri(text) === null) throw new TypeError('not the parts of a SIP URI');
  return text;
}

/** RFC 3261 §25.1: unreserved and user-unreserved stay as they are. */
const escapeUser = (user: string): string =>
  encodeURIComponent(user).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, (escaped) => decodeURIComponent(escaped));
