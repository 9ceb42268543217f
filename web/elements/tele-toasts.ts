import { css, html } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import * as icons from '../icons.ts';
import type { Notice } from '../state/notice.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

interface Shown extends Notice {
  readonly id: number;
}

/** Long enough to read two sentences twice; errors stay longer, and resting the pointer on one keeps it. */
const INFO_MS = 7_000;
const ERROR_MS = 14_000;
const MAX_SHOWN = 3;

/** Notices above the page. One element a page; others reach it with a `tele-notice` event. */
export class TeleToasts extends TeleElement {
  static override properties = { shown: { state: true } };
  declare private shown: readonly Shown[];

  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #lastId = 0;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        position: fixed;
        z-index: 30;
        width: auto;
        height: auto;
        margin: 0;
        padding: 0;
        border: 0;
        background: none;
        overflow: visible;
        inset: calc(env(safe-area-inset-top) + 72px + var(--banner-height, 0px)) 12px auto;
        display: grid;
        justify-items: center;
        pointer-events: none;
      }
      .list {
        display: grid;
        gap: 8px;
        width: min(440px, 100%);
      }
      .toast {
        display: flex;
        align-items: flex-start;
        gap: 10px;
        padding: 12px 4px 12px 14px;
        border: 1px solid var(--line);
        border-radius: var(--radius-2);
        background: var(--surface);
        box-shadow: var(--shadow-2);
        color: var(--text);
        font-size: 0.9375rem;
        line-height: 1.45;
        pointer-events: auto;
        animation: appear 160ms ease-out;
      }
      .toast > svg {
        margin-top: 1px;
        color: var(--primary);
      }
      .toast.error > svg {
        color: var(--danger);
      }
      .text {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      small {
        display: block;
        margin-top: 2px;
        color: var(--text-2);
        font-size: 0.75rem;
      }
      button {
        margin: -10px 0;
      }
      @keyframes appear {
        from {
          opacity: 0;
          transform: translateY(-8px);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.shown = [];
  }

  show(notice: Notice): void {
    // The same words again replace the older ones instead of piling up.
    const others = this.shown.filter((other) => other.text !== notice.text);
    this.#lastId += 1;
    const shown = { ...notice, id: this.#lastId };
    this.shown = [...others, shown].slice(-MAX_SHOWN);
    this.#startTimer(shown);
    this.#rise();
  }

  /** Above an open dialog, too: dialogs are in the top layer, where whatever came last is uppermost. */
  #rise(): void {
    if (!('popover' in this)) return;
    this.popover = 'manual';
    if (this.matches(':popover-open')) this.hidePopover();
    this.showPopover();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  override render() {
    return html`<section aria-label=${this.words.toast.region}>
      <div class="list" role="status" aria-relevant="additions">
        ${repeat(
          this.shown,
          ({ id }) => id,
          (notice) => html`<div
            class="toast ${notice.tone}"
            @pointerenter=${() => this.#stopTimer(notice.id)}
            @pointerleave=${() => this.#startTimer(notice)}
          >
            ${notice.tone === 'error' ? icons.alert() : icons.info()}
            <div class="text">
              ${notice.text}
              ${notice.requestId === undefined ? null : html`<small>${this.words.requestId(notice.requestId)}</small>`}
            </div>
            <button
              class="icon"
              type="button"
              aria-label=${this.words.toast.dismiss}
              @click=${() => this.#dismiss(notice.id)}
            >
              ${icons.close(18)}
            </button>
          </div>`,
        )}
      </div>
    </section>`;
  }

  #startTimer(notice: Shown): void {
    this.#stopTimer(notice.id);
    const waitMs = notice.tone === 'error' ? ERROR_MS : INFO_MS;
    this.#timers.set(
      notice.id,
      setTimeout(() => this.#dismiss(notice.id), waitMs),
    );
  }

  #stopTimer(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  #dismiss(id: number): void {
    this.#stopTimer(id);
    this.shown = this.shown.filter((notice) => notice.id !== id);
    if (this.shown.length === 0 && this.matches(':popover-open')) this.hidePopover();
  }
}

customElements.define('tele-toasts', TeleToasts);
