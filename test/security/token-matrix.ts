import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { TEST_KEY } from '../helpers/test-tokens.ts';
import { claimsOf, encoded, nowS, privateKeyOf, publicPem, signature, signed } from './token-keys.ts';

type Tokens = Readonly<Record<string, string>>;

const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
const attackerJwk = {
  ...attacker.publicKey.export({ format: 'jwk' }),
  kid: 'RS256',
  alg: 'RS256',
  use: 'sig',
};
const attackerPem = attacker.publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** The key set that a fetched header would lead to. */
export const attackerKeySet = { keys: [attackerJwk] };

/** Every token that must be refused, by what is wrong with it. `url` is where injected headers point. */
export const badTokens = (url: string): Tokens => ({
  ...unsigned(),
  ...confused(),
  ...injected(url),
  ...wrongKeys(),
  ...wrongClaims(),
  ...wrongTimes(),
  ...garbled(),
});

function unsigned(): Tokens {
  const spellings = ['none', 'None', 'NONE', 'nOnE', '', 'null'];
  const forged = (alg: unknown, kid: unknown, tail: string) =>
    `${encoded({ alg, typ: 'JWT', kid })}.${encoded(claimsOf())}.${tail}`;
  return {
    ...Object.fromEntries(
      spellings.flatMap((alg) => [
        [`alg "${alg}" without signature`, forged(alg, TEST_KEY.kid, '')],
        [`alg "${alg}" for the RS256 key`, forged(alg, 'RS256', '')],
        [`alg "${alg}" with a signature`, forged(alg, TEST_KEY.kid, 'c2lnbmF0dXJl')],
      ]),
    ),
    'alg missing': forged(undefined, TEST_KEY.kid, ''),
    'alg null': forged(null, TEST_KEY.kid, ''),
    'alg a list': forged(['HS256', 'none'], TEST_KEY.kid, ''),
    'a good header and no signature': signed('HS256').replace(/[^.]*$/, ''),
  };
}

/** A public key is known to everybody: it must never be taken for a secret, nor one algorithm for another. */
function confused(): Tokens {
  const text = (alg: string, kid: string) => `${encoded({ alg, typ: 'JWT', kid })}.${encoded(claimsOf())}`;
  const hmac = (alg: 'HS384' | 'HS512') => {
    const part = text(alg, TEST_KEY.kid);
    const digest = createHmac(alg === 'HS384' ? 'sha384' : 'sha512', TEST_KEY.material).update(part);
    return `${part}.${digest.digest('base64url')}`;
  };
  const der = text('ES256', 'ES256');
  return {
    ...Object.fromEntries(
      (['RS256', 'PS256', 'ES256'] as const).flatMap((kid) => [
        [
          `the ${kid} public key as an HS256 secret`,
          signed('HS256', { header: { kid }, key: publicPem[kid] }),
        ],
        [
          `the ${kid} public key, trimmed, as an HS256 secret`,
          signed('HS256', { header: { kid }, key: publicPem[kid].trim() }),
        ],
      ]),
    ),
    'the right secret under HS384': hmac('HS384'),
    'the right secret under HS512': hmac('HS512'),
    'the RS256 key under PS256': signed('PS256', { header: { kid: 'RS256' }, key: privateKeyOf('RS256') }),
    'the PS256 key under RS256': signed('RS256', { header: { kid: 'PS256' }, key: privateKeyOf('PS256') }),
    'an RS256 token for the HS256 key': signed('RS256', { header: { kid: TEST_KEY.kid } }),
    'an ES256 signature in DER': `${der}.${sign('sha256', Buffer.from(der), privateKeyOf('ES256')).toString('base64url')}`,
    'an ES256 signature of zeros': `${der}.${Buffer.alloc(64).toString('base64url')}`,
  };
}

/** Headers that name a key, or a place to fetch one from (RFC 7515 §4.1.2–4.1.6). */
function injected(url: string): Tokens {
  const certificate = attackerPem.replaceAll(/-----[^-]+-----|\n/g, '');
  const headers: Readonly<Record<string, Record<string, unknown>>> = {
    jku: { jku: `${url}/keys.json` },
    x5u: { x5u: `${url}/key.pem` },
    jwk: { jwk: attackerJwk },
    x5c: { x5c: [certificate] },
    'kid as an address': { kid: `${url}/keys.json` },
  };
  return Object.fromEntries(
    Object.entries(headers).flatMap(([what, header]) => [
      [`${what}, kid of the RS256 key`, signed('RS256', { header: { ...header }, key: attacker.privateKey })],
      [
        `${what}, kid of the attacker`,
        signed('RS256', { header: { kid: 'attacker', ...header }, key: attacker.privateKey }),
      ],
    ]),
  );
}

function wrongKeys(): Tokens {
  const kids: readonly unknown[] = [
    undefined,
    null,
    '',
    'unknown',
    '__proto__',
    'constructor',
    0,
    {},
    [TEST_KEY.kid],
  ];
  return {
    ...Object.fromEntries(
      kids.map((kid) => [`kid ${JSON.stringify(kid)}`, signed('HS256', { header: { kid } })]),
    ),
    'kid of an empty file, signed with nothing': signed('HS256', {
      header: { kid: '../../../../dev/null' },
      key: '',
    }),
    'another secret': signed('HS256', { key: 'another secret that is just as long as the right one' }),
    'another RSA key': signed('RS256', { key: attacker.privateKey }),
  };
}

function wrongClaims(): Tokens {
  const base = claimsOf();
  const changed = (what: Record<string, unknown>) => signed('HS256', { claims: { ...base, ...what } });
  const values: Readonly<Record<string, readonly unknown[]>> = {
    aud: ['another-audience', undefined, null, '', [], ['another-audience'], { aud: base['aud'] }],
    iss: ['another-issuer', undefined, null, '', [base['iss']]],
    sub: [undefined, null, '', 4711, 'two words', '-dash', 'x'.repeat(65), 'a/b', 'é', {}, ['somebody']],
    scope: [undefined, null, '', 'admin', 'Host', ['host'], 'host participant'],
    consultation: [null, '', 'cns_short', 4711, [], '*'],
    name: [null, '', '  ', 'x'.repeat(81), 4711, ['somebody']],
    profession: [null, '', 'Doctor', 'nurse', true, ['doctor']],
  };
  return {
    ...Object.fromEntries(
      Object.entries(values).flatMap(([name, wrong]) =>
        wrong.map((value) => [`${name} ${JSON.stringify(value)}`, changed({ [name]: value })]),
      ),
    ),
    'claims that are a list': signed('HS256', { claims: [base] }),
    'claims that are a text': signed('HS256', { claims: 'somebody' }),
    'claims that are null': signed('HS256', { claims: null }),
  };
}

function wrongTimes(): Tokens {
  const now = nowS();
  const changed = (what: Record<string, unknown>) => signed('HS256', { claims: { ...claimsOf(), ...what } });
  const day = 24 * 3_600;
  return {
    'exp missing': changed({ exp: undefined }),
    'exp null': changed({ exp: null }),
    'exp as text': changed({ exp: `${now + 3_600}` }),
    'exp with a fraction': changed({ exp: now + 0.5 }),
    'exp at the end of the tolerance': changed({ iat: now - 60, exp: now - 5 }),
    'exp long ago': changed({ iat: now - 7_200, exp: now - 3_600 }),
    'exp before all time': changed({ iat: 0, exp: -1 }),
    'iat missing': changed({ iat: undefined }),
    'iat as text': changed({ iat: `${now}` }),
    'iat in the future': changed({ iat: now + 3_600, exp: now + 7_200 }),
    'iat in ten years, and short-lived from then on': changed({
      iat: now + 3_650 * day,
      exp: now + 3_650 * day + 60,
    }),
    'nbf in the future': changed({ nbf: now + 60 }),
    'nbf as text': changed({ nbf: 'now' }),
    'a life of more than a day': changed({ exp: now + day + 1 }),
    'a life of a thousand years': changed({ exp: now + 365_000 * day }),
  };
}

function garbled(): Tokens {
  const good = signed('HS256');
  const [header = '', payload = '', tail = ''] = good.split('.');
  const signedRaw = (body: string) => {
    const text = `${header}.${Buffer.from(body).toString('base64url')}`;
    return `${text}.${signature('HS256', text).toString('base64url')}`;
  };
  return {
    'one letter': 'x',
    'two dots': '..',
    'two parts': `${header}.${payload}`,
    'four parts': `${good}.${tail}`,
    'a cut signature': good.slice(0, -2),
    'a cut token': good.slice(0, good.length / 2),
    'another payload under the same signature': `${header}.${encoded(claimsOf('somebody-else'))}.${tail}`,
    'another header under the same signature': `${encoded({ alg: 'HS256', kid: TEST_KEY.kid, typ: 'jwt' })}.${payload}.${tail}`,
    'a signed payload that is not JSON': signedRaw('not JSON at all'),
    'a signed payload of nothing': signedRaw(''),
    'a header that is not JSON': `${Buffer.from('{').toString('base64url')}.${payload}.${tail}`,
    'a header of null': `${encoded(null)}.${payload}.${tail}`,
    'a header of a number': `${encoded(1)}.${payload}.${tail}`,
    'an unreadable payload for a known key': `${header}.${Buffer.from('{"sub":').toString('base64url')}.${tail}`,
    'a blank before it': ` ${good}`,
    'a comma and a second token': `${good},${good}`,
    'ten kilobytes of letters': 'x'.repeat(10_000),
    'ten kilobytes of dots': '.'.repeat(10_000),
    'ten kilobytes of claims': signed('HS256', {
      claims: { ...claimsOf(), fill: 'x'.repeat(10_000), scope: 'admin' },
    }),
    'the words of another scheme': 'Basic c29tZWJvZHk6cGFzc3dvcmQ=',
  };
}
