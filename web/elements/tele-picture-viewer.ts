import { css, html } from 'lit';
import * as icons from '../icons.ts';
import type { AttachmentBlobs } from '../state/attachment-blobs.ts';
import { BlobUrl, saveBlob } from '../state/blob-url.ts';
import { noticeOf } from '../state/notice.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import type { OpenPicture } from './tele-picture.ts';

/** A picture in full size. A press on it changes between fitting the window and one pixel a pixel. */
export class TelePictureViewer extends TeleElement {
  static override properties = {
    blobs: { attribute: false },
    picture: { state: true },
    source: { state: true },
    natural: { state: true },
  };
  declare blobs: AttachmentBlobs;
  declare private picture: OpenPicture | null;
  declare private source: string | null;
  declare private natural: boolean;

  readonly #url = new BlobUrl();
  #original: Blob | null = null;

  static override styles = [
    common,
    buttons,
    css`
      dialog {
        width: 100vw;
        max-width: none;
        height: 100dvh;
        max-height: none;
        margin: 0;
        padding: 0;
        border: 0;
        background: #0a1013;
        color: #eef5f6;
        overflow: hidden;
      }
      dialog[open] {
        display: grid;
        grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
      }
      .bar {
        display: flex;
        align-items: center;
        gap: 4px;
        padding: calc(6px + env(safe-area-inset-top)) 8px 6px 18px;
      }
      h2 {
        flex: 1;
        min-width: 0;
        overflow: hidden;
        font-size: 0.9375rem;
        font-weight: 500;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .bar button {
        color: inherit;
      }
      .bar button:hover {
        background: #1e2b31;
      }
      .room {
        display: grid;
        place-items: center;
        min-height: 0;
        overflow: auto;
        padding-bottom: env(safe-area-inset-bottom);
        overscroll-behavior: contain;
      }
      .zoom {
        display: grid;
        place-items: center;
        width: 100%;
        height: 100%;
        min-height: 0;
        padding: 0;
        border: 0;
        border-radius: 0;
        background: none;
        cursor: zoom-in;
      }
      .zoom:hover:not(:disabled) {
        background: none;
      }
      img {
        display: block;
        max-width: 100%;
        max-height: 100%;
        min-height: 0;
        object-fit: contain;
      }
      .natural .zoom {
        width: auto;
        height: auto;
        cursor: zoom-out;
      }
      .natural img {
        max-width: none;
        max-height: none;
      }
      .thumbnail {
        width: 100%;
        height: 100%;
      }
      :focus-visible {
        outline-color: #8ab8ff;
        outline-offset: -3px;
      }
    `,
  ];

  constructor() {
    super();
    this.picture = null;
    this.source = null;
    this.natural = false;
  }

  async open(picture: OpenPicture): Promise<void> {
    this.picture = picture;
    await this.updateComplete;
    this.renderRoot.querySelector('dialog')?.showModal();
    await this.#show('thumbnail');
    await this.#show('original');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#clear();
  }

  override render() {
    const { picture } = this;
    const words = this.words;
    return html`<dialog aria-labelledby="title" data-testid="picture-viewer" @close=${this.#clear}>
      ${
        picture === null
          ? null
          : html`<div class="bar">
              <h2 id="title">${picture.label}</h2>
              <button class="icon" type="button" aria-label=${words.picture.download} ?disabled=${this.#original === null} @click=${this.#save}>
                ${icons.download()}
              </button>
              <button class="icon" type="button" data-testid="picture-close" aria-label=${words.close} @click=${this.#close}>
                ${icons.close()}
              </button>
            </div>
            <div class="room ${this.natural ? 'natural' : ''}">
              ${
                this.source === null
                  ? html`<p>${words.loading}</p>`
                  : html`<button class="zoom" type="button" aria-pressed=${this.natural} @click=${this.#zoom}>
                      <img
                        class=${this.#original === null ? 'thumbnail' : ''}
                        data-variant=${this.#original === null ? 'thumbnail' : 'original'}
                        src=${this.source}
                        alt=${picture.label}
                      />
                    </button>`
              }
            </div>`
      }
    </dialog>`;
  }

  async #show(variant: 'thumbnail' | 'original'): Promise<void> {
    const { picture } = this;
    if (picture === null) return;
    try {
      const blob = await this.blobs.get(picture.attachment.attachmentId, variant);
      if (this.picture !== picture) return;
      if (variant === 'original') this.#original = blob;
      this.source = this.#url.show(blob);
    } catch (error) {
      const notice = noticeOf(error);
      if (variant === 'thumbnail' || notice === null || this.picture !== picture) return;
      this.notify(notice);
      this.#close();
    }
  }

  readonly #zoom = (): void => {
    this.natural = !this.natural;
  };

  readonly #save = (): void => {
    if (this.#original === null || this.picture === null) return;
    const extension = this.#original.type.split('/')[1] ?? 'jpg';
    saveBlob(this.#original, `${this.picture.attachment.attachmentId}.${extension}`);
  };

  readonly #close = (): void => this.renderRoot.querySelector('dialog')?.close();

  readonly #clear = (): void => {
    this.#url.clear();
    this.#original = null;
    this.source = null;
    this.picture = null;
    this.natural = false;
  };
}

customElements.define('tele-picture-viewer', TelePictureViewer);
