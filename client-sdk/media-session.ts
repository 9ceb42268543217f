import type {
  CallId,
  ConsultationId,
  ConsumerOffer,
  MediaSource,
  PersonId,
  RequestResult,
  SentSource,
  TransportDirection,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Device, types as mediasoup } from 'mediasoup-client';
import type { RemoteTrack } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import { MediaPath, type PathState } from './media-path.ts';
import { consumerOptions, sendParameters, transportOptions } from './media-types.ts';

import { type Signalling, toAppError } from './requests.ts';
import type { MediaFact } from './seat-fact.ts';
import type { G711Wish, SecondMicrophone } from './second-microphone.ts';
import type { VideoDemand } from './video-demand.ts';
import { type SpatialLayer, TOP_LAYER } from './video-layers.ts';

export interface SeatRef {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
}

export interface MediaSessionOptions {
  readonly seat: SeatRef;
  readonly answer: RequestResult<'seat.join'>;
  readonly device: Device;
  readonly signalling: Signalling;
  readonly life: Lifetime;
  /** The seat's. */
  readonly demand: VideoDemand;
  readonly onRemoteTracks: () => void;
  readonly onPath: () => void;
}

export type { PathState } from './media-path.ts';

/** Why media has to be built anew. */
export type SessionEnd = 'path_failed' | 'media_lost' | 'forgotten';

/** The same as an error of the catalogue, for policies and apps. */
export function errorOf(end: SessionEnd): AppError {
  switch (end) {
    case 'path_failed':
      return new AppError('DISCONNECTED', { detail: 'the media path' });
    case 'media_lost':
      return new AppError('MEDIA_UNAVAILABLE');
    case 'forgotten':
      return new AppError('NOT_FOUND', { detail: 'the server holds no media of this seat' });
    default:
      return unreachable(end);
  }
}

/** A track of somebody else, from its offer until it is removed. */
interface Received {
  offer: ConsumerOffer;
  /** Null until the browser has made it. */
  consumer: mediasoup.Consumer | null;
  /** What the server does as far as is known; null: not known, because a request went unanswered. */
  flowing: boolean | null;
  layer: SpatialLayer | null;
  /** Requests about one track follow each other. */
  adjusted: Promise<void>;
}

/**
 * Speech: nothing is sent during silence (DTX), and a lost packet is repaired from the next (in-band FEC, RFC 6716
 * §2.1.7).
 */
const MICROPHONE: mediasoup.ProducerOptions = {
  codecOptions: { opusDtx: true, opusFec: true, opusStereo: false },
};
/** Three sizes at once, so that the server gives each receiver the one its line carries. For VP8 from 720p. */
const CAMERA: mediasoup.ProducerOptions = {
  encodings: [
    { scaleResolutionDownBy: 4, maxBitrate: 150_000 },
    { scaleResolutionDownBy: 2, maxBitrate: 500_000 },
    { scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
  ],
  codecOptions: { videoGoogleStartBitrate: 600 },
};
/** One size: a screen is shared to be read. Bits go into sharpness, not into motion (`contentHint` `detail`). */
const SCREEN: mediasoup.ProducerOptions = {
  encodings: [{ maxBitrate: 2_500_000, maxFramerate: 15 }],
  codecOptions: { videoGoogleStartBitrate: 1_000 },
};
const SETTINGS: Readonly<Record<MediaSource, mediasoup.ProducerOptions>> = {
  microphone: MICROPHONE,
  camera: CAMERA,
  screen: SCREEN,
};

/**
 * One set of transports of one seat, and the tracks on them. When it cannot go on, it ends with the reason, and the
 * seat builds another; local tracks are not its own and survive it.
 */
export class MediaSession {
  readonly #options: MediaSessionOptions;
  readonly #transports: Record<TransportDirection, mediasoup.Transport>;
  readonly #producers = new Map<SentSource, mediasoup.Producer>();
  readonly #accepted = new Map<SentSource, Promise<unknown>>();
  readonly #received = new Map<string, Received>();
  readonly #path: MediaPath;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #produced = 0;
  /** Null until a telephone was in the call. */
  #second: SecondMicrophone | null = null;

  constructor(options: MediaSessionOptions) {
    const { device, answer, life } = options;
    this.#options = options;
    this.#transports = {
      send: device.createSendTransport(transportOptions(answer.send, answer.iceServers)),
      receive: device.createRecvTransport(transportOptions(answer.receive, answer.iceServers)),
    };
    this.#prepare('send');
    this.#prepare('receive');
    this.#transports.send.on('produce', (parameters, accept) => this.#announce(parameters, accept));
    this.#path = new MediaPath({
      seat: options.seat,
      signalling: options.signalling,
      life,
      transports: this.#transports,
      onChange: options.onPath,
      onFailed: () => this.end('path_failed'),
    });
    life.onEnd(() => this.#close());
  }

  /** Why it has to be replaced. Stays pending when it is closed from outside. */
  get ended(): Promise<SessionEnd> {
    return this.#ended.promise;
  }

  get path(): PathState {
    return this.#path.state;
  }

  get remoteTracks(): readonly RemoteTrack[] {
    return [...this.#received.values()].flatMap(({ offer, consumer }) => {
      if (consumer === null) return [];
      const { from, source, producerPaused: paused } = offer;
      const setViewport: RemoteTrack['setViewport'] = (size) =>
        this.#options.demand.setViewport({ from, source }, size);
      return [{ personId: from as PersonId, source, track: consumer.track, paused, setViewport }];
    });
  }

  /** True while another's camera is meant to arrive here. */
  get expectsCamera(): boolean {
    return [...this.#received.values()].some(
      ({ offer, flowing }) => offer.source === 'camera' && !offer.producerPaused && flowing === true,
    );
  }

  get consumerIds(): readonly string[] {
    return [...this.#received.keys()];
  }

  end(reason: SessionEnd): void {
    this.#ended.resolve(reason);
  }

  sends(source: MediaSource): boolean {
    return this.#producers.has(source);
  }

  /** Sends the track, in place of the one before. Rejects with what the server answered. */
  async send(source: MediaSource, track: MediaStreamTrack): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer !== undefined) {
      await producer.replaceTrack({ track });
      producer.resume();
    } else await this.#produce(source, { ...SETTINGS[source], track });
    this.#second?.follow();
  }

  handleFact(fact: Exclude<MediaFact, { kind: 'consumerAdded' }>): void {
    switch (fact.kind) {
      case 'consumerRemoved':
        return this.remove(fact.consumerId);
      case 'consumerPaused':
        return this.setPaused(fact.consumerId, fact.paused);
      case 'g711Wanted':
        // Who is not heard on the telephone is told to the telephone by the server.
        this.#wantG711(fact).catch(() => {});
        return;
      case 'mediaLost':
        return this.end('media_lost');
      default:
        return unreachable(fact);
    }
  }

  pause(source: MediaSource): void {
    this.#producers.get(source)?.pause();
  }

  /** Receives a track, unless it is received already. */
  async consume(offer: ConsumerOffer): Promise<void> {
    const known = this.#received.get(offer.consumerId);
    if (known !== undefined) {
      this.setPaused(offer.consumerId, offer.producerPaused);
      await this.#adjust(known);
      return;
    }
    this.#removeWhere((other) => other.producerId === offer.producerId);
    const received: Received = {
      offer,
      consumer: null,
      // As the server begins: nothing flows, and then the best does.
      flowing: false,
      layer: TOP_LAYER,
      adjusted: Promise.resolve(),
    };
    this.#received.set(offer.consumerId, received);
    try {
      const consumer = await this.#transports.receive.consume(consumerOptions(offer));
      if (this.#received.get(offer.consumerId) !== received) {
        consumer.close();
        return;
      }
      received.consumer = consumer;
    } catch (error) {
      this.#received.delete(offer.consumerId);
      throw toAppError(error);
    }
    this.#options.onRemoteTracks();
    await this.#adjust(received);
  }

  remove(consumerId: string): void {
    const received = this.#received.get(consumerId);
    if (received !== undefined) this.#options.demand.forget(received.offer);
    this.#removeWhere((offer) => offer.consumerId === consumerId);
  }

  /** The server is told what is demanded now, where that is something else than before. */
  adjustAll(): void {
    for (const received of this.#received.values()) void this.#adjust(received);
  }

  setPaused(consumerId: string, paused: boolean): void {
    const received = this.#received.get(consumerId);
    if (received === undefined || received.offer.producerPaused === paused) return;
    received.offer = { ...received.offer, producerPaused: paused };
    this.#options.onRemoteTracks();
  }

  async stats(): Promise<{ send: RTCStatsReport; receive: RTCStatsReport }> {
    const { send, receive } = this.#transports;
    const [sent, received] = await Promise.all([send.getStats(), receive.getStats()]);
    return { send: sent, receive: received };
  }

  /** A telephone came into the call, or the last one left. Rejects where that part of the SDK cannot be fetched. */
  async #wantG711(fact: G711Wish): Promise<void> {
    const { SecondMicrophone } = await import('./second-microphone.ts');
    this.#second ??= new SecondMicrophone(this.#options, this.#producers, (...track) =>
      this.#produce(...track),
    );
    this.#second.want(fact);
  }

  async #produce(source: SentSource, options: mediasoup.ProducerOptions): Promise<void> {
    const made = await this.#transports.send.produce({ ...options, stopTracks: false, appData: { source } });
    this.#producers.set(source, made);
    try {
      await this.#accepted.get(source);
    } catch (error) {
      this.#producers.delete(source);
      made.close();
      throw error;
    }
  }

  #prepare(direction: TransportDirection): void {
    const transport = this.#transports[direction];
    transport.on('connect', ({ dtlsParameters }, connected) => {
      // The answer is not awaited: requests of one connection arrive in order, and the call begins a round trip
      // earlier. When it fails, nothing of this session can work.
      connected();
      const { signalling, seat } = this.#options;
      this.#demand(signalling.request('seat.connectTransport', { ...seat, direction, dtlsParameters }));
    });
  }

  #announce(
    {
      kind,
      rtpParameters,
      appData,
    }: { kind: mediasoup.MediaKind; rtpParameters: mediasoup.RtpParameters; appData: mediasoup.AppData },
    accept: (producer: { id: string }) => void,
  ): void {
    const { signalling, seat } = this.#options;
    const source = appData['source'] as SentSource;
    const accepted = signalling.request('seat.produce', {
      ...seat,
      source,
      kind,
      rtpParameters: sendParameters(rtpParameters),
      paused: false,
    });
    accepted.catch(() => {});
    this.#accepted.set(source, accepted);
    // The server names tracks by seat and source, so its own id is not waited for, and the next track need not wait.
    this.#produced += 1;
    accept({ id: `${source}-${this.#produced}` });
  }

  #adjust(received: Received): Promise<void> {
    const adjusted = received.adjusted.then(() => this.#bring(received));
    received.adjusted = adjusted;
    return adjusted;
  }

  /** Never rejects: what cannot be had is asked for again after the next connect, or media is built anew. */
  async #bring(received: Received): Promise<void> {
    const { consumerId } = received.offer;
    if (this.#received.get(consumerId) !== received || received.consumer === null) return;
    const { signalling, seat, demand } = this.#options;
    const { flowing, layer } = demand.of(received.offer);
    if (!flowing && received.flowing === false) return;
    const consumer = { ...seat, consumerId };
    try {
      if (!flowing) {
        received.flowing = null;
        await signalling.request('seat.pauseConsumer', consumer);
        received.flowing = false;
        return;
      }
      if (received.layer !== layer) {
        received.layer = null;
        await signalling.request('seat.setLayers', { ...consumer, spatialLayer: layer });
        received.layer = layer;
      }
      if (received.flowing === true) return;
      received.flowing = null;
      await signalling.request('seat.resumeConsumer', consumer);
      received.flowing = true;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'NOT_FOUND') this.remove(consumerId);
      // Too much is received, or too large: that can wait. What is to be seen and is not, cannot.
      else if (flowing && received.flowing !== true && error.code !== 'DISCONNECTED') this.#giveUp(error);
    }
  }

  #removeWhere(matches: (offer: ConsumerOffer) => boolean): void {
    let removed = false;
    for (const [consumerId, { offer, consumer }] of this.#received) {
      if (!matches(offer)) continue;
      this.#received.delete(consumerId);
      consumer?.close();
      removed = true;
    }
    if (removed) this.#options.onRemoteTracks();
  }

  #demand(request: Promise<unknown>): void {
    request.catch((error: unknown) => this.#giveUp(toAppError(error)));
  }

  #giveUp(error: AppError): void {
    if (!this.#options.life.over) this.end(error.code === 'MEDIA_UNAVAILABLE' ? 'media_lost' : 'forgotten');
  }

  #close(): void {
    this.#received.clear();
    this.#producers.clear();
    this.#transports.send.close();
    this.#transports.receive.close();
  }
}
