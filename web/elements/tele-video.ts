import type { RemoteTrack } from '@teleconsult/client-sdk/api';
import { css, html, LitElement, type PropertyValues } from 'lit';

/**
 * Shows one video track, without its sound. The stream is let go as soon as the element or the track goes. Of somebody
 * else's track it tells the size at which it is shown, so that the server sends no more than that.
 */
export class TeleVideo extends LitElement {
  static override properties = {
    track: { attribute: false },
    remote: { attribute: false },
    label: {},
    testId: { attribute: 'test-id' },
  };
  declare track: MediaStreamTrack | null;
  /** Where the track came from; null for one's own. */
  declare remote: RemoteTrack | null;
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

  readonly #resized = new ResizeObserver(() => this.#report());
  #reported: { readonly track: MediaStreamTrack; readonly size: string } | null = null;

  constructor() {
    super();
    this.track = null;
    this.remote = null;
    this.label = '';
    this.testId = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resized.observe(this);
    document.addEventListener('visibilitychange', this.#report);
    this.requestUpdate('track');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
    document.removeEventListener('visibilitychange', this.#report);
    // Not told that nothing is shown: whoever shows the track from now on tells the size, the small window for one.
    this.#reported = null;
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
    this.#report();
    const video = this.#video;
    if (video === null || !changed.has('track')) return;
    const shown = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
    if (shown === (this.track ?? undefined) && shown !== undefined) return;
    video.srcObject = this.track === null ? null : new MediaStream([this.track]);
    // Muted video may play everywhere except in a phone's power saving, which `controls` could not cure either.
    if (this.track !== null) void video.play().catch(() => undefined);
  }

  /** Nothing is needed while the page or the tile is hidden. What was told already is not told again. */
  readonly #report = (): void => {
    const { remote } = this;
    if (remote === null || !this.isConnected) return;
    const { width, height } = this.getBoundingClientRect();
    const isShown = !document.hidden && width > 0 && height > 0;
    const size = isShown ? `${Math.round(width)} ${Math.round(height)}` : '';
    if (this.#reported?.track === remote.track && this.#reported.size === size) return;
    this.#reported = { track: remote.track, size };
    remote.setViewport(isShown ? { width, height } : null);
  };

  get #video(): HTMLVideoElement | null {
    return this.renderRoot.querySelector('video');
  }
}

customElements.define('tele-video', TeleVideo);
