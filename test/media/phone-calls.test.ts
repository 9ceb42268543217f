/** A telephone in a room of a real worker: who hears whom, how loudly, how late, and what is recorded. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { decodeG711 } from '../../media/phone-mixer/g711.ts';
import { readRtp, writeRtp } from '../../media/phone-mixer/rtp-packet.ts';
import { eventually } from '../helpers/eventually.ts';
import { BEEP_INTERVAL_MS, beeps, heard, playsTo } from '../helpers/tones.ts';
import { g711Tone, levelAt, peakOf } from './phone-tones.ts';
import { bytesOf, openStage, passed } from './recording-stage.ts';
import { openRtpPhone } from './rtp-phone.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Half as loud as can be is what the devices send; a tone that is not there is below this. */
const SENT = 0.5;
const NOTHING = 0.01;

test('[PHS1] a telephone hears all devices at once, each as loud as it speaks, in one stream that never breaks off', async () => {
  await using stage = await openStage();
  const [doctor, relative] = [await stage.device('doctor'), await stage.device('relative')];
  const silence = await beeps(1);
  await doctor.send('microphone', silence);
  await relative.send('microphone', silence);
  await using phone = await openRtpPhone(stage.room, 'patient');
  await doctor.send('microphone_g711', g711Tone(600, { seconds: 30 }));
  await relative.send('microphone_g711', g711Tone(1_400, { seconds: 30, level: 0.25 }));
  await eventually('both are heard', () => {
    const sound = phone.heard(400);
    return Math.abs(levelAt(sound, 600) - SENT) < 0.05 && Math.abs(levelAt(sound, 1_400) - SENT / 2) < 0.05;
  });
  const begun = phone.packets.length;
  await passed(3_000);
  const packets = phone.packets.slice(begun);
  expect(Math.abs(packets.length - 150)).toBeLessThanOrEqual(8);
  expect(new Set(packets.map(({ ssrc }) => ssrc))).toEqual(new Set([phone.seat.local.ssrc]));
  for (const [index, packet] of packets.slice(1).entries()) {
    const before = packets[index];
    expect(packet.sequence).toBe(((before?.sequence ?? 0) + 1) & 0xffff);
    expect(packet.payload.byteLength).toBe(160);
    expect(packet.payloadType).toBe(8);
  }
  const sound = phone.heard(3_000);
  expect(levelAt(sound.subarray(0, 8_000), 600)).toBeGreaterThan(SENT * 0.85);
  expect(levelAt(sound.subarray(0, 8_000), 1_000)).toBeLessThan(NOTHING);
});

test('[PHS2] a muted device is silent on the phone, and so is one that left', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('microphone', await beeps(1));
  await using phone = await openRtpPhone(stage.room, 'patient');
  await doctor.send('microphone_g711', g711Tone(600, { seconds: 60 }));
  const hears = () => levelAt(phone.heard(300), 600) > SENT * 0.8;
  const hearsNothing = () => phone.packets.length > 20 && peakOf(phone.heard(300)) < NOTHING;
  await eventually('the doctor is heard', hears);
  await doctor.seat.setSourcePaused('microphone', true);
  await eventually('silence', hearsNothing, { withinMs: 1_500 });
  await doctor.seat.setSourcePaused('microphone', false);
  await eventually('the doctor is heard again', hears, { withinMs: 1_500 });
  doctor.close();
  await eventually('silence', hearsNothing, { withinMs: 1_500 });
  // Silence is sent, too.
  const before = phone.packets.length;
  await passed(500);
  expect(phone.packets.length - before).toBeGreaterThan(15);
});

test('[PHS3] what the phone says reaches the room under an SSRC of ours, with its loudness, and not while it is muted', async () => {
  await using stage = await openStage();
  const spoken: (string | null)[] = [];
  const room = await stage.sfu.openRoom({
    onClosed: () => undefined,
    onSpeaker: (seatId) => spoken.push(seatId),
  });
  await using phone = await openRtpPhone(room, 'patient', { ssrc: 99_887_766 });
  await using ear = await openEar();
  const tap = await room.openTap({
    seatId: 'patient',
    source: 'microphone',
    target: ear.ports,
    onEvent: () => undefined,
  });
  await tap.start();
  phone.play(g711Tone(440, { seconds: 40 }));
  await eventually('the tone is in the room', () => Math.abs(levelAt(ear.heard(300), 440) - SENT) < 0.05);
  expect(ear.ssrcs).not.toContain(phone.ssrc);
  expect(phone.events).toEqual([{ type: 'firstPacket' }]);
  await eventually('it is who speaks', () => spoken.at(-1) === 'patient');
  await phone.seat.setSourcePaused('microphone', true);
  await passed(100);
  const muted = ear.count();
  await passed(500);
  expect(ear.count()).toBe(muted);
  expect(spoken.at(-1)).toBeNull();
  await phone.seat.setSourcePaused('microphone', false);
  await eventually('it goes on', () => ear.count() > muted + 10);
});

test('[PHS4] two telephones hear each other, in the codec that each of them speaks', async () => {
  await using stage = await openStage();
  await using one = await openRtpPhone(stage.room, 'patient', { codec: 8, ssrc: 1 });
  await using other = await openRtpPhone(stage.room, 'relative', { codec: 0, ssrc: 2 });
  one.play(g711Tone(500, { seconds: 30 }));
  other.play(g711Tone(900, { seconds: 30, codec: 0 }));
  await eventually('the first hears the second', () => Math.abs(levelAt(one.heard(300), 900) - SENT) < 0.05);
  await eventually(
    'the second hears the first',
    () => Math.abs(levelAt(other.heard(300), 500) - SENT) < 0.05,
  );
  expect(other.packets.every(({ payloadType }) => payloadType === 0)).toBe(true);
  // Nobody hears themselves.
  expect(levelAt(one.heard(300), 500)).toBeLessThan(NOTHING);
});

test('[PHS5] a voice is on the phone within a tenth of a second', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('microphone', await beeps(1));
  await using phone = await openRtpPhone(stage.room, 'patient');
  const sending = await doctor.send('microphone_g711', g711Tone(1_000, { seconds: 8, gated: true }));
  await sending.done;
  const late = beginningsOf(phone.packets).map((at) => {
    const since = at - sending.startedAt;
    return since - Math.round((since - 60) / BEEP_INTERVAL_MS) * BEEP_INTERVAL_MS;
  });
  expect(late.length).toBeGreaterThan(12);
  const sorted = late.toSorted((first, second) => first - second);
  const median = sorted[sorted.length >> 1] ?? 0;
  console.log(
    `a voice is on the phone after ${Math.round(median)} ms, at most ${Math.round(sorted.at(-1) ?? 0)} ms`,
  );
  expect(median).toBeGreaterThanOrEqual(0);
  expect(median).toBeLessThan(100);
});

test('[PHS6] nobody but the leg speaks as the phone: not another port, another SSRC, RTCP or nonsense', async () => {
  await using stage = await openStage();
  await using phone = await openRtpPhone(stage.room, 'patient');
  await using stranger = await openEar();
  const { packets } = g711Tone(440, { seconds: 1 });
  const payload = packets[0]?.payload ?? Buffer.alloc(160);
  const rtp = (ssrc: number, payloadType = 8) =>
    writeRtp({ payloadType, marker: false, sequence: 1, timestamp: 160, ssrc, payload });
  stranger.send(rtp(phone.ssrc), phone.seat.local.port);
  phone.sendRaw(rtp(phone.ssrc + 1));
  phone.sendRaw(rtp(phone.ssrc, 101));
  phone.sendRaw(Uint8Array.from([0x80, 200, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  phone.sendRaw(new Uint8Array(0));
  phone.sendRaw(new Uint8Array(1_400).fill(0xff));
  await expect.poll(async () => (await phone.seat.statistics())?.dropped).toBeGreaterThanOrEqual(6);
  expect(await phone.seat.statistics()).toMatchObject({ fromPhone: 0 });
  expect(phone.events).toEqual([]);
  phone.sendRaw(rtp(phone.ssrc));
  await expect.poll(async () => (await phone.seat.statistics())?.fromPhone).toBe(1);
});

test('[PHS7] when the thread of the mixer dies all telephones are told, and may be joined again', async () => {
  await using stage = await openStage();
  await using phone = await openRtpPhone(stage.room, 'patient');
  await using other = await openRtpPhone(stage.room, 'relative', { ssrc: 2 });
  expect(stage.sfu.phoneMixer.lines).toBe(2);
  await stage.sfu.phoneMixer.endThread();
  await eventually('both are told', () => phone.events.length === 1 && other.events.length === 1);
  expect(phone.events).toEqual([{ type: 'ended', reason: 'failed' }]);
  expect(stage.room.tracks()).toEqual([]);
  await using again = await openRtpPhone(stage.room, 'patient');
  again.play(g711Tone(440, { seconds: 5 }));
  await eventually('it is heard', () => again.events.some(({ type }) => type === 'firstPacket'));
});

test('[PHS8] while the server’s own thread stands still the telephone is sent its packets as ever', async () => {
  await using stage = await openStage();
  await using phone = await openRtpPhone(stage.room, 'patient');
  await eventually('it flows', () => phone.packets.length > 10);
  const before = phone.packets.length;
  const begun = performance.now();
  // Nothing in this thread runs meanwhile, which is the point.
  while (performance.now() - begun < 600);
  const stoodMs = performance.now() - begun;
  await eventually('what came meanwhile is read', () => phone.packets.length > before + 1);
  const came = phone.packets.slice(before, before + Math.floor(stoodMs / 20) - 3);
  expect(came.length).toBeGreaterThan(20);
  for (const [index, packet] of came.slice(1).entries())
    expect((packet.timestamp - (came[index]?.timestamp ?? 0)) >>> 0).toBe(160);
});

test('[PHS11] what is said on the phone is recorded as Opus, with every beep in its place, also after a mute', async () => {
  await using stage = await openStage();
  await using phone = await openRtpPhone(stage.room, 'patient');
  const playing = phone.play(g711Tone(1_000, { seconds: 12, gated: true }));
  const taken = await stage.record('patient', 'microphone');
  expect(taken.segment.contentType).toBe('audio/webm;codecs=opus');
  await bytesOf(taken, 3_000);
  await passed(2_500);
  await phone.seat.setSourcePaused('microphone', true);
  const mutedAt = Date.now();
  await passed(2_000);
  await phone.seat.setSourcePaused('microphone', false);
  const goneOnAt = Date.now();
  await playing.done;
  await taken.segment.stop();
  expect(taken.ends.map(({ end }) => end)).toEqual(['stopped']);
  const [beganAt = 0] = taken.began;
  const offset = beganAt - playing.startedAt;
  const { beeps: found, durationMs } = await heard(taken.file());
  const expected = Array.from({ length: 24 }, (_, index) => index * BEEP_INTERVAL_MS - offset).filter(
    (at) => at > 0 && (at < mutedAt - beganAt - 150 || at > goneOnAt - beganAt + 50),
  );
  const off = expected.map((at) => Math.min(...found.map((one) => Math.abs(one - at))));
  console.log(`beeps of the phone: ${expected.length}, off by at most ${Math.round(Math.max(...off))} ms`);
  expect(expected.length).toBeGreaterThan(12);
  expect(Math.max(...off)).toBeLessThan(60);
  expect(found.filter((at) => at > mutedAt - beganAt + 100 && at < goneOnAt - beganAt - 100)).toEqual([]);
  expect(Math.abs(durationMs - (12_000 - offset))).toBeLessThan(300);
  // Bytes come within half a second of their sound, as with any other track.
  const lags: number[] = [];
  for (let index = 6; index < taken.pieces.length; index += 6) {
    const { at } = taken.pieces[index] ?? { at: 0 };
    if (at > mutedAt && at < goneOnAt + 500) continue;
    const file = Buffer.concat(taken.pieces.slice(0, index).map(({ bytes }) => bytes));
    lags.push(at - beganAt - ((await playsTo(file)) + 20));
  }
  console.log(`bytes of the phone after their sound: at most ${Math.round(Math.max(...lags))} ms`);
  expect(Math.max(...lags)).toBeLessThan(500);
  // 24 kbit/s of what flowed, with room for the file's own.
  expect(taken.file().byteLength).toBeLessThan((12 * 24_000 * 1.5) / 8);
});

/** When a beep begins, as a telephone hears it: the packet with its first loud sample, and where it is in there. */
function beginningsOf(packets: readonly Parameters<typeof decodedOf>[0][]): number[] {
  const found: number[] = [];
  let isLoud = false;
  for (const packet of packets) {
    for (const [index, sample] of decodedOf(packet).entries()) {
      const loud = Math.abs(sample) > 3_000;
      if (loud && !isLoud && packet.at + index / 8 - (found.at(-1) ?? 0) > 200)
        found.push(packet.at + index / 8);
      isLoud = loud;
    }
  }
  return found;
}

function decodedOf({ payload }: { readonly payload: Uint8Array; readonly at: number }): Int16Array {
  const samples = new Int16Array(payload.byteLength);
  decodeG711(8, payload, samples);
  return samples;
}

/** Two ports on which G.711 is heard. */
async function openEar() {
  const [rtp, rtcp] = [createSocket('udp4'), createSocket('udp4')];
  for (const socket of [rtp, rtcp]) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const frames: Int16Array[] = [];
  const ssrcs = new Set<number>();
  rtp.on('message', (datagram) => {
    const packet = readRtp(datagram);
    if (packet === null) return;
    ssrcs.add(packet.ssrc);
    frames.push(decodedOf({ payload: packet.payload, at: 0 }));
  });
  return {
    ports: { rtpPort: rtp.address().port, rtcpPort: rtcp.address().port },
    ssrcs,
    count: () => frames.length,
    heard: (ms: number) => Int16Array.from(frames.slice(-Math.round(ms / 20)).flatMap((frame) => [...frame])),
    send: (bytes: Uint8Array, port: number) => rtp.send(bytes, port, '127.0.0.1'),
    async [Symbol.asyncDispose]() {
      rtp.close();
      rtcp.close();
    },
  };
}
