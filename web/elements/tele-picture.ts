import type { Attachment } from '@teleconsult/protocol';
import { css, html, type PropertyValues } from 'lit';
import { thumbHashToRGBA } from 'thumbhash';
import * as icons from '../icons.ts';
import type { AttachmentBlobs } from '../state/attachment-blobs.ts';
import { BlobUrl } from '../state/blob-url.ts';
import { fitted } from '../state/picture-box.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

export type ImageAttachment = Extract<Attachment, { kind: 'image' }>;

export interface OpenPicture {
  readonly attachment: ImageAttachment;
  readonly label: string;
}

/** How far outside the view a thumbnail is fetched, so that slow scrolling never shows a placeholder. */
const MARGIN = '600px';

/** A picture of the thread: its blurred placeholder at once, the thumbnail when it comes near the view. */
export class TelePicture extends TeleElement {
  static override properties = {
    blobs: { attribute: false },
    attachment: { attribute: false },
    sender: {},
    caption: {},
    state: { state: true },
  };
  declare blobs: AttachmentBlobs;
  declare attachment: ImageAttachment;
  declare sender: string;
  declare caption: string;
  declare private state: 'away' | 'loading' | 'shown' | 'failed';

  readonly #url = new BlobUrl();
  #nearness: IntersectionObserver | null = null;

  static override styles = [
    common,
    css`
      :host {
        display: block;
        max-width: 100%;
      }
      button {
        position: relative;
        display: block;
        width: 100%;
        height: 100%;
        padding: 0;
        border: 0;
        border-radius: 14px;
        background: var(--surface-3);
        color: var(--text-2);
        font: 0.8125rem / 1.4 var(--font);
        overflow: hidden;
        cursor: zoom-in;
      }
      canvas,
      img {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      img {
        animation: fade 180ms ease-out;
      }
      .failed {
        position: absolute;
        inset: auto 8px 8px;
        display: flex;
        align-items: center;
        gap: 6px;
        padding: 6px 10px;
        border-radius: 10px;
        background: var(--surface);
        text-align: start;
      }
      @keyframes fade {
        from {
          opacity: 0;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.sender = '';
    this.caption = '';
    this.state = 'away';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#nearness = new IntersectionObserver(
      (changes) => {
        if (changes.at(-1)?.isIntersecting) void this.#load();
        else this.#leave();
      },
      { rootMargin: MARGIN },
    );
    this.#nearness.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#nearness?.disconnect();
    this.#nearness = null;
    this.#leave();
  }

  override render() {
    const { picture } = this.words;
    return html`<button
      type="button"
      data-testid="picture-thumb"
      data-state=${this.state}
      aria-label=${picture.open(this.sender)}
      @click=${this.#open}
    >
      <canvas aria-hidden="true"></canvas>
      ${this.state === 'shown' ? html`<img alt="" draggable="false" src=${this.#url.value ?? ''} />` : null}
      ${this.state === 'failed' ? html`<span class="failed">${icons.alert(18)}${picture.failed}</span>` : null}
    </button>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('attachment')) return;
    const { width, height } = fitted(this.attachment);
    this.style.width = `${width}px`;
    this.style.aspectRatio = `${width} / ${height}`;
    const canvas = this.renderRoot.querySelector('canvas');
    if (canvas !== null) drawPlaceholder(canvas, this.attachment.thumbhash);
  }

  async #load(): Promise<void> {
    if (this.state === 'shown' || this.state === 'loading') return;
    this.state = 'loading';
    try {
      const blob = await this.blobs.get(this.attachment.attachmentId, 'thumbnail');
      if (!this.isConnected || this.state !== 'loading') return;
      this.#url.show(blob);
      this.state = 'shown';
    } catch {
      if (this.isConnected) this.state = 'failed';
    }
  }

  #leave(): void {
    this.#url.clear();
    this.state = 'away';
  }

  readonly #open = (): void => {
    if (this.state === 'failed') void this.#load();
    const { picture } = this.words;
    const label = this.caption === '' ? picture.alt(this.sender) : this.caption;
    this.tell('tele-open-picture', { attachment: this.attachment, label } satisfies OpenPicture);
  };
}

/** Drawn on a canvas because the page's policy has no data URLs. A damaged hash leaves the plain background. */
function drawPlaceholder(canvas: HTMLCanvasElement, thumbhash: string): void {
  try {
    const bytes = Uint8Array.from(atob(thumbhash), (character) => character.charCodeAt(0));
    const { w, h, rgba } = thumbHashToRGBA(bytes);
    canvas.width = w;
    canvas.height = h;
    canvas.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
  } catch {
    canvas.width = 0;
  }
}

customElements.define('tele-picture', TelePicture);
