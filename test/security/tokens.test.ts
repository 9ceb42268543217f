import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError, ConsultationId, PersonId } from '@teleconsult/protocol';
import { type Caller, TokenAlgorithm, TokenVerifier } from '@teleconsult/server/identity/tokens';
import jwt from 'jsonwebtoken';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startTestApp } from '../helpers/test-app.ts';
import { hostToken } from '../helpers/test-tokens.ts';
import { letIn, overRest, overSocket } from './token-check.ts';
import { claimsOf, nowS, policy, publicPem, signed } from './token-keys.ts';
import { attackerKeySet, badTokens } from './token-matrix.ts';

const startApp = () => startTestApp({ tokens: new TokenVerifier(policy) });

/** Serves the attacker's keys under every path and counts who asks. */
async function keyServer() {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end(JSON.stringify(attackerKeySet));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** As verifiers look that do not pin a key to its algorithm: the token itself says how its key is to be read. */
class UnpinnedVerifier extends TokenVerifier {
  override verify(token: string): Caller {
    const header = jwt.decode(token, { complete: true })?.header;
    if (header?.kid !== 'RS256') throw new AppError('UNAUTHENTICATED');
    const pem = publicPem.RS256;
    const key = header.alg.startsWith('HS') ? createSecretKey(Buffer.from(pem)) : pem;
    try {
      jwt.verify(token, key, { algorithms: ['RS256', 'HS256'] });
    } catch {
      throw new AppError('UNAUTHENTICATED');
    }
    return {
      scope: 'participant',
      personId: PersonId.parse('somebody'),
      onlyConsultation: null,
      displayName: null,
      isDoctor: false,
      expiresAt: Date.now() + 60_000,
    };
  }
}

test('[A1] [AUTH1] no token of the matrix is let in over REST or a socket, and none makes the server fetch a key', async () => {
  await using keys = await keyServer();
  const tokens = badTokens(keys.url);
  expect(Object.keys(tokens).length).toBeGreaterThan(110);
  expect(await letIn(startApp, tokens)).toEqual([]);
  expect(keys.requests()).toBe(0);
}, 60_000);

test('[A1 sabotage] [AUTH1 sabotage] a verifier that lets the token choose its algorithm is found out', async () => {
  const unpinned = () => startTestApp({ tokens: new UnpinnedVerifier(policy) });
  const complaints = await letIn(unpinned, badTokens('http://127.0.0.1:1'), { batch: 500 });
  const accepted = complaints.filter((complaint) => complaint.includes(': accepted'));
  expect(accepted).toEqual(
    expect.arrayContaining([
      'the RS256 public key as an HS256 secret: accepted over REST',
      'the RS256 public key as an HS256 secret: accepted over the socket',
    ]),
  );
}, 60_000);

test.each(TokenAlgorithm.options)(
  '[A1] [AUTH1] a good %s token is accepted over REST and a socket',
  async (algorithm) => {
    await using app = await startApp();
    const several = { ...claimsOf(), aud: ['another-audience', policy.audience] };
    for (const token of [signed(algorithm), signed(algorithm, { claims: several })]) {
      expect(await overRest(app, token)).toBe('accepted');
      expect(await overSocket(app, token)).toBe('accepted');
    }
  },
);

test('[A1] [AUTH2] an expired token is refused as TOKEN_EXPIRED, every other as UNAUTHENTICATED, without saying why', async () => {
  await using app = await startApp();
  const expired = signed('RS256', { claims: { ...claimsOf(), iat: nowS() - 60, exp: nowS() - 10 } });
  expect(await overSocket(app, expired)).toBe('TOKEN_EXPIRED');
  for (const token of [expired, signed('RS256', { header: { kid: 'unknown' } }), 'x']) {
    const response = await fetch(`${app.origin}/v1/consultations`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(Object.keys((await response.json()) as object).sort()).toEqual(
      ['code', 'requestId', 'status', 'title', 'type'].sort(),
    );
  }
});

test('[A1] [AUTH3] a connection ends when its token does, and is told so', async () => {
  await using app = await startApp();
  const token = signed('ES256', { claims: { ...claimsOf(), exp: nowS() + 2 } });
  await using client = await RawClient.connect(app.origin, token);
  await client.request('consultation.list', {});
  expect(await client.fact('session.ending')).toEqual({ reason: 'token_expired' });
  await eventually('the connection to be closed', () => client.socket.disconnected);
});

test('[A1] [AUTH4] a token counts only where it belongs: not in an address, a cookie or another scheme', async () => {
  await using app = await startApp();
  const token = signed('HS256', { claims: { ...claimsOf(), scope: 'host' } });
  const url = `${app.origin}/v1/consultations/cns_${'z'.repeat(22)}`;
  const status = async (query: string, headers: Record<string, string> = {}) =>
    (await fetch(url + query, { headers })).status;
  expect(await status('', { authorization: `Bearer ${token}` })).toBe(404);
  expect(await status(`?token=${token}&access_token=${token}&authorization=Bearer%20${token}`)).toBe(401);
  expect(await status('', { cookie: `token=${token}; authorization=Bearer ${token}` })).toBe(401);
  expect(await status('', { authorization: `Token ${token}` })).toBe(401);
  expect(await status('', { authorization: token })).toBe(401);
  const query = `${app.origin}?token=${signed('HS256')}`;
  await expect(RawClient.connect(query, '')).rejects.toThrow('INVALID');
});

test('[A1] [AUTH5] the host application has no socket', async () => {
  await using app = await startTestApp();
  expect(await overSocket(app, hostToken())).toBe('FORBIDDEN');
});

test('[A1] [AUTH6] a handshake names its protocol version and its device, and nothing else', async () => {
  await using app = await startApp();
  const connect = (auth: Record<string, unknown>) => RawClient.connect(app.origin, signed('HS256'), auth);
  await expect(connect({ protocol: 999 })).rejects.toThrow('PROTOCOL_UNSUPPORTED');
  for (const auth of [
    { protocol: '1' },
    { deviceId: 'short' },
    { deviceId: 'device][person' },
    { token: null },
    { token: {} },
    { personId: 'somebody-else' },
    { onlyConsultation: ConsultationId.parse(`cns_${'z'.repeat(22)}`) },
  ])
    await expect(connect(auth), JSON.stringify(auth)).rejects.toThrow('INVALID');
});
