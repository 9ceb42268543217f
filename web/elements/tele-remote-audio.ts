import { html, LitElement } from 'lit';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';

/**
 * Plays the other side's voice. It stands beside the pages' layout, so showing, shrinking or leaving the call
 * panel never interrupts the sound.
 */
export class TeleRemoteAudio extends LitElement {
  static override properties = { model: { attribute: false } };
  declare model: CallModel | null;

  #track: MediaStreamTrack | null = null;

  constructor() {
    super();
    this.model = null;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => {
        model.playSound = () => void this.#play(model);
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
    this.#show(null);
  }

  override render() {
    return html`<audio data-testid="remote-audio" autoplay></audio>`;
  }

  protected override updated(): void {
    const { model } = this;
    const track = model?.isOngoing && model.call.role !== 'elsewhere' ? model.remoteAudio : null;
    if (track === this.#track) return;
    this.#show(track);
    if (track !== null && model !== null) void this.#play(model);
  }

  #show(track: MediaStreamTrack | null): void {
    this.#track = track;
    const audio = this.#audio;
    if (audio !== null) audio.srcObject = track === null ? null : new MediaStream([track]);
  }

  async #play(model: CallModel): Promise<void> {
    try {
      await this.#audio?.play();
      model.soundIs(false);
    } catch (error) {
      // Any other failure is a track that was replaced while playing was about to begin.
      if (error instanceof DOMException && error.name === 'NotAllowedError') model.soundIs(true);
    }
  }

  get #audio(): HTMLAudioElement | null {
    return this.renderRoot.querySelector('audio');
  }
}

customElements.define('tele-remote-audio', TeleRemoteAudio);
