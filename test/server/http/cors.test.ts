import { expect, test } from 'vitest';
import { startTestApp } from '../../helpers/test-app.ts';
import { hostToken } from '../../helpers/test-tokens.ts';

const FRIEND = 'https://app.example.org';

const preflight = (origin: string, from: string, path: string, method: string) =>
  fetch(`${origin}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin: from,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization',
    },
  });

test('[HTTP20] pages of a configured origin may use REST and uploads; pages of others may not', async () => {
  await using app = await startTestApp({ allowedOrigins: [FRIEND] });
  for (const [path, method] of [
    ['/v1/consultations', 'GET'],
    ['/v1/uploads', 'POST'],
    ['/v1/uploads/att_0000000000000000000001', 'PATCH'],
  ] as const) {
    const allowed = await preflight(app.origin, FRIEND, path, method);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(FRIEND);
    const refused = await preflight(app.origin, 'https://other.example.org', path, method);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  }
  const view = await app.createConsultation();
  const answer = await fetch(`${app.origin}/v1/consultations/${view.consultationId}`, {
    headers: { origin: FRIEND, authorization: `Bearer ${hostToken()}` },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-origin')).toBe(FRIEND);
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
});
