/** The gateway under many malformed events, and under connections that never say who they are. */
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { heapAfterCollection, INSPECTED } from '../helpers/inspected-heap.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { startChild } from './child.ts';
import { originOf } from './main-process.ts';
import { everyMalformed, type Malformed } from './malformed.ts';

const EVENTS = Number(process.env['TELECONSULT_TEST_MALFORMED'] ?? 50_000);
const WARM_UP = 10_000;
const WINDOW = 200;
const ALLOWED_GROWTH = 1.1;

/** Small ones: the size of frames has its own tests, and 50,000 huge ones would test the loopback. */
const malformed: readonly Malformed[] = everyMalformed().filter(
  ({ args }) => JSON.stringify(args.map(printable)).length < 8_000,
);

function printable(value: unknown): unknown {
  return value instanceof Uint8Array ? '' : value;
}

/** Sends so many of them, a window at a time, and counts the refusals. */
async function flood(client: RawClient, count: number): Promise<number> {
  let refused = 0;
  for (let sent = 0; sent < count; sent += WINDOW) {
    const replies = await Promise.all(
      Array.from({ length: Math.min(WINDOW, count - sent) }, (_, index) => {
        const one = malformed[(sent + index * 7) % malformed.length];
        return client.emit(one?.event ?? '', ...(one?.args ?? []));
      }),
    );
    refused += replies.filter(({ ok }) => !ok).length;
    client.facts.length = 0;
  }
  return refused;
}

test(`[S2] [GATE1] ${EVENTS} malformed events end nothing, and memory is back within a tenth`, async () => {
  await using dir = await tempDir();
  await using server = await startServerProcess({ dataDir: dir.path, port: 0, env: INSPECTED });
  await using client = await RawClient.connect(server.origin, personToken('somebody'));
  expect(await flood(client, WARM_UP)).toBe(WARM_UP);
  const before = await heapAfterCollection(server);
  expect(await flood(client, EVENTS)).toBe(EVENTS);
  await eventually(
    'the memory to be back',
    async () => (await heapAfterCollection(server)) <= before * ALLOWED_GROWTH,
    { withinMs: 30_000, lastSeen: () => ({ before }) },
  );
  expect(server.child.exitCode).toBeNull();
}, 240_000);

test('[S2 sabotage] a server that keeps what it was sent is noticed', async () => {
  await using leaking = startChild('test/security/leaking-server.fixture.ts', INSPECTED);
  await using client = await RawClient.connect(await originOf(leaking), 'anybody');
  const output = () => leaking.errors();
  await flood(client, WINDOW);
  const before = await heapAfterCollection({ output });
  await flood(client, WARM_UP);
  expect(await heapAfterCollection({ output })).toBeGreaterThan(before * ALLOWED_GROWTH);
}, 60_000);

const HALF_OPEN = 5_000;
const UPGRADE = [
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

/** Opens a connection, asks for a WebSocket and then says nothing: no token, no packet. */
function halfOpen(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('data', () => {
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.write(UPGRADE);
  });
}

/** What many silent connections do to others: the slowest honest login in milliseconds, and how many are still open in the end. */
async function siege(
  port: number,
  options: { count: number; withinMs: number; login: (batch: number) => Promise<void> },
): Promise<{ slowestLoginMs: number; leftOpen: number }> {
  const { count, withinMs, login } = options;
  const open: Socket[] = [];
  const logins: number[] = [];
  try {
    for (let batch = 0; batch < 10; batch++) {
      open.push(...(await Promise.all(Array.from({ length: count / 10 }, () => halfOpen(port)))));
      const startedAt = performance.now();
      await login(batch);
      logins.push(performance.now() - startedAt);
    }
    const stillOpen = (): number => open.filter(({ destroyed }) => !destroyed).length;
    await eventually('the server to let all of them go', () => stillOpen() === 0, { withinMs }).catch(
      () => undefined,
    );
    return { slowestLoginMs: Math.max(...logins), leftOpen: stillOpen() };
  } finally {
    for (const socket of open) socket.destroy();
  }
}

test(`[S5] [GATE8] ${HALF_OPEN} connections that never say who they are leave honest logins below a second, and are let go`, async () => {
  await using dir = await tempDir();
  await using server = await startServerProcess({ dataDir: dir.path, port: 0 });
  const found = await siege(Number(new URL(server.origin).port), {
    count: HALF_OPEN,
    withinMs: 40_000,
    login: async (batch) => {
      await using honest = await RawClient.connect(server.origin, personToken(`honest-${batch}`));
      await honest.request('consultation.list', {});
    },
  });
  expect(found.slowestLoginMs).toBeLessThan(1_000);
  expect(found.leftOpen).toBe(0);
}, 90_000);

test('[S5 sabotage] a server that waits for silent connections is noticed', async () => {
  await using patient = startChild('test/security/leaking-server.fixture.ts');
  const origin = await originOf(patient);
  const found = await siege(Number(new URL(origin).port), {
    count: 100,
    withinMs: 500,
    login: () => Promise.resolve(),
  });
  expect(found.leftOpen).toBe(100);
});
