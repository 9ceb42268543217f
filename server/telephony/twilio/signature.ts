/**
 * `X-Twilio-Signature` (https://www.twilio.com/docs/usage/security): the base64 of HMAC-SHA1, keyed with the auth token,
 * over the address exactly as it was asked and the form's fields in order of their names. A JSON body is covered by
 * `bodySHA256` in the address instead.
 */
import { createHash, createHmac } from 'node:crypto';
import { sameText } from '../webhook-guard.ts';

/** Twilio sends some dozens. Whoever sends more is nobody, and is not worth the work of finding that out. */
const MOST_FIELDS = 1_000;
/** 20 bytes in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;
const AMPERSAND = 0x26;

/**
 * Name and value after one another, ordered by name; of a repeated name each value once, in order. The form is walked once:
 * this is done for everybody who asks, before anything proves who they are.
 */
function signedFields(form: URLSearchParams): string {
  const fields = new Map<string, Set<string>>();
  for (const [name, value] of form) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, new Set([value]));
    else values.add(value);
  }
  return [...fields]
    .toSorted(([a], [b]) => byCodeUnits(a, b))
    .flatMap(([name, values]) => [...values].toSorted(byCodeUnits).map((value) => name + value))
    .join('');
}

function hasTooManyFields(body: Uint8Array): boolean {
  let fields = 1;
  for (let at = body.indexOf(AMPERSAND); at >= 0; at = body.indexOf(AMPERSAND, at + 1)) {
    fields += 1;
    if (fields > MOST_FIELDS) return true;
  }
  return false;
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const twilioSignature = (authToken: string, url: string, form: URLSearchParams): string =>
  signatureOf(authToken, url + signedFields(form));

const signatureOf = (authToken: string, text: string): string =>
  createHmac('sha1', authToken).update(text).digest('base64');

export interface SignedRequest {
  readonly url: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly signature: string;
}

/** Twilio signs with or without the port, depending on the product: either is the same address. */
function addressesOf(url: string): string[] {
  const { protocol, host, hostname, port } = new URL(url);
  const start = `${protocol}//${host}`;
  if (!url.startsWith(start)) return [url];
  const rest = url.slice(start.length);
  if (port !== '') return [url, `${protocol}//${hostname}${rest}`];
  return [url, `${start}:${protocol === 'https:' ? 443 : 80}${rest}`];
}

export function isSignedByTwilio(authToken: string, request: SignedRequest): boolean {
  const { url, contentType, body, signature } = request;
  const isForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');
  if (!SIGNATURE.test(signature) || (isForm && hasTooManyFields(body))) return false;
  const form = new URLSearchParams(isForm ? Buffer.from(body).toString('utf8') : '');
  if (!isForm && body.byteLength > 0) {
    const told = new URL(url).searchParams.get('bodySHA256');
    const found = createHash('sha256').update(body).digest('hex');
    if (told === null || !sameText(told.toLowerCase(), found)) return false;
  }
  const fields = signedFields(form);
  // Every candidate is compared, so that time does not tell which one was near.
  return addressesOf(url)
    .map((address) => sameText(signature, signatureOf(authToken, address + fields)))
    .includes(true);
}
