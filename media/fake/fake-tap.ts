import { ortc } from 'mediasoup';
import { forwardableCapabilities } from '../mediasoup/codecs.ts';
import { nativeCapabilities, portParameters } from '../mediasoup/native.ts';
import { plainCapabilities } from '../mediasoup/plain-capabilities.ts';
import type { RtpParameters } from '../rtp.ts';
import { type SentTrack, SfuError, type TapEvent, type TapTarget, type TrackTap } from '../sfu.ts';
import type { FakeTrack } from './fake-seat.ts';

/** A tap without RTP: a test says what left for the target. */
export class FakeTap implements TrackTap {
  readonly target: TapTarget;
  readonly rtpParameters: RtpParameters;
  readonly #track: FakeTrack;
  readonly #onEvent: (event: TapEvent) => void;
  readonly #onClosed: (tap: FakeTap) => void;
  #started = false;
  #packets = 0;
  #keyFramesAsked = 0;
  #closed: 'open' | 'closed' | 'room_closed' = 'open';

  constructor(options: {
    readonly track: FakeTrack;
    readonly target: TapTarget;
    readonly onEvent: (event: TapEvent) => void;
    readonly onClosed: (tap: FakeTap) => void;
  }) {
    this.#track = options.track;
    this.target = options.target;
    this.#onEvent = options.onEvent;
    this.#onClosed = options.onClosed;
    const fitted = ortc.getConsumerRtpParameters({
      consumableRtpParameters: options.track.consumable,
      remoteRtpCapabilities: plainCapabilities(nativeCapabilities(forwardableCapabilities())),
      pipe: false,
      enableRtx: false,
    });
    this.rtpParameters = portParameters(fitted);
  }

  get track(): SentTrack {
    return sentTrack(this.#track);
  }

  get started(): boolean {
    return this.#started;
  }

  /** How often a key frame was asked for, that of the start included; 0 for sound. */
  get keyFramesAsked(): number {
    return this.#keyFramesAsked;
  }

  get closed(): boolean {
    return this.#closed !== 'open';
  }

  async start(): Promise<void> {
    this.#assertOpen();
    if (this.#started) return;
    this.#started = true;
    this.#askKeyFrame();
  }

  async requestKeyFrame(): Promise<void> {
    this.#assertOpen();
    this.#askKeyFrame();
  }

  async packetsSent(): Promise<number> {
    this.#assertOpen();
    return this.#packets;
  }

  close(): void {
    this.#end('closed');
  }

  /** So many packets left for the target. As with the real one, none do before the start or while the track is muted. */
  send(packets: number, at: number = Date.now()): void {
    if (this.closed || !this.#started || this.#track.paused || packets <= 0) return;
    const isFirst = this.#packets === 0;
    this.#packets += packets;
    if (isFirst) this.#emit({ type: 'firstPacket', at });
  }

  /** The sender's clock stood still for a while. */
  jumpClock(): void {
    this.#emit({ type: 'clockJumped' });
  }

  /** Called by the seat. */
  trackPaused(track: FakeTrack): void {
    if (track === this.#track) this.#emit({ type: 'paused', paused: track.paused });
  }

  /** Called by the room. */
  trackEnded(track: FakeTrack): void {
    if (track === this.#track) this.#end('closed', { type: 'ended', reason: 'track_ended' });
  }

  /** Called by the room. */
  roomClosed(): void {
    this.#end('room_closed', { type: 'ended', reason: 'room_closed' });
  }

  #end(closed: 'closed' | 'room_closed', event?: TapEvent): void {
    if (this.closed) return;
    this.#closed = closed;
    this.#onClosed(this);
    if (event !== undefined) this.#onEvent(event);
  }

  #askKeyFrame(): void {
    if (this.#track.kind === 'video') this.#keyFramesAsked += 1;
  }

  #emit(event: TapEvent): void {
    if (!this.closed) this.#onEvent(event);
  }

  #assertOpen(): void {
    if (this.#closed === 'open') return;
    throw new SfuError(this.#closed === 'room_closed' ? 'room_closed' : 'not_found');
  }
}

export function sentTrack({ from, source, kind, producerId, paused }: FakeTrack): SentTrack {
  return { seatId: from, source, kind, producerId, paused };
}
