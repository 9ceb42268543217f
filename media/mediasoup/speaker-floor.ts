import type { types } from 'mediasoup';
import type { Track } from './incoming-tracks.ts';

/**
 * How often the worker compares the microphones, in milliseconds. mediasoup judges a microphone by at least ten
 * packets, which take 200 ms at a browser's 20 ms each; half a second leaves room for losses.
 */
const LEVEL_INTERVAL_MS = 500;

/** The same for the dominant speaker (mediasoup's default; Volfin and Cohen 2012 take it for speech). */
const DOMINANCE_INTERVAL_MS = 300;

/**
 * Quieter than this is no speech, in dBov (RFC 6464: 0 is the loudest, -127 silence). Syllables are at -20 to -40,
 * the mean over half a second with the gaps between words at -35 to -55, a room after noise suppression below -70.
 */
const SPEECH_DBOV = -60;

/** A pause between two sentences is no end: so long must all be silent before nobody speaks. */
export const SILENCE_HOLD_MS = 1_200;

type Observer = types.RtpObserver;

/**
 * Who has the floor. Which of several voices dominates is for mediasoup's dominant speaker to say, which changes
 * slowly; that there is a voice at all is for the levels, since the former never says that nobody speaks.
 */
export class SpeakerFloor {
  readonly #levels: types.AudioLevelObserver;
  readonly #dominance: types.ActiveSpeakerObserver;
  readonly #onSpeaker: (seatId: string | null) => void;
  #speaker: string | null = null;
  /** Who dominated last; they may be silent since. */
  #dominant: string | null = null;
  /** When the speaker was last among those who are heard. */
  #heardAt = 0;
  #silence: NodeJS.Timeout | null = null;
  #closed = false;

  static async open(router: types.Router, onSpeaker: (seatId: string | null) => void): Promise<SpeakerFloor> {
    const levels = await router.createAudioLevelObserver({
      interval: LEVEL_INTERVAL_MS,
      threshold: SPEECH_DBOV,
      // Everybody who speaks, so that a person who does is not taken for silent because others are louder.
      maxEntries: 16,
    });
    const dominance = await router.createActiveSpeakerObserver({ interval: DOMINANCE_INTERVAL_MS });
    return new SpeakerFloor({ levels, dominance, onSpeaker });
  }

  private constructor({
    levels,
    dominance,
    onSpeaker,
  }: {
    levels: types.AudioLevelObserver;
    dominance: types.ActiveSpeakerObserver;
    onSpeaker: (seatId: string | null) => void;
  }) {
    this.#levels = levels;
    this.#dominance = dominance;
    this.#onSpeaker = onSpeaker;
    levels.on('volumes', (volumes) => {
      const speaking = volumes.map(({ producer }) => seatOf(producer));
      this.#heard(speaking.filter((seatId) => seatId !== null));
    });
    levels.on('silence', () => this.#silent());
    dominance.on('dominantspeaker', ({ producer }) => this.#dominates(seatOf(producer)));
    levels.observer.once('close', () => this.close());
  }

  /** Listens to a microphone; any other track is not for it. It forgets the microphone when it closes. */
  async listen(track: Track): Promise<void> {
    if (track.appData.source !== 'microphone' || this.#closed) return;
    await Promise.all(this.#observers.map((observer) => observer.addProducer({ producerId: track.id })));
  }

  /** The microphone of a seat is gone or off: whoever was speaking over it is not any more. */
  ended(seatId: string): void {
    if (this.#dominant === seatId) this.#dominant = null;
    if (this.#speaker === seatId) this.#says(null);
  }

  /** Says nothing more. The router closes the observers. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#clearSilence();
  }

  get #observers(): readonly Observer[] {
    return [this.#levels, this.#dominance];
  }

  #heard(speaking: readonly string[]): void {
    const [loudest] = speaking;
    if (loudest === undefined) return;
    this.#clearSilence();
    const now = performance.now();
    const speaker = this.#speaker;
    if (speaker !== null && speaking.includes(speaker)) this.#heardAt = now;
    // Between two people who are heard in turn it is dominance that decides, unless it misses that one stopped.
    else if (speaker === null || now - this.#heardAt > SILENCE_HOLD_MS) {
      const dominant = this.#dominant;
      this.#says(dominant !== null && speaking.includes(dominant) ? dominant : loudest);
    }
  }

  #dominates(seatId: string | null): void {
    this.#dominant = seatId;
    // While nobody is heard this is noise, or the end of something said.
    if (this.#speaker !== null && this.#silence === null && seatId !== null) this.#says(seatId);
  }

  #silent(): void {
    if (this.#speaker === null || this.#silence !== null || this.#closed) return;
    this.#silence = setTimeout(() => {
      this.#silence = null;
      this.#says(null);
    }, SILENCE_HOLD_MS);
    this.#silence.unref();
  }

  #says(seatId: string | null): void {
    if (this.#closed || this.#speaker === seatId) return;
    this.#speaker = seatId;
    this.#heardAt = performance.now();
    if (seatId === null) this.#clearSilence();
    this.#onSpeaker(seatId);
  }

  #clearSilence(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
  }
}

function seatOf({ appData }: types.Producer): string | null {
  return typeof appData['from'] === 'string' ? appData['from'] : null;
}
