/**
 * What recording costs, as ratios of one run: the processor time of the recorder (its ffmpeg processes, and what it adds to
 * the media worker and to the server's own process) against as many `ffmpeg -c copy` with nothing but their defaults, which
 * are fed the same tracks. The two are measured in turns, with a turn without either to know what the tracks cost by
 * themselves. Sealing is not in it: that is the vault's. A person is one microphone (Opus, 24 kbit/s) and one camera
 * (VP8, 300 kbit/s).
 * Prints a table and writes nothing. Run: node bench/recording.ts [persons] [seconds] [rounds]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TrackTap } from '../media/index.ts';
import { holdsPorts } from '../media/recorder/held-ports.ts';
import { mediaFormat, sessionDescription } from '../media/recorder/media-format.ts';
import { PortLeases } from '../media/recorder/port-leases.ts';
import { processorTimeMs } from '../media/recorder/processor-time.ts';
import { eventually } from '../test/helpers/eventually.ts';
import { beeps, ffmpegPath, pictures } from '../test/helpers/tones.ts';
import { bytesOf, openStage, passed, type Stage } from '../test/media/recording-stage.ts';

const PERSONS = Number(process.argv[2] ?? 6);
const SECONDS = Number(process.argv[3] ?? 12);
const ROUNDS = Number(process.argv[4] ?? 3);
/** Each turn begins with processes that start, which are not what is measured. */
const SETTLE_MS = 2_000;

/** Milliseconds of processor a second of one person's two tracks. */
interface Cost {
  readonly ffmpeg: number;
  readonly worker: number;
  readonly server: number;
}

/** Processes of one turn, and how to end them. */
interface Running {
  readonly pids: readonly number[];
  readonly end: () => Promise<void>;
}

const SOURCES = ['microphone', 'camera'] as const;

async function main(): Promise<void> {
  await using stage = await openStage();
  const trackSeconds = ROUNDS * 3 * (SECONDS + SETTLE_MS / 1_000 + 2) + 20;
  const [sound, picture] = await Promise.all([
    beeps(trackSeconds),
    pictures('vp8', { seconds: trackSeconds }),
  ]);
  const seats = Array.from({ length: PERSONS }, (_, index) => `person ${index}`);
  for (const seat of seats) {
    const device = await stage.device(seat);
    await device.send('microphone', sound);
    await device.send('camera', picture);
  }
  const turns = { nothing: async () => NOTHING, copy: plainCopies, recorder: recorded };
  const costs: Record<keyof typeof turns, Cost[]> = { nothing: [], copy: [], recorder: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const turn of ['nothing', 'copy', 'recorder'] as const) {
      const running = await turns[turn](stage, seats);
      await passed(SETTLE_MS);
      costs[turn].push(await measured(stage, running));
      await running.end();
    }
  }
  report(costs);
}

const NOTHING: Running = { pids: [], end: async () => undefined };

async function measured({ sfu }: Stage, { pids }: Running): Promise<Cost> {
  const spent = async (of: readonly number[]): Promise<number> => {
    const times = await Promise.all(of.map(processorTimeMs));
    return times.reduce<number>((sum, time) => sum + (time ?? 0), 0);
  };
  const now = async (): Promise<Cost> => ({
    ffmpeg: await spent(pids),
    worker: await spent(sfu.workerPids),
    server: await spent([process.pid]),
  });
  const [before, begun] = [await now(), performance.now()];
  await passed(SECONDS * 1_000);
  const [after, seconds] = [await now(), (performance.now() - begun) / 1_000];
  const each = (kind: keyof Cost): number => (after[kind] - before[kind]) / seconds / PERSONS;
  return { ffmpeg: each('ffmpeg'), worker: each('worker'), server: each('server') };
}

async function recorded(stage: Stage, seats: readonly string[]): Promise<Running> {
  const all = await Promise.all(seats.flatMap((seat) => SOURCES.map((source) => stage.record(seat, source))));
  await Promise.all(all.map((taken) => bytesOf(taken)));
  return {
    pids: all.flatMap(({ segment }) => segment.pid ?? []),
    end: async () => void (await Promise.all(all.map(({ segment }) => segment.stop()))),
  };
}

/** `ffmpeg -c copy` as anybody would run it, fed by the same taps. */
async function plainCopies({ room }: Stage, seats: readonly string[]): Promise<Running> {
  const ports = new PortLeases();
  const ends: (() => Promise<void>)[] = [];
  const pids: number[] = [];
  for (const seatId of seats) {
    for (const source of SOURCES) {
      const lease = await ports.lease();
      const tap: TrackTap = await room.openTap({ seatId, source, target: lease, onEvent: () => undefined });
      const format = mediaFormat(tap.rtpParameters);
      const child: ChildProcess = spawn(
        ffmpegPath(),
        [
          '-nostdin',
          '-v',
          'quiet',
          '-y',
          '-protocol_whitelist',
          'pipe,udp,rtp',
          '-localaddr',
          '127.0.0.1',
        ].concat(['-f', 'sdp', '-i', 'pipe:0', '-c', 'copy', '-f', format.muxer, '/dev/null']),
        { stdio: ['pipe', 'ignore', 'ignore'] },
      );
      child.stdin?.end(sessionDescription(format, lease));
      const pid = child.pid ?? 0;
      pids.push(pid);
      await eventually('ffmpeg listens', () => holdsPorts(pid, [lease.rtpPort, lease.rtcpPort]));
      await tap.start();
      ends.push(async () => {
        tap.close();
        child.kill('SIGKILL');
        await once(child, 'close');
        lease.release();
      });
    }
  }
  return { pids, end: async () => void (await Promise.all(ends.map((end) => end()))) };
}

/** All that a turn costs beyond what the tracks cost by themselves. */
const whole = (turn: Cost, nothing: Cost): number =>
  turn.ffmpeg + Math.max(0, turn.worker - nothing.worker) + Math.max(0, turn.server - nothing.server);

function report(costs: Readonly<Record<'nothing' | 'copy' | 'recorder', readonly Cost[]>>): void {
  const rounds = costs.recorder.map((recorder, round) => {
    const [nothing, copy] = [costs.nothing[round] ?? recorder, costs.copy[round] ?? recorder];
    const added =
      Math.max(0, recorder.server - nothing.server) + Math.max(0, recorder.worker - nothing.worker);
    return {
      'copy alone (ms/s)': copy.ffmpeg,
      'recorder’s ffmpeg (ms/s)': recorder.ffmpeg,
      'added to worker (ms/s)': recorder.worker - nothing.worker,
      'added to server (ms/s)': recorder.server - nothing.server,
      'ffmpeg / copy': recorder.ffmpeg / copy.ffmpeg,
      'all / copy': (recorder.ffmpeg + added) / copy.ffmpeg,
      'all / copy with its feeding': whole(recorder, nothing) / whole(copy, nothing),
    };
  });
  const middle = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
  const names = Object.keys(rounds[0] ?? {}) as (keyof (typeof rounds)[number])[];
  console.log(`${PERSONS} persons, ${ROUNDS} rounds of ${SECONDS} s; a person is a microphone and a camera`);
  for (const name of names) {
    const values = rounds.map((round) => round[name]);
    console.log(
      `${name.padEnd(28)} median ${middle(values).toFixed(2)}   of ${values.map((one) => one.toFixed(2)).join(' ')}`,
    );
  }
}

await main();
