import type { OutgoingMessage } from '@teleconsult/client-sdk/api';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { byteSize, percent } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { BlobUrl } from '../state/blob-url.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { bubble } from '../styles/bubble.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import './tele-quote.ts';

/** A message on its way: what it is, how far it is, and what can be done when it failed. */
export class TeleOutgoing extends TeleElement {
  static override properties = {
    model: { attribute: false },
    message: { attribute: false },
    isWaiting: { attribute: false },
    own: { type: Boolean, reflect: true },
    group: { type: Boolean, reflect: true },
  };
  declare model: VisitModel;
  declare message: OutgoingMessage;
  /** There is no connection: nothing moves for now. */
  declare isWaiting: boolean;
  declare own: boolean;
  declare group: boolean;

  readonly #preview = new BlobUrl();

  static override styles = [
    common,
    buttons,
    bubble,
    css`
      .bubble {
        border: 1px dashed var(--line-strong);
        box-shadow: none;
      }
      .failed {
        border: 1px solid var(--danger);
      }
      img {
        display: block;
        max-width: min(264px, 60vw);
        max-height: 240px;
        border-radius: 14px;
      }
      .thing {
        display: flex;
        align-items: center;
        gap: 10px;
        min-width: min(200px, 56vw);
        padding: 8px 10px;
        font-size: 0.9375rem;
        overflow-wrap: anywhere;
      }
      .thing small {
        display: block;
        color: var(--text-2);
        font-size: 0.8125rem;
      }
      progress {
        display: block;
        width: 100%;
        height: 4px;
        margin: 6px 0 2px;
        border: 0;
        border-radius: 2px;
        background: color-mix(in srgb, var(--text) 14%, transparent);
        appearance: none;
        overflow: hidden;
      }
      progress::-webkit-progress-bar {
        background: transparent;
      }
      progress::-webkit-progress-value {
        background: var(--primary);
        transition: width 200ms;
      }
      progress::-moz-progress-bar {
        background: var(--primary);
      }
      .media progress {
        width: calc(100% - 16px);
        margin: 6px 8px 2px;
      }
      .problem {
        max-width: min(86%, 520px);
        padding: 6px 4px 0;
        color: var(--danger);
        font-size: 0.8125rem;
        text-align: end;
      }
      .problem p {
        overflow-wrap: anywhere;
      }
      .problem small {
        color: var(--text-2);
        font-size: 0.75rem;
      }
      .actions {
        display: flex;
        justify-content: flex-end;
        gap: 4px;
      }
      .actions button {
        padding: 0 12px;
        font-size: 0.875rem;
      }
    `,
  ];

  constructor() {
    super();
    this.isWaiting = false;
    this.own = true;
    this.group = true;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate('message');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#preview.clear();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { draft } = this.message;
    const before = changed.get('message')?.draft;
    if (draft.type !== 'image') this.#preview.clear();
    else if (this.#preview.value === null || before?.type !== 'image' || before.data !== draft.data)
      this.#preview.show(draft.data);
  }

  override render() {
    const { state, progress, draft } = this.message;
    const { outgoing } = this.words;
    const isMedia = draft.type !== 'text';
    return html`<p class="visually-hidden">${this.words.you}. ${outgoing.label}.</p>
      <div class="bubble ${isMedia ? 'media' : ''} ${state}">
        ${this.#quote()} ${this.#content()}
        ${
          state === 'uploading'
            ? html`<progress max="1" .value=${progress} aria-label=${outgoing.uploading(percent(progress))}></progress>`
            : null
        }
        <div class="foot">
          ${state === 'failed' ? icons.alert(14) : state === 'sent' ? icons.check(14) : icons.clock(14)}
          <span>${this.#state()}</span>
        </div>
      </div>
      ${state === 'failed' ? this.#problem() : null}`;
  }

  #state(): string {
    const { state, progress } = this.message;
    const { outgoing } = this.words;
    if (this.isWaiting && (state === 'uploading' || state === 'sending')) return outgoing.waiting;
    return state === 'uploading' ? outgoing.uploading(percent(progress)) : outgoing[state];
  }

  #quote(): TemplateResult | null {
    const { replyTo } = this.message;
    if (replyTo === null) return null;
    const target = this.model.window.find(replyTo);
    if (target?.kind !== 'message.sent') return null;
    return html`<tele-quote
      sequence=${replyTo}
      sender=${this.model.nameOf(target.by)}
      .content=${target.content}
    ></tele-quote>`;
  }

  #content(): TemplateResult {
    const { draft } = this.message;
    const words = this.words;
    if (draft.type === 'text') return html`<span class="text">${draft.text}</span>`;
    const caption =
      'caption' in draft && draft.caption !== undefined ? html`<p class="text">${draft.caption}</p>` : null;
    if (draft.type === 'image')
      return html`<img alt=${words.picture.uploading} src=${this.#preview.value ?? ''} />${caption}`;
    if (draft.type === 'form') return this.#form(draft);
    const name = draft.type === 'file' ? draft.fileName : words.voice.own;
    return html`<div class="thing">
        ${draft.type === 'file' ? icons.file() : icons.microphone()}
        <span>${name}<small>${byteSize(draft.data.size)}</small></span>
      </div>
      ${caption}`;
  }

  #form(draft: Extract<OutgoingMessage['draft'], { type: 'form' }>): TemplateResult {
    const bytes = draft.attachments.reduce((sum, { data }) => sum + data.size, 0);
    return html`<div class="thing">
      ${icons.clipboard()}
      <span>${this.words.form.sending}${bytes === 0 ? null : html`<small>${byteSize(bytes)}</small>`}</span>
    </div>`;
  }

  #problem(): TemplateResult {
    const { error, clientMessageId } = this.message;
    const { visit } = this.model;
    return html`<div class="problem">
      <p>${error === null ? this.words.outgoing.failed : this.words.errors[error.code]}</p>
      ${error?.requestId === undefined ? null : html`<small>${this.words.requestId(error.requestId)}</small>`}
      <div class="actions">
        <button type="button" class="quiet" data-testid="outgoing-discard" @click=${() => visit.discard(clientMessageId)}>
          ${this.words.discard}
        </button>
        <button
          type="button"
          class="quiet"
          data-testid="outgoing-retry"
          @click=${() => void visit.retry(clientMessageId).catch(() => undefined)}
        >
          ${icons.retry(18)}${this.words.retry}
        </button>
      </div>
    </div>`;
  }
}

customElements.define('tele-outgoing', TeleOutgoing);
