/** Who speaks, and who gets the bandwidth: what needs a look behind the port, with a real worker. */
import type { types } from 'mediasoup';
import { expect, test } from 'vitest';
import type { MediasoupSfuOptions } from '../../media/index.ts';
import { createFakeSfu, SEAT_BITRATE, TRACK_BITRATES } from '../../media/index.ts';
import type { Track } from '../../media/mediasoup/incoming-tracks.ts';
import { MediaWorker } from '../../media/mediasoup/media-worker.ts';
import { MediasoupRoom } from '../../media/mediasoup/room.ts';
import { SILENCE_HOLD_MS } from '../../media/mediasoup/speaker-floor.ts';
import { PhoneMixer } from '../../media/phone-mixer/phone-mixer.ts';
import { camera, microphone, openSeat, opus, screen } from './sfu.fixtures.ts';
import { workerBin } from './sfu.worker-bin.ts';

const LOUD = 20;
const SILENT = 127;
/** A room, not a voice. */
const QUIET = 70;

test('[SFU32] who speaks is told when it changes, and nobody after a silence', async () => {
  await using stage = await openStage();
  const { spoken, voice } = stage;
  await using patient = await voice('patient');
  await using doctor = await voice('doctor');
  patient.level = LOUD;
  await expect.poll(() => spoken, SLOW).toEqual(['patient']);
  patient.level = SILENT;
  const silentSince = performance.now();
  await expect.poll(() => spoken, SLOW).toEqual(['patient', null]);
  expect(performance.now() - silentSince).toBeGreaterThan(SILENCE_HOLD_MS);
  // The same person again: the worker's dominant speaker does not change, and yet it is told.
  patient.level = LOUD;
  await expect.poll(() => spoken, SLOW).toEqual(['patient', null, 'patient']);
  patient.level = SILENT;
  doctor.level = LOUD;
  await expect.poll(() => spoken.at(-1), SLOW).toBe('doctor');
  // Without a silence between them.
  patient.level = LOUD;
  doctor.level = QUIET;
  await expect.poll(() => spoken.at(-1), SLOW).toBe('patient');
  expect(spoken).toEqual(['patient', null, 'patient', 'doctor', 'patient']);
});

test('[SFU32] noise below speech is nobody, and a microphone that goes off speaks no more', async () => {
  await using stage = await openStage();
  const { room, spoken, voice } = stage;
  await using noise = await voice('patient');
  noise.level = QUIET;
  await using doctor = await voice('doctor');
  doctor.level = LOUD;
  await expect.poll(() => spoken, SLOW).toEqual(['doctor']);
  room.floor?.ended('patient');
  expect(spoken).toEqual(['doctor']);
  room.floor?.ended('doctor');
  expect(spoken).toEqual(['doctor', null]);
});

test('[SFU32] the room listens to microphones alone, and says nothing after its end', async () => {
  await using stage = await openStage();
  const { room, router, spoken, heard, voice } = stage;
  const { seat } = await openSeat(room, 'patient');
  await seat.produce(camera());
  await seat.produce(screen());
  const { producerId } = await seat.produce(microphone());
  expect(heard).toEqual([producerId, producerId]);
  await using doctor = await voice('doctor');
  doctor.level = LOUD;
  await expect.poll(() => spoken, SLOW).toEqual(['doctor']);
  room.close();
  expect(router.closed).toBe(true);
  expect(spoken).toEqual(['doctor']);
});

test('[SFU32] a seat that mutes itself or leaves while it speaks gives up the floor at once', async () => {
  for (const adapter of ['mute', 'leave'] as const) {
    const fake = createFakeSfu();
    const spoken: (string | null)[] = [];
    const room = await fake.openRoom({ onClosed: () => {}, onSpeaker: (seatId) => spoken.push(seatId) });
    const { seat } = await openSeat(room, 'patient');
    expect(() => fake.speak(room, 'patient')).toThrow('sends no sound');
    await seat.produce(microphone());
    fake.speak(room, 'patient');
    fake.speak(room, 'patient');
    if (adapter === 'mute') await seat.setSourcePaused('microphone', true);
    else seat.close();
    expect(spoken).toEqual(['patient', null]);
    await fake.close();
  }
});

test('[SFU32] the real room gives up the floor with the microphone, too', async () => {
  await using stage = await openStage();
  const { room, spoken, voice } = stage;
  const { seat } = await openSeat(room, 'patient');
  await seat.produce(microphone());
  // The device sends no RTP here, so its voice comes another way, under its name.
  const speak = async (): Promise<void> => {
    await using patient = await voice('patient');
    patient.level = LOUD;
    await expect.poll(() => spoken.at(-1), SLOW).toBe('patient');
  };
  await speak();
  await seat.setSourcePaused('microphone', true);
  expect(spoken.at(-1)).toBeNull();
  await speak();
  seat.close();
  expect(spoken.at(-1)).toBeNull();
});

test('[SFU33] a screen goes before a camera when there is too little bandwidth', async () => {
  await using stage = await openStage();
  const { room, router } = stage;
  const priorities = new Map<string, number>();
  router.observer.on('newtransport', (transport) =>
    transport.observer.on('newconsumer', (consumer) => consumers.push(consumer)),
  );
  const consumers: types.Consumer[] = [];
  const patient = await openSeat(room, 'patient');
  const doctor = await openSeat(room, 'doctor');
  await doctor.listen(stage.capabilities);
  for (const track of [microphone(), camera(), screen()]) await patient.seat.produce(track);
  for (const { consumerId, source } of doctor.shown())
    priorities.set(source, consumers.find(({ id }) => id === consumerId)?.priority ?? 0);
  expect(priorities.get('screen')).toBeGreaterThan(priorities.get('camera') ?? 9);
});

test('[SFU33] microphone, camera and screen of one seat fit into what it may send', () => {
  const all = Object.values(TRACK_BITRATES).reduce((sum, bitrate) => sum + bitrate, 0);
  expect(all * 1.2).toBeLessThan(SEAT_BITRATE);
});

const SLOW = { timeout: 10_000, interval: 20 };
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function openStage() {
  const settings: MediasoupSfuOptions = {
    workerBin: workerBin(),
    workers: 1,
    listenIp: '127.0.0.1',
    firstPort: 0,
    maxIncomingBitrate: SEAT_BITRATE,
    initialOutgoingBitrate: 1_000_000,
    logger: silent,
  };
  const worker = await MediaWorker.start(settings, 0);
  const router = await worker.openRouter();
  const heard: string[] = [];
  router.observer.on('newrtpobserver', (observer) =>
    observer.observer.on('addproducer', ({ id }) => heard.push(id)),
  );
  const spoken: (string | null)[] = [];
  const { webRtcServer } = worker;
  const room = new MediasoupRoom({
    router,
    webRtcServer,
    settings,
    mixer: new PhoneMixer(silent),
    onClosed: () => undefined,
    onSpeaker: (seatId) => spoken.push(seatId),
  });
  await room.listen();
  const direct = await router.createDirectTransport();
  return {
    room,
    router,
    spoken,
    heard,
    capabilities: createFakeSfu().capabilities,
    voice: (from: string) => openVoice({ room, direct, from }),
    async [Symbol.asyncDispose]() {
      room.close();
      await worker.end();
    },
  };
}

let nextSsrc = 5_000;

/** Sends a packet of sound every 20 ms, as loud as `level` says (RFC 6464: 0 is the loudest), with pauses in it. */
async function openVoice({
  room,
  direct,
  from,
}: {
  room: MediasoupRoom;
  direct: types.DirectTransport;
  from: string;
}) {
  const ssrc = nextSsrc++;
  const { headerExtensions: _none, mid: _noMid, ...parameters } = opus(ssrc);
  const track: Track = await direct.produce({
    kind: 'audio',
    rtpParameters: {
      ...parameters,
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 }],
    } as types.RtpParameters,
    appData: { source: 'microphone', from },
  });
  await room.floor?.listen(track);
  const voice = { level: SILENT };
  let sequence = 0;
  const timer = setInterval(() => {
    const packet = Buffer.alloc(12 + 8 + 20);
    packet[0] = 0x90;
    packet[1] = 111;
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE(sequence * 960, 4);
    packet.writeUInt32BE(ssrc, 8);
    packet.writeUInt32BE(0xbede_0001, 12);
    const isSyllable = sequence % 12 < 9;
    packet.writeUInt16BE(0x1000 | 0x80 | (isSyllable ? voice.level : SILENT - 20), 16);
    sequence += 1;
    if (!track.closed) (track as types.Producer).send(packet);
  }, 20);
  return Object.assign(voice, {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      track.close();
    },
  });
}
