import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createMediasoupSfu,
  type MediasoupSfu,
  type MediasoupSfuOptions,
  type SfuRoom,
} from '../../media/index.ts';
import { pathState } from '../../media/mediasoup/path-state.ts';
import { MediasoupRoom } from '../../media/mediasoup/room.ts';
import { restartDelayMs } from '../../media/mediasoup/settings.ts';
import { microphone, openRoom, openSeat } from './sfu.fixtures.ts';
import { sfuContract } from './sfu.suite.ts';
import { workerBin } from './sfu.worker-bin.ts';

sfuContract('mediasoup', openUnderTest);

test('[SFU21] every call under way when a worker dies ends, with an SfuError', async () => {
  await using under = await openUnderTest({ workers: 1 });
  const { room } = await openRoom(under.sfu);
  const { seat } = await openSeat(room, 'patient');
  const calls = [
    room.openSeat({ seatId: 'doctor', onEvent: () => undefined }),
    seat.produce(microphone()),
    seat.setCapabilities(under.sfu.capabilities),
    seat.restartIce('send'),
  ];
  under.killOneWorker();
  for (const outcome of await Promise.allSettled(calls)) {
    if (outcome.status === 'fulfilled') continue;
    expect(outcome.reason).toMatchObject({ name: 'SfuError', reason: 'room_closed' });
  }
  await expect.poll(() => room.closed).toBe(true);
});

test('[SFU7] a seat that cannot be opened again leaves the former one as it was', async () => {
  let isBroken = false;
  const options: MediasoupSfuOptions = {
    ...settings({ workers: 1 }),
    get maxIncomingBitrate() {
      if (isBroken) throw new Error('the worker has nothing left to open a transport with');
      return 3_000_000;
    },
  };
  await using under = await underTest(options);
  const { room } = await openRoom(under.sfu);
  const { seat } = await openSeat(room, 'patient');
  isBroken = true;
  await expect(openSeat(room, 'patient')).rejects.toThrow();
  expect(seat.closed).toBe(false);
  await seat.restartIce('send');
  isBroken = false;
  await openSeat(room, 'patient');
  expect(seat.closed).toBe(true);
  expect(under.sfu.health().seats).toBe(1);
});

test('[SFU21] rooms asked for while the only worker dies are opened on its replacement', async () => {
  await using under = await openUnderTest({ workers: 1 });
  const opening = Array.from({ length: 5 }, () => openRoom(under.sfu));
  under.killOneWorker();
  const late = openRoom(under.sfu);
  const rooms = await Promise.all([...opening, late]);
  // One opened just before the death may have died with it; a new one is there for sure.
  expect(rooms.filter(({ room }) => room.closed).every(({ ends }) => ends[0] === 'worker_died')).toBe(true);
  const { room } = await openRoom(under.sfu);
  expect(room.closed).toBe(false);
});

test('[SFU22] with no worker to be had a room is refused after about 2 s, and opens once there is one', async () => {
  await using program = await breakableProgram();
  await using under = await openUnderTest({ workers: 1, workerBin: program.path });
  await program.break();
  under.killOneWorker();
  await expect.poll(() => under.sfu.health().aliveWorkers).toBe(0);
  const askedAt = performance.now();
  await expect(openRoom(under.sfu)).rejects.toMatchObject({ reason: 'no_worker' });
  expect(performance.now() - askedAt).toBeGreaterThan(1_500);
  await program.mend();
  await expect.poll(() => under.sfu.health().aliveWorkers, { timeout: 10_000 }).toBe(1);
  const { room } = await openRoom(under.sfu);
  expect(room.closed).toBe(false);
});

test('[SFU22] a room that waits for a worker is refused at once when the SFU closes', async () => {
  await using program = await breakableProgram();
  await using under = await openUnderTest({ workers: 1, workerBin: program.path });
  await program.break();
  under.killOneWorker();
  await expect.poll(() => under.sfu.health().aliveWorkers).toBe(0);
  const askedAt = performance.now();
  const refused = expect(openRoom(under.sfu)).rejects.toMatchObject({ reason: 'no_worker' });
  await under.sfu.close();
  await refused;
  expect(performance.now() - askedAt).toBeLessThan(1_500);
});

test('[SFU23] a worker is restarted at once, then after 100 ms doubling to 5 s', () => {
  const delays = Array.from({ length: 9 }, (_, deaths) => restartDelayMs(deaths));
  expect(delays).toEqual([0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});

test('[SFU24] workers leave it to the server what SIGINT and SIGTERM mean', async () => {
  const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
  await using under = await openUnderTest({ workers: 2 });
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
  expect(under.sfu.health().aliveWorkers).toBe(2);
});

test('[SFU25] a program that is not there fails the start', async () => {
  const start = createMediasoupSfu(settings({ workers: 2, workerBin: '/nowhere/mediasoup-worker' }));
  await expect(start).rejects.toThrow('a media worker could not be started');
});

test('[SFU25] a taken port fails the start and leaves no process', async () => {
  const taken = createServer();
  await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const before = await workerProcesses(process.pid);
  // The second worker's port is the taken one.
  const start = createMediasoupSfu({ ...settings({ workers: 2 }), firstPort: port - 1 });
  await expect(start).rejects.toThrow('a media worker could not be started');
  expect(await workerProcesses(process.pid)).toEqual(before);
  taken.close();
});

test('[SFU26] each worker listens on one port, UDP and TCP, and tells devices the announced address', async () => {
  const firstPort = 42_000 + (process.pid % 5_000) * 2;
  const options = { ...settings({ workers: 2 }), firstPort, announcedAddress: 'media.example.org' };
  await using under = await underTest(options);
  const rooms = [await openRoom(under.sfu), await openRoom(under.sfu)];
  const ports = new Set<number>();
  for (const { room } of rooms) {
    const { seat } = await openSeat(room, 'patient');
    const candidates = [...seat.send.iceCandidates, ...seat.receive.iceCandidates];
    expect(new Set(candidates.map((candidate) => candidate.protocol))).toEqual(new Set(['udp', 'tcp']));
    expect(new Set(candidates.map((candidate) => candidate.address))).toEqual(new Set(['media.example.org']));
    for (const candidate of candidates) ports.add(candidate.port);
  }
  expect(ports).toEqual(new Set([firstPort, firstPort + 1]));
});

test('[SFU26] a replacement listens on the port of the worker it replaces', async () => {
  const firstPort = 53_000 + (process.pid % 5_000);
  await using under = await underTest({ ...settings({ workers: 1 }), firstPort });
  const { ends } = await openRoom(under.sfu);
  under.killOneWorker();
  await expect.poll(() => ends).toEqual(['worker_died']);
  const { room } = await openRoom(under.sfu);
  const { seat } = await openSeat(room, 'patient');
  expect(new Set(seat.send.iceCandidates.map((candidate) => candidate.port))).toEqual(new Set([firstPort]));
});

test('[SFU27] a worker that no longer answers is killed when the SFU closes', async () => {
  const { sfu, processesLeft } = await openUnderTest({ workers: 1 });
  for (const pid of sfu.workerPids) process.kill(pid, 'SIGSTOP');
  await sfu.close();
  expect(await processesLeft()).toBe(0);
});

test('[SFU27] a replacement that is just starting ends with the SFU too', async () => {
  const { sfu, killOneWorker, processesLeft } = await openUnderTest({ workers: 1 });
  const [former] = sfu.workerPids;
  killOneWorker();
  await expect
    .poll(async () => (await workerProcesses(process.pid)).some((pid) => pid !== former), { interval: 1 })
    .toBe(true);
  await sfu.close();
  expect(await processesLeft()).toBe(0);
  expect(sfu.health()).toMatchObject({ aliveWorkers: 0, workerDeaths: 1 });
});

test('[SFU27] no worker outlives a server that was killed', async () => {
  const script = `
    import { createMediasoupSfu } from ${JSON.stringify(new URL('../../media/index.ts', import.meta.url).href)};
    const quiet = () => undefined;
    const logger = { info: quiet, warn: quiet, error: quiet };
    await createMediasoupSfu({ ...${JSON.stringify({ ...settings({ workers: 2 }), logger: undefined })}, logger });
    console.log('started');`;
  const server = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  const workers = await workerProcesses(server.pid ?? 0);
  expect(workers).toHaveLength(2);
  server.kill('SIGKILL');
  await expect.poll(() => workers.filter(isRunning)).toEqual([]);
});

test('[SFU28] a path is connected when ICE and DTLS are, and a device that closes its end has not failed', () => {
  expect(pathState('new', 'new')).toBeUndefined();
  expect(pathState('connected', 'connecting')).toBeUndefined();
  expect(pathState('connected', 'connected')).toBe('connected');
  expect(pathState('completed', 'connected')).toBe('connected');
  expect(pathState('disconnected', 'connected')).toBe('disconnected');
  expect(pathState('completed', 'closed')).toBe('disconnected');
  expect(pathState('completed', 'failed')).toBe('failed');
  expect(pathState('disconnected', 'failed')).toBe('failed');
});

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface UnderTestOptions {
  readonly workers: number;
  readonly workerBin?: string;
}

function settings(options: UnderTestOptions): MediasoupSfuOptions {
  return {
    workerBin: workerBin(),
    listenIp: '127.0.0.1',
    firstPort: 0,
    maxIncomingBitrate: 3_000_000,
    initialOutgoingBitrate: 1_000_000,
    logger: silent,
    ...options,
  };
}

function openUnderTest(options: UnderTestOptions) {
  return underTest(settings(options));
}

async function underTest(options: MediasoupSfuOptions) {
  const before = new Set(await workerProcesses(process.pid));
  const sfu: MediasoupSfu = await createMediasoupSfu(options);
  return {
    sfu,
    killOneWorker: () => {
      const [pid] = sfu.workerPids;
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    processesLeft: async () => (await workerProcesses(process.pid)).filter((pid) => !before.has(pid)).length,
    isSecondPaused: (room: SfuRoom, seatId: string) =>
      room instanceof MediasoupRoom ? (room.seatOf(seatId)?.voice?.paused ?? null) : null,
    [Symbol.asyncDispose]: () => sfu.close(),
  };
}

/** The worker processes among the children of a process, as the kernel knows them. */
async function workerProcesses(parent: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  // "pid (name, cut at 15 characters) state parent …": see proc_pid_stat(5).
  return stats.flatMap((stat) => {
    const [, pid, ppid] = /^([0-9]+) \(mediasoup-worke\) . ([0-9]+) /.exec(stat) ?? [];
    return Number(ppid) === parent ? [Number(pid)] : [];
  });
}

/** A process that has ended and only waits to be counted by its parent (state Z) runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The worker's program behind a script that can be made to fail at once. */
async function breakableProgram() {
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-worker-'));
  const path = join(folder, 'worker.sh');
  const flag = join(folder, 'broken');
  await writeFile(path, `#!/bin/sh\n[ -e '${flag}' ] && exit 1\nexec '${workerBin()}' "$@"\n`);
  await chmod(path, 0o755);
  return {
    path,
    break: () => writeFile(flag, ''),
    mend: () => rm(flag),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
