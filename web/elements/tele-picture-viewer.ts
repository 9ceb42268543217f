import { css, html } from 'lit';
import * as icons from '../icons.ts';
import type { AttachmentBlobs } from '../state/attachment-blobs.ts';
import { BlobUrl, saveBlob } from '../state/blob-url.ts';
import { noticeOf } from '../state/notice.ts';
import { openDialog } from '../state/open-dialog.ts';
import { FITTED, kept, MAX_SCALE, type Zoom, zoomedAt } from '../state/zoom.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import type { OpenPicture } from './tele-picture.ts';

/** A step of the buttons and keys. */
const STEP = 1.4;
const PAN_PX = 60;

/**
 * A picture in full size. Wheel, pinch, double press and the keys plus and minus change its size around the point that
 * is looked at; dragging and the arrow keys move it.
 */
export class TelePictureViewer extends TeleElement {
  static override properties = {
    blobs: { attribute: false },
    picture: { state: true },
    source: { state: true },
    zoom: { state: true },
  };
  declare blobs: AttachmentBlobs;
  declare private picture: OpenPicture | null;
  declare private source: string | null;
  declare private zoom: Zoom;

  readonly #url = new BlobUrl();
  #original: Blob | null = null;
  /** Where the fingers are that touch the picture, two at most. */
  readonly #fingers = new Map<number, { x: number; y: number }>();

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
      /* Beside a call in the small window it fills the place of the visit. */
      dialog[open]:not(:modal) {
        position: fixed;
        z-index: 15;
        inset: 0;
        width: 100%;
        height: 100%;
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
        overflow: hidden;
        touch-action: none;
        outline-offset: -3px;
      }
      img {
        display: block;
        width: 100%;
        height: 100%;
        min-height: 0;
        object-fit: contain;
        cursor: grab;
        user-select: none;
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
    this.zoom = FITTED;
  }

  async open(picture: OpenPicture): Promise<void> {
    this.picture = picture;
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector('dialog');
    if (dialog !== null && !dialog.open) openDialog(dialog);
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
              <button class="icon" type="button" data-testid="zoom-out" aria-label=${words.picture.zoomOut} ?disabled=${this.zoom.scale <= 1} @click=${() => this.#step(1 / STEP)}>
                ${icons.minus()}
              </button>
              <button class="icon" type="button" data-testid="zoom-in" aria-label=${words.picture.zoomIn} ?disabled=${this.zoom.scale >= MAX_SCALE} @click=${() => this.#step(STEP)}>
                ${icons.plus()}
              </button>
              <button class="icon" type="button" aria-label=${words.picture.download} ?disabled=${this.#original === null} @click=${this.#save}>
                ${icons.download()}
              </button>
              <button class="icon" type="button" data-testid="picture-close" aria-label=${words.close} @click=${this.#close}>
                ${icons.close()}
              </button>
            </div>
            <div
              class="room"
              tabindex="0"
              role="group"
              aria-label=${words.picture.zoomHelp}
              data-testid="picture-room"
              data-scale=${this.zoom.scale.toFixed(2)}
              @wheel=${this.#onWheel}
              @keydown=${this.#onKey}
              @dblclick=${this.#onDouble}
              @pointerdown=${this.#onDown}
              @pointermove=${this.#onMove}
              @pointerup=${this.#onUp}
              @pointercancel=${this.#onUp}
            >
              ${
                this.source === null
                  ? html`<p>${words.loading}</p>`
                  : html`<img
                      draggable="false"
                      data-variant=${this.#original === null ? 'thumbnail' : 'original'}
                      src=${this.source}
                      alt=${picture.label}
                    />`
              }
            </div>`
      }
    </dialog>`;
  }

  protected override updated(): void {
    const { scale, x, y } = this.zoom;
    const image = this.renderRoot.querySelector('img');
    if (image !== null) image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
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

  #step(factor: number): void {
    this.#become(zoomedAt(this.zoom, factor, { x: 0, y: 0 }));
  }

  #become(zoom: Zoom): void {
    const room = this.renderRoot.querySelector('.room');
    const { width = 1, height = 1 } = this.picture?.attachment ?? {};
    if (room === null) return;
    const fit = Math.min(room.clientWidth / width, room.clientHeight / height);
    const picture = { width: width * fit, height: height * fit };
    this.zoom = kept(zoom, picture, { width: room.clientWidth, height: room.clientHeight });
  }

  /** A point of the window, measured from the middle of the room. */
  #fromMiddle({ clientX, clientY }: { clientX: number; clientY: number }): { x: number; y: number } {
    const box = this.renderRoot.querySelector('.room')?.getBoundingClientRect();
    if (box === undefined) return { x: 0, y: 0 };
    return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
  }

  readonly #onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    this.#become(zoomedAt(this.zoom, Math.exp(-event.deltaY / 400), this.#fromMiddle(event)));
  };

  readonly #onDouble = (event: MouseEvent): void => {
    const factor = this.zoom.scale > 1.05 ? 1 / MAX_SCALE : 3;
    this.#become(zoomedAt(this.zoom, factor, this.#fromMiddle(event)));
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const { scale, x, y } = this.zoom;
    const moves: Readonly<Record<string, Zoom>> = {
      '+': zoomedAt(this.zoom, STEP, { x: 0, y: 0 }),
      '=': zoomedAt(this.zoom, STEP, { x: 0, y: 0 }),
      '-': zoomedAt(this.zoom, 1 / STEP, { x: 0, y: 0 }),
      '0': FITTED,
      ArrowLeft: { scale, x: x + PAN_PX, y },
      ArrowRight: { scale, x: x - PAN_PX, y },
      ArrowUp: { scale, x, y: y + PAN_PX },
      ArrowDown: { scale, x, y: y - PAN_PX },
    };
    const next = moves[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#become(next);
  };

  readonly #onDown = (event: PointerEvent): void => {
    if (this.#fingers.size >= 2) return;
    this.#fingers.set(event.pointerId, this.#fromMiddle(event));
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
  };

  readonly #onMove = (event: PointerEvent): void => {
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.#fromMiddle(event);
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.#fingers.set(event.pointerId, now);
    const { scale, x, y } = this.zoom;
    if (other === undefined) {
      this.#become({ scale, x: x + now.x - before.x, y: y + now.y - before.y });
      return;
    }
    const span = (a: { x: number; y: number }): number => Math.hypot(a.x - other.x, a.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.#become(zoomedAt(this.zoom, span(now) / Math.max(1, span(before)), middle));
  };

  readonly #onUp = (event: PointerEvent): void => {
    this.#fingers.delete(event.pointerId);
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
    this.zoom = FITTED;
    this.#fingers.clear();
  };
}

customElements.define('tele-picture-viewer', TelePictureViewer);
