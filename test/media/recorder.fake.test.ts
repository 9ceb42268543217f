import { expect, test } from 'vitest';
import {
  createFakeRecorder,
  createFakeSfu,
  type FakeRecorder,
  type FakeSegment,
  type Segment,
  type SfuSeat,
} from '../../media/index.ts';
import { microphone } from '../contract/sfu.fixtures.ts';
import { recorderContract } from './recorder.suite.ts';

recorderContract('fake', async () => {
  const sfu = createFakeSfu();
  const room = await sfu.openRoom({ onClosed: () => undefined });
  const recorder = createFakeRecorder();
  const seats = new Map<string, SfuSeat>();
  return {
    recorder,
    room,
    async sendsSound(seatId) {
      const seat = await room.openSeat({ seatId, onEvent: () => undefined });
      await seat.produce(microphone());
      seats.set(seatId, seat);
    },
    leaves: (seatId) => seats.get(seatId)?.close(),
    flows: (segment) => fakeOf(recorder, segment)?.emit(Buffer.from('sound')),
    dies: (segment) => fakeOf(recorder, segment)?.finish('recorder_died'),
    standsStill: (segment) => fakeOf(recorder, segment)?.finish('recorder_stalled'),
    killWorker: () => sfu.killWorker(),
    [Symbol.asyncDispose]: async () => {
      await recorder.close();
      await sfu.close();
    },
  };
});

test('[RECD13] a test writes what comes out of the fake, and can make the next begin fail', async () => {
  const sfu = createFakeSfu();
  const room = await sfu.openRoom({ onClosed: () => undefined });
  const seat = await room.openSeat({ seatId: 'doctor', onEvent: () => undefined });
  await seat.produce(microphone());
  const recorder = createFakeRecorder();
  const told: unknown[] = [];
  const options = {
    room,
    seatId: 'doctor',
    source: 'microphone',
    onBytes: (bytes: Buffer) => told.push(bytes.toString()),
    onBegan: (at: number) => told.push(at),
    onEnded: (end: string) => told.push(end),
  } as const;
  recorder.failNext('no_ports');
  await expect(recorder.begin(options)).rejects.toMatchObject({ name: 'RecorderError', reason: 'no_ports' });
  const segment = await recorder.begin(options);
  // The tap of the fake SFU is the segment's: its packets begin it, its clock ends it.
  const [tap] = sfu.rooms[0]?.taps ?? [];
  tap?.send(3, 1_234);
  segment.emit(Buffer.from('one'));
  segment.emit(Buffer.from('two'));
  tap?.jumpClock();
  segment.emit(Buffer.from('three'));
  expect(told).toEqual([1_234, 'one', 'two', 'clock_jumped']);
  expect(segment.end).toBe('clock_jumped');
  expect(recorder.segments).toEqual([]);
  expect(sfu.rooms[0]?.taps.size).toBe(0);
  await sfu.close();
});

function fakeOf(recorder: FakeRecorder, segment: Segment): FakeSegment | undefined {
  return recorder.segments.find((one) => one === segment);
}
