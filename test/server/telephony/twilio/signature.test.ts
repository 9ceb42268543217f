import { isSignedByTwilio, twilioSignature } from '@teleconsult/server/telephony/twilio/signature';
import { expect, test } from 'vitest';

/** Twilio's own example (https://www.twilio.com/docs/usage/security), with the token 12345. */
const TOKEN = '12345';
const URL_OF_EXAMPLE = 'https://mycompany.com/myapp.php?foo=1&bar=2';
const FORM = new URLSearchParams({
  Digits: '1234',
  To: '+18005551212',
  From: '+14158675309',
  Caller: '+14158675309',
  CallSid: 'CA1234567890ABCDE',
});
const FORM_SIGNATURE = 'RSOYDt4T1cUTdK1PDd93/VVr8B8=';
const JSON_BODY = '{"property": "value", "boolean": true}';
const JSON_HASH = '0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620';
const JSON_SIGNATURE = 'a9nBmqA0ju/hNViExpshrM61xv4=';

const form = (change: Partial<Parameters<typeof isSignedByTwilio>[1]> = {}) =>
  isSignedByTwilio(TOKEN, {
    url: URL_OF_EXAMPLE,
    contentType: 'application/x-www-form-urlencoded; charset=UTF-8',
    body: Buffer.from(FORM.toString()),
    signature: FORM_SIGNATURE,
    ...change,
  });
const json = (change: Partial<Parameters<typeof isSignedByTwilio>[1]> = {}) =>
  form({
    url: `${URL_OF_EXAMPLE}&bodySHA256=${JSON_HASH}`,
    contentType: 'application/json',
    body: Buffer.from(JSON_BODY),
    signature: JSON_SIGNATURE,
    ...change,
  });

test('[TWI1] the signatures of Twilio’s own examples are found, of a form and of a JSON body', () => {
  expect(twilioSignature(TOKEN, URL_OF_EXAMPLE, FORM)).toBe(FORM_SIGNATURE);
  expect(form()).toBe(true);
  expect(json()).toBe(true);
});

test('[TWI1] an address is the same with the port of its scheme and without', () => {
  const withPort = 'https://mycompany.com:443/myapp.php?foo=1&bar=2';
  expect(form({ signature: twilioSignature(TOKEN, withPort, FORM) })).toBe(true);
  expect(form({ url: withPort })).toBe(false);
});

test('[TWI1] of a field that is repeated each value counts once, in order', () => {
  const body = 'B=2&A=2&A=1&A=2';
  const signature = twilioSignature(TOKEN, `${URL_OF_EXAMPLE}A1A2B2`, new URLSearchParams());
  expect(form({ body: Buffer.from(body), signature })).toBe(true);
});

test('[TWI60] who proves nothing costs next to nothing, whatever fills the form', () => {
  const names: string[] = [];
  for (let number = 0; number < 60_000; number += 1) names.push(number.toString(36).padStart(3, '0'));
  const body = Buffer.from(names.join('&'));
  expect(body.byteLength).toBeLessThan(262_144);
  const began = performance.now();
  expect(form({ body })).toBe(false);
  expect(form({ body, signature: 'no signature' })).toBe(false);
  const ofThousand = names.slice(0, 1_000);
  expect(form({ body: Buffer.from(ofThousand.join('&')) })).toBe(false);
  // Milliseconds; a loaded machine has room.
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('[TWI60] a form of many fields that Twilio signed is Twilio’s', () => {
  const fields = new URLSearchParams();
  for (let number = 0; number < 1_000; number += 1) fields.append(`Field${number % 500}`, String(number));
  const signature = twilioSignature(TOKEN, URL_OF_EXAMPLE, fields);
  expect(form({ body: Buffer.from(fields.toString()), signature })).toBe(true);
});

test('[TWI61] an address with a port of its own is the same without it', () => {
  const withPort = 'https://mycompany.com:8443/myapp.php?foo=1&bar=2';
  for (const signed of [withPort, URL_OF_EXAMPLE])
    expect(form({ url: withPort, signature: twilioSignature(TOKEN, signed, FORM) })).toBe(true);
  const other = withPort.replace('8443', '9443');
  expect(form({ url: withPort, signature: twilioSignature(TOKEN, other, FORM) })).toBe(false);
  expect(form({ signature: twilioSignature(TOKEN, withPort, FORM) })).toBe(false);
});

test.each([
  ['another address', () => form({ url: `${URL_OF_EXAMPLE}3` })],
  ['another host', () => form({ url: URL_OF_EXAMPLE.replace('mycompany', 'yourcompany') })],
  ['another field', () => form({ body: Buffer.from(`${FORM}&Extra=1`) })],
  ['another value', () => form({ body: Buffer.from(FORM.toString().replace('1234', '4321')) })],
  ['no signature', () => form({ signature: '' })],
  [
    'another token',
    () =>
      isSignedByTwilio('54321', {
        url: URL_OF_EXAMPLE,
        contentType: 'application/x-www-form-urlencoded',
        body: Buffer.from(FORM.toString()),
        signature: FORM_SIGNATURE,
      }),
  ],
  ['a form said to be JSON', () => form({ contentType: 'application/json' })],
  ['another JSON body', () => json({ body: Buffer.from(`${JSON_BODY} `) })],
  [
    'a JSON body without its hash in the address',
    () =>
      json({ url: URL_OF_EXAMPLE, signature: twilioSignature(TOKEN, URL_OF_EXAMPLE, new URLSearchParams()) }),
  ],
  [
    'another hash of a JSON body',
    () => json({ url: `${URL_OF_EXAMPLE}&bodySHA256=${JSON_HASH.replace('0a', '0b')}` }),
  ],
])('[TWI2] %s is no request of Twilio', (_, isSigned) => {
  expect(isSigned()).toBe(false);
});
