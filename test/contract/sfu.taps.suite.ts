/** What a room tells of its tracks, and the copies it gives of them. Part of the port's contract. */
import { expect, test } from 'vitest';
import type { Sfu, SfuRoom, TapEvent, TrackEvent, TrackTap } from '../../media/index.ts';
import { camera, microphone, openSeat, screen, simulcastCamera } from './sfu.fixtures.ts';
import { type OpenSfu, refusal } from './sfu.under-test.ts';

/** Two ports that nobody listens on: what is sent there is lost. */
const NOBODY = { rtpPort: 29_998, rtcpPort: 29_999 };

export function sfuTapContract(open: OpenSfu): void {
  test('[SFU50] a room tells of each track as it begins, is muted and ends, in order', async () => {
    await using under = await open({ workers: 1 });
    const { room, told } = await listeningRoom(under.sfu);
    const { seat } = await openSeat(room, 'patient');
    await seat.produce(microphone());
    await seat.produce(camera());
    await seat.setSourcePaused('microphone', true);
    await seat.setSourcePaused('microphone', true);
    await seat.setSourcePaused('microphone', false);
    await seat.produce(camera());
    seat.close();
    expect(described(told)).toEqual([
      'began patient microphone',
      'began patient camera',
      'paused patient microphone, muted',
      'paused patient microphone',
      'ended patient camera',
      'began patient camera',
      'ended patient microphone',
      'ended patient camera',
    ]);
  });

  test('[SFU50] a seat opened again ends the tracks of the former one, and a room that closes says nothing of them', async () => {
    await using under = await open({ workers: 1 });
    const { room, told } = await listeningRoom(under.sfu);
    const former = await openSeat(room, 'patient');
    await former.seat.produce(microphone());
    const next = await openSeat(room, 'patient');
    await next.seat.produce({ ...microphone(), paused: true });
    room.close();
    expect(described(told)).toEqual([
      'began patient microphone',
      'ended patient microphone',
      'began patient microphone, muted',
    ]);
  });

  test('[SFU50] a listener of tracks that throws harms nobody', async () => {
    await using under = await open({ workers: 1 });
    const room = await under.sfu.openRoom({
      onClosed: () => undefined,
      onTrack: () => {
        throw new Error('a fault of the listener');
      },
    });
    const { seat } = await openSeat(room, 'patient');
    await seat.produce(microphone());
    await seat.setSourcePaused('microphone', true);
    expect(room.tracks()).toHaveLength(1);
    seat.close();
    expect(room.closed).toBe(false);
  });

  test('[SFU51] a room knows what its seats send now', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await listeningRoom(under.sfu);
    const patient = await openSeat(room, 'patient');
    const doctor = await openSeat(room, 'doctor');
    expect(room.tracks()).toEqual([]);
    const { producerId } = await patient.seat.produce(microphone());
    await doctor.seat.produce({ ...screen(), paused: true });
    expect(room.tracks()).toEqual([
      { seatId: 'patient', source: 'microphone', kind: 'audio', producerId, paused: false },
      { seatId: 'doctor', source: 'screen', kind: 'video', producerId: expect.any(String), paused: true },
    ]);
    await patient.seat.setSourcePaused('microphone', true);
    doctor.seat.close();
    expect(room.tracks()).toMatchObject([{ seatId: 'patient', paused: true }]);
    room.close();
    expect(room.tracks()).toEqual([]);
  });

  test('[SFU52] a tap copies a track that is sent; any other is not_found, and a closed room room_closed', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await listeningRoom(under.sfu);
    const { seat } = await openSeat(room, 'patient');
    await seat.produce(microphone());
    await expect(tapOf(room, 'patient', 'camera')).rejects.toEqual(refusal('not_found'));
    await expect(tapOf(room, 'nobody', 'microphone')).rejects.toEqual(refusal('not_found'));
    const { tap } = await tapOf(room, 'patient', 'microphone');
    expect(tap.track).toMatchObject({ seatId: 'patient', source: 'microphone', paused: false });
    expect(tap.rtpParameters.codecs).toMatchObject([{ mimeType: 'audio/opus', clockRate: 48_000 }]);
    expect(tap.rtpParameters.encodings?.[0]?.ssrc).toEqual(expect.any(Number));
    await tap.start();
    await tap.start();
    await tap.requestKeyFrame();
    expect(await tap.packetsSent()).toBe(0);
    room.close();
    await expect(tapOf(room, 'patient', 'microphone')).rejects.toEqual(refusal('room_closed'));
  });

  test('[SFU52] a tap asks for nothing that the loopback has no need of', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await listeningRoom(under.sfu);
    const { seat } = await openSeat(room, 'patient');
    await seat.produce(simulcastCamera());
    const { tap } = await tapOf(room, 'patient', 'camera');
    const [codec, ...others] = tap.rtpParameters.codecs;
    expect(codec?.mimeType).toBe('video/VP8');
    expect(others).toEqual([]);
    expect(tap.rtpParameters.headerExtensions).toEqual([]);
    expect(codec?.rtcpFeedback?.map(({ type, parameter }) => `${type} ${parameter}`)).toEqual([
      'nack pli',
      'ccm fir',
    ]);
  });

  test('[SFU53] a tap is no seat and no consumer of one: the others notice nothing of it', async () => {
    await using under = await open({ workers: 1 });
    const { room, told } = await listeningRoom(under.sfu);
    const patient = await openSeat(room, 'patient');
    const doctor = await openSeat(room, 'doctor');
    await doctor.listen(under.sfu.capabilities);
    await patient.seat.produce(camera());
    const before = { patient: patient.events.length, doctor: doctor.events.length, told: told.length };
    const { tap } = await tapOf(room, 'patient', 'camera');
    await tap.start();
    tap.close();
    expect(under.sfu.health()).toMatchObject({ rooms: 1, seats: 2 });
    expect({
      patient: patient.events.length,
      doctor: doctor.events.length,
      told: told.length,
    }).toEqual(before);
    expect(doctor.shown()).toHaveLength(1);
  });

  test('[SFU54] a tap tells that its track is muted and goes on', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await listeningRoom(under.sfu);
    const { seat } = await openSeat(room, 'patient');
    await seat.produce(microphone());
    const { tap, events } = await tapOf(room, 'patient', 'microphone');
    await tap.start();
    await seat.setSourcePaused('microphone', true);
    await expect.poll(() => events).toEqual([{ type: 'paused', paused: true }]);
    expect(tap.track.paused).toBe(true);
    await seat.setSourcePaused('microphone', false);
    await expect.poll(() => events.length).toBe(2);
    expect(events[1]).toEqual({ type: 'paused', paused: false });
  });

  test('[SFU55] a tap ends with its track, once, and however the track ends', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await listeningRoom(under.sfu);
    const endings = {
      replaced: async () => void (await (await openSeat(room, 'patient')).seat.produce(microphone())),
      left: async () => (await openSeat(room, 'patient')).seat.close(),
    };
    for (const end of Object.values(endings)) {
      const { seat } = await openSeat(room, 'patient');
      await seat.produce(microphone());
      const { tap, events } = await tapOf(room, 'patient', 'microphone');
      await tap.start();
      await end();
      expect(events).toEqual([{ type: 'ended', reason: 'track_ended' }]);
      expect(tap.closed).toBe(true);
      await expect(tap.start()).rejects.toEqual(refusal('not_found'));
      await expect(tap.packetsSent()).rejects.toEqual(refusal('not_found'));
      tap.close();
      expect(events).toHaveLength(1);
    }
  });

  test('[SFU55] a tap ends with its room, before the owner of the room hears of it', async () => {
    await using under = await open({ workers: 1 });
    for (const end of ['close', 'kill'] as const) {
      const order: string[] = [];
      const room = await under.sfu.openRoom({ onClosed: (reason) => order.push(reason) });
      const { seat } = await openSeat(room, 'patient');
      await seat.produce(microphone());
      const { tap } = await tapOf(room, 'patient', 'microphone', (event) =>
        order.push(event.type === 'ended' ? event.reason : event.type),
      );
      if (end === 'close') room.close();
      else under.killOneWorker();
      await expect.poll(() => order).toEqual(['room_closed', end === 'close' ? 'closed' : 'worker_died']);
      expect(tap.closed).toBe(true);
      await expect(tap.start()).rejects.toEqual(refusal('room_closed'));
      await expect(tap.requestKeyFrame()).rejects.toEqual(refusal('room_closed'));
    }
  });

  test('[SFU55] a tap that was closed tells nothing more, and a track may have several', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await listeningRoom(under.sfu);
    const { seat } = await openSeat(room, 'patient');
    await seat.produce(microphone());
    const first = await tapOf(room, 'patient', 'microphone');
    const second = await tapOf(room, 'patient', 'microphone');
    first.tap.close();
    first.tap.close();
    await seat.setSourcePaused('microphone', true);
    await expect.poll(() => second.events).toEqual([{ type: 'paused', paused: true }]);
    seat.close();
    expect(second.events.at(-1)).toEqual({ type: 'ended', reason: 'track_ended' });
    expect(first.events).toEqual([]);
  });

  test('[SFU55] a tap that is being opened while its track or room ends is refused or ends', async () => {
    await using under = await open({ workers: 1 });
    for (const ending of ['seat', 'room'] as const) {
      const { room } = await listeningRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      await seat.produce(microphone());
      const opening = Promise.allSettled([tapOf(room, 'patient', 'microphone')]);
      if (ending === 'seat') seat.close();
      else room.close();
      const [outcome] = await opening;
      if (outcome?.status === 'fulfilled') expect(outcome.value.tap.closed).toBe(true);
      else expect(outcome?.reason).toEqual(refusal(ending === 'seat' ? 'not_found' : 'room_closed'));
    }
  });
}

async function listeningRoom(sfu: Sfu): Promise<{ room: SfuRoom; told: readonly TrackEvent[] }> {
  const told: TrackEvent[] = [];
  const room = await sfu.openRoom({ onClosed: () => undefined, onTrack: (event) => told.push(event) });
  return { room, told };
}

async function tapOf(
  room: SfuRoom,
  seatId: string,
  source: 'microphone' | 'camera',
  onEvent?: (event: TapEvent) => void,
): Promise<{ tap: TrackTap; events: readonly TapEvent[] }> {
  const events: TapEvent[] = [];
  const tap = await room.openTap({
    seatId,
    source,
    target: NOBODY,
    onEvent: onEvent ?? ((event) => events.push(event)),
  });
  return { tap, events };
}

function described(told: readonly TrackEvent[]): string[] {
  return told.map(({ type, track }) => {
    const { seatId, source, paused } = track;
    return `${type.replace('track', '').toLowerCase()} ${seatId} ${source}${paused ? ', muted' : ''}`;
  });
}
