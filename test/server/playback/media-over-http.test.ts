import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { openLinkStage } from './links.fixtures.ts';

test('[PLAY7] a range counts for GET alone, and an empty file is answered', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, {
    files: [
      { number: 1, bytes: Buffer.from('0123456789') },
      { number: 2, bytes: Buffer.alloc(0) },
    ],
  });
  const url = await stage.link(1);
  const head = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-3' } });
  expect([head.status, head.headers.get('content-length'), head.headers.get('content-range')]).toEqual([
    200,
    '10',
    null,
  ]);
  const empty = await stage.link(2);
  expect([
    (await fetch(empty)).status,
    (await fetch(empty, { headers: { range: 'bytes=0-' } })).status,
  ]).toEqual([200, 416]);
});

test('[PLAY12] a player that has gone before the first byte is no failure', async () => {
  await using stage = await openLinkStage();
  const errors: unknown[] = [];
  stage.parts.log.error = (name: string, about?: { error?: unknown }) =>
    void errors.push([name, about?.error]);
  await stage.record(1, { files: [{ number: 1, bytes: Buffer.alloc(100_000) }] });
  const open = stage.files.open.bind(stage.files);
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let closed = 0;
  stage.files.open = async (place) => {
    const opened = await open(place);
    return {
      ...opened,
      async *read(range) {
        reached.resolve();
        await gate.promise;
        yield* opened.read(range);
      },
      [Symbol.asyncDispose]: async () => {
        closed += 1;
      },
    };
  };
  const url = new URL(await stage.link(1));
  const socket = connect(Number(url.port), '127.0.0.1');
  socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await reached.promise;
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  gate.resolve();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(closed).toBe(1);
  expect(errors).toEqual([]);
});
