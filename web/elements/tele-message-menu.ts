import type { MessageEntry } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { clock, moment } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { listed } from '../state/names.ts';
import { failure, information } from '../state/notice.ts';
import { quoteOf } from '../state/quote.ts';
import { recallLeftMs } from '../state/recall.ts';
import { Ticker } from '../state/ticker.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { menu } from '../styles/menu.ts';
import { TeleElement } from './tele-element.ts';

/** What can be done with one message. A sheet on phones; one for the whole thread. */
export class TeleMessageMenu extends TeleElement {
  static override properties = {
    model: { attribute: false },
    message: { state: true },
    isBusy: { state: true },
  };
  declare model: VisitModel;
  declare private message: MessageEntry | null;
  declare private isBusy: boolean;

  static override styles = [
    common,
    buttons,
    dialog,
    menu,
    css`
      .quoted {
        display: -webkit-box;
        overflow: hidden;
        overflow-wrap: anywhere;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
      }
      .when {
        margin-bottom: 10px;
        font-size: 0.8125rem;
      }
    `,
  ];

  constructor() {
    super();
    this.message = null;
    this.isBusy = false;
    // The time left to recall runs while it is looked at.
    new Ticker(this, { everyMs: 1000, running: () => this.message !== null });
  }

  open(message: MessageEntry): void {
    this.message = message;
    void this.updateComplete.then(() => this.#dialog?.showModal());
  }

  override render() {
    const { message } = this;
    return html`<dialog aria-labelledby="title" data-testid="message-dialog" @close=${this.#onClose} @click=${this.#onBackdrop}>
      ${message === null ? null : this.#menu(message)}
    </dialog>`;
  }

  #menu(message: MessageEntry): TemplateResult {
    const { thread } = this.words;
    const { model } = this;
    return html`<h2 id="title">${model.nameOf(message.by)}</h2>
      <p class="quoted">${quoteOf(message.content)}</p>
      <p class="when">${moment(message.at)}${this.#delivery(message)}</p>
      <ul class="items">
        ${model.view.phase === 'ended' ? null : this.#item('reply', thread.reply, icons.reply(), () => this.#reply(message))}
        ${message.content.type === 'text' ? this.#item('copy', thread.copy, icons.copy(), () => void this.#copy(message)) : null}
        ${
          message.content.type === 'voice' && model.canTranscribe && !model.transcripts.has(message.sequence)
            ? this.#item(
                'transcribe',
                this.isBusy ? thread.transcribing : thread.transcribe,
                icons.text(),
                () => void this.#transcribe(message),
              )
            : null
        }
        ${model.isSelf(message.by) ? this.#recall(message) : null}
      </ul>
      <div class="choices"><button type="button" data-testid="message-menu-close" @click=${this.#close}>${this.words.close}</button></div>`;
  }

  #item(id: string, text: string, icon: TemplateResult, action: () => void): TemplateResult {
    return html`<li>
      <button type="button" class="item" data-testid=${id} ?disabled=${this.isBusy} @click=${action}>${icon}<span>${text}</span></button>
    </li>`;
  }

  #recall(message: MessageEntry): TemplateResult | null {
    const { thread } = this.words;
    if (this.model.view.phase === 'ended') return null;
    const left = recallLeftMs(message, Date.now());
    if (left === 0) return html`<li><p class="over">${thread.recallOver}</p></li>`;
    return html`<li>
      <button type="button" class="item warn" data-testid="recall" ?disabled=${this.isBusy} @click=${() => void this.#takeBack(message)}>
        ${icons.undo()}<span>${thread.recall}</span><small>${thread.recallLeft(clock(left))}</small>
      </button>
    </li>`;
  }

  #delivery(message: MessageEntry): string {
    if (!this.model.isSelf(message.by)) return '';
    const { thread } = this.words;
    const { state, read, delivered, others } = this.model.deliveryOf(message.sequence);
    if (others < 2) return ` · ${thread[state]}`;
    const names = (people: typeof read): string => listed(people.map(({ displayName }) => displayName));
    const onlyDelivered = delivered.filter((person) => !read.includes(person));
    return [
      read.length > 0 ? ` · ${thread.readBy(names(read))}` : '',
      onlyDelivered.length > 0 ? ` · ${thread.deliveredTo(names(onlyDelivered))}` : '',
    ].join('');
  }

  #reply(message: MessageEntry): void {
    this.#close();
    this.tell('tele-reply', message);
  }

  async #copy({ content }: MessageEntry): Promise<void> {
    if (content.type !== 'text') return;
    const { thread } = this.words;
    try {
      await navigator.clipboard.writeText(content.text);
      this.notify(information(thread.copied));
    } catch {
      this.notify(failure(thread.copyFailed));
    }
    this.#close();
  }

  async #transcribe({ sequence }: MessageEntry): Promise<void> {
    this.isBusy = true;
    await this.attempt(() => this.model.transcribe(sequence));
    this.isBusy = false;
    this.#close();
  }

  async #takeBack({ sequence }: MessageEntry): Promise<void> {
    this.isBusy = true;
    await this.attempt(() => this.model.visit.recall(sequence));
    this.isBusy = false;
    this.#close();
  }

  readonly #close = (): void => this.#dialog?.close();

  readonly #onClose = (): void => {
    this.message = null;
  };

  readonly #onBackdrop = (event: MouseEvent): void => {
    if (event.target === this.#dialog) this.#close();
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

customElements.define('tele-message-menu', TeleMessageMenu);
