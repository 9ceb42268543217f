import type { types } from 'mediasoup';
import { type ConsumerOffer, type MediaSource, type SeatEvent, SfuError } from '../sfu.ts';
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

  async resume(consumerId: string): Promise<void> {
    const subscription = this.#subscriptions.get(consumerId);
    if (subscription === undefined) throw new SfuError('not_found');
    const { consumer } = subscription;
    try {
      await consumer.resume();
      if (consumer.kind === 'video') await consumer.requestKeyFrame();
    } catch (cause) {
      // The track ended while the worker was being asked.
      if (!this.#subscriptions.has(consumerId)) throw new SfuError('not_found', { cause });
      throw cause;
    }
  }

  /** The seat is closing; its transport takes the consumers with it. */
  end(): void {
    this.#ended = true;
    this.#subscriptions.clear();
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
