import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { call } from './rest-client.ts';

const NOWHERE = `/v1/consultations/cns_${'z'.repeat(22)}` as const;
/** Bad tokens from one address in a minute that are answered as such. */
const BAD_TOKENS_A_MINUTE = 60;

test('[REST9] every answer, also a refusal, forbids browsers to guess types, to frame it and to tell where it came from', async () => {
  await using app = await startTestApp();
  const token = hostToken();
  for (const [path, request] of [
    ['/healthz', {}],
    ['/metrics', {}],
    ['/v1/openapi.json', {}],
    ['/nothing', {}],
    [NOWHERE, {}],
    [NOWHERE, { token }],
  ] as const) {
    const { headers } = await call(app, `GET ${path}`, request);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('referrer-policy'), path).toBe('no-referrer');
    expect(headers.get('content-security-policy'), path).toMatch(
      /default-src 'none';.*frame-ancestors 'none'/,
    );
    expect(headers.get('cross-origin-resource-policy'), path).toBe('same-origin');
    expect(headers.get('x-powered-by'), path).toBeNull();
    expect(headers.get('x-request-id'), path).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('[REST9] what may be health data is kept by no browser and no proxy', async () => {
  await using app = await startTestApp();
  const { consultationId } = await app.createConsultation();
  for (const path of ['', '/thread'] as const) {
    const { status, headers } = await call(app, `GET /v1/consultations/${consultationId}${path}`, {
      token: hostToken(),
    });
    expect([status, headers.get('cache-control')]).toEqual([200, 'private, no-store']);
  }
});

test('[REST10] the metrics count requests by name and outcome, and name nobody', async () => {
  await using app = await startTestApp();
  await using client = await RawClient.connect(app.origin, personToken('somebody'));
  await client.request('consultation.list', {});
  await client.emit('consultation.watch', {});
  await client.emit('no-such-request', {});
  const { headers, body } = await call(app, 'GET /metrics');
  const text = String(body);
  expect(headers.get('content-type')).toContain('text/plain');
  expect(text).toContain('teleconsult_requests_total{event="consultation.list",code="OK"} 1');
  expect(text).toContain('teleconsult_requests_total{event="consultation.watch",code="INVALID"} 1');
  expect(text).toContain('teleconsult_requests_total{event="unknown",code="UNKNOWN_EVENT"} 1');
  expect(text).toContain('teleconsult_connections 1');
  expect(text).not.toMatch(/somebody|device-|no-such-request/);
});

test('[REST10] readiness names what is missing; health is only that the process answers', async () => {
  let missing: string[] = [];
  await using app = await startTestApp({ missing: () => missing });
  expect((await fetch(`${app.origin}/readyz`)).status).toBe(200);
  missing = ['media worker'];
  const response = await fetch(`${app.origin}/readyz`);
  expect([response.status, await response.json()]).toEqual([503, { ready: false, missing }]);
  expect((await fetch(`${app.origin}/healthz`)).status).toBe(200);
});

test('[AUTH11] too many bad tokens from an address are answered 429 with a time to wait, and good ones from it still pass', async () => {
  await using app = await startTestApp();
  const attempt = (token: string) => call(app, `GET ${NOWHERE}`, { token });
  for (let count = 0; count < BAD_TOKENS_A_MINUTE; count++) expect((await attempt('bad')).status).toBe(401);
  const { status, headers, body } = await attempt('bad');
  expect([status, body]).toMatchObject([429, { code: 'RATE_LIMITED' }]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await attempt(hostToken())).status).toBe(404);
});

test('[GATE4] a person who asks too much is answered RATE_LIMITED, and no other person is', async () => {
  await using app = await startTestApp({ requestsPerSecond: 1 });
  await using client = await RawClient.connect(app.origin, personToken('somebody'));
  const replies = await Promise.all(Array.from({ length: 30 }, () => client.emit('consultation.list', {})));
  const codes = replies.map((reply) => (reply.ok ? 'OK' : reply.error.code));
  expect(codes.filter((code) => code === 'OK')).toHaveLength(10);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(20);
  await using other = await RawClient.connect(app.origin, personToken('somebody-else'));
  await other.request('consultation.list', {});
});
