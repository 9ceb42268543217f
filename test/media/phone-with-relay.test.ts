/** A real telephone leg: a phone far away, the relay of telephone sound, and a room of a real worker behind it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { startPhoneMedia } from '@teleconsult/server/telephony/rtp/phone-media';
import { expect, test, vi } from 'vitest';
import { decodeG711 } from '../../media/phone-mixer/g711.ts';
import { readRtp, writeRtp } from '../../media/phone-mixer/rtp-packet.ts';
import { eventually } from '../helpers/eventually.ts';
import { beeps } from '../helpers/tones.ts';
import { g711Tone, levelAt } from './phone-tones.ts';
import { openStage } from './recording-stage.ts';

vi.setConfig({ testTimeout: 60_000 });

test('[PHS9] through the relay of telephone sound a phone that speaks µ-law and a room that speaks A-law hear each other', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  await doctor.send('microphone', await beeps(1));
  const first = 20_000 + (process.pid % 5_000) * 2;
  await using relay = await media({ from: first, to: first + 39 });
  const session = await relay.phones.open({
    address: { a: '127.0.0.1', b: '127.0.0.1' },
    source: { a: 'signalled', b: 'signalled' },
    onEvent: () => undefined,
  });
  await using far = await farPhone(session.ports.a);
  const seat = await stage.room.openPhoneSeat({
    seatId: 'patient',
    codec: 8,
    remote: { host: '127.0.0.1', port: session.ports.b },
    ssrc: session.ssrc.b,
    onEvent: () => undefined,
  });
  const leg = { telephoneEvent: null, direction: 'both' } as const;
  session.setRemote('a', { ...leg, host: '127.0.0.1', port: far.port, codec: 0 });
  session.setRemote('b', { ...leg, host: seat.local.host, port: seat.local.port, codec: seat.codec });
  session.bridge(true);
  await doctor.send('microphone_g711', g711Tone(600, { seconds: 30 }));
  const taken = await stage.record('patient', 'microphone');
  await eventually('the phone hears the doctor', () => Math.abs(levelAt(far.heard(), 600) - 0.5) < 0.06, {
    lastSeen: () => levelAt(far.heard(), 600),
  });
  expect(far.payloadTypes()).toEqual([0]);
  await eventually('the room hears the phone', async () => ((await seat.statistics())?.fromPhone ?? 0) > 100);
  await eventually('it is recorded', () => taken.file().byteLength > 2_000);
  expect(await seat.statistics()).toMatchObject({ voices: 1, dropped: 0 });
  seat.close();
  session.close();
});

async function media(ports: { from: number; to: number }) {
  const phones = await startPhoneMedia({ ports });
  return { phones, [Symbol.asyncDispose]: () => phones.close() };
}

/** Plays 440 Hz in µ-law to this port, and hears what comes from it. */
async function farPhone(to: number) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const frames: { readonly payloadType: number; readonly samples: Int16Array }[] = [];
  socket.on('message', (datagram) => {
    const packet = readRtp(datagram);
    if (packet === null) return;
    const samples = new Int16Array(packet.payload.byteLength);
    decodeG711(packet.payloadType === 8 ? 8 : 0, packet.payload, samples);
    frames.push({ payloadType: packet.payloadType, samples });
  });
  const { packets } = g711Tone(440, { seconds: 30, codec: 0 });
  let index = 0;
  const timer = setInterval(() => {
    const packet = packets[index];
    if (packet === undefined) return;
    const { ticks: timestamp, payload, marker } = packet;
    socket.send(
      writeRtp({ payloadType: 0, marker, sequence: index, timestamp, ssrc: 5, payload }),
      to,
      '127.0.0.1',
    );
    index += 1;
  }, 20);
  return {
    port: socket.address().port,
    payloadTypes: () => [...new Set(frames.map(({ payloadType }) => payloadType))],
    heard: () => Int16Array.from(frames.slice(-15).flatMap(({ samples }) => [...samples])),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      socket.close();
    },
  };
}
