/**
 * `X-Twilio-Signature` (https://www.twilio.com/docs/usage/security): the base64 of HMAC-SHA1, keyed with the auth token,
 * over the address exactly as it was asked and the form's fields in order of their names. A JSON body is covered by
 * `bodySHA256` in the address instead.
 */
import { createHash, createHmac } from 'node:crypto';
import { sameText } from '../webhook-guard.ts';

/** Name and value after one another, ordered by name; of a repeated name each value once, in order. */
function signedFields(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].toSorted(byCodeUnits);
  return names
    .flatMap((name) => [...new Set(form.getAll(name))].toSorted(byCodeUnits).map((value) => name + value))
    .join('');
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const twilioSignature = (authToken: string, url: string, form: URLSearchParams): string =>
  createHmac('sha1', authToken)
    .update(url + signedFields(form))
    .digest('base64');

export interface SignedRequest {
  readonly url: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly signature: string;
}

/** Twilio signs with or without the port of the scheme, depending on the product: either is the same address. */
function addressesOf(url: string): string[] {
  const parsed = new URL(url);
  if (parsed.port !== '') return [url];
  const port = parsed.protocol === 'https:' ? 443 : 80;
  const start = `${parsed.protocol}//${parsed.host}`;
  return url.startsWith(start) ? [url, `${start}:${port}${url.slice(start.length)}`] : [url];
}

export function isSignedByTwilio(authToken: string, request: SignedRequest): boolean {
  const { url, contentType, body, signature } = request;
  const isForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');
  const form = new URLSearchParams(isForm ? Buffer.from(body).toString('utf8') : '');
  if (!isForm && body.byteLength > 0) {
    const told = new URL(url).searchParams.get('bodySHA256');
    const found = createHash('sha256').update(body).digest('hex');
    if (told === null || !sameText(told.toLowerCase(), found)) return false;
  }
  // Every candidate is compared, so that time does not tell which one was near.
  return addressesOf(url)
    .map((address) => sameText(signature, twilioSignature(authToken, address, form)))
    .includes(true);
}
