/** The processes of recordings: what they may do, that none outlives its reason, and that many begin at once. */
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  createFakeSfu,
  createFfmpegRecorder,
  type FakeSfu,
  type SegmentOptions,
  type SfuRoom,
} from '../../media/index.ts';
import { PortLeases } from '../../media/recorder/port-leases.ts';
import { camera, microphone } from '../contract/sfu.fixtures.ts';
import { workerBin } from '../contract/sfu.worker-bin.ts';
import { childrenOf } from '../helpers/child-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { beeps, ffmpegPath, heard } from '../helpers/tones.ts';
import { bytesOf, endOf, openStage, runs, silent, udpSocketsOf } from './recording-stage.ts';

/** Sound and pictures are made and sent at their own speed, and a busy machine makes them slowly. */
vi.setConfig({ testTimeout: 90_000 });

test('[RECD14] twenty segments begun at once have ports of their own and sound of their own', async () => {
  await using stage = await openStage();
  const made = await Promise.all([500, 1_000, 1_500, 2_000].map((frequency) => beeps(10, frequency)));
  const seats = Array.from({ length: 4 }, (_, index) => `seat ${index}`);
  for (const [index, seatId] of seats.entries()) {
    const device = await stage.device(seatId);
    const track = made[index];
    if (track !== undefined) await device.send('microphone', track);
  }
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) => stage.record(seats[index % 4] ?? '', 'microphone')),
  );
  expect(stage.recorder.running).toBe(20);
  const ports = all.flatMap(({ segment }) => udpSocketsOf(segment.pid ?? 0));
  expect(new Set(ports).size).toBe(40);
  await Promise.all(all.map((taken) => bytesOf(taken, 2_000)));
  await Promise.all(all.map(({ segment }) => segment.stop()));
  expect(all.map(({ ends }) => ends[0]?.end)).toEqual(all.map(() => 'stopped'));
  for (const taken of all) expect((await heard(taken.file())).beeps.length).toBeGreaterThan(0);
});

test('[RECD15] when segments have ended no process, no port and no tap is left', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('microphone', await beeps(8));
  const [worker = 0] = stage.sfu.workerPids;
  const before = udpSocketsOf(worker).length;
  const own = udpSocketsOf(process.pid).length;
  const stopped = await stage.record('doctor', 'microphone');
  const killed = await stage.record('doctor', 'microphone');
  const stood = await stage.record('doctor', 'microphone');
  const failed = await stage.record('doctor', 'microphone', () => {
    throw new Error('the disk is full');
  });
  const all = [stopped, killed, stood, failed];
  await Promise.all([stopped, killed, stood].map((taken) => bytesOf(taken)));
  const pids = all.map(({ segment }) => segment.pid);
  await stopped.segment.stop();
  process.kill(killed.segment.pid ?? 0, 'SIGKILL');
  process.kill(stood.segment.pid ?? 0, 'SIGSTOP');
  const ends = await Promise.all(all.map((taken) => endOf(taken)));
  expect(ends.map(({ end }) => end)).toEqual(['stopped', 'recorder_died', 'recorder_stalled', 'sink_failed']);
  // At that very moment, and not a little later.
  expect(pids.filter(runs)).toEqual([]);
  await eventually('the worker has closed its ports', () => udpSocketsOf(worker).length === before);
  expect(udpSocketsOf(process.pid).length).toBe(own);
  expect(childrenOf(process.pid, 'ffmpeg')).toEqual([]);
});

test('[RECD16] a server that is killed takes its recording processes along, also one to which nothing is sent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-recorder-'));
  const script = join(folder, 'server.mjs');
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  await writeFile(
    script,
    `import { createFfmpegRecorder, createMediasoupSfu } from ${url('../../media/index.ts')};
    import { microphone } from ${url('../contract/sfu.fixtures.ts')};
    const logger = { info: () => {}, warn: () => {}, error: () => {} };
    const sfu = await createMediasoupSfu({ workerBin: ${JSON.stringify(workerBin())}, workers: 1, listenIp: '127.0.0.1',
      firstPort: 0, maxIncomingBitrate: 1e6, initialOutgoingBitrate: 1e6, logger });
    const room = await sfu.openRoom({ onClosed: () => {} });
    const seat = await room.openSeat({ seatId: 'doctor', onEvent: () => {} });
    await seat.produce(microphone());
    const recorder = createFfmpegRecorder({ ffmpegPath: ${JSON.stringify(ffmpegPath())}, logger });
    const options = { room, seatId: 'doctor', source: 'microphone', onBytes: () => {}, onBegan: () => {}, onEnded: () => {} };
    const segments = [await recorder.begin(options), await recorder.begin(options)];
    console.log(JSON.stringify(segments.map((segment) => segment.pid)));`,
  );
  const server = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(server.stdout, 'data');
    const pids = JSON.parse(String(line)) as number[];
    expect(pids.filter(runs)).toHaveLength(2);
    server.kill('SIGKILL');
    const killedAt = performance.now();
    await eventually('they are gone', () => pids.filter(runs).length === 0, { withinMs: 10_000 });
    console.log(`recording processes gone ${Math.round(performance.now() - killedAt)} ms after the server`);
  } finally {
    server.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
});

test('[RECD17] a recording process is held: no file, no core, little memory, no rights to gain, only the loopback', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('microphone', await beeps(6));
  const taken = await stage.record('doctor', 'microphone');
  await bytesOf(taken, 500);
  const folder = `/proc/${taken.segment.pid}`;
  const limits = await readFile(`${folder}/limits`, 'utf8');
  expect(limits).toMatch(/Max file size +0 +0 /);
  expect(limits).toMatch(/Max core file size +0 +0 /);
  expect(limits).toMatch(/Max open files +32 +32 /);
  expect(limits).toMatch(/Max data size +201326592 +201326592 /);
  expect(await readFile(`${folder}/status`, 'utf8')).toMatch(/NoNewPrivs:\t1/);
  expect(await readlink(`${folder}/cwd`)).toBe('/');
  expect((await readFile(`${folder}/environ`, 'utf8')).split('\0').filter(Boolean).toSorted()).toEqual([
    'LC_ALL=C',
    'MALLOC_ARENA_MAX=1',
  ]);
  // Pipes and sockets: no file is open, so no sound can be in one.
  const files = await Promise.all(
    (await readdir(`${folder}/fd`)).map((fd) => readlink(`${folder}/fd/${fd}`)),
  );
  expect(files.filter((file) => !/^(pipe|socket|anon_inode):/.test(file))).toEqual([]);
  const sockets = new Set(udpSocketsOf(taken.segment.pid ?? 0));
  const lines = (await readFile('/proc/net/udp', 'latin1')).split('\n').slice(1);
  const addresses = lines
    .map((line) => line.trim().split(/ +/))
    .filter((fields) => sockets.has(fields[9] ?? ''));
  expect(addresses).toHaveLength(2);
  expect(addresses.every(([, address]) => address?.startsWith('0100007F:'))).toBe(true);
  // What the program was told is seen by everybody on the machine.
  expect(await readFile(`${folder}/cmdline`, 'utf8')).not.toContain('doctor');
});

test('[RECD18] a port that somebody takes at the last moment is gone around, and nothing is sent to them', async () => {
  const sfu = createFakeSfu();
  const room = await roomWithTracks(sfu);
  await using thief = thiefOf(room, 2);
  const recorder = createFfmpegRecorder({ ffmpegPath: ffmpegPath(), logger: silent });
  const segment = await recorder.begin(options(thief.room));
  expect(thief.stolen).toHaveLength(2);
  expect(udpSocketsOf(segment.pid ?? 0)).toHaveLength(2);
  // Of the three taps only the one that reaches ffmpeg was ever started.
  expect([...(sfu.rooms[0]?.taps ?? [])].map(({ started }) => started)).toEqual([true]);
  await recorder.close();
});

test('[RECD18] where every port is taken again and again it is said so, and nothing is left running', async () => {
  const sfu = createFakeSfu();
  const room = await roomWithTracks(sfu);
  await using thief = thiefOf(room, 99);
  const recorder = createFfmpegRecorder({ ffmpegPath: ffmpegPath(), logger: silent });
  await expect(recorder.begin(options(thief.room))).rejects.toMatchObject({
    name: 'RecorderError',
    reason: 'no_ports',
  });
  expect(recorder.running).toBe(0);
  expect(sfu.rooms[0]?.taps.size).toBe(0);
  expect(childrenOf(process.pid, 'ffmpeg')).toEqual([]);
});

test('[RECD18] ports are lent once, given back, and those of others are not lent', async () => {
  const leases = new PortLeases();
  const all = await Promise.all(Array.from({ length: 40 }, () => leases.lease()));
  expect(new Set(all.flatMap(({ rtpPort, rtcpPort }) => [rtpPort, rtcpPort])).size).toBe(80);
  expect(all.every(({ rtpPort, rtcpPort }) => rtpPort % 2 === 0 && rtcpPort === rtpPort + 1)).toBe(true);
  for (const lease of all) {
    lease.release();
    lease.release();
  }
  // Somebody has a hundred pairs in a row: whichever pair is looked at first, a free one is found.
  await using others = await occupied(Array.from({ length: 100 }, (_, index) => 30_001 + 2 * index));
  const next = await Promise.all(Array.from({ length: 200 }, () => leases.lease()));
  expect(next.filter(({ rtcpPort }) => others.ports.has(rtcpPort))).toEqual([]);
});

test('[RECD9] without ffmpeg, with one that cannot begin, and for a codec without a file it is said so', async () => {
  const sfu = createFakeSfu();
  const room = await roomWithTracks(sfu);
  for (const ffmpeg of ['/nowhere/ffmpeg', 'no-such-program', '/bin/false']) {
    const recorder = createFfmpegRecorder({ ffmpegPath: ffmpeg, logger: silent });
    await expect(recorder.begin(options(room))).rejects.toMatchObject({
      name: 'RecorderError',
      reason: 'no_program',
    });
    expect(recorder.running).toBe(0);
    await recorder.close();
  }
  expect(sfu.rooms[0]?.taps.size).toBe(0);
});

test('[RECD19] on a track nobody sends, a stopped segment ends within a second and has no bytes', async () => {
  const sfu = createFakeSfu();
  const room = await roomWithTracks(sfu);
  const recorder = createFfmpegRecorder({ ffmpegPath: ffmpegPath(), logger: silent });
  for (const source of ['microphone', 'camera'] as const) {
    const told: string[] = [];
    const segment = await recorder.begin({ ...options(room), source, onEnded: (end) => told.push(end) });
    const stoppedAt = performance.now();
    await segment.stop();
    expect(performance.now() - stoppedAt).toBeLessThan(1_000);
    expect(told).toEqual(['stopped']);
  }
  await recorder.close();
});

function options(room: SfuRoom): SegmentOptions {
  const nothing = (): void => undefined;
  return {
    room,
    seatId: 'doctor',
    source: 'microphone',
    onBytes: nothing,
    onBegan: nothing,
    onEnded: nothing,
  };
}

async function roomWithTracks(sfu: FakeSfu): Promise<SfuRoom> {
  const room = await sfu.openRoom({ onClosed: () => undefined });
  const seat = await room.openSeat({ seatId: 'doctor', onEvent: () => undefined });
  await seat.produce(microphone());
  await seat.produce(camera());
  return room;
}

/** A room in which somebody takes the port of the first taps between the moment it was found free and ffmpeg's start. */
function thiefOf(room: SfuRoom, thefts: number) {
  const stolen: Socket[] = [];
  const inTheWay: SfuRoom = {
    openSeat: (seat) => room.openSeat(seat),
    openPhoneSeat: (phone) => room.openPhoneSeat(phone),
    tracks: () => room.tracks(),
    async openTap(tap) {
      if (stolen.length < thefts) stolen.push(await bound(tap.target.rtpPort));
      return room.openTap(tap);
    },
    get closed() {
      return room.closed;
    },
    close: () => room.close(),
  };
  return {
    room: inTheWay,
    stolen,
    async [Symbol.asyncDispose]() {
      for (const socket of stolen) socket.close();
    },
  };
}

async function occupied(ports: readonly number[]) {
  const sockets = await Promise.allSettled(ports.map(bound));
  return {
    ports: new Set(ports),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) if (socket.status === 'fulfilled') socket.value.close();
    },
  };
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  await once(socket, 'listening');
  return socket;
}
