import { randomUUID } from 'node:crypto';
import { ortc, type types } from 'mediasoup';
import { g711Codec } from '../mediasoup/codecs.ts';
import { spatialLayersOf } from '../mediasoup/layers.ts';
import { portParameters } from '../mediasoup/native.ts';
import {
  checkedCapabilities,
  checkG711,
  consumableParameters,
  type TrackParameters,
} from '../mediasoup/parameters.ts';
import type { DtlsParameters, IceParameters, RtpCapabilities, RtpParameters } from '../rtp.ts';
import { SecondVoice } from '../second-voice.ts';
import {
  type ConsumerOffer,
  type ConsumerState,
  type G711Codec,
  type MediaKind,
  type MediaSource,
  type SeatEvent,
  type SentSource,
  SfuError,
  type SfuSeat,
  type TransportDirection,
  type TransportOffer,
} from '../sfu.ts';
import type { FakeOperation, FakeScript } from './fake-script.ts';
import { FakeTransport } from './fake-transport.ts';

export type PathState = Extract<SeatEvent, { type: 'transportChanged' }>['state'];

/** What a seat needs of its room. */
export interface FakeSeatRoom {
  readonly closed: boolean;
  readonly script: FakeScript;
  readonly connectsByItself: boolean;
  readonly call: (listener: () => void) => void;
  /** Takes a step when all steps before it are answered. */
  serially<T>(step: () => T): Promise<T>;
  /** Of the first telephone that is here. */
  readonly phoneCodec: G711Codec | null;
  seatsBut(seat: TrackSender): readonly FakeSeat[];
  /** What all others send now. */
  tracksBut(seat: TrackSender): readonly FakeTrack[];
  seatClosed(seat: FakeSeat): void;
  /** Whom telephones can hear is another than before. */
  voicesChanged(): void;
  microphoneEnded(seatId: string): void;
  trackBegan(track: FakeTrack): void;
  trackPaused(track: FakeTrack): void;
  trackEnded(track: FakeTrack): void;
}

export interface FakeTrack {
  readonly producerId: string;
  readonly from: string;
  readonly source: MediaSource;
  readonly kind: MediaKind;
  /** As the room forwards it, before it is fitted to one receiver. */
  readonly consumable: types.RtpParameters;
  paused: boolean;
}

/** A device or a telephone. */
export interface TrackSender {
  readonly seatId: string;
  readonly tracks: ReadonlyMap<MediaSource, FakeTrack>;
}

export interface FakeSubscription {
  readonly consumerId: string;
  readonly track: FakeTrack;
  readonly rtpParameters: RtpParameters;
  /** 1 for tracks without layers. */
  readonly layers: number;
  preferredLayer: number;
  resumed: boolean;
}

export class FakeSeat implements SfuSeat, TrackSender {
  readonly seatId: string;
  /** What the seat sends, by source. */
  readonly tracks = new Map<MediaSource, FakeTrack>();
  /** What the seat receives, by consumer id. */
  readonly subscriptions = new Map<string, FakeSubscription>();
  readonly #room: FakeSeatRoom;
  readonly #onEvent: (event: SeatEvent) => void;
  readonly #transports: Readonly<Record<TransportDirection, FakeTransport>>;
  readonly #paths = new Map<TransportDirection, PathState>();
  #capabilities: types.RtpCapabilities | undefined;
  readonly #secondVoice: SecondVoice;
  #second: FakeTrack | null = null;
  #nextMid = 0;
  #closed = false;

  constructor(options: { seatId: string; onEvent: (event: SeatEvent) => void; room: FakeSeatRoom }) {
    this.seatId = options.seatId;
    this.#onEvent = options.onEvent;
    this.#room = options.room;
    this.#transports = { send: new FakeTransport(), receive: new FakeTransport() };
    this.#secondVoice = new SecondVoice((event) => this.#emit(event));
  }

  get send(): TransportOffer {
    return this.#transports.send.offer;
  }

  get receive(): TransportOffer {
    return this.#transports.receive.offer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The state of a transport's path; undefined while it was never connected. */
  path(direction: TransportDirection): PathState | undefined {
    return this.#paths.get(direction);
  }

  /** Called by `fake.changePath`. */
  changePath(direction: TransportDirection, state: PathState): void {
    if (this.#closed || this.#paths.get(direction) === state) return;
    this.#paths.set(direction, state);
    this.#emit({ type: 'transportChanged', direction, state });
  }

  async connectTransport(direction: TransportDirection, dtlsParameters: DtlsParameters): Promise<void> {
    this.#step('connectTransport');
    const isNews = this.#transports[direction].connect(dtlsParameters);
    if (isNews && this.#room.connectsByItself) queueMicrotask(() => this.changePath(direction, 'connected'));
  }

  async restartIce(direction: TransportDirection): Promise<IceParameters> {
    this.#step('restartIce');
    return this.#transports[direction].restartIce();
  }

  setCapabilities(capabilities: RtpCapabilities): Promise<ConsumerOffer[]> {
    return this.#serially('setCapabilities', () => {
      this.#capabilities = checkedCapabilities(capabilities);
      for (const track of this.#room.tracksBut(this)) this.#subscribe(track);
      const offers = [...this.subscriptions.values()].map(offerOf);
      this.#secondVoice.repeat(this.#second !== null);
      return offers;
    });
  }

  produce({
    source,
    ...options
  }: Omit<TrackParameters, 'source'> & { source: SentSource; paused: boolean }): Promise<{
    producerId: string;
  }> {
    return this.#serially('produce', () => {
      if (source === 'microphone_g711') return this.#produceSecond(options);
      const consumable = consumableParameters({ ...options, source });
      const { kind, paused } = options;
      const track = { producerId: randomUUID(), from: this.seatId, source, kind, consumable, paused };
      this.#endTrack(source);
      this.tracks.set(source, track);
      this.#room.trackBegan(track);
      for (const seat of this.#room.seatsBut(this)) seat.trackBegan(track);
      this.#room.voicesChanged();
      return { producerId: track.producerId };
    });
  }

  /** The microphone in G.711, for telephones alone; null while it is not sent. */
  get second(): FakeTrack | null {
    return this.#second;
  }

  /** Whether a telephone can hear this seat. */
  get isHeardByPhones(): boolean {
    const microphone = this.tracks.get('microphone');
    return microphone !== undefined && (isG711(microphone) || this.#second !== null);
  }

  /** Called by the room whenever telephones or voices came or went. */
  followPhones(): void {
    const microphone = this.tracks.get('microphone');
    const codec = microphone === undefined || isG711(microphone) ? null : this.#room.phoneCodec;
    if (codec === null) this.#second = null;
    this.#secondVoice.want(codec);
  }

  setSourcePaused(source: MediaSource, paused: boolean): Promise<void> {
    return this.#serially('setSourcePaused', () => {
      const track = this.tracks.get(source);
      if (track === undefined || track.paused === paused) return;
      track.paused = paused;
      if (source === 'microphone' && this.#second !== null) this.#second.paused = paused;
      if (paused && source === 'microphone') this.#room.microphoneEnded(this.seatId);
      for (const seat of this.#room.seatsBut(this)) seat.trackPaused(track);
      this.#room.trackPaused(track);
    });
  }

  async resumeConsumer(consumerId: string): Promise<void> {
    this.#step('resumeConsumer');
    this.#subscription(consumerId).resumed = true;
  }

  async pauseConsumer(consumerId: string): Promise<void> {
    this.#step('pauseConsumer');
    this.#subscription(consumerId).resumed = false;
  }

  async setPreferredLayer(consumerId: string, spatialLayer: number): Promise<void> {
    this.#step('setPreferredLayer');
    const subscription = this.#subscription(consumerId);
    subscription.preferredLayer = Math.min(spatialLayer, subscription.layers - 1);
  }

  consumer(consumerId: string): ConsumerState | undefined {
    const subscription = this.subscriptions.get(consumerId);
    if (subscription === undefined) return undefined;
    const { resumed, layers, preferredLayer, track } = subscription;
    const flows = resumed && !track.paused && this.path('receive') === 'connected';
    return {
      paused: !resumed,
      producerPaused: track.paused,
      preferredLayer: layers > 1 ? preferredLayer : null,
      currentLayer: layers > 1 && flows ? preferredLayer : null,
      score: 10,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const source of this.tracks.keys()) this.#endTrack(source);
    this.subscriptions.clear();
    this.#room.seatClosed(this);
  }

  /** The room is gone; nobody needs to be told seat by seat. */
  roomClosed(): void {
    this.#closed = true;
    this.tracks.clear();
    this.#second = null;
    this.subscriptions.clear();
  }

  #produceSecond(options: Omit<TrackParameters, 'source'> & { paused: boolean }): { producerId: string } {
    const sent = { ...options, source: 'microphone' } as const;
    checkG711(sent);
    const microphone = this.tracks.get('microphone');
    if (microphone === undefined || !this.#secondVoice.isWanted) throw new SfuError('not_found');
    this.#second = {
      producerId: randomUUID(),
      from: this.seatId,
      source: 'microphone',
      kind: 'audio',
      consumable: consumableParameters(sent),
      paused: options.paused || microphone.paused,
    };
    this.#room.voicesChanged();
    return { producerId: this.#second.producerId };
  }

  #serially<T>(operation: FakeOperation, step: () => T): Promise<T> {
    return this.#room.serially(() => {
      this.#step(operation);
      return step();
    });
  }

  #step(operation: FakeOperation): void {
    if (this.#room.closed) throw new SfuError('room_closed');
    if (this.#closed) throw new SfuError('seat_closed');
    this.#room.script.step(operation);
  }

  #endTrack(source: MediaSource): void {
    const track = this.tracks.get(source);
    if (track === undefined) return;
    this.tracks.delete(source);
    if (source === 'microphone') this.#room.microphoneEnded(this.seatId);
    for (const seat of this.#room.seatsBut(this)) seat.trackEnded(track);
    this.#room.trackEnded(track);
  }

  /** Called by whoever sends it. */
  trackBegan(track: FakeTrack): void {
    const subscription = this.#subscribe(track);
    if (subscription) this.#emit({ type: 'consumerAdded', consumer: offerOf(subscription) });
  }

  /** Undefined when the device cannot receive the track, or has not said what it can. */
  #subscribe(track: FakeTrack): FakeSubscription | undefined {
    const existing = this.#subscriptionTo(track);
    if (existing) return existing;
    const capabilities = this.#capabilities;
    if (capabilities === undefined || !ortc.canConsume(track.consumable, capabilities)) return undefined;
    const fitted = ortc.getConsumerRtpParameters({
      consumableRtpParameters: track.consumable,
      remoteRtpCapabilities: capabilities,
      pipe: false,
      enableRtx: track.kind === 'video',
    });
    const rtpParameters = portParameters({ ...fitted, mid: String(this.#nextMid++) });
    const layers = spatialLayersOf(fitted);
    const subscription: FakeSubscription = {
      consumerId: randomUUID(),
      track,
      rtpParameters,
      layers,
      preferredLayer: layers - 1,
      resumed: false,
    };
    this.subscriptions.set(subscription.consumerId, subscription);
    return subscription;
  }

  #subscription(consumerId: string): FakeSubscription {
    const subscription = this.subscriptions.get(consumerId);
    if (subscription === undefined) throw new SfuError('not_found');
    return subscription;
  }

  /** Called by whoever sent it. */
  trackEnded(track: FakeTrack): void {
    const subscription = this.#subscriptionTo(track);
    if (subscription === undefined) return;
    this.subscriptions.delete(subscription.consumerId);
    this.#emit({ type: 'consumerRemoved', consumerId: subscription.consumerId });
  }

  /** Called by whoever sends it. */
  trackPaused(track: FakeTrack): void {
    const subscription = this.#subscriptionTo(track);
    if (subscription === undefined) return;
    const { consumerId } = subscription;
    this.#emit({ type: 'consumerPaused', consumerId, paused: track.paused });
  }

  #subscriptionTo(track: FakeTrack): FakeSubscription | undefined {
    return [...this.subscriptions.values()].find((subscription) => subscription.track === track);
  }

  #emit(event: SeatEvent): void {
    if (!this.#closed) this.#room.call(() => this.#onEvent(event));
  }
}

function offerOf({ consumerId, track, rtpParameters }: FakeSubscription): ConsumerOffer {
  const { producerId, from, source, kind, paused } = track;
  return { consumerId, producerId, from, source, kind, rtpParameters, producerPaused: paused };
}

function isG711({ consumable }: FakeTrack): boolean {
  return g711Codec(consumable.codecs[0]?.mimeType) !== null;
}
