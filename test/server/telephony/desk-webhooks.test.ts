import { once } from 'node:events';
import { connect } from 'node:net';
import type { WebhookRequest } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { startPhoneStage } from './desk-stage.ts';

const MAX_BYTES = 262_144;

/** A server whose provider remembers what it is handed. */
async function startReported(answer: (request: WebhookRequest) => string = () => 'ok') {
  const received: WebhookRequest[] = [];
  const stage = await startPhoneStage({
    webhooks: [
      {
        path: 'fake/s3cret/report',
        handle: async (request) => {
          received.push(request);
          return { status: 202, contentType: 'text/xml', body: answer(request) };
        },
      },
    ],
  });
  return { stage, received, url: `${stage.app.origin}/v1/phone/fake/s3cret/report` };
}

test('[PHN45] a report reaches its adapter as it was sent, byte for byte, without a token', async () => {
  const { stage, received, url } = await startReported(() => '<Response/>');
  await using _stage = stage;
  const body = Buffer.from([0, 255, 13, 10, 1]);
  const answer = await fetch(`${url}?a=1&b=%2B`, {
    method: 'POST',
    headers: { 'x-signature': 'abc', 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  expect(answer.status).toBe(202);
  expect(answer.headers.get('content-type')).toMatch(/^text\/xml/);
  expect(await answer.text()).toBe('<Response/>');
  const [request] = received;
  expect(request).toMatchObject({
    method: 'POST',
    path: '/v1/phone/fake/s3cret/report?a=1&b=%2B',
    headers: { 'x-signature': 'abc' },
    remoteAddress: expect.stringContaining('127.0.0.1'),
  });
  expect(Buffer.from(request?.body ?? [])).toEqual(body);
});

test('[PHN46] what is too large or compressed never reaches an adapter', async () => {
  const { stage, received, url } = await startReported();
  await using _stage = stage;
  const full = await fetch(url, { method: 'POST', body: Buffer.alloc(MAX_BYTES) });
  expect(full.status).toBe(202);
  const large = await fetch(url, { method: 'POST', body: Buffer.alloc(MAX_BYTES + 1) });
  expect(large.status).toBe(413);
  const squeezed = await fetch(url, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: Buffer.alloc(10),
  });
  expect(squeezed.status).toBe(400);
  expect(received).toHaveLength(1);
});

test('[PHN47] an adapter that fails is answered so that the provider tells it again, and nothing of it is said', async () => {
  const { stage, url } = await startReported(() => {
    throw new Error('the canary +8613900002222');
  });
  await using _stage = stage;
  const answer = await fetch(url, { method: 'POST', body: 'report' });
  expect(answer.status).toBe(503);
  expect(await answer.text()).toBe('');
  expect(stage.app.logs.join()).toContain('phone.reportFailed');
  expect(stage.app.logs.join()).not.toContain('s3cret');
});

test('[PHN48] an address that is nobody’s is none, and who tries many is told to wait', async () => {
  const { stage, received } = await startReported();
  await using _stage = stage;
  const guess = async (path: string) =>
    (await fetch(`${stage.app.origin}/v1/phone/${path}`, { method: 'POST' })).status;
  const answers = await Promise.all(
    Array.from({ length: 70 }, (_, number) => guess(`fake/guess-${number}/report`)),
  );
  expect(answers.filter((status) => status === 404)).toHaveLength(60);
  expect(answers.filter((status) => status === 429)).toHaveLength(10);
  expect(received).toEqual([]);
});

test('[PHN49] a sender that goes away in the middle of its report leaves nothing behind', async () => {
  const { stage, received } = await startReported();
  await using _stage = stage;
  const socket = connect(Number(new URL(stage.app.origin).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /v1/phone/fake/s3cret/report HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
  socket.destroy();
  await once(socket, 'close');
  const alive = await fetch(`${stage.app.origin}/healthz`);
  expect(alive.status).toBe(200);
  expect(received).toEqual([]);
});
