import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { Problem } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { startTestApp } from '../helpers/test-app.ts';
import { hostToken } from '../helpers/test-tokens.ts';

const MAX_BODY_BYTES = 64 * 1024;

const consultation = (fill: string) =>
  JSON.stringify({
    patient: { personId: 'patient', displayName: 'Patient' },
    doctor: { personId: 'doctor', displayName: 'Doctor' },
    fill,
  });

const bodies: readonly [string, () => { body: BodyInit; headers?: Record<string, string> }][] = [
  ['of a stated length', () => ({ body: consultation('x'.repeat(MAX_BODY_BYTES)) })],
  [
    'in chunks of no stated length',
    () => ({
      body: Readable.toWeb(
        Readable.from([Buffer.from(consultation('x'.repeat(MAX_BODY_BYTES)))]),
      ) as unknown as BodyInit,
    }),
  ],
  [
    'that inflates to it',
    () => ({
      body: gzipSync(consultation('x'.repeat(10 * 1024 * 1024))),
      headers: { 'content-encoding': 'gzip' },
    }),
  ],
];

test.each(bodies)(
  '[S3] [LIMIT3] a body above the limit %s is answered 413 and read no further',
  async (_what, make) => {
    await using app = await startTestApp();
    const { body, headers } = make();
    const response = await fetch(`${app.origin}/v1/consultations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json', ...headers },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(Problem.parse(await response.json())).toMatchObject({ code: 'TOO_LARGE', status: 413 });
    expect((await app.createConsultation()).phase).toBe('requested');
  },
);

test.each([
  [
    'a header',
    (): [string, RequestInit] => ['', { headers: { authorization: `Bearer ${'x'.repeat(17_000)}` } }],
  ],
  ['an address', (): [string, RequestInit] => [`?${'x'.repeat(17_000)}`, {}]],
])('[S3] [LIMIT3] %s above the limit is refused before anything reads it', async (_what, make) => {
  await using app = await startTestApp();
  const [query, init] = make();
  expect((await fetch(`${app.origin}/v1/consultations${query}`, init)).status).toBe(431);
  expect((await app.createConsultation()).phase).toBe('requested');
});
