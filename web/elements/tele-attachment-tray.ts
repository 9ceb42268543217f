import { css, html, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { byteSize } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { BlobUrl } from '../state/blob-url.ts';
import type { PendingAttachment } from '../state/pending-attachment.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** What was chosen and will be sent: looked at once more, and taken out if it was the wrong one. */
export class TeleAttachmentTray extends TeleElement {
  static override properties = { attachments: { attribute: false } };
  declare attachments: readonly PendingAttachment[];

  readonly #previews = new Map<number, BlobUrl>();

  static override styles = [
    common,
    css`
      :host {
        display: block;
      }
      ul {
        display: flex;
        gap: 10px;
        padding: 12px 12px 4px;
        overflow-x: auto;
      }
      li {
        position: relative;
        flex: none;
        height: 84px;
        border: 1px solid var(--line);
        border-radius: 14px;
        background: var(--surface-2);
        overflow: hidden;
      }
      img {
        display: block;
        width: 84px;
        height: 100%;
        object-fit: cover;
      }
      .file {
        display: flex;
        align-items: center;
        gap: 10px;
        max-width: 220px;
        height: 100%;
        padding: 0 48px 0 14px;
        color: var(--text);
        font-size: 0.875rem;
        line-height: 1.35;
      }
      .file span {
        display: -webkit-box;
        overflow: hidden;
        overflow-wrap: anywhere;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
      }
      .file small {
        display: block;
        color: var(--text-2);
        font-size: 0.75rem;
      }
      button {
        position: absolute;
        top: 0;
        right: 0;
        display: grid;
        place-items: start end;
        width: 44px;
        height: 44px;
        padding: 6px;
        border: 0;
        background: none;
        cursor: pointer;
      }
      button span {
        display: grid;
        place-items: center;
        width: 24px;
        height: 24px;
        border-radius: 50%;
        background: #10181ccc;
        color: #fff;
      }
      button:focus-visible {
        outline-offset: -3px;
        border-radius: 14px;
      }
    `,
  ];

  constructor() {
    super();
    this.attachments = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const preview of this.#previews.values()) preview.clear();
    this.#previews.clear();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('attachments')) return;
    const present = new Set(this.attachments.map(({ id }) => id));
    for (const [id, preview] of this.#previews) {
      if (present.has(id)) continue;
      preview.clear();
      this.#previews.delete(id);
    }
    for (const { id, type, data } of this.attachments) {
      if (type !== 'image' || this.#previews.has(id)) continue;
      const preview = new BlobUrl();
      preview.show(data);
      this.#previews.set(id, preview);
    }
  }

  override render() {
    const { composer } = this.words;
    return html`<ul aria-label=${composer.attachments}>
      ${repeat(
        this.attachments,
        ({ id }) => id,
        ({ id, type, data, fileName }) => html`<li data-testid="pending-attachment">
          ${
            type === 'image'
              ? html`<img src=${this.#previews.get(id)?.value ?? ''} alt=${fileName} />`
              : html`<div class="file">
                  ${icons.file()}
                  <div><span>${fileName}</span><small>${byteSize(data.size)}</small></div>
                </div>`
          }
          <button type="button" aria-label=${composer.remove(fileName)} @click=${() => this.tell('tele-remove', id)}>
            <span>${icons.close(14)}</span>
          </button>
        </li>`,
      )}
    </ul>`;
  }
}

customElements.define('tele-attachment-tray', TeleAttachmentTray);
