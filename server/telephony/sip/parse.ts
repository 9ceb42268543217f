import { isHeaderText, isToken, parseCount, parseParameters, splitOutside } from './grammar.ts';
import { Headers, type SipMessage, type Via } from './message.ts';
import { parseHostPort, parseNameAddress, parseUri } from './uri.ts';

/** Why a message is refused. Nothing of the message is in it. */
export const MALFORMED = [
  'too_large',
  'no_end',
  'start_line',
  'version',
  'header',
  'header_count',
  'header_length',
  'missing',
  'repeated',
  'via',
  'address',
  'cseq',
  'content_length',
] as const;
export type Malformed = (typeof MALFORMED)[number];

export interface ParseLimits {
  readonly messageBytes: number;
  readonly headers: number;
  readonly headerBytes: number;
}

/** What carriers send stays far below; what is above is an attack or a mistake. */
export const PARSE_LIMITS: ParseLimits = { messageBytes: 32_768, headers: 160, headerBytes: 4096 };

export type Parsed =
  | { readonly ok: true; readonly message: SipMessage }
  | { readonly ok: false; readonly why: Malformed };

/** RFC 3261 §7.3.3, RFC 3515, 3892, 4028, 6665. */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
]);
/** Lists whose items are looked at one by one. */
const LISTS: ReadonlySet<string> = new Set(['via', 'route', 'record-route', 'contact']);
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type'] as const;

class Refused extends Error {
  readonly why: Malformed;
  constructor(why: Malformed) {
    super(why);
    this.why = why;
  }
}

/**
 * One whole message: a datagram, or what the framing of a stream cut out. The body of a datagram ends with it, and
 * bytes after Content-Length are dropped (RFC 3261 §18.3). Never throws.
 */
export function parseMessage(bytes: Buffer, limits: ParseLimits = PARSE_LIMITS): Parsed {
  try {
    return { ok: true, message: parse(bytes, limits) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, why: error.why };
    throw error;
  }
}

function parse(bytes: Buffer, limits: ParseLimits): SipMessage {
  if (bytes.length > limits.messageBytes) throw new Refused('too_large');
  let start = 0;
  while (bytes[start] === 0x0d && bytes[start + 1] === 0x0a) start += 2;
  const end = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (end < 0) throw new Refused('no_end');
  // Latin-1 keeps every byte as it is, whatever the text is in.
  const [first = '', ...lines] = unfold(bytes.toString('latin1', start, end));
  const headers = parseHeaders(lines, limits);
  const rest = bytes.subarray(end + 4);
  const length = headers.get('content-length');
  const bodyLength = length === null ? rest.length : parseCount(length);
  if (bodyLength === null || bodyLength > rest.length) throw new Refused('content_length');

  const startLine = parseStartLine(first, limits);
  const cseq = parseCSeq(headers.get('cseq'));
  if (startLine.kind === 'request' && startLine.method !== cseq.method) throw new Refused('cseq');
  const from = parseNameAddress(headers.get('from') ?? '');
  const to = parseNameAddress(headers.get('to') ?? '');
  if (from === null || to === null) throw new Refused('address');
  const callId = headers.get('call-id') ?? '';
  if (!/^\S{1,256}$/.test(callId)) throw new Refused('missing');
  return {
    ...startLine,
    headers,
    body: rest.subarray(0, bodyLength),
    via: parseVia(headers.get('via') ?? ''),
    from,
    to,
    fromTag: tagOf(from.parameters.get('tag')),
    toTag: tagOf(to.parameters.get('tag')),
    callId,
    cseq,
  };
}

const tagOf = (tag: string | undefined): string | null => (tag === undefined || tag === '' ? null : tag);

/** A line that begins with white space goes on with the one before (RFC 3261 §7.3.1). */
const unfold = (head: string): string[] => head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');

type StartLine =
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly uri: NonNullable<ReturnType<typeof parseUri>>;
    }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

function parseStartLine(line: string, limits: ParseLimits): StartLine {
  if (line.length > limits.headerBytes || !isHeaderText(line)) throw new Refused('start_line');
  const answer = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(line);
  if (answer !== null) return { kind: 'response', status: Number(answer[1]), reason: answer[2] ?? '' };
  const request = /^(\S{1,32}) (\S+) (\S+)$/.exec(line);
  const [, method = '', target = '', version = ''] = request ?? [];
  if (request === null || !isToken(method)) throw new Refused('start_line');
  if (version.toUpperCase() !== 'SIP/2.0') throw new Refused('version');
  const uri = parseUri(target);
  if (uri === null) throw new Refused('start_line');
  return { kind: 'request', method, uri };
}

function parseHeaders(lines: readonly string[], limits: ParseLimits): Headers {
  const values = new Map<string, string[]>();
  let count = 0;
  for (const line of lines) {
    if (line.length > limits.headerBytes) throw new Refused('header_length');
    const colon = line.indexOf(':');
    const written = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!isToken(written) || !isHeaderText(line)) throw new Refused('header');
    const name = COMPACT.get(written) ?? written;
    const value = line.slice(colon + 1).trim();
    const items = LISTS.has(name) ? splitOutside(value, ',') : [value];
    if (items === null) throw new Refused('header');
    count += items.length;
    if (count > limits.headers) throw new Refused('header_count');
    const known = values.get(name);
    if (known === undefined) values.set(name, items);
    else known.push(...items);
  }
  // Two different ones would be read differently by the next who looks: that is how things are smuggled.
  for (const name of SINGLE) if ((values.get(name)?.length ?? 0) > 1) throw new Refused('repeated');
  for (const name of ['via', 'from', 'to', 'call-id', 'cseq'])
    if (!values.has(name)) throw new Refused('missing');
  return new Headers(values);
}

function parseCSeq(text: string | null): { number: number; method: string } {
  const match = /^(\d{1,10})\s+(\S{1,32})$/.exec(text ?? '');
  const number = parseCount(match?.[1] ?? null);
  const method = match?.[2] ?? '';
  if (number === null || !isToken(method)) throw new Refused('cseq');
  return { number, method };
}

function parseVia(text: string): Via {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]{1,16})\s+([^;]{1,300})(?:;(.*))?$/i.exec(text);
  const where = parseHostPort((match?.[2] ?? '').trim());
  const parameters = parseParameters(match?.[3] ?? '');
  if (match === null || where === null || parameters === null) throw new Refused('via');
  return { transport: (match[1] ?? '').toUpperCase(), ...where, parameters };
}
