import type { Dictation } from '@teleconsult/client-sdk/records';
import { css, html } from 'lit';
import { clock, duration } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { Ticker } from '../state/ticker.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/**
 * A dictation of this device that runs, was interrupted or is on its way, above whichever visit is shown: a microphone
 * that listens is never out of sight. Tells `tele-show-notes` with its consultation.
 */
export class TeleDictationBar extends TeleElement {
  static override properties = { model: { attribute: false } };
  declare model: VisitModel;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
        background: var(--stage);
        color: var(--stage-text);
      }
      section {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 10px;
        min-height: 52px;
        padding: 4px 10px 4px 16px;
      }
      .what {
        display: flex;
        flex: 1 1 190px;
        align-items: center;
        gap: 10px;
        min-width: 0;
        font-size: 0.875rem;
        line-height: 1.4;
      }
      .what small {
        display: block;
        color: var(--stage-text-2);
        font-size: 0.8125rem;
      }
      .recording svg {
        color: #ff5247;
      }
      .time {
        font-variant-numeric: tabular-nums;
      }
      button {
        min-height: 44px;
        padding: 0 14px;
        border-color: transparent;
        background: var(--stage-3);
        color: var(--stage-text);
        font-size: 0.875rem;
      }
      button:hover:not(:disabled) {
        background: var(--stage-3);
        filter: brightness(1.15);
      }
      :focus-visible {
        outline-color: #8ab8ff;
      }
    `,
  ];

  constructor() {
    super();
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    new Ticker(this, { everyMs: 500, running: () => this.model.dictation?.state === 'recording' });
  }

  override render() {
    const { dictation } = this.model;
    if (dictation === null) return null;
    const { dictation: words } = recordsWords();
    const { state } = dictation;
    const isRunning = state === 'recording' || state === 'paused';
    return html`<section aria-label=${words.barFor(this.model.other?.displayName ?? '')} data-testid="dictation-bar" data-state=${state}>
      <div class="what ${state}">${icons.microphone(20)}<span>${this.#words(dictation)}</span></div>
      ${
        isRunning
          ? html`<button type="button" data-testid="dictation-bar-pause" @click=${() => this.#toggle(dictation)}>
              ${state === 'recording' ? words.pause : words.resume}
            </button>`
          : null
      }
      <button type="button" data-testid="dictation-bar-show" @click=${() => this.tell('tele-show-notes', this.model.view.consultationId)}>
        ${words.show}
      </button>
    </section>`;
  }

  #words({ state, durationMs }: Dictation): unknown {
    const { dictation: words } = recordsWords();
    const name = words.barFor(this.model.other?.displayName ?? '');
    switch (state) {
      case 'recording':
        return html`<strong>${name}</strong> <span class="time">${clock(durationMs)}</span>`;
      case 'paused':
        return html`<strong>${name}</strong><small>${words.paused}, ${duration(durationMs)}</small>`;
      case 'interrupted':
        return html`<strong>${words.interrupted}</strong><small>${name}, ${duration(durationMs)}</small>`;
      case 'finishing':
        return html`<strong>${words.finishing}</strong><small>${name}</small>`;
      case 'failed':
        return html`<strong>${words.failed}</strong><small>${name}</small>`;
      case 'finished':
        return null;
      default: {
        const unreachable: never = state;
        return unreachable;
      }
    }
  }

  #toggle(dictation: Dictation): void {
    if (dictation.state === 'recording') dictation.pause();
    else dictation.resume();
    this.requestUpdate();
  }
}

customElements.define('tele-dictation-bar', TeleDictationBar);
