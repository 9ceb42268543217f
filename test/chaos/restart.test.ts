import { expect, test } from 'vitest';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { inStep, loopDelayMs, ManyDevices, mostInASecond, stampede } from './restart-devices.ts';

const DEVICES = Number(process.env['TELECONSULT_TEST_DEVICES'] ?? 1_000);
const PER_SECOND = 400;
const LIMITS = {
  // What had been saved up enters beside.
  perSecond: PER_SECOND * 1.25,
  lagMs: 150,
};

/** Connects many devices, kills their server, starts it again, and tells how they came back. */
async function restarted({
  devices,
  perSecond,
  policy,
}: {
  devices: number;
  perSecond: number;
  policy?: typeof inStep;
}) {
  await using dir = await tempDir();
  const port = await freePort();
  await using otherDir = await tempDir();
  // A server that does nothing tells what the machine itself delays at the same time.
  await using idle = await startServerProcess({ dataDir: otherDir.path, port: 0 });
  const start = (): Promise<ServerProcess> =>
    startServerProcess({
      dataDir: dir.path,
      port,
      env: { TELECONSULT_ADMISSIONS_PER_SECOND: String(perSecond), TELECONSULT_LOG_LEVEL: 'error' },
    });
  let server = await start();
  const { origin } = server;
  try {
    await using many = await ManyDevices.connect(origin, { count: devices, ...(policy && { policy }) });
    const comeback = await many.comeBackFrom(
      async () => {
        await server.kill();
        server = await start();
        await loopDelayMs(idle.origin);
      },
      { origin, withinMs: 60_000 },
    );
    const lagMs = Math.max(0, comeback.lagMs - (await loopDelayMs(idle.origin)));
    return { ...comeback, lagMs };
  } finally {
    await server.kill();
  }
}

test(`[GATE26] after a kill and a restart ${DEVICES} devices are all back, once, no more a second than are let in, and the server stays awake`, async () => {
  const comeback = await restarted({ devices: DEVICES, perSecond: PER_SECOND });
  const { servedAfterMs, enteredAfterMs, lagMs } = comeback;
  const p95 = servedAfterMs[Math.floor(servedAfterMs.length * 0.95)] ?? 0;
  console.log(
    `${DEVICES} devices: p95 ${p95.toFixed(0)} ms, last ${servedAfterMs.at(-1)?.toFixed(0)} ms, ` +
      `at most ${mostInASecond(enteredAfterMs)} a second, event loop ${lagMs.toFixed(0)} ms late`,
  );
  expect(stampede(comeback, LIMITS)).toEqual([]);
}, 180_000);

test('[GATE26 sabotage] a server that lets everybody in, and devices that come in step, are noticed', async () => {
  const comeback = await restarted({ devices: DEVICES, perSecond: 1_000_000, policy: inStep });
  expect(comeback.neverBack).toBe(0);
  expect(stampede(comeback, LIMITS).join()).toMatch(/entered in one second/);
}, 180_000);

test('[GATE26 sabotage] devices that are lost, doubled or not counted are noticed', () => {
  const good = {
    devices: 3,
    servedAfterMs: [1, 2, 3],
    enteredAfterMs: [1, 2, 3],
    neverBack: 0,
    twice: 0,
    connections: 3,
    lagMs: 1,
  };
  expect(stampede(good, LIMITS)).toEqual([]);
  expect(stampede({ ...good, neverBack: 1 }, LIMITS)).toEqual(['1 never back']);
  expect(stampede({ ...good, twice: 1 }, LIMITS)).toEqual(['1 entered twice']);
  expect(stampede({ ...good, connections: 4 }, LIMITS)).toEqual(['4 connections of 3 devices']);
  expect(stampede({ ...good, lagMs: 200 }, LIMITS)).toEqual(['the event loop was 200 ms late']);
});
