import type { Call, RemoteTrack } from '@teleconsult/client-sdk/api';
import { html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { CallSound } from '../state/call-sound.ts';
import { Follow } from '../state/follow.ts';

/**
 * Plays the others' voices, each in an audio element of its own: browsers play only the first sound of a stream. It
 * stands beside the pages' layout and needs nothing but the call, so neither showing, shrinking nor leaving a visit
 * interrupts the sound, and a restored call is heard before any visit is loaded.
 */
export class TeleRemoteAudio extends LitElement {
  static override properties = { call: { attribute: false }, sound: { attribute: false } };
  declare call: Call | null;
  declare sound: CallSound;

  /** What each element plays. */
  readonly #playing = new WeakMap<HTMLAudioElement, MediaStreamTrack>();

  constructor() {
    super();
    this.call = null;
    new Follow<Call>(this, {
      subject: () => this.call,
      subscribe: (call, update) => [call.on('remoteTracks', update), call.on('changed', update)],
    });
    new Follow<CallSound>(this, {
      subject: () => this.sound,
      subscribe: (sound) => {
        sound.play = () => void this.#play(this.#elements);
        return [
          sound.changes.subscribe(() => this.#awaitGesture(sound.isBlocked)),
          () => {
            sound.play = null;
            this.#awaitGesture(false);
          },
        ];
      },
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const audio of this.#elements) {
      audio.srcObject = null;
      this.#playing.delete(audio);
    }
  }

  override render() {
    return repeat(
      this.#voices,
      ({ personId }) => personId,
      ({ personId }) => html`<audio data-testid="remote-audio" data-person=${personId} autoplay></audio>`,
    );
  }

  protected override updated(): void {
    const begun: HTMLAudioElement[] = [];
    for (const audio of this.#elements) {
      const voice = this.#voices.find(({ personId }) => personId === audio.dataset['person']);
      if (voice === undefined || this.#playing.get(audio) === voice.track) continue;
      this.#playing.set(audio, voice.track);
      audio.srcObject = new MediaStream([voice.track]);
      // One that cannot be turned plays where it did.
      if (this.sound.speaker !== null) void audio.setSinkId(this.sound.speaker).catch(() => undefined);
      begun.push(audio);
    }
    if (begun.length > 0) void this.#play(begun);
    // What was blocked is gone with the call.
    else if (this.#elements.length === 0) this.sound.blockedIs(false);
  }

  async #play(elements: readonly HTMLAudioElement[]): Promise<void> {
    const played = await Promise.allSettled(elements.map((audio) => audio.play()));
    // Any other failure is a track that was replaced while playing was about to begin.
    const isBlocked = played.some(
      (result) =>
        result.status === 'rejected' &&
        result.reason instanceof DOMException &&
        result.reason.name === 'NotAllowedError',
    );
    if (isBlocked) this.sound.blockedIs(true);
    else if (played.every(({ status }) => status === 'fulfilled')) this.sound.blockedIs(false);
  }

  /** Any tap or key will do, not only the control that asks for one. */
  #awaitGesture(isBlocked: boolean): void {
    const act = isBlocked ? addEventListener : removeEventListener;
    act('pointerup', this.#onGesture, true);
    act('keydown', this.#onGesture, true);
  }

  readonly #onGesture = (): void => this.sound.play?.();

  get #voices(): readonly RemoteTrack[] {
    const { call } = this;
    if (call === null || call.outcome !== null || call.role === 'elsewhere') return [];
    return call.remoteTracks.filter(({ source }) => source === 'microphone');
  }

  get #elements(): readonly HTMLAudioElement[] {
    return [...this.renderRoot.querySelectorAll('audio')];
  }
}

customElements.define('tele-remote-audio', TeleRemoteAudio);
