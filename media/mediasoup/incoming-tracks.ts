import type { types } from 'mediasoup';
import {
  type ConsumerOffer,
  type ConsumerState,
  type MediaSource,
  type SeatEvent,
  SfuError,
} from '../sfu.ts';
import { preferredLayers, spatialLayersOf } from './layers.ts';
import { portParameters } from './native.ts';
import type { SeatTransport } from './seat-transport.ts';
import type { MediasoupSfuOptions } from './settings.ts';

/** A track some seat sends. */
export type Track = types.Producer<{ readonly source: MediaSource; readonly from: string }>;

/** A track of another seat as this seat's device gets it. */
interface Subscription {
  readonly track: Track;
  readonly consumer: types.Consumer;
  /** The device has been told, so it must be told of the end too. */
  announced: boolean;
}

/**
 * Who gets the bandwidth towards a device when there is too little for all pictures: the screen first, since
 * unreadable text is worth nothing and a coarse face is. Sound is not weighed: it is small and always sent.
 */
const VIDEO_PRIORITY: Readonly<Record<Exclude<MediaSource, 'microphone'>, number>> = { camera: 1, screen: 2 };

export interface IncomingTracksOptions {
  readonly router: types.Router;
  readonly receive: SeatTransport;
  readonly settings: MediasoupSfuOptions;
  readonly emit: (event: SeatEvent) => void;
}

/** What one seat receives. A track is subscribed to once, and the device hears of it once. */
export class IncomingTracks {
  readonly #router: types.Router;
  readonly #receive: SeatTransport;
  readonly #settings: MediasoupSfuOptions;
  readonly #emit: (event: SeatEvent) => void;
  /** By consumer id. Ids are looked up here and nowhere else: another seat's id means nothing to this one. */
  readonly #subscriptions = new Map<string, Subscription>();
  #capabilities: types.RtpCapabilities | undefined;
  #ended = false;

  constructor({ router, receive, settings, emit }: IncomingTracksOptions) {
    this.#router = router;
    this.#receive = receive;
    this.#settings = settings;
    this.#emit = emit;
  }

  setCapabilities(capabilities: types.RtpCapabilities): void {
    this.#capabilities = capabilities;
  }

  /** Subscribes to all of these tracks and answers an offer for each that can be received. */
  async answer(tracks: readonly Track[]): Promise<ConsumerOffer[]> {
    await Promise.all(tracks.map((track) => this.#subscribe(track)));
    return [...this.#subscriptions.values()].map((subscription) => {
      subscription.announced = true;
      return offerOf(subscription);
    });
  }

  /** Subscribes to a new track and tells the device of it. */
  async announce(track: Track): Promise<void> {
    const subscription = await this.#subscribe(track);
    if (subscription === undefined || subscription.announced) return;
    if (!this.#subscriptions.has(subscription.consumer.id)) return;
    subscription.announced = true;
    this.#emit({ type: 'consumerAdded', consumer: offerOf(subscription) });
  }

  trackPaused(track: Track, paused: boolean): void {
    const subscription = this.#subscriptionTo(track);
    if (subscription === undefined) return;
    this.#emit({ type: 'consumerPaused', consumerId: subscription.consumer.id, paused });
  }

  trackEnded(track: Track): void {
    const subscription = this.#subscriptionTo(track);
    if (subscription === undefined) return;
    const consumerId = subscription.consumer.id;
    this.#subscriptions.delete(consumerId);
    subscription.consumer.close();
    if (subscription.announced) this.#emit({ type: 'consumerRemoved', consumerId });
  }

  resume(consumerId: string): Promise<void> {
    return this.#withConsumer(consumerId, async (consumer) => {
      await consumer.resume();
      if (consumer.kind === 'video') await consumer.requestKeyFrame();
    });
  }

  pause(consumerId: string): Promise<void> {
    return this.#withConsumer(consumerId, (consumer) => consumer.pause());
  }

  setPreferredLayer(consumerId: string, spatialLayer: number): Promise<void> {
    return this.#withConsumer(consumerId, async (consumer) => {
      const layers = spatialLayersOf(consumer.rtpParameters);
      if (layers < 2) return;
      const before = consumer.preferredLayers?.spatialLayer ?? layers - 1;
      const wanted = Math.min(spatialLayer, layers - 1);
      await consumer.setPreferredLayers(preferredLayers(consumer.rtpParameters, wanted));
      // A larger layer can only be joined at a key frame; waiting for the next of its own takes seconds.
      if (wanted > before && !consumer.paused) await consumer.requestKeyFrame();
    });
  }

  stateOf(consumerId: string): ConsumerState | undefined {
    const consumer = this.#subscriptions.get(consumerId)?.consumer;
    if (consumer === undefined) return undefined;
    const hasLayers = spatialLayersOf(consumer.rtpParameters) > 1;
    return {
      paused: consumer.paused,
      producerPaused: consumer.producerPaused,
      preferredLayer: hasLayers ? (consumer.preferredLayers?.spatialLayer ?? null) : null,
      currentLayer: hasLayers ? (consumer.currentLayers?.spatialLayer ?? null) : null,
      score: consumer.score.score,
    };
  }

  /** The seat is closing; its transport takes the consumers with it. */
  end(): void {
    this.#ended = true;
    this.#subscriptions.clear();
  }

  async #withConsumer(consumerId: string, use: (consumer: types.Consumer) => Promise<void>): Promise<void> {
    const subscription = this.#subscriptions.get(consumerId);
    if (subscription === undefined) throw new SfuError('not_found');
    try {
      await use(subscription.consumer);
    } catch (cause) {
      // The track ended while the worker was being asked.
      if (!this.#subscriptions.has(consumerId)) throw new SfuError('not_found', { cause });
      throw cause;
    }
  }

  /** Undefined when there is nothing to receive: no capabilities yet, none that fit, or the track has ended. */
  async #subscribe(track: Track): Promise<Subscription | undefined> {
    const rtpCapabilities = this.#capabilities;
    if (rtpCapabilities === undefined || track.closed) return undefined;
    const existing = this.#subscriptionTo(track);
    if (existing) return existing;
    if (!this.#router.canConsume({ producerId: track.id, rtpCapabilities })) {
      return this.#leaveOut(track, 'the device has no codec for it');
    }
    try {
      const { transport } = this.#receive;
      const consumer = await transport.consume({ producerId: track.id, rtpCapabilities, paused: true });
      const { source } = track.appData;
      // 1 is what every consumer begins with.
      if (source !== 'microphone' && VIDEO_PRIORITY[source] !== 1)
        await consumer.setPriority(VIDEO_PRIORITY[source]);
      if (this.#ended || track.closed) {
        consumer.close();
        return undefined;
      }
      const subscription: Subscription = { track, consumer, announced: false };
      this.#subscriptions.set(consumer.id, subscription);
      return subscription;
    } catch (error) {
      if (this.#ended || track.closed) return undefined;
      return this.#leaveOut(track, String(error));
    }
  }

  #leaveOut(track: Track, cause: string): undefined {
    const room = this.#router.id;
    this.#settings.logger.warn('consumer.left_out', { room, producer: track.id, kind: track.kind, cause });
    return undefined;
  }

  #subscriptionTo(track: Track): Subscription | undefined {
    return [...this.#subscriptions.values()].find((subscription) => subscription.track === track);
  }
}

function offerOf({ track, consumer }: Subscription): ConsumerOffer {
  return {
    consumerId: consumer.id,
    producerId: track.id,
    from: track.appData.from,
    source: track.appData.source,
    kind: track.kind,
    rtpParameters: portParameters(consumer.rtpParameters),
    producerPaused: track.paused,
  };
}
