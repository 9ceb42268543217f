/** What every recorder of tracks keeps. `recorder.*.test.ts` run it on each of them. */
import { describe, expect, test } from 'vitest';
import type { RecorderErrorReason, Segment, SegmentEnd, SfuRoom, TrackRecorder } from '../../media/index.ts';
import { openSeat } from '../contract/sfu.fixtures.ts';
import { eventually } from '../helpers/eventually.ts';

export interface RecorderUnderTest extends AsyncDisposable {
  readonly recorder: TrackRecorder;
  readonly room: SfuRoom;
  /** A device takes this seat and sends sound from now on. */
  readonly sendsSound: (seatId: string) => Promise<void>;
  /** The device hangs up. */
  readonly leaves: (seatId: string) => void;
  /** Bytes come, as often as it is called at least once. */
  readonly flows: (segment: Segment) => void;
  /** Its recording process dies. */
  readonly dies: (segment: Segment) => void;
  /** Its recording process stands still from now on. */
  readonly standsStill: (segment: Segment) => void;
  /** The media worker dies. */
  readonly killWorker: () => void;
}

export type OpenRecorder = () => Promise<RecorderUnderTest>;

export function recorderContract(adapter: string, open: OpenRecorder): void {
  describe(`the recorder of tracks: ${adapter}`, () => {
    test('[RECD8] a segment tells when it began, then its bytes, then once how it ended', async () => {
      await using under = await open();
      await under.sendsSound('doctor');
      const { segment, calls } = await begin(under, 'doctor');
      expect(segment.contentType).toBe('audio/webm;codecs=opus');
      expect(under.recorder.running).toBe(1);
      await flowing(under, segment, calls);
      await Promise.all([segment.stop(), segment.stop()]);
      await segment.stop();
      expect(under.recorder.running).toBe(0);
      expect(calls[0]).toBe('began');
      expect(calls.at(-1)).toBe('stopped');
      expect(calls.slice(1, -1).every((call) => call === 'bytes')).toBe(true);
    });

    test('[RECD8] a segment ends with its track, with its room, and with the worker', async () => {
      const endings: readonly [(under: RecorderUnderTest) => void, SegmentEnd][] = [
        [(under) => under.leaves('doctor'), 'track_ended'],
        [(under) => under.room.close(), 'room_closed'],
        [(under) => under.killWorker(), 'room_closed'],
      ];
      for (const [end, reason] of endings) {
        await using under = await open();
        await under.sendsSound('doctor');
        const { segment, calls } = await begin(under, 'doctor');
        await flowing(under, segment, calls);
        end(under);
        await eventually('the segment ended', () => calls.at(-1) === reason, {
          lastSeen: () => calls.at(-1),
        });
        expect(under.recorder.running).toBe(0);
        await segment.stop();
        expect(calls.at(-1)).toBe(reason);
      }
    });

    test('[RECD10] a recording process that dies is noticed within a second', async () => {
      await using under = await open();
      await under.sendsSound('doctor');
      const { segment, calls } = await begin(under, 'doctor');
      await flowing(under, segment, calls);
      under.dies(segment);
      await eventually('it is noticed', () => calls.at(-1) === 'recorder_died', { withinMs: 1_000 });
    });

    test('[RECD11] a recording process that stands still is noticed within three seconds', async () => {
      await using under = await open();
      await under.sendsSound('doctor');
      const { segment, calls } = await begin(under, 'doctor');
      await flowing(under, segment, calls);
      under.standsStill(segment);
      await eventually('it is noticed', () => calls.at(-1) === 'recorder_stalled', { withinMs: 3_000 });
      expect(under.recorder.running).toBe(0);
    });

    test('[RECD12] an owner who cannot take the bytes ends the segment with sink_failed', async () => {
      await using under = await open();
      await under.sendsSound('doctor');
      const { segment, calls } = await begin(under, 'doctor', () => {
        throw new Error('the disk is full');
      });
      await eventually('it ended', () => {
        under.flows(segment);
        return calls.at(-1) === 'sink_failed';
      });
      const before = calls.length;
      await segment.stop();
      expect(calls.length).toBe(before);
    });

    test('[RECD9] what cannot begin is refused with a reason and leaves nothing running', async () => {
      await using under = await open();
      const { room, recorder } = under;
      await expect(begin(under, 'nobody')).rejects.toMatchObject({ name: 'SfuError', reason: 'not_found' });
      await openSeat(room, 'silent');
      await expect(begin(under, 'silent')).rejects.toMatchObject({ name: 'SfuError', reason: 'not_found' });
      await under.sendsSound('doctor');
      room.close();
      await expect(begin(under, 'doctor')).rejects.toMatchObject({ name: 'SfuError', reason: 'room_closed' });
      expect(recorder.running).toBe(0);
    });

    test('[RECD9] a recorder that closes stops what runs, refuses what begins, and may be closed twice', async () => {
      await using under = await open();
      await under.sendsSound('doctor');
      const { segment, calls } = await begin(under, 'doctor');
      await flowing(under, segment, calls);
      const late = Promise.allSettled([begin(under, 'doctor')]);
      await Promise.all([under.recorder.close(), under.recorder.close()]);
      expect(calls.at(-1)).toBe('stopped');
      expect(under.recorder.running).toBe(0);
      const [outcome] = await late;
      if (outcome?.status === 'rejected') expect(outcome.reason).toEqual(refused('closed'));
      else expect(outcome?.value.calls).toEqual(['stopped']);
      await expect(begin(under, 'doctor')).rejects.toEqual(refused('closed'));
    });

    test('[RECD8] a track may be recorded by several segments at once, each to its own end', async () => {
      await using under = await open();
      await under.sendsSound('doctor');
      const first = await begin(under, 'doctor');
      const second = await begin(under, 'doctor');
      expect(under.recorder.running).toBe(2);
      await flowing(under, first.segment, first.calls);
      await first.segment.stop();
      await flowing(under, second.segment, second.calls);
      expect(first.calls.at(-1)).toBe('stopped');
      expect(under.recorder.running).toBe(1);
    });
  });
}

const refused = (reason: RecorderErrorReason) => expect.objectContaining({ name: 'RecorderError', reason });

async function begin({ recorder, room }: RecorderUnderTest, seatId: string, onBytes?: () => void) {
  const calls: string[] = [];
  const segment = await recorder.begin({
    room,
    seatId,
    source: 'microphone',
    onBytes: () => {
      onBytes?.();
      calls.push('bytes');
    },
    onBegan: () => calls.push('began'),
    onEnded: (end) => calls.push(end),
  });
  return { segment, calls };
}

async function flowing(
  { flows }: RecorderUnderTest,
  segment: Segment,
  calls: readonly string[],
): Promise<void> {
  const before = calls.length;
  await eventually('bytes come', () => {
    flows(segment);
    return calls.slice(before).includes('bytes');
  });
}
