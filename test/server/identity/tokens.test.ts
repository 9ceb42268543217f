import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';
import { TokenVerifier } from '@teleconsult/server/identity/tokens';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TEST_IDENTITY, TEST_KEY } from '../../helpers/test-tokens.ts';
import { claimsOf, nowS, policy, publicPem, signed } from '../../security/token-keys.ts';

const TOLERANCE_S = 5;
const DAY_S = 24 * 3_600;

const verifier = new TokenVerifier(policy);
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

/** The caller's scope, or the code of the refusal. */
function outcome(claims: Record<string, unknown>): string {
  try {
    return verifier.verify(signed('HS256', { claims: { ...claimsOf(), ...claims } })).scope;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['exp', 'one second before its tolerance ends', { exp: -TOLERANCE_S + 1 }, 'participant'],
  ['exp', 'when its tolerance ends', { exp: -TOLERANCE_S }, 'TOKEN_EXPIRED'],
  ['nbf', 'at the edge of its tolerance', { nbf: TOLERANCE_S }, 'participant'],
  ['nbf', 'one second beyond its tolerance', { nbf: TOLERANCE_S + 1 }, 'UNAUTHENTICATED'],
  ['iat', 'at the edge of its tolerance', { iat: TOLERANCE_S }, 'participant'],
  ['iat', 'one second beyond its tolerance', { iat: TOLERANCE_S + 1 }, 'UNAUTHENTICATED'],
  ['life', 'of a day', { exp: DAY_S }, 'participant'],
  ['life', 'of a day and a second', { exp: DAY_S + 1 }, 'UNAUTHENTICATED'],
])('[A1] [AUTH7] %s %s is judged to the second', (_claim, _when, fromNow, expected) => {
  const at = Object.entries({
    iat: -60,
    ...('exp' in fromNow && fromNow.exp > 0 ? { iat: 0 } : {}),
    ...fromNow,
  });
  expect(outcome(Object.fromEntries(at.map(([name, seconds]) => [name, nowS() + seconds])))).toBe(expected);
});

test('[AUTH7] what is verified is a person with the end of the token, or the host application', () => {
  const consultation = `cns_${'z'.repeat(22)}`;
  const expiresAt = (nowS() + 3_600) * 1_000;
  const verify = (claims: Record<string, unknown>) =>
    verifier.verify(signed('RS256', { claims: { ...claimsOf(), ...claims } }));
  expect(verify({})).toEqual({
    scope: 'participant',
    personId: 'somebody',
    onlyConsultation: null,
    displayName: null,
    isDoctor: false,
    expiresAt,
  });
  expect(verify({ name: ' 陈医生 ', profession: 'doctor' })).toMatchObject({
    displayName: '陈医生',
    isDoctor: true,
  });
  expect(verify({ consultation })).toMatchObject({ onlyConsultation: consultation });
  expect(verify({ scope: 'host', sub: undefined })).toEqual({ scope: 'host', expiresAt });
});

const rsa1024 = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey);
const p384 = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey);
const ed25519 = pem(generateKeyPairSync('ed25519').publicKey);

test.each([
  ['an HS256 secret of 31 bytes', 'HS256', 's'.repeat(31)],
  ['an RSA key of 1,024 bits', 'RS256', rsa1024],
  ['an EC key for RS256', 'RS256', publicPem.ES256],
  ['an EC key for PS256', 'PS256', publicPem.ES256],
  ['an RSA key for ES256', 'ES256', publicPem.RS256],
  ['a key on another curve', 'ES256', p384],
  ['an Ed25519 key', 'ES256', ed25519],
  ['a text that is no key', 'RS256', 'not a key: canary'],
] as const)(
  '[A1] [AUTH8] %s is refused when the server starts, by its kid and without its content',
  (_what, algorithm, material) => {
    const make = () =>
      new TokenVerifier({ ...TEST_IDENTITY, keys: [{ kid: 'the-kid', algorithm, material }] });
    expect(make).toThrow(/^Token key "the-kid"/);
    expect(make).not.toThrow(/canary|sss|BEGIN/);
  },
);

test('[AUTH8] an HS256 secret of 32 bytes is long enough', () => {
  const material = 's'.repeat(32);
  expect(new TokenVerifier({ ...TEST_IDENTITY, keys: [{ ...TEST_KEY, material }] })).toBeInstanceOf(
    TokenVerifier,
  );
});

test.each([
  ['no key', { keys: [] }],
  ['two keys of one kid', { keys: [TEST_KEY, TEST_KEY] }],
  ['an empty issuer', { issuer: '' }],
  ['an empty audience', { audience: '' }],
])('[A1] [AUTH8] a policy with %s is refused when the server starts', (_what, change) => {
  expect(() => new TokenVerifier({ ...policy, ...change })).toThrow();
});
