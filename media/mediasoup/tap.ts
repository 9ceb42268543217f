import { hrtime } from 'node:process';
import type { types } from 'mediasoup';
import type { RtpParameters } from '../rtp.ts';
import { type SentTrack, SfuError, type TapEvent, type TapTarget, type TrackTap } from '../sfu.ts';
import type { Track } from './incoming-tracks.ts';
import { LOOPBACK, PLAIN_LISTEN_INFO } from './loopback.ts';
import { portParameters } from './native.ts';
import { plainCapabilities } from './plain-capabilities.ts';
import { type TimedPacket, TrackClock } from './track-clock.ts';

export interface TapOptions {
  readonly router: types.Router;
  readonly track: Track;
  readonly target: TapTarget;
  readonly onEvent: (event: TapEvent) => void;
  /** Called once, when it is closed, by whomever. */
  readonly onClosed: (tap: MediasoupTap) => void;
}

/** Beyond this a pause has stopped the sender's clock: the jitter of a bad line is below, a pause anybody notices above. */
const JUMP_AFTER_PAUSE_MS = 200;

/**
 * Without a pause between two looks only a device that slept or set its clock moves so far; a line that holds packets back
 * does not, and is not to cost a break in the recording.
 */
const JUMP_WHILE_FLOWING_MS = 1_000;

/** How often the clocks are compared while the track flows. At 100 ppm, as far apart as clocks run, that is 2 ms. */
const LOOK_INTERVAL_MS = 20_000;

/** After a look that found a jump while the track flows: once more, since one packet may have been held up. */
const SECOND_LOOK_MS = 1_000;

/** Why a packet is looked at. */
type Look = 'first packet' | 'after a pause' | 'flowing';

/** One consumer on a transport of its own, which no seat knows of. */
export class MediasoupTap implements TrackTap {
  readonly rtpParameters: RtpParameters;
  readonly #source: Track;
  readonly #transport: types.PlainTransport;
  readonly #consumer: types.Consumer;
  readonly #clock: TrackClock;
  readonly #onEvent: (event: TapEvent) => void;
  readonly #onClosed: (tap: MediasoupTap) => void;
  #look: Look | null = null;
  #began = false;
  #suspicious = false;
  #timer: NodeJS.Timeout | null = null;
  #closed: 'open' | 'closed' | 'room_closed' = 'open';

  static async open(options: TapOptions): Promise<MediasoupTap> {
    const { router, track, target } = options;
    const plain = { listenInfo: PLAIN_LISTEN_INFO, rtcpMux: false, comedia: false };
    const transport = await router.createPlainTransport(plain);
    try {
      await transport.connect({ ip: LOOPBACK, port: target.rtpPort, rtcpPort: target.rtcpPort });
      const consumer = await transport.consume({
        producerId: track.id,
        rtpCapabilities: plainCapabilities(router.rtpCapabilities),
        paused: true,
      });
      return new MediasoupTap(options, transport, consumer);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  private constructor(options: TapOptions, transport: types.PlainTransport, consumer: types.Consumer) {
    this.#source = options.track;
    this.#onEvent = options.onEvent;
    this.#onClosed = options.onClosed;
    this.#transport = transport;
    this.#consumer = consumer;
    this.rtpParameters = portParameters(consumer.rtpParameters);
    this.#clock = new TrackClock(consumer.rtpParameters.codecs[0]?.clockRate ?? 90_000);
    consumer.on('trace', (trace) => this.#traced(trace));
    consumer.on('producerpause', () => this.#paused(true));
    consumer.on('producerresume', () => this.#paused(false));
    consumer.once('producerclose', () => this.trackEnded());
    transport.observer.once('close', () => this.roomClosed());
  }

  get track(): SentTrack {
    return sentTrack(this.#source);
  }

  get producerId(): string {
    return this.#source.id;
  }

  get closed(): boolean {
    return this.#closed !== 'open';
  }

  start(): Promise<void> {
    return this.#whileOpen(async () => {
      if (!this.#consumer.paused) return;
      // First the ear, then the sound: the first packet is heard for certain.
      await this.#lookAtNext('first packet');
      await this.#consumer.resume();
      if (this.#consumer.kind === 'video') await this.#consumer.requestKeyFrame();
    });
  }

  requestKeyFrame(): Promise<void> {
    return this.#whileOpen(async () => {
      if (this.#consumer.kind === 'video') await this.#consumer.requestKeyFrame();
    });
  }

  packetsSent(): Promise<number> {
    return this.#whileOpen(async () => {
      const stats = await this.#consumer.getStats();
      return stats
        .filter(({ type }) => type === 'outbound-rtp')
        .reduce((sum, { packetCount }) => sum + packetCount, 0);
    });
  }

  close(): void {
    this.#end('closed');
  }

  /** Called by the room before the track closes. */
  trackEnded(): void {
    this.#end('closed', { type: 'ended', reason: 'track_ended' });
  }

  /** Called by the room before it closes, and by mediasoup when the worker dies. */
  roomClosed(): void {
    this.#end('room_closed', { type: 'ended', reason: 'room_closed' });
  }

  #end(closed: 'closed' | 'room_closed', event?: TapEvent): void {
    if (this.#closed !== 'open') return;
    this.#closed = closed;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#transport.close();
    this.#onClosed(this);
    if (event !== undefined) this.#onEvent(event);
  }

  #emit(event: TapEvent): void {
    if (!this.closed) this.#onEvent(event);
  }

  #paused(paused: boolean): void {
    if (!paused && this.#began) this.#lookQuietly('after a pause');
    this.#emit({ type: 'paused', paused });
  }

  #traced(trace: types.ConsumerTraceEventData): void {
    const look = this.#look;
    const packet = timedPacket(trace);
    if (this.closed || look === null || packet === null) return;
    // Every trace costs the worker a message a packet: one packet is enough.
    this.#look = null;
    this.#consumer.enableTraceEvent([]).catch(() => undefined);
    if (look === 'first packet') {
      this.#began = true;
      this.#clock.anchor(packet);
      this.#emit({ type: 'firstPacket', at: Math.round(Date.now() - (monotonicMs() - packet.at)) });
    } else this.#compare(packet, look);
    this.#lookLater(this.#suspicious ? SECOND_LOOK_MS : LOOK_INTERVAL_MS);
  }

  #compare(packet: TimedPacket, look: 'after a pause' | 'flowing'): void {
    const drift = Math.abs(this.#clock.driftMs(packet));
    const limit = look === 'flowing' ? JUMP_WHILE_FLOWING_MS : JUMP_AFTER_PAUSE_MS;
    const jumped = drift > limit && (look === 'after a pause' || this.#suspicious);
    this.#suspicious = drift > limit && !jumped;
    if (jumped) this.#emit({ type: 'clockJumped' });
    if (jumped || drift <= JUMP_AFTER_PAUSE_MS) this.#clock.anchor(packet);
  }

  #lookLater(delayMs: number): void {
    if (this.closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Paused, it has nothing to look at, and the look after the pause is the stricter one.
      if (this.#look === null && !this.#consumer.producerPaused) this.#lookQuietly('flowing');
    }, delayMs);
    this.#timer.unref();
  }

  #lookQuietly(look: Look): void {
    // Where the worker cannot be asked the tap is ending.
    this.#lookAtNext(look).catch(() => undefined);
  }

  async #lookAtNext(look: Look): Promise<void> {
    this.#look = look;
    await this.#consumer.enableTraceEvent(['rtp']);
  }

  async #whileOpen<T>(task: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    try {
      return await task();
    } catch (error) {
      this.#assertOpen(error);
      throw error;
    }
  }

  #assertOpen(cause?: unknown): void {
    if (this.#closed === 'open') return;
    throw new SfuError(this.#closed === 'room_closed' ? 'room_closed' : 'not_found', { cause });
  }
}

export function sentTrack(track: Track): SentTrack {
  const { source, from } = track.appData;
  return { seatId: from, source, kind: track.kind, producerId: track.id, paused: track.paused };
}

/** The worker's clock and this process's are the same one (CLOCK_MONOTONIC). */
function monotonicMs(): number {
  return Number(hrtime.bigint() / 1_000n) / 1_000;
}

function timedPacket({ type, timestamp, info }: types.ConsumerTraceEventData): TimedPacket | null {
  if (type !== 'rtp') return null;
  const stamp = stampOf(info);
  return stamp === null ? null : { timestamp: stamp, at: Math.min(timestamp, monotonicMs()) };
}

function stampOf({ rtpPacket }: Readonly<Record<string, unknown>>): number | null {
  const isPacket = typeof rtpPacket === 'object' && rtpPacket !== null && 'timestamp' in rtpPacket;
  return isPacket && typeof rtpPacket.timestamp === 'number' ? rtpPacket.timestamp : null;
}
