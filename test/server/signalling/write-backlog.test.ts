import { EventEmitter } from 'node:events';
import { whenStalled } from '@teleconsult/server/signalling/write-backlog';
import { expect, test } from 'vitest';

function connection() {
  const emitter = new EventEmitter();
  const stalled: number[] = [];
  whenStalled(emitter, (bytes) => stalled.push(bytes));
  return {
    stalled,
    queue: (letters: number, frameBytes = 0) =>
      emitter.emit('packetCreate', {
        data: 'x'.repeat(letters),
        options: { wsPreEncodedFrame: [new Uint8Array(frameBytes)] },
      }),
    flush: () => emitter.emit('flush'),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('[GATE5] a device for which one and a half megabytes wait is let go once, whatever comes after', async () => {
  const { stalled, queue } = connection();
  for (let count = 0; count < 1_500; count++) queue(1_000);
  await settled();
  expect(stalled).toHaveLength(1);
  expect(stalled[0]).toBeLessThan(1_510_000);
});

test('[GATE5] bytes that were encoded for all are counted with the text', async () => {
  const { stalled, queue } = connection();
  for (let count = 0; count < 190; count++) queue(1_000, 8_000);
  await settled();
  expect(stalled).toHaveLength(1);
});

test('[GATE5] a device that reads, or gets one long page, is not let go', async () => {
  const { stalled, queue, flush } = connection();
  for (let count = 0; count < 10; count++) {
    queue(1_500_000);
    flush();
    queue(900_000);
    flush();
  }
  await settled();
  expect(stalled).toEqual([]);
});
