/** A device that sends made RTP into a seat of a real room, without WebRTC: the worker takes its packets from this process. */
import type { types } from 'mediasoup';
import { type RtpParameters, type SentSource, type SfuRoom, type SfuSeat } from '../../media/index.ts';
import { MediasoupRoom } from '../../media/mediasoup/room.ts';
import { opus, vp8 } from '../contract/sfu.fixtures.ts';
import type { MadeTrack } from '../helpers/tones.ts';

/** What may go wrong between the device and the server. */
export interface Weather {
  /** True for a packet that is lost. */
  readonly loses?: (index: number) => boolean;
  /** True for a packet that comes after the two that follow it. */
  readonly delays?: (index: number) => boolean;
}

export interface Sending {
  /** When the packet with these ticks left, in milliseconds since 1970. */
  readonly startedAt: number;
  /** The packets go on, the line carries none: as when a device lost its network. */
  silent: boolean;
  /** The device's clock stands still: what follows goes on where it stopped, as some senders do while they are muted. */
  clockStands: boolean;
  /** Ends the packets. May be called twice. */
  stop(): void;
  /** Resolves when the whole track was sent. */
  readonly done: Promise<void>;
}

export interface RtpDevice {
  readonly seat: SfuSeat;
  /** Begins a track and sends it at its own speed, in a loop if asked. */
  send(source: SentSource, track: MadeTrack, weather?: Weather): Promise<Sending>;
  /** Simulcast: the same picture in several sizes, the smallest first. */
  sendSizes(tracks: readonly MadeTrack[]): Promise<readonly Sending[]>;
  /** Key frames that were asked for. */
  readonly keyFramesAsked: number;
  close(): void;
}

const PAYLOAD_TYPES: Readonly<Record<string, number>> = { 'audio/opus': 111, 'audio/PCMA': 8 };

let nextSsrc = 70_000;

export async function openDevice(room: SfuRoom, seatId: string): Promise<RtpDevice> {
  if (!(room instanceof MediasoupRoom)) throw new TypeError('a device sends to a real room');
  const direct = await room.router.createDirectTransport();
  // The seat's own transports wait for a browser's handshake. Its tracks come by the direct one, in all else as ever.
  const divert = (transport: types.Transport): void => {
    transport.produce = ((options: types.ProducerOptions) =>
      direct.produce(options)) as types.Transport['produce'];
  };
  room.router.observer.on('newtransport', divert);
  const seat = await room.openSeat({ seatId, onEvent: () => undefined });
  room.router.observer.off('newtransport', divert);
  const producers = new Map<string, types.Producer>();
  direct.observer.on('newproducer', (producer) => producers.set(producer.id, producer));
  const sendings: Sending[] = [];
  let keyFramesAsked = 0;
  direct.on('rtcp', (packet) => {
    // Payload-specific feedback: RFC 4585 §6.1.
    if (packet[1] === 206) keyFramesAsked += 1;
  });

  const produce = async (source: SentSource, rtpParameters: RtpParameters): Promise<types.Producer> => {
    const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
    const { producerId } = await seat.produce({ source, kind, rtpParameters, paused: false });
    const producer = producers.get(producerId);
    if (producer === undefined) throw new Error('the track came another way');
    return producer;
  };
  const start = (producer: types.Producer, ssrc: number, track: MadeTrack, weather: Weather): Sending => {
    const sending = sendTrack({ direct, producer, ssrc, track, weather });
    sendings.push(sending);
    return sending;
  };

  return {
    seat,
    get keyFramesAsked() {
      return keyFramesAsked;
    },
    async send(source, track, weather = {}) {
      const ssrc = (nextSsrc += 10);
      return start(await produce(source, parametersOf(track, [ssrc])), ssrc, track, weather);
    },
    async sendSizes(tracks) {
      const ssrcs = tracks.map(() => (nextSsrc += 10));
      const [largest] = tracks;
      if (largest === undefined) throw new TypeError('there is no size to send');
      const producer = await produce('camera', parametersOf(largest, ssrcs));
      return tracks.map((track, index) => start(producer, ssrcs[index] ?? 0, track, {}));
    },
    close() {
      for (const sending of sendings) sending.stop();
      seat.close();
      direct.close();
    },
  };
}

function parametersOf(track: MadeTrack, ssrcs: readonly number[]): RtpParameters {
  if (track.mimeType === 'audio/opus') {
    const { mid: _mid, headerExtensions: _extensions, ...parameters } = opus(ssrcs[0] ?? 0);
    return { ...parameters, rtcp: { cname: `device-${ssrcs[0]}` } };
  }
  if (track.mimeType === 'audio/PCMA') {
    return {
      codecs: [{ mimeType: 'audio/PCMA', payloadType: 8, clockRate: 8_000 }],
      encodings: [{ ssrc: ssrcs[0] }],
      rtcp: { cname: `device-${ssrcs[0]}` },
    };
  }
  const { mid: _mid, headerExtensions: _extensions, ...parameters } = vp8(ssrcs[0] ?? 0);
  const isVp8 = track.mimeType === 'video/VP8';
  const h264 = { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 };
  const [codec] = parameters.codecs;
  if (codec === undefined) throw new TypeError('no codec');
  return {
    ...parameters,
    rtcp: { cname: `device-${ssrcs[0]}` },
    codecs: [{ ...codec, mimeType: track.mimeType, ...(isVp8 ? {} : { parameters: h264 }) }],
    encodings: ssrcs.map((ssrc) => (ssrcs.length > 1 ? { ssrc, scalabilityMode: 'L1T1' } : { ssrc })),
  };
}

function sendTrack(options: {
  readonly direct: types.DirectTransport;
  readonly producer: types.Producer;
  readonly ssrc: number;
  readonly track: MadeTrack;
  readonly weather: Weather;
}): Sending {
  const { direct, producer, ssrc, track, weather } = options;
  const payloadType = PAYLOAD_TYPES[track.mimeType] ?? 96;
  const ticksPerMs = track.clockRate / 1_000;
  let begun = performance.now();
  let lastTurn = begun;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const late: Buffer[] = [];
  let index = 0;
  let lastReport = Number.NEGATIVE_INFINITY;
  const stop = (): void => {
    clearInterval(timer);
    resolve();
  };
  const sending = { startedAt: Date.now(), silent: false, clockStands: false, stop, done };
  const timer = setInterval(() => {
    const now = performance.now();
    if (sending.clockStands) begun += now - lastTurn;
    lastTurn = now;
    const elapsed = now - begun;
    if (producer.closed) return stop();
    // Layers can only be changed by whoever knows how their clocks belong together (RFC 3550 §6.4.1).
    if (elapsed - lastReport >= 500 && !sending.silent) {
      lastReport = elapsed;
      direct.sendRtcp(senderReport(ssrc, Math.round(elapsed * ticksPerMs)));
    }
    for (;;) {
      const packet = track.packets[index];
      if (packet === undefined) return stop();
      if (packet.ticks > elapsed * ticksPerMs) return;
      const rtp = Buffer.concat([Buffer.alloc(12), packet.payload]);
      rtp[0] = 0x80;
      rtp[1] = payloadType | (packet.marker ? 0x80 : 0);
      rtp.writeUInt16BE((index + 1) & 0xffff, 2);
      rtp.writeUInt32BE(packet.ticks, 4);
      rtp.writeUInt32BE(ssrc, 8);
      const isLate = weather.delays?.(index) === true;
      if (isLate) late.push(rtp);
      else if (!sending.silent && weather.loses?.(index) !== true) {
        producer.send(rtp);
        if (weather.delays?.(index - 2) === true) for (const held of late.splice(0)) producer.send(held);
      }
      index += 1;
    }
  }, 5);
  return sending;
}

/** A sender report without reports: RFC 3550 §6.4.1. */
function senderReport(ssrc: number, ticks: number): Buffer {
  const report = Buffer.alloc(28);
  report[0] = 0x80;
  report[1] = 200;
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(ssrc, 4);
  const now = Date.now();
  report.writeUInt32BE((Math.floor(now / 1_000) + 2_208_988_800) >>> 0, 8);
  report.writeUInt32BE(Math.floor(((now % 1_000) / 1_000) * 2 ** 32), 12);
  report.writeUInt32BE(ticks >>> 0, 16);
  return report;
}
