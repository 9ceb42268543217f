import type { FactPayload, G711Codec, SentSource } from '@teleconsult/protocol';
import type { Device, types as mediasoup } from 'mediasoup-client';
import type { Lifetime } from './lifetime.ts';

const MIME_TYPES: Readonly<Record<G711Codec, string>> = { 0: 'audio/pcmu', 8: 'audio/pcma' };
const SOURCE = 'microphone_g711' satisfies SentSource;

export type G711Wish = Pick<FactPayload<'seat.g711Wanted'>, 'wanted' | 'codec'>;

/** The media session it belongs to. */
export interface SecondMicrophoneSession {
  readonly device: Device;
  readonly life: Lifetime;
}

type Producers = Map<SentSource, mediasoup.Producer>;
type Produce = (source: SentSource, options: mediasoup.ProducerOptions) => Promise<void>;

/**
 * The microphone a second time, as telephones can hear it (G.711), while one of them is in the call. It is the same track,
 * so that who mutes is muted for all. Fetched by an app when a telephone joins: most calls have none.
 */
export class SecondMicrophone {
  readonly #session: SecondMicrophoneSession;
  readonly #producers: Producers;
  readonly #produce: Produce;
  #codec: G711Codec | null = null;
  #changes: Promise<void> = Promise.resolve();

  /**
   * @param producers what the session sends now
   * @param produce sends a track; rejects with what the server answered
   */
  constructor(session: SecondMicrophoneSession, producers: Producers, produce: Produce) {
    this.#session = session;
    this.#producers = producers;
    this.#produce = produce;
  }

  /** Told again, it begins anew: the server holds nothing of the one before. */
  want({ wanted, codec }: G711Wish): void {
    this.#codec = wanted ? codec : null;
    this.#enqueue(async () => {
      this.#end();
      await this.#bring();
    });
  }

  /** The microphone began, or is another device now. */
  follow(): void {
    this.#enqueue(() => this.#bring());
  }

  /** One after another. What fails is not heard on the telephone, of which the server tells whoever is there. */
  #enqueue(change: () => Promise<void>): void {
    this.#changes = this.#changes.then(change).catch(() => this.#end());
  }

  async #bring(): Promise<void> {
    const { life } = this.#session;
    const producers = this.#producers;
    const track = producers.get('microphone')?.track ?? null;
    if (life.over || this.#codec === null || track === null || track.readyState === 'ended') return;
    const second = producers.get(SOURCE);
    if (second !== undefined) {
      if (second.track !== track) await second.replaceTrack({ track });
      return;
    }
    const codec = this.#codecOf(this.#codec);
    // The track is the first one's: this one neither stops nor silences it.
    if (codec !== undefined) await this.#produce(SOURCE, { track, codec, disableTrackOnPause: false });
  }

  /** The server takes either of the two; the one it named costs it less. */
  #codecOf(wanted: G711Codec): mediasoup.RtpCodecCapability | undefined {
    const { codecs = [] } = this.#session.device.sendRtpCapabilities;
    const named = (codec: G711Codec) =>
      codecs.find(({ mimeType }) => mimeType.toLowerCase() === MIME_TYPES[codec]);
    return named(wanted) ?? named(wanted === 8 ? 0 : 8);
  }

  #end(): void {
    this.#producers.get(SOURCE)?.close();
    this.#producers.delete(SOURCE);
  }
}
