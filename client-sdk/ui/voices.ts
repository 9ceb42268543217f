import type { Call, RemoteTrack } from '../api.ts';
import { make } from './dom.ts';

/**
 * Plays the others' voices, each in an audio element of its own: browsers play only the first sound of a stream. They
 * stand beside the window, so that no change of its form interrupts the sound.
 */
export class Voices {
  readonly element = make('div');
  /** Told when the browser wants a click before it plays, and when it plays. */
  readonly #onBlocked: (blocked: boolean) => void;
  readonly #playing = new Map<string, { readonly audio: HTMLAudioElement; track: MediaStreamTrack }>();
  #isBlocked = false;
  /** The speaker that the last voice was turned to: media that is built anew has none to look at. */
  #speaker = '';

  constructor(onBlocked: (blocked: boolean) => void) {
    this.#onBlocked = onBlocked;
    this.element.hidden = true;
  }

  /** Null plays nothing. */
  show(call: Call | null): void {
    const voices = call?.remoteTracks.filter(({ source }) => source === 'microphone') ?? [];
    for (const [personId, { audio }] of this.#playing)
      if (!voices.some((voice) => voice.personId === personId)) this.#remove(personId, audio);
    const begun = voices.filter((voice) => this.#begin(voice));
    if (begun.length > 0) this.play();
    else if (this.#playing.size === 0) this.#tell(false);
  }

  /** Plays what does not play yet. Inside a click nothing is held back. */
  play(): void {
    const elements = [...this.#playing.values()].map(({ audio }) => audio);
    void Promise.allSettled(elements.map((audio) => audio.play())).then((played) => {
      const refused = played.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      // Any other failure is a track that was replaced while playing was about to begin.
      if (refused.some((reason) => reason instanceof DOMException && reason.name === 'NotAllowedError'))
        this.#tell(true);
      else if (refused.length === 0) this.#tell(false);
    });
  }

  #begin({ personId, track }: RemoteTrack): boolean {
    const held = this.#playing.get(personId);
    if (held?.track === track) return false;
    const audio = held?.audio ?? make('audio');
    if (held === undefined) {
      audio.autoplay = true;
      // The speaker that was chosen for the voices before this one; one that cannot be turned plays where it did.
      const [other] = this.#playing.values();
      const speaker = other?.audio.sinkId ?? this.#speaker;
      if (speaker !== '' && 'setSinkId' in audio) audio.setSinkId(speaker).catch(() => undefined);
      this.element.append(audio);
    }
    audio.srcObject = new MediaStream([track]);
    this.#playing.set(personId, { audio, track });
    return true;
  }

  #remove(personId: string, audio: HTMLAudioElement): void {
    this.#speaker = audio.sinkId ?? '';
    audio.srcObject = null;
    audio.remove();
    this.#playing.delete(personId);
  }

  #tell(blocked: boolean): void {
    if (blocked === this.#isBlocked) return;
    this.#isBlocked = blocked;
    this.#onBlocked(blocked);
  }
}
