import { identify } from '@teleconsult/server/telephony/embedded/identify';
import { parseNameAddress, parseUri } from '@teleconsult/server/telephony/sip/uri';
import { expect, test } from 'vitest';
import { ANN, BOB, X } from './people.ts';

function call(parts: { uri?: string; to?: string; from?: string; asserted?: string[] }) {
  const {
    uri = `sip:${X}@relay`,
    to = `<sip:${X}@relay>`,
    from = `<sip:${ANN}@carrier>`,
    asserted = [],
  } = parts;
  const requestUri = parseUri(uri);
  const toAddress = parseNameAddress(to);
  const fromAddress = parseNameAddress(from);
  if (requestUri === null || toAddress === null || fromAddress === null) throw new Error('not written well');
  return {
    requestUri,
    to: toAddress,
    from: fromAddress,
    header: (name: string) => (name === 'p-asserted-identity' ? asserted : []),
  };
}

test('[RLY24] what the trunk asserts goes before what the phone says, and hides it where it names nobody', () => {
  expect(identify(call({ asserted: [`<sip:${BOB}@carrier>`] }), 'CN').from).toBe(BOB);
  expect(identify(call({ asserted: [`"x" <sip:${BOB}@c>, <tel:${BOB}>`] }), 'CN').from).toBe(BOB);
  expect(identify(call({ asserted: ['<sip:desk@carrier>', `<tel:${BOB}>`] }), 'CN').from).toBe(BOB);
  expect(identify(call({ asserted: ['<sip:anonymous@anonymous.invalid>'] }), 'CN').from).toBeNull();
  expect(identify(call({}), 'CN').from).toBe(ANN);
  expect(identify(call({ from: '"Anonymous" <sip:anonymous@anonymous.invalid>' }), 'CN').from).toBeNull();
});

test.each([
  ['sip:13800001111@h', ANN],
  ['sip:8613800001111@h', ANN],
  ['sip:+86-138-0000-1111;ext=x@h', ANN],
  ['tel:+8613800001111', ANN],
  ['sip:+8613800001111;phone-context=x@h;user=phone', ANN],
  ['sip:123@h', null],
  ['sip:13800001111x@h', null],
  ['sip:%2B8613800001111@h', ANN],
] as const)('[RLY24] %s is %s', (uri, number) => {
  expect(identify(call({ from: `<${uri}>` }), 'CN').from).toBe(number);
});

test('[RLY24] what was dialled is in the request, or where it is routed by a name, in To', () => {
  expect(identify(call({ uri: 'sip:trunk-7@relay' }), 'CN').x).toBe(X);
  expect(identify(call({ uri: 'sip:trunk-7@relay', to: '<sip:desk@relay>' }), 'CN').x).toBeNull();
});
