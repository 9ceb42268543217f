import { isHeaderText, isToken, type Parameters, splitOutside } from './grammar.ts';
import type { NameAddress, SipUri } from './uri.ts';

/** One line of a message we build. */
export type HeaderLine = readonly [name: string, value: string];

/** The headers of a message that arrived; names in any case or in compact form mean the same. */
export class Headers {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** The first value; null: it is not there. */
  get(name: string): string | null {
    return this.#values.get(name.toLowerCase())?.[0] ?? null;
  }

  all(name: string): readonly string[] {
    return this.#values.get(name.toLowerCase()) ?? [];
  }

  /** The words of a list such as Require or Supported, in lower case. */
  words(name: string): string[] {
    return this.all(name)
      .flatMap((value) => splitOutside(value, ',') ?? [])
      .map((word) => (word.split(';', 1)[0] ?? '').trim().toLowerCase())
      .filter((word) => word !== '');
  }
}

export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  readonly parameters: Parameters;
}

interface Received {
  readonly headers: Headers;
  readonly body: Buffer;
  /** The topmost one. */
  readonly via: Via;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly fromTag: string | null;
  readonly toTag: string | null;
  readonly callId: string;
  readonly cseq: { readonly number: number; readonly method: string };
}

export interface SipRequest extends Received {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: SipUri;
}

export interface SipResponse extends Received {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

export const EMPTY = Buffer.alloc(0);

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly HeaderLine[];
  readonly body: Uint8Array;
}

export const writeRequest = (parts: RequestParts): Buffer =>
  write(`${parts.method} ${parts.uri} SIP/2.0`, parts.headers, parts.body);

export const writeResponse = (
  status: number,
  headers: readonly HeaderLine[],
  body: Uint8Array = EMPTY,
): Buffer => write(`SIP/2.0 ${status} ${reasonOf(status)}`, headers, body);

function write(start: string, headers: readonly HeaderLine[], body: Uint8Array): Buffer {
  let head = `${start}\r\n`;
  for (const [name, value] of headers) {
    // What we send is ours to answer for: a line end in a value would be a header somebody else has written.
    if (!isToken(name) || !isHeaderText(value)) throw new TypeError('a header holds what no header may hold');
    head += `${name}: ${value}\r\n`;
  }
  head += `Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  422: 'Session Interval Too Small',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  600: 'Busy Everywhere',
  603: 'Decline',
};

/** The reason phrase is always ours: what another leg wrote there goes nowhere. */
const reasonOf = (status: number): string =>
  REASONS[status] ?? (status < 200 ? 'Progress' : status < 300 ? 'OK' : status < 500 ? 'Refused' : 'Failure');
