import type { Entry } from '@teleconsult/protocol';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { day } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { type Row, threadRows } from '../state/thread-rows.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { thread } from '../styles/thread.ts';
import './tele-entry.ts';
import './tele-event.ts';
import './tele-outgoing.ts';
import { TeleElement } from './tele-element.ts';

/** This close to the end counts as reading the newest. */
const AT_END_PX = 60;
/** This close to the top fetches what came earlier. */
const NEAR_TOP_PX = 320;

/** The thread of a consultation. It stays at the newest entry while the reader is there, and in place elsewhere. */
export class TeleThread extends TeleElement {
  static override properties = {
    model: { attribute: false },
    unseen: { state: true },
    isAtEnd: { state: true },
    isLoadingOlder: { state: true },
  };
  declare model: VisitModel;
  declare private unseen: number;
  declare private isAtEnd: boolean;
  declare private isLoadingOlder: boolean;

  /** Distance from the end that must stay the same while older entries grow above. */
  #heldFromEnd: number | null = null;
  #first: number | null = null;
  #newest = 0;
  #outgoing = 0;
  readonly #sizes = new ResizeObserver(() => this.#keepPlace());

  static override styles = [common, buttons, thread];

  constructor() {
    super();
    this.unseen = 0;
    this.isAtEnd = true;
    this.isLoadingOlder = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => {
        this.#newest = model.visit.entries.at(-1)?.sequence ?? 0;
        this.#outgoing = model.visit.outbox.length;
        return [
          model.visit.on('entries', (entries) => this.#count(entries)),
          model.visit.on('outbox', (outbox) => {
            // Whoever sends something wants to see it.
            if (outbox.length > this.#outgoing) this.#toEnd();
            this.#outgoing = outbox.length;
            update();
          }),
          model.changes.subscribe(update),
        ];
      },
    });
  }

  focusScroller(): void {
    this.#scroller?.focus({ preventScroll: true });
  }

  protected override firstUpdated(): void {
    this.#observe();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#observe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes.disconnect();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const first = this.model.visit.entries[0]?.sequence ?? null;
    if (changed.has('model')) {
      this.unseen = 0;
      this.isAtEnd = true;
      this.#heldFromEnd = null;
    } else if (first !== null && this.#first !== null && first < this.#first && !this.isAtEnd) {
      const scroller = this.#scroller;
      if (scroller !== null) this.#heldFromEnd = fromEnd(scroller);
    }
    this.#first = first;
  }

  override render() {
    const { visit } = this.model;
    const rows = threadRows(visit.entries, visit.outbox);
    const words = this.words.thread;
    return html`<section
        class="scroller"
        tabindex="0"
        aria-label=${words.label}
        data-testid="thread"
        @scroll=${this.#onScroll}
      >
        <div class="content">
          ${
            visit.hasOlder
              ? html`<button class="older quiet" type="button" data-testid="load-older" ?disabled=${this.isLoadingOlder} @click=${() => void this.#loadOlder()}>
                  ${this.isLoadingOlder ? words.loadingOlder : words.loadOlder}
                </button>`
              : null
          }
          <ol>
            ${repeat(
              rows,
              ({ key }) => key,
              (row) => this.#row(row),
            )}
          </ol>
          ${this.#hasMessages(rows) ? null : this.#empty()}
        </div>
      </section>
      ${this.isAtEnd ? null : this.#jump()}`;
  }

  #row(row: Row): TemplateResult {
    const { model } = this;
    if (row.type === 'day') return html`<li class="day"><span>${day(row.at)}</span></li>`;
    if (row.type === 'outgoing')
      return html`<li data-testid="outgoing" data-state=${row.message.state}>
        <tele-outgoing .model=${model} .message=${row.message}></tele-outgoing>
      </li>`;
    const { entry } = row;
    return html`<li data-testid="entry" data-kind=${entry.kind} data-sequence=${entry.sequence}>
      ${
        entry.kind === 'message.sent'
          ? html`<tele-entry
              .model=${model}
              .entry=${entry}
              .group=${row.startsGroup}
              .own=${model.isSelf(entry.by)}
            ></tele-entry>`
          : html`<tele-event .model=${model} .entry=${entry}></tele-event>`
      }
    </li>`;
  }

  #empty(): TemplateResult | null {
    const { view, role } = this.model;
    if (view.phase === 'ended') return null;
    const words = this.words.thread;
    return html`<div class="empty">
      ${icons.chat(30)}
      <p><strong>${words.empty}</strong></p>
      <p>${role === 'patient' ? words.emptyHint : words.emptyHintDoctor}</p>
    </div>`;
  }

  #jump(): TemplateResult {
    const words = this.words.thread;
    const hasUnseen = this.unseen > 0;
    return html`<button
      class="jump ${hasUnseen ? 'primary' : 'icon'}"
      type="button"
      data-testid="new-messages"
      aria-label=${hasUnseen ? words.newMessages(this.unseen) : words.toNewest}
      @click=${() => this.#toEnd()}
    >
      ${icons.down(18)}${hasUnseen ? words.newMessages(this.unseen) : null}
    </button>`;
  }

  readonly #onScroll = (): void => {
    const scroller = this.#scroller;
    if (scroller === null) return;
    this.isAtEnd = fromEnd(scroller) - scroller.clientHeight <= AT_END_PX;
    if (this.isAtEnd) this.unseen = 0;
    if (scroller.scrollTop < NEAR_TOP_PX) void this.#loadOlder();
  };

  async #loadOlder(): Promise<void> {
    if (this.isLoadingOlder || !this.model.visit.hasOlder) return;
    this.isLoadingOlder = true;
    await this.attempt(() => this.model.visit.loadOlder());
    this.isLoadingOlder = false;
  }

  #count(entries: readonly Entry[]): void {
    const fresh = entries.filter(({ sequence }) => sequence > this.#newest);
    this.#newest = Math.max(this.#newest, entries.at(-1)?.sequence ?? 0);
    if (!this.isAtEnd)
      this.unseen += fresh.filter(({ kind, by }) => kind === 'message.sent' && !this.model.isSelf(by)).length;
    this.requestUpdate();
  }

  #toEnd(): void {
    this.isAtEnd = true;
    this.unseen = 0;
    void this.updateComplete.then(() => this.#keepPlace());
  }

  /** Runs after layout and before painting, so nothing is seen to jump. */
  #keepPlace(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    if (this.isAtEnd) scroller.scrollTop = scroller.scrollHeight;
    else if (this.#heldFromEnd !== null) scroller.scrollTop = scroller.scrollHeight - this.#heldFromEnd;
    this.#heldFromEnd = null;
  }

  #observe(): void {
    for (const part of this.renderRoot.querySelectorAll('.scroller, .content')) this.#sizes.observe(part);
  }

  #hasMessages(rows: readonly Row[]): boolean {
    return rows.some(
      (row) => row.type === 'outgoing' || (row.type === 'entry' && row.entry.kind === 'message.sent'),
    );
  }

  get #scroller(): HTMLElement | null {
    return this.renderRoot.querySelector('.scroller');
  }
}

/** How far the top of the view is from the end of the content. */
const fromEnd = (scroller: HTMLElement): number => scroller.scrollHeight - scroller.scrollTop;

customElements.define('tele-thread', TeleThread);
