import type { types } from 'mediasoup';
import type { MixerLine } from '../phone-mixer/phone-mixer.ts';
import { g711Codec } from './codecs.ts';
import type { Track } from './incoming-tracks.ts';
import { plainCapabilities } from './plain-capabilities.ts';
import type { PhoneEars } from './seat.ts';
import type { MediasoupSfuOptions } from './settings.ts';

export interface PhoneHearingOptions {
  readonly router: types.Router;
  readonly settings: MediasoupSfuOptions;
  readonly transport: types.PlainTransport;
  readonly line: MixerLine;
}

/** The voices of a room on their way to one telephone: each a consumer, told to the mixer by its SSRC. */
export class PhoneHearing implements PhoneEars {
  readonly #options: PhoneHearingOptions;
  readonly #capabilities: types.RtpCapabilities;
  readonly #consumers = new Map<Track, types.Consumer>();
  #ended = false;

  constructor(options: PhoneHearingOptions) {
    this.#options = options;
    const { codecs = [], headerExtensions = [] } = plainCapabilities(options.router.rtpCapabilities);
    this.#capabilities = {
      codecs: codecs.filter(({ mimeType }) => g711Codec(mimeType) !== null),
      headerExtensions,
    };
  }

  hears(voice: Track): boolean {
    return this.#consumers.has(voice);
  }

  /** A voice that cannot be had is missing, and is looked for as one that was not sent. */
  async announce(voice: Track): Promise<void> {
    if (this.#ended || voice.closed || this.#consumers.has(voice)) return;
    const { router, settings, transport, line } = this.#options;
    try {
      const consumer = await transport.consume({
        producerId: voice.id,
        rtpCapabilities: this.#capabilities,
        paused: true,
      });
      const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc;
      const codec = g711Codec(consumer.rtpParameters.codecs[0]?.mimeType);
      if (this.#ended || voice.closed || ssrc === undefined || codec === null) {
        consumer.close();
        return;
      }
      this.#consumers.set(voice, consumer);
      // First the ear, then the sound.
      line.addVoice(ssrc, codec);
      await consumer.resume();
    } catch (error) {
      if (this.#ended || voice.closed) return;
      settings.logger.warn('phone.voice_left_out', {
        room: router.id,
        producer: voice.id,
        cause: String(error),
      });
    }
  }

  trackEnded(voice: Track): void {
    const consumer = this.#consumers.get(voice);
    if (consumer === undefined) return;
    this.#consumers.delete(voice);
    const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc;
    if (ssrc !== undefined) this.#options.line.removeVoice(ssrc);
    consumer.close();
  }

  /** The seat is closing; its transport takes the consumers with it. */
  end(): void {
    this.#ended = true;
    this.#consumers.clear();
  }
}
