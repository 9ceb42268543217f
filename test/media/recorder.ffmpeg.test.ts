import { vi } from 'vitest';
import type { Segment } from '../../media/index.ts';
import { FfmpegSegment } from '../../media/recorder/ffmpeg-segment.ts';
import { beeps, type MadeTrack } from '../helpers/tones.ts';
import { recorderContract } from './recorder.suite.ts';
import { openStage } from './recording-stage.ts';
import type { RtpDevice } from './rtp-device.ts';

/** Sound and pictures are made and sent at their own speed, and a busy machine makes them slowly. */
vi.setConfig({ testTimeout: 90_000 });

let made: Promise<MadeTrack> | null = null;

recorderContract('ffmpeg', async () => {
  made ??= beeps(20);
  const track = await made;
  const stage = await openStage();
  const devices = new Map<string, RtpDevice>();
  return {
    recorder: stage.recorder,
    room: stage.room,
    async sendsSound(seatId) {
      const device = await stage.device(seatId);
      await device.send('microphone', track);
      devices.set(seatId, device);
    },
    leaves: (seatId) => devices.get(seatId)?.seat.close(),
    // They come by themselves.
    flows: () => undefined,
    dies: (segment) => process.kill(pidOf(segment), 'SIGKILL'),
    standsStill: (segment) => process.kill(pidOf(segment), 'SIGSTOP'),
    killWorker: () => {
      for (const pid of stage.sfu.workerPids) process.kill(pid, 'SIGKILL');
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
});

function pidOf(segment: Segment): number {
  if (!(segment instanceof FfmpegSegment) || segment.pid === undefined) throw new TypeError('no process');
  return segment.pid;
}
