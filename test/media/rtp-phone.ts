/** A telephone leg as the relay gives it: plain RTP in G.711 over one UDP port, with its own clock. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { PhoneSeat, PhoneSeatEvent, SfuRoom } from '../../media/index.ts';
import { decodeG711, type G711Codec } from '../../media/phone-mixer/g711.ts';
import { type RtpPacket, readRtp, writeRtp } from '../../media/phone-mixer/rtp-packet.ts';
import type { MadeTrack } from '../helpers/tones.ts';

export interface ReceivedPacket extends RtpPacket {
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface RtpPhone extends AsyncDisposable {
  readonly seat: PhoneSeat;
  readonly events: readonly PhoneSeatEvent[];
  readonly ssrc: number;
  readonly port: number;
  readonly packets: readonly ReceivedPacket[];
  /** What was heard in the last so many milliseconds of packets. */
  heard(ms: number): Int16Array;
  /** All that was heard, with the moment of its beginning. */
  all(): { readonly startedAt: number; readonly samples: Int16Array };
  /** Plays it at its own speed. */
  play(track: MadeTrack): { readonly startedAt: number; readonly done: Promise<void>; stop(): void };
  /** Sends these bytes as they are, where the phone's sound goes. */
  sendRaw(bytes: Uint8Array): void;
}

export async function openRtpPhone(
  room: Pick<SfuRoom, 'openPhoneSeat'>,
  seatId: string,
  { codec = 8, ssrc = 4_711_000 }: { codec?: G711Codec; ssrc?: number } = {},
): Promise<RtpPhone> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const packets: ReceivedPacket[] = [];
  socket.on('message', (datagram) => {
    const packet = readRtp(datagram);
    if (packet !== null) packets.push({ ...packet, at: Date.now() });
  });
  const events: PhoneSeatEvent[] = [];
  const { port } = socket.address();
  const seat = await room.openPhoneSeat({
    seatId,
    codec,
    ssrc,
    remote: { host: '127.0.0.1', port },
    onEvent: (event) => events.push(event),
  });
  const playing = new Set<() => void>();
  const send = (bytes: Uint8Array): void =>
    socket.send(bytes, seat.local.port, seat.local.host, () => undefined);
  return {
    seat,
    events,
    ssrc,
    port,
    packets,
    heard: (ms) => samplesOf(packets.slice(-Math.round(ms / 20))),
    all: () => ({ startedAt: packets[0]?.at ?? 0, samples: samplesOf(packets) }),
    sendRaw: send,
    play(track) {
      const begun = performance.now();
      const { promise, resolve } = Promise.withResolvers<void>();
      let index = 0;
      const stop = (): void => {
        clearInterval(timer);
        playing.delete(stop);
        resolve();
      };
      const timer = setInterval(() => {
        for (;;) {
          const packet = track.packets[index];
          if (packet === undefined) return stop();
          if (packet.ticks > (performance.now() - begun) * 8) return;
          const { ticks: timestamp, marker, payload } = packet;
          send(
            writeRtp({
              payloadType: track.mimeType === 'audio/PCMA' ? 8 : 0,
              marker,
              sequence: index,
              timestamp,
              ssrc,
              payload,
            }),
          );
          index += 1;
        }
      }, 5);
      playing.add(stop);
      return { startedAt: Date.now(), done: promise, stop };
    },
    async [Symbol.asyncDispose]() {
      for (const stop of playing) stop();
      seat.close();
      socket.close();
    },
  };
}

function samplesOf(packets: readonly RtpPacket[]): Int16Array {
  const samples = new Int16Array(packets.length * 160);
  for (const [index, { payload, payloadType }] of packets.entries())
    decodeG711(payloadType === 8 ? 8 : 0, payload, samples.subarray(index * 160));
  return samples;
}
