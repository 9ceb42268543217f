import type { Entry, MessageEntry } from '@teleconsult/protocol';
import { MAX_QUERY_LENGTH } from '@teleconsult/protocol/limits';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { moment } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import { snippet } from '../state/highlight.ts';
import { quoteOf } from '../state/quote.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

const PAGE = 20;
/** More than this nobody looks through; a better word is shorter. */
const MAX_MATCHES = 200;

type State =
  | { readonly name: 'idle' }
  | { readonly name: 'searching' }
  | { readonly name: 'done'; readonly nextBefore: number | null };

/** Searches in one consultation. Tells `tele-jump` with the sequence of a match, `tele-close` when it is left. */
export class TeleSearch extends TeleElement {
  static override properties = {
    model: { attribute: false },
    state: { state: true },
    found: { state: true },
    searched: { state: true },
  };
  declare model: VisitModel;
  declare private state: State;
  declare private found: readonly MessageEntry[];
  declare private searched: string;

  #asking: AbortController | null = null;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: grid;
        grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
        min-height: 0;
        background: var(--surface);
      }
      form {
        display: flex;
        align-items: center;
        gap: 4px;
        padding: 8px 8px 8px 14px;
        border-bottom: 1px solid var(--line);
      }
      input {
        flex: 1;
        min-width: 0;
        min-height: 44px;
        padding: 0 14px;
        border: 1px solid var(--line-strong);
        border-radius: 999px;
        background: var(--bg);
        color: var(--text);
        font: 1rem var(--font);
      }
      .found {
        overflow-y: auto;
        overscroll-behavior: contain;
        padding: 6px 8px 16px;
      }
      .count {
        padding: 6px 10px;
        color: var(--text-2);
        font-size: 0.8125rem;
      }
      .match {
        display: block;
        width: 100%;
        padding: 8px 10px;
        border-color: transparent;
        border-radius: 12px;
        background: none;
        font-weight: 400;
        text-align: start;
      }
      .match span {
        display: block;
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.5;
      }
      .match p {
        overflow-wrap: anywhere;
        line-height: 1.45;
      }
      mark {
        border-radius: 3px;
        background: var(--warn-soft);
        color: var(--warn);
        font-weight: 600;
      }
      .more {
        width: 100%;
      }
    `,
  ];

  constructor() {
    super();
    this.state = { name: 'idle' };
    this.found = [];
    this.searched = '';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#asking?.abort();
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector('input')?.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.get('model') === undefined) return;
    this.#asking?.abort();
    this.found = [];
    this.searched = '';
    this.state = { name: 'idle' };
  }

  override render() {
    const words = this.words.thread;
    return html`<form role="search" @submit=${this.#onSubmit} @keydown=${this.#onKey}>
        <input
          type="search"
          data-testid="search-input"
          aria-label=${words.searchTitle}
          placeholder=${words.searchFor}
          maxlength=${MAX_QUERY_LENGTH}
          enterkeyhint="search"
        />
        <button class="icon quiet" type="submit" data-testid="search-go" aria-label=${words.search}>${icons.search()}</button>
        <button class="icon" type="button" data-testid="search-close" aria-label=${this.words.close} @click=${() => this.tell('tele-close')}>
          ${icons.close()}
        </button>
      </form>
      <div class="found" data-testid="search-results" aria-busy=${this.state.name === 'searching'}>
        ${this.state.name === 'idle' ? null : html`<p class="count">${this.#count}</p>`}
        <ul>
          ${this.found.map((match) => html`<li>${this.#match(match)}</li>`)}
        </ul>
        ${this.#more()}
      </div>`;
  }

  get #count(): string {
    const words = this.words.thread;
    if (this.state.name === 'searching' && this.found.length === 0) return words.searching;
    return this.found.length === 0 ? words.searchNone : words.searchFound(this.found.length);
  }

  #match(match: MessageEntry): TemplateResult {
    const { content } = match;
    const text = content.type === 'text' ? content.text : textOf(match) || quoteOf(content);
    return html`<button
      class="match"
      type="button"
      data-testid="search-match"
      data-sequence=${match.sequence}
      @click=${() => this.tell('tele-jump', match.sequence)}
    >
      <span>${this.model.nameOf(match.by)} · ${moment(match.at)}</span>
      <p>${snippet(text, this.searched).map((piece) => (piece.isMatch ? html`<mark>${piece.text}</mark>` : piece.text))}</p>
    </button>`;
  }

  #more(): TemplateResult | null {
    const { state } = this;
    const before = state.name === 'done' ? state.nextBefore : null;
    if (before === null || this.found.length >= MAX_MATCHES) return null;
    return html`<button class="more quiet" type="button" data-testid="search-more" @click=${() => void this.#search(before)}>
      ${this.words.thread.searchMore}
    </button>`;
  }

  readonly #onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    const query = this.renderRoot.querySelector('input')?.value.trim() ?? '';
    if (query === '') return;
    this.searched = query;
    this.found = [];
    void this.#search(null);
  };

  async #search(before: number | null): Promise<void> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.state = { name: 'searching' };
    let nextBefore = before;
    await this.attempt(async () => {
      const answer = await this.model.visit.search(this.searched, {
        limit: PAGE,
        signal: asking.signal,
        ...(before === null ? {} : { beforeSequence: before }),
      });
      this.found = [...this.found, ...answer.matches.filter(isMessage)].slice(0, MAX_MATCHES);
      nextBefore = answer.nextBefore;
    });
    if (this.#asking !== asking) return;
    this.state = { name: 'done', nextBefore };
    speak(this.#count);
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') this.tell('tele-close');
  };
}

const isMessage = (entry: Entry): entry is MessageEntry => entry.kind === 'message.sent';

/** All that is written in a message: the match may be anywhere in it. */
function textOf({ content }: MessageEntry): string {
  if (content.type === 'text') return content.text;
  if (content.type === 'image') return content.caption ?? '';
  if (content.type === 'file')
    return [
      content.attachment.kind === 'file' ? content.attachment.fileName : '',
      content.caption ?? '',
    ].join(' ');
  if (content.type !== 'form') return '';
  const { chiefComplaint, symptoms = [], history, medications, allergies } = content.form;
  return [chiefComplaint, ...symptoms, history, medications, allergies].filter((part) => part).join(' · ');
}

customElements.define('tele-search', TeleSearch);
