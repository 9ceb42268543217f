import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { TokenAlgorithm } from '@teleconsult/server/identity/tokens';
import { TEST_IDENTITY, TEST_KEY } from '../helpers/test-tokens.ts';

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

const pair = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

/** Public keys as a host application hands them over. */
export const publicPem: Readonly<Record<keyof typeof pair, string>> = {
  RS256: pem(pair.RS256.publicKey),
  PS256: pem(pair.PS256.publicKey),
  ES256: pem(pair.ES256.publicKey),
};

/** One key of every algorithm, named after it; the HS256 key is the one of the test helpers. */
export const policy = {
  ...TEST_IDENTITY,
  keys: [
    TEST_KEY,
    ...(['RS256', 'PS256', 'ES256'] as const).map((algorithm) => ({
      kid: algorithm,
      algorithm,
      material: publicPem[algorithm],
    })),
  ],
};

export const kidOf = (algorithm: TokenAlgorithm): string =>
  algorithm === 'HS256' ? TEST_KEY.kid : algorithm;

export const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const nowS = (): number => Math.floor(Date.now() / 1000);

/** Claims that are right in everything. */
export const claimsOf = (sub: unknown = 'somebody'): Record<string, unknown> => ({
  sub,
  scope: 'participant',
  iss: TEST_IDENTITY.issuer,
  aud: TEST_IDENTITY.audience,
  iat: nowS(),
  exp: nowS() + 3_600,
});

/** The signature of RFC 7518 by the test's key of an algorithm, or by another. */
export function signature(algorithm: TokenAlgorithm, signed: string, key?: KeyObject | string): Buffer {
  const data = Buffer.from(signed);
  switch (algorithm) {
    case 'HS256':
      return createHmac('sha256', key ?? TEST_KEY.material)
        .update(data)
        .digest();
    case 'RS256':
      return sign('sha256', data, (key as KeyObject | undefined) ?? pair.RS256.privateKey);
    case 'PS256':
      return sign('sha256', data, {
        key: (key as KeyObject | undefined) ?? pair.PS256.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'ES256':
      return sign('sha256', data, {
        key: (key as KeyObject | undefined) ?? pair.ES256.privateKey,
        dsaEncoding: 'ieee-p1363',
      });
  }
}

export interface Forgery {
  readonly claims?: unknown;
  /** Replaces or adds header members; `undefined` removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject | string;
}

/** A token signed by hand, so that any part of it can be wrong. */
export function signed(
  algorithm: TokenAlgorithm,
  { claims = claimsOf(), header = {}, key }: Forgery = {},
): string {
  const head = { alg: algorithm, typ: 'JWT', kid: kidOf(algorithm), ...header };
  const text = `${encoded(head)}.${encoded(claims)}`;
  return `${text}.${signature(algorithm, text, key).toString('base64url')}`;
}

export const privateKeyOf = (algorithm: keyof typeof pair): KeyObject => pair[algorithm].privateKey;
