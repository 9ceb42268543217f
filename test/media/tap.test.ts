/** What a tap does with packets: it needs a real worker and somebody who listens at its target. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { types } from 'mediasoup';
import { expect, test, vi } from 'vitest';
import type { MediaSource, TapEvent } from '../../media/index.ts';
import { MediasoupRoom } from '../../media/mediasoup/room.ts';
import { TrackClock } from '../../media/mediasoup/track-clock.ts';
import { eventually } from '../helpers/eventually.ts';
import { beeps, pictures } from '../helpers/tones.ts';
import { openStage, type Stage, udpSocketsOf } from './recording-stage.ts';

/** Sound and pictures are made and sent at their own speed, and a busy machine makes them slowly. */
vi.setConfig({ testTimeout: 90_000 });

test('[SFU56] a tap sends nothing before its start, tells the moment of its first packet, and looks no further', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const consumers = consumersOf(stage);
  await doctor.send('microphone', await beeps(4));
  await using tapped = await openTap(stage, 'microphone');
  expect(await tapped.tap.packetsSent()).toBe(0);
  expect(tapped.arrived).toEqual([]);
  await tapped.tap.start();
  await eventually('packets arrive', () => tapped.arrived.length > 10);
  const firsts = tapped.events.filter((event) => event.type === 'firstPacket');
  expect(firsts).toHaveLength(1);
  expect(Math.abs((firsts[0]?.at ?? 0) - (tapped.arrived[0]?.at ?? 0))).toBeLessThan(50);
  expect(await tapped.tap.packetsSent()).toBeGreaterThan(10);
  expect((await consumers[0]?.dump())?.traceEventTypes).toEqual([]);
  expect(new Set(tapped.arrived.map(({ payloadType }) => payloadType))).toEqual(
    new Set([tapped.tap.rtpParameters.codecs[0]?.payloadType]),
  );
});

test('[SFU56] a video tap begins with a key frame, which the device is asked for', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('camera', await pictures('vp8', { seconds: 4 }));
  await using tapped = await openTap(stage, 'camera');
  await tapped.tap.start();
  await eventually('a picture arrives', () => tapped.arrived.length > 0);
  const [first] = tapped.arrived;
  // RFC 7741 §4.3: the payload header's P bit is 0 in a key frame. ffmpeg's descriptor in front of it has 1–4 bytes.
  expect(isVp8KeyFrame(first?.packet ?? Buffer.alloc(0))).toBe(true);
  const before = doctor.keyFramesAsked;
  await tapped.tap.requestKeyFrame();
  await eventually('a key frame was asked for', () => doctor.keyFramesAsked > before);
});

test('[SFU57] a sender whose clock stood still while it was muted has jumped; one whose clock ran has not', async () => {
  await using stage = await openStage();
  for (const stands of [false, true]) {
    const device = await stage.device(stands ? 'standing' : 'running');
    const sending = await device.send('microphone', await beeps(8));
    await using tapped = await openTap(stage, 'microphone', device.seat.seatId);
    await tapped.tap.start();
    await eventually('packets arrive', () => tapped.arrived.length > 10);
    await device.seat.setSourcePaused('microphone', true);
    sending.clockStands = stands;
    const mutedAt = performance.now();
    await eventually('a second has passed', () => performance.now() - mutedAt > 1_000);
    sending.clockStands = false;
    const before = tapped.arrived.length;
    await device.seat.setSourcePaused('microphone', false);
    await eventually('packets arrive again', () => tapped.arrived.length > before + 25);
    const jumps = tapped.events.filter((event) => event.type === 'clockJumped');
    expect(jumps).toHaveLength(stands ? 1 : 0);
    sending.stop();
  }
});

test('[SFU57] clocks that run unevenly do not jump, and time stamps may turn over', () => {
  const clock = new TrackClock(48_000);
  expect(clock.driftMs({ timestamp: 5, at: 9 })).toBe(0);
  clock.anchor({ timestamp: 2 ** 32 - 480, at: 1_000 });
  expect(clock.driftMs({ timestamp: 480, at: 1_020 })).toBeCloseTo(0);
  // A day later, the clocks 100 ppm apart: 8.6 s, which is why the anchor moves along.
  expect(
    clock.driftMs({ timestamp: (2 ** 32 - 480 + 48 * 86_400_000) % 2 ** 32, at: 86_401_000 }),
  ).toBeCloseTo(0);
  expect(clock.driftMs({ timestamp: 2 ** 32 - 480, at: 4_000 })).toBeCloseTo(-3_000);
  expect(clock.driftMs({ timestamp: 48_000 - 480, at: 1_500 })).toBeCloseTo(500);
});

test('[SFU58] a tap takes the largest size there is, and goes on with what is left', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sizes = await Promise.all(
    ['160x120', '320x240'].map((size) => pictures('vp8', { seconds: 12, size })),
  );
  const sendings = await doctor.sendSizes(sizes);
  const consumers = consumersOf(stage);
  await using tapped = await openTap(stage, 'camera');
  await tapped.tap.start();
  const layer = (): number | undefined => consumers[0]?.currentLayers?.spatialLayer;
  await eventually('the large size flows', () => layer() === 1);
  const large = sendings[1];
  if (large === undefined) throw new Error('no large size');
  large.silent = true;
  await eventually('the small size flows', () => layer() === 0, { withinMs: 12_000 });
  const before = tapped.arrived.length;
  await eventually('packets arrive', () => tapped.arrived.length > before + 5);
});

test('[SFU59] a tap that is closed leaves no port and no packet behind', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('microphone', await beeps(6));
  const [worker = 0] = stage.sfu.workerPids;
  const before = udpSocketsOf(worker).length;
  for (let round = 0; round < 3; round += 1) {
    await using tapped = await openTap(stage, 'microphone');
    await tapped.tap.start();
    await eventually('packets arrive', () => tapped.arrived.length > 3);
    expect(udpSocketsOf(worker).length).toBe(before + 2);
    tapped.tap.close();
    await eventually('the ports are closed', () => udpSocketsOf(worker).length === before);
    const last = tapped.arrived.length;
    await doctor.seat.setSourcePaused('microphone', false);
    expect(tapped.arrived.length).toBe(last);
  }
});

interface Arrived {
  readonly at: number;
  readonly payloadType: number;
  readonly packet: Buffer;
}

async function openTap(stage: Stage, source: MediaSource, seatId = 'doctor') {
  const [rtp, rtcp] = [await openSocket(), await openSocket()];
  const arrived: Arrived[] = [];
  rtp.on('message', (packet) => {
    arrived.push({ at: Date.now(), payloadType: packet.readUInt8(1) & 0x7f, packet });
  });
  const events: TapEvent[] = [];
  const target = { rtpPort: rtp.address().port, rtcpPort: rtcp.address().port };
  const tap = await stage.room.openTap({ seatId, source, target, onEvent: (event) => events.push(event) });
  return {
    tap,
    events,
    arrived,
    async [Symbol.asyncDispose]() {
      tap.close();
      rtp.close();
      rtcp.close();
    },
  };
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** The consumers of plain transports: those of taps. */
function consumersOf({ room }: Stage): types.Consumer[] {
  if (!(room instanceof MediasoupRoom)) throw new TypeError('a real room is looked into');
  const consumers: types.Consumer[] = [];
  room.router.observer.on('newtransport', (transport) => {
    transport.observer.on('newconsumer', (consumer) => consumers.push(consumer));
  });
  return consumers;
}

function isVp8KeyFrame(packet: Buffer): boolean {
  // RFC 7741 §4.2: X says that another byte follows, whose I, L, T and K bits say what follows that.
  let at = 12;
  const required = packet.readUInt8(at);
  at += 1;
  if ((required & 0x80) !== 0) {
    const extended = packet.readUInt8(at);
    at += 1;
    if ((extended & 0x80) !== 0) at += (packet.readUInt8(at) & 0x80) === 0 ? 1 : 2;
    if ((extended & 0x40) !== 0) at += 1;
    if ((extended & 0x30) !== 0) at += 1;
  }
  return (packet.readUInt8(at) & 1) === 0;
}
