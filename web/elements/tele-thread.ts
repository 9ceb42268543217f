import type { MessageEntry } from '@teleconsult/protocol';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { day } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { failure } from '../state/notice.ts';
import { ScrollPlace } from '../state/scroll-place.ts';
import { type Row, threadRows } from '../state/thread-rows.ts';
import { MAX_SHOWN } from '../state/thread-window.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { thread } from '../styles/thread.ts';
import './tele-entry.ts';
import './tele-event.ts';
import type { TeleMessageMenu } from './tele-message-menu.ts';
import './tele-outgoing.ts';
import { TeleElement } from './tele-element.ts';

/** This close to the end counts as reading the newest. */
const AT_END_PX = 60;
/** This close to an end of the window brings what lies beyond it. */
const NEAR_PX = 600;
/** Where a message that was jumped to comes to stand, below the top of the view. */
const JUMP_PX = 72;

/**
 * The thread of a consultation: a window of rows over a thread of any length. It stays at the newest entry while the
 * reader is there, and in place elsewhere, whatever comes, goes or loads around it.
 */
export class TeleThread extends TeleElement {
  static override properties = {
    model: { attribute: false },
    isAtEnd: { state: true },
    found: { state: true },
  };
  declare model: VisitModel;
  declare private isAtEnd: boolean;
  /** The message that was jumped to; it is marked for a moment. */
  declare private found: number | null;

  #place: ScrollPlace | null = null;
  #outgoing = 0;
  /** What to look at after the next rendering. */
  #lookAt: number | 'unread' | 'start' | null = null;
  /** Rows changed, and the place was not restored since. */
  #isUnsettled = false;
  readonly #sizes = new ResizeObserver(() => this.#keepPlace());

  static override styles = [common, buttons, thread];

  constructor() {
    super();
    this.isAtEnd = true;
    this.found = null;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => {
        this.#outgoing = model.visit.outbox.length;
        return [
          model.visit.on('outbox', (outbox) => {
            // Whoever sends something wants to see it.
            if (outbox.length > this.#outgoing) {
              model.unreadAfter = null;
              this.#toEnd();
            }
            this.#outgoing = outbox.length;
            update();
          }),
          model.changes.subscribe(update),
          model.window.changes.subscribe(update),
        ];
      },
    });
  }

  focusScroller(): void {
    this.#scroller?.focus({ preventScroll: true });
  }

  /** Brings a message into view, wherever in the thread it is. */
  async jumpTo(sequence: number): Promise<void> {
    const { window: shown } = this.model;
    const went = await this.attempt(async () => {
      if (!(await shown.jumpTo(sequence))) this.notify(failure(this.words.thread.jumpFailed));
    });
    if (!went || !shown.holds(sequence)) return;
    this.isAtEnd = false;
    this.model.isReaderAtEnd = false;
    this.found = sequence;
    this.#lookAt = sequence;
    this.requestUpdate();
  }

  async toBeginning(): Promise<void> {
    const went = await this.attempt(() => this.model.window.toBeginning());
    if (!went) return;
    this.isAtEnd = false;
    this.model.isReaderAtEnd = false;
    this.#lookAt = 'start';
    this.requestUpdate();
  }

  protected override firstUpdated(): void {
    this.#observe();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#onVisible);
    if (this.hasUpdated) this.#observe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.#sizes.disconnect();
    // Nobody looks: the window follows the newest again.
    this.model.isReaderAtEnd = true;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('model')) this.#begin();
  }

  override render() {
    const { visit, window: shown, unreadAfter } = this.model;
    // What is on its way stands after the newest entry, and is not seen from further up.
    const outbox = shown.hasNewer ? [] : visit.outbox;
    const rows = threadRows({ entries: shown.entries, outbox, unreadAfter });
    const words = this.words.thread;
    return html`<section
        class="scroller"
        tabindex="0"
        aria-label=${words.label}
        aria-busy=${shown.moving !== null}
        data-testid="thread"
        @scroll=${this.#onScroll}
        @tele-message-menu=${(event: CustomEvent<MessageEntry>) => void this.#openMenu(event.detail)}
        @tele-reply=${this.#onReply}
        @tele-jump=${(event: CustomEvent<number>) => void this.jumpTo(event.detail)}
      >
        <div class="content">
          ${shown.hasOlder ? this.#more('older') : null}
          <ol>
            ${repeat(
              rows,
              ({ key }) => key,
              (row) => this.#row(row),
            )}
          </ol>
          ${shown.hasNewer ? this.#more('newer') : null} ${this.#hasMessages(rows) ? null : this.#empty()}
        </div>
      </section>
      ${this.isAtEnd && !shown.hasNewer ? null : this.#jump()}
      <tele-message-menu .model=${this.model} @tele-reply=${this.#onReply}></tele-message-menu>`;
  }

  protected override updated(): void {
    const place = this.#place;
    const lookAt = this.#lookAt;
    this.#lookAt = null;
    if (place === null) return;
    if (lookAt === 'start') {
      if (this.#scroller !== null) this.#scroller.scrollTop = 0;
      place.note();
    } else if (lookAt !== null) {
      const wanted = lookAt === 'unread' ? '.unread' : `[data-sequence="${lookAt}"]`;
      const row = this.renderRoot.querySelector(wanted);
      if (row !== null) place.hold(row, JUMP_PX);
    }
    this.#isUnsettled = true;
    // Rows lay themselves out after this; their growth is seen by the observer, an equal exchange is not.
    requestAnimationFrame(() => this.#keepPlace());
  }

  /** A thread begins where the unread messages do, otherwise at its end. */
  #begin(): void {
    const { model } = this;
    const { unread, read } = model.visit.unread;
    model.unreadAfter = unread > 0 ? read : null;
    this.isAtEnd = unread === 0;
    this.found = null;
    model.isReaderAtEnd = this.isAtEnd;
    if (unread > 0) this.#lookAt = 'unread';
    if (unread > 0 && !model.window.holds(read + 1)) void this.#toUnread(read + 1);
  }

  async #toUnread(sequence: number): Promise<void> {
    await this.attempt(() => this.model.window.jumpTo(sequence));
    this.#lookAt = 'unread';
    this.requestUpdate();
  }

  #more(which: 'older' | 'newer'): TemplateResult {
    const words = this.words.thread;
    const { moving } = this.model.window;
    const text = which === 'older' ? words.loadOlder : words.loadNewer;
    return html`<button
      class="more quiet"
      type="button"
      data-testid=${`load-${which}`}
      ?disabled=${moving !== null}
      @click=${() => void this.#load(which)}
    >
      ${moving === which ? this.words.loading : text}
    </button>`;
  }

  #row(row: Row): TemplateResult {
    const { model } = this;
    switch (row.type) {
      case 'day':
        return html`<li class="day"><span>${day(row.at)}</span></li>`;
      case 'unread':
        return html`<li class="unread" data-testid="unread-line"><span>${this.words.thread.unread}</span></li>`;
      case 'moreOutgoing':
        return html`<li class="day"><span>${this.words.outgoing.more(row.count)}</span></li>`;
      case 'outgoing':
        return html`<li data-holds data-testid="outgoing" data-state=${row.message.state}>
          <tele-outgoing .model=${model} .message=${row.message} .isWaiting=${!model.isConnected}></tele-outgoing>
        </li>`;
      case 'entry':
        return this.#entry(row);
      default: {
        const unreachable: never = row;
        return unreachable;
      }
    }
  }

  #entry({ entry, startsGroup }: Extract<Row, { type: 'entry' }>): TemplateResult {
    const { model } = this;
    return html`<li
      data-holds
      data-testid="entry"
      data-kind=${entry.kind}
      data-sequence=${entry.sequence}
      class=${entry.sequence === this.found ? 'found' : ''}
    >
      ${
        entry.kind === 'message.sent'
          ? html`<tele-entry
              .model=${model}
              .entry=${entry}
              .revision=${model.revision}
              .group=${startsGroup}
              .own=${model.isSelf(entry.by)}
            ></tele-entry>`
          : html`<tele-event .model=${model} .entry=${entry}></tele-event>`
      }
    </li>`;
  }

  #empty(): TemplateResult | null {
    const { view, self } = this.model;
    if (view.phase === 'ended') return null;
    const words = this.words.thread;
    return html`<div class="empty">
      ${icons.chat(30)}
      <p><strong>${words.empty}</strong></p>
      <p>${self?.role === 'patient' ? words.emptyHint : words.emptyHintDoctor}</p>
    </div>`;
  }

  #jump(): TemplateResult {
    const words = this.words.thread;
    const { unread } = this.model;
    return html`<button
      class="jump ${unread > 0 ? 'primary' : 'icon'}"
      type="button"
      data-testid="new-messages"
      aria-label=${unread > 0 ? words.newMessages(unread) : words.toNewest}
      @click=${() => this.#toEnd()}
    >
      ${icons.down(18)}${unread > 0 ? words.newMessages(unread) : null}
    </button>`;
  }

  async #openMenu(message: MessageEntry): Promise<void> {
    if (await this.fetched(() => import('./tele-message-menu.ts'))) this.#menu?.open(message);
  }

  readonly #onReply = (event: CustomEvent<MessageEntry>): void => this.model.answer(event.detail);

  readonly #onScroll = (): void => {
    const place = this.#place;
    if (place === null) return;
    const { window: shown } = this.model;
    const stays = this.isAtEnd && place.staysAtEnd;
    this.isAtEnd = !shown.hasNewer && (stays || place.belowPx <= AT_END_PX);
    this.model.isReaderAtEnd = this.isAtEnd;
    if (this.#isUnsettled && !this.isAtEnd) place.restoreScrolled();
    place.note();
    this.#mark();
    if (place.abovePx < NEAR_PX && shown.hasOlder) void this.#load('older');
    else if (place.belowPx < NEAR_PX && shown.hasNewer) void this.#load('newer');
  };

  async #load(which: 'older' | 'newer'): Promise<void> {
    if (this.model.window.moving !== null) return;
    await this.attempt(() => this.model.window[which]());
  }

  #toEnd(): void {
    this.isAtEnd = true;
    this.found = null;
    this.model.isReaderAtEnd = true;
    this.model.window.toNewest();
    void this.updateComplete.then(() => this.#keepPlace());
  }

  /** Runs after layout and before painting, so nothing is seen to jump. */
  #keepPlace(): void {
    const place = this.#place;
    if (place === null || !this.isConnected) return;
    this.#isUnsettled = false;
    if (this.isAtEnd) place.toEnd();
    else {
      place.restore();
      this.isAtEnd = !this.model.window.hasNewer && place.belowPx <= AT_END_PX;
      this.model.isReaderAtEnd = this.isAtEnd;
    }
    this.#mark();
    const { window: shown } = this.model;
    const isShort = place.abovePx + place.belowPx < NEAR_PX && shown.entries.length < MAX_SHOWN;
    // Too little to scroll in, so no scrolling will ask for more.
    if (isShort && shown.hasOlder) void this.#load('older');
  }

  /** What was in view has been read. */
  #mark(): void {
    // What stands there until a jump has arrived is not what the reader came for.
    if (this.model.window.moving === 'jump') return;
    const sequence = Number(this.#place?.lastSeen?.getAttribute('data-sequence') ?? 0);
    const newest = this.model.window.entries.at(-1)?.sequence ?? 0;
    if (this.isAtEnd) this.model.markRead(newest);
    else if (sequence > 0) this.model.markRead(sequence);
  }

  readonly #onVisible = (): void => {
    if (!document.hidden) this.#mark();
  };

  #observe(): void {
    const [scroller, list] = [this.#scroller, this.renderRoot.querySelector('ol')];
    if (scroller === null || list === null) return;
    this.#place = new ScrollPlace(scroller, list);
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

  get #menu(): TeleMessageMenu | null {
    return this.renderRoot.querySelector('tele-message-menu');
  }
}

customElements.define('tele-thread', TeleThread);
