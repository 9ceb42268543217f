import type { Attachment } from '@teleconsult/protocol';
import { css, html } from 'lit';
import { byteSize } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import type { AttachmentBlobs } from '../state/attachment-blobs.ts';
import { saveBlob } from '../state/blob-url.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

type FileAttachment = Extract<Attachment, { kind: 'file' }>;

/** A file of the thread: what it is called, how large it is, and a press to keep it. */
export class TeleFile extends TeleElement {
  static override properties = {
    blobs: { attribute: false },
    attachment: { attribute: false },
    loading: { state: true },
  };
  declare blobs: AttachmentBlobs;
  declare attachment: FileAttachment;
  declare private loading: boolean;

  static override styles = [
    common,
    css`
      :host {
        display: block;
      }
      button {
        display: flex;
        align-items: center;
        gap: 12px;
        width: 100%;
        min-width: min(240px, 60vw);
        min-height: 56px;
        padding: 8px 12px 8px 8px;
        border: 0;
        border-radius: 14px;
        background: color-mix(in srgb, var(--text) 6%, transparent);
        color: var(--text);
        font: inherit;
        text-align: start;
        cursor: pointer;
      }
      .badge {
        display: grid;
        place-items: center;
        width: 40px;
        height: 40px;
        border-radius: 10px;
        background: var(--primary);
        color: var(--on-primary);
        flex: none;
      }
      .what {
        flex: 1;
        min-width: 0;
      }
      .name {
        display: block;
        overflow-wrap: anywhere;
        font-weight: 600;
        font-size: 0.9375rem;
        line-height: 1.35;
      }
      .size {
        color: var(--text-2);
        font-size: 0.8125rem;
      }
      .turning {
        animation: turn 1.2s linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(360deg);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.loading = false;
  }

  override render() {
    const { fileName } = this.attachment;
    const size = byteSize(this.attachment.byteSize);
    return html`<button
      type="button"
      data-testid="file-download"
      aria-busy=${this.loading}
      @click=${() => void this.#download()}
    >
      <span class="badge">${icons.file()}</span>
      <span class="what"><span class="visually-hidden">${this.words.file.download}</span>
        <span class="name">${fileName}</span> <span class="size">${size}</span></span>
      <span class=${this.loading ? 'turning' : ''}>${this.loading ? icons.retry(20) : icons.download(20)}</span>
    </button>`;
  }

  async #download(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    await this.attempt(async () => {
      const blob = await this.blobs.get(this.attachment.attachmentId, 'original');
      saveBlob(blob, this.attachment.fileName);
    });
    this.loading = false;
  }
}

customElements.define('tele-file', TeleFile);
