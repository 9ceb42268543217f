import type { MessageEntry } from '@teleconsult/protocol';
import { html, type TemplateResult } from 'lit';
import { moment, timeOfDay } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { followSwipe } from '../state/swipe.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { bubble } from '../styles/bubble.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import './tele-file.ts';
import './tele-form-card.ts';
import './tele-picture.ts';
import './tele-quote.ts';
import './tele-ticks.ts';
import './tele-voice-player.ts';

/** One message of the thread. Tells `tele-message-menu` and, on a swipe, `tele-reply`, both with the message. */
export class TeleEntry extends TeleElement {
  static override properties = {
    model: { attribute: false },
    entry: { attribute: false },
    revision: { attribute: false },
    group: { type: Boolean, reflect: true },
    own: { type: Boolean, reflect: true },
  };
  declare model: VisitModel;
  declare entry: MessageEntry;
  /** Of the model: rendered again when it rises. */
  declare revision: number;
  /** The first of its sender's run: the name stands above it. */
  declare group: boolean;
  declare own: boolean;

  #onTouch: ((event: PointerEvent) => void) | null = null;

  static override styles = [common, bubble];

  override render() {
    const { entry, own, model } = this;
    const name = model.nameOf(entry.by);
    if (entry.content.type === 'withdrawn') return this.#tombstone(entry.content.how);
    const isMedia = entry.content.type !== 'text';
    return html`
      <p class=${this.group && !own ? 'name' : 'visually-hidden'}>${name}${this.#role()}</p>
      <div class="row" @pointerdown=${this.#swipe}>
        <div class="bubble ${isMedia ? 'media' : ''}">
          ${this.#quote()} ${this.#content(name)}
          <div class="foot">
            <time datetime=${new Date(entry.at).toISOString()} title=${moment(entry.at)}>${timeOfDay(entry.at)}</time>
            ${own ? html`<tele-ticks .delivery=${model.deliveryOf(entry.sequence)}></tele-ticks>` : null}
          </div>
        </div>
        <button
          class="menu"
          type="button"
          data-testid="message-menu"
          aria-haspopup="dialog"
          aria-label=${this.words.thread.menu(name)}
          @click=${() => this.tell('tele-message-menu', entry)}
        >
          ${icons.more(18)}
        </button>
      </div>
    `;
  }

  /** Among more than two it matters as what somebody speaks. */
  #role(): string {
    const person = this.model.view.participants.find(({ personId }) => personId === this.entry.by);
    return this.model.isGroup && person !== undefined ? ` · ${this.words.role[person.role]}` : '';
  }

  #tombstone(how: 'recalled' | 'removed'): TemplateResult {
    const { thread } = this.words;
    const name = this.model.nameOf(this.entry.by);
    const text = how === 'recalled' && this.own ? thread.withdrawnOwn : thread.withdrawn[how];
    return html`<p class=${this.group && !this.own ? 'name' : 'visually-hidden'}>${name}${this.#role()}</p>
      <p class="tombstone" data-testid="tombstone">${icons.undo(15)}${text}</p>`;
  }

  #quote(): TemplateResult | null {
    const { replyTo } = this.entry;
    if (replyTo === undefined) return null;
    const target = this.model.window.find(replyTo);
    const message = target?.kind === 'message.sent' ? target : null;
    return html`<tele-quote
      sequence=${replyTo}
      sender=${message === null ? this.words.thread.menuTitle : this.model.nameOf(message.by)}
      .content=${message?.content ?? null}
    ></tele-quote>`;
  }

  #content(name: string): TemplateResult | null {
    const { content } = this.entry;
    const { blobs } = this.model;
    switch (content.type) {
      case 'text':
        return html`<span class="text">${content.text}</span>`;
      case 'form':
        return html`<tele-form-card .form=${content.form} .blobs=${blobs} .sender=${name}></tele-form-card>`;
      case 'withdrawn':
        return null;
      case 'voice':
        return content.attachment.kind === 'voice' ? this.#voice(content.attachment, name) : null;
      case 'image':
      case 'file':
        return this.#attachment(content, name);
      default: {
        const unreachable: never = content;
        return unreachable;
      }
    }
  }

  #voice(attachment: unknown, name: string): TemplateResult {
    const words = this.model.transcripts.get(this.entry.sequence);
    return html`<tele-voice-player .blobs=${this.model.blobs} .attachment=${attachment} .sender=${name}></tele-voice-player>
      ${words === undefined ? null : html`<p class="text transcript" data-testid="transcript"><span class="visually-hidden">${this.words.thread.transcript}: </span>${words}</p>`}`;
  }

  #attachment(
    content: Extract<MessageEntry['content'], { type: 'image' | 'file' }>,
    name: string,
  ): TemplateResult {
    const { blobs } = this.model;
    const { attachment, caption } = content;
    const shown =
      attachment.kind === 'image'
        ? html`<tele-picture
            .blobs=${blobs}
            .attachment=${attachment}
            .sender=${name}
            .caption=${caption ?? ''}
          ></tele-picture>`
        : html`<tele-file .blobs=${blobs} .attachment=${attachment}></tele-file>`;
    return html`${shown}${caption === undefined ? null : html`<p class="text">${caption}</p>`}`;
  }

  readonly #swipe = (event: PointerEvent): void => {
    const row = event.currentTarget;
    if (!(row instanceof HTMLElement) || this.model.view.phase === 'ended') return;
    this.#onTouch ??= followSwipe({ element: row, onSwipe: () => this.tell('tele-reply', this.entry) });
    this.#onTouch(event);
  };
}

customElements.define('tele-entry', TeleEntry);
