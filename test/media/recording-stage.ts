/** A room of a real worker with devices that send made RTP, and a recorder of its tracks. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import {
  createFfmpegRecorder,
  createMediasoupSfu,
  type FfmpegRecorder,
  type FfmpegSegment,
  type MediaSource,
  type MediasoupSfu,
  type SegmentEnd,
  type SfuRoom,
} from '../../media/index.ts';
import { workerBin } from '../contract/sfu.worker-bin.ts';
import { eventually } from '../helpers/eventually.ts';
import { ffmpegPath } from '../helpers/tones.ts';
import { openDevice, type RtpDevice } from './rtp-device.ts';

export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What a recorder's owner was given of one segment. */
export interface Taken {
  readonly segment: FfmpegSegment;
  /** Each piece, with the moment it came. */
  readonly pieces: readonly { readonly at: number; readonly bytes: Buffer }[];
  readonly file: () => Buffer;
  /** Milliseconds since 1970, in the order of the calls: one. */
  readonly began: readonly number[];
  readonly ends: readonly { readonly end: SegmentEnd; readonly at: number }[];
}

export interface Stage extends AsyncDisposable {
  readonly sfu: MediasoupSfu;
  readonly room: SfuRoom;
  readonly recorder: FfmpegRecorder;
  readonly device: (seatId: string) => Promise<RtpDevice>;
  readonly record: (seatId: string, source: MediaSource, onBytes?: (bytes: Buffer) => void) => Promise<Taken>;
}

export async function openStage(): Promise<Stage> {
  const sfu = await createMediasoupSfu({
    workerBin: workerBin(),
    workers: 1,
    listenIp: '127.0.0.1',
    firstPort: 0,
    maxIncomingBitrate: 3_000_000,
    initialOutgoingBitrate: 1_000_000,
    logger: silent,
  });
  const room = await sfu.openRoom({ onClosed: () => undefined });
  const recorder = createFfmpegRecorder({ ffmpegPath: ffmpegPath(), logger: silent });
  const devices: RtpDevice[] = [];
  return {
    sfu,
    room,
    recorder,
    async device(seatId) {
      const device = await openDevice(room, seatId);
      devices.push(device);
      return device;
    },
    record: (seatId, source, onBytes) => record({ room, recorder, seatId, source, onBytes }),
    async [Symbol.asyncDispose]() {
      for (const device of devices) device.close();
      await recorder.close();
      await sfu.close();
    },
  };
}

async function record(options: {
  readonly room: SfuRoom;
  readonly recorder: FfmpegRecorder;
  readonly seatId: string;
  readonly source: MediaSource;
  readonly onBytes: ((bytes: Buffer) => void) | undefined;
}): Promise<Taken> {
  const { room, recorder, seatId, source, onBytes } = options;
  const pieces: { at: number; bytes: Buffer }[] = [];
  const began: number[] = [];
  const ends: { end: SegmentEnd; at: number }[] = [];
  const segment = await recorder.begin({
    room,
    seatId,
    source,
    onBytes: (bytes) => {
      onBytes?.(bytes);
      pieces.push({ at: Date.now(), bytes });
    },
    onBegan: (at) => began.push(at),
    onEnded: (end) => ends.push({ end, at: Date.now() }),
  });
  return { segment, pieces, file: () => Buffer.concat(pieces.map(({ bytes }) => bytes)), began, ends };
}

/** Resolves with the end of a segment. */
export async function endOf(taken: Taken, withinMs?: number): Promise<{ end: SegmentEnd; at: number }> {
  return eventually('the segment ends', () => taken.ends[0], withinMs === undefined ? {} : { withinMs });
}

/** Resolves when so many bytes came. */
export async function bytesOf(taken: Taken, least = 1): Promise<void> {
  await eventually(`${least} bytes are there`, () => taken.file().byteLength >= least);
}

/** UDP sockets of a process, by inode. */
export function udpSocketsOf(pid: number): string[] {
  const inodes = new Set(
    readFileSync('/proc/net/udp', 'latin1')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/ +/)[9]),
  );
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode) ? [inode] : [];
    } catch {
      // It closed while it was looked at.
      return [];
    }
  });
}

/** A process that has ended and only waits to be counted by its parent (state Z) runs no more. */
export function runs(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when so much time has passed: for what is about the length of a pause, and for what must not happen in it. */
export async function passed(ms: number): Promise<void> {
  const begun = performance.now();
  await eventually(`${ms} ms have passed`, () => performance.now() - begun >= ms, { withinMs: ms + 5_000 });
}
