import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { LegName, PhoneSession } from '../rtp/ports.ts';
import {
  type AudioCodec,
  type AudioDescription,
  type AudioDirection,
  commonCodec,
  mirrored,
  type OwnAudio,
  parseSdp,
  writeAnswer,
  writeOffer,
} from '../sip/sdp.ts';

const CODECS: readonly AudioCodec[] = [8, 0];
/** What everybody uses; an offer of theirs may name another. */
const TELEPHONE_EVENT = 101;

/**
 * Offers and answers of one leg (RFC 3264), between its dialog and its sound. Only address, port, codec and direction are
 * taken from what the other has written; everything we write is ours.
 */
export class LegSound {
  /** Resolves when the other has said where it listens. */
  readonly known: Promise<void>;
  readonly #session: PhoneSession;
  readonly #leg: LegName;
  readonly #host: string;
  readonly #id = randomInt(1, 2 ** 31);
  readonly #settle: () => void;
  #version = 0;
  #written: string | null = null;
  #direction: AudioDirection = 'none';
  #missed = 0;

  /** @param host the address our SDP names */
  constructor(session: PhoneSession, leg: LegName, host: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.known = promise;
    this.#settle = resolve;
    this.#session = session;
    this.#leg = leg;
    this.#host = host;
  }

  /** Whether sound flows one way only, or none: nobody is to miss it. */
  get holds(): boolean {
    return this.#direction !== 'both';
  }

  /** Whether what it is sent is heard. */
  get hears(): boolean {
    return this.#direction === 'both' || this.#direction === 'receive';
  }

  /** How often it has begun not to hear: who held in the middle of an announcement has not heard it. */
  get missed(): number {
    return this.#missed;
  }

  offer(): string {
    return this.#write({ codecs: CODECS, telephoneEvent: TELEPHONE_EVENT, direction: 'both' }, writeOffer);
  }

  /** What we answer to an offer; null: there is nothing in it that we can take. */
  answer(offer: string): string | null {
    const offered = parseSdp(offer);
    const codec = offered === null ? null : commonCodec(offered, CODECS);
    if (offered === null || codec === null || !this.#take(offered, codec)) return null;
    const { telephoneEvent, direction } = offered;
    return this.#write({ codecs: [codec], telephoneEvent, direction: mirrored(direction) }, (own) =>
      writeAnswer(offered, own),
    );
  }

  /** Takes what they answered to our offer; whether we can. */
  accept(answer: string): boolean {
    const answered = parseSdp(answer);
    const codec = answered === null ? null : commonCodec(answered, CODECS);
    return answered !== null && codec !== null && this.#take(answered, codec);
  }

  #take(audio: AudioDescription, codec: AudioCodec): boolean {
    const { port, telephoneEvent, audioLine } = audio;
    if (audioLine === null) return false;
    const nowhere = isIP(this.#host) === 6 ? '::' : '0.0.0.0';
    try {
      this.#session.setRemote(this.#leg, {
        host: audio.host ?? nowhere,
        port,
        codec,
        telephoneEvent,
        direction: mirrored(audio.direction),
      });
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    const heard = this.hears;
    this.#direction = audio.direction;
    if (heard && !this.hears) this.#missed += 1;
    this.#settle();
    return true;
  }

  #write(
    own: Pick<OwnAudio, 'codecs' | 'telephoneEvent' | 'direction'>,
    write: (own: OwnAudio) => string,
  ): string {
    const at = (version: number): string =>
      write({
        ...own,
        host: this.#host,
        port: this.#session.ports[this.#leg],
        session: { id: this.#id, version },
      });
    // The version rises with every change, and only then (RFC 3264 §8).
    if (this.#written !== null && at(this.#version) === this.#written) return this.#written;
    this.#version += 1;
    this.#written = at(this.#version);
    return this.#written;
  }
}

/** Whether an offer holds sound we can take, before anything is opened for it. */
export function isTakeable(offer: string): boolean {
  const offered = parseSdp(offer);
  return offered !== null && offered.audioLine !== null && commonCodec(offered, CODECS) !== null;
}
