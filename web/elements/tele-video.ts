import { css, html, LitElement, type PropertyValues } from 'lit';

/** Shows one video track, without its sound. The stream is let go as soon as the element or the track goes. */
export class TeleVideo extends LitElement {
  static override properties = { track: { attribute: false }, label: {}, testId: { attribute: 'test-id' } };
  declare track: MediaStreamTrack | null;
  declare label: string;
  declare testId: string;

  static override styles = css`
    :host {
      display: block;
    }
    video {
      display: block;
      width: var(--video-width, 100%);
      max-width: var(--video-max-width, none);
      height: var(--video-height, 100%);
      max-height: var(--video-max-height, none);
      border-radius: inherit;
      object-fit: inherit;
    }
  `;

  constructor() {
    super();
    this.track = null;
    this.label = '';
    this.testId = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate('track');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    const video = this.#video;
    if (video !== null) video.srcObject = null;
  }

  override render() {
    return html`<video
      autoplay
      playsinline
      disablepictureinpicture
      .muted=${true}
      data-testid=${this.testId}
      aria-label=${this.label}
    ></video>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const video = this.#video;
    if (video === null || !changed.has('track')) return;
    const shown = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
    if (shown === (this.track ?? undefined) && shown !== undefined) return;
    video.srcObject = this.track === null ? null : new MediaStream([this.track]);
    // Muted video may play everywhere except in a phone's power saving, which `controls` could not cure either.
    if (this.track !== null) void video.play().catch(() => undefined);
  }

  get #video(): HTMLVideoElement | null {
    return this.renderRoot.querySelector('video');
  }
}

customElements.define('tele-video', TeleVideo);
