import { html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';

/**
 * Plays the others' voices, each in an audio element of its own: browsers play only the first sound of a stream. It
 * stands beside the pages' layout, so showing, shrinking or leaving the call panel never interrupts the sound.
 */
export class TeleRemoteAudio extends LitElement {
  static override properties = { model: { attribute: false } };
  declare model: CallModel | null;

  /** What each element plays. */
  readonly #playing = new WeakMap<HTMLAudioElement, MediaStreamTrack>();

  constructor() {
    super();
    this.model = null;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => {
        model.playSound = () => void this.#play(model, this.#elements);
        return [
          model.changes.subscribe(update),
          () => {
            model.playSound = null;
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
    const { model } = this;
    const voices = model?.isOngoing && model.call.role !== 'elsewhere' ? model.voices : [];
    return repeat(
      voices,
      ({ personId }) => personId,
      ({ personId }) => html`<audio data-testid="remote-audio" data-person=${personId} autoplay></audio>`,
    );
  }

  protected override updated(): void {
    const { model } = this;
    if (model === null) return;
    const begun: HTMLAudioElement[] = [];
    for (const audio of this.#elements) {
      const voice = model.voices.find(({ personId }) => personId === audio.dataset['person']);
      if (voice === undefined || this.#playing.get(audio) === voice.track) continue;
      this.#playing.set(audio, voice.track);
      audio.srcObject = new MediaStream([voice.track]);
      // One that cannot be turned plays where it did.
      if (model.speaker !== null) void audio.setSinkId(model.speaker).catch(() => undefined);
      begun.push(audio);
    }
    if (begun.length > 0) void this.#play(model, begun);
  }

  async #play(model: CallModel, elements: readonly HTMLAudioElement[]): Promise<void> {
    const played = await Promise.allSettled(elements.map((audio) => audio.play()));
    // Any other failure is a track that was replaced while playing was about to begin.
    const isBlocked = played.some(
      (result) =>
        result.status === 'rejected' &&
        result.reason instanceof DOMException &&
        result.reason.name === 'NotAllowedError',
    );
    if (isBlocked) model.soundIs(true);
    else if (played.every(({ status }) => status === 'fulfilled')) model.soundIs(false);
  }

  get #elements(): readonly HTMLAudioElement[] {
    return [...this.renderRoot.querySelectorAll('audio')];
  }
}

customElements.define('tele-remote-audio', TeleRemoteAudio);
