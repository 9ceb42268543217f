import { type Phone, type PhoneBindingView, telLink } from '@teleconsult/client-sdk/phone';
import { css, html, type TemplateResult } from 'lit';
import { clock, moment } from '../i18n/format.ts';
import { language } from '../i18n/language.ts';
import { phoneWords } from '../i18n/phone.ts';
import * as icons from '../icons.ts';
import { saveBlob } from '../state/blob-url.ts';
import { phoneNumber } from '../state/phone-number.ts';
import { whoCalls } from '../state/phone-standing.ts';
import { Ticker } from '../state/ticker.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** The relay number of a visit: large, to be called and saved, with the call that runs through it. */
export class TelePhoneNumber extends TeleElement {
  static override properties = {
    model: { attribute: false },
    phone: { attribute: false },
    binding: { attribute: false },
    number: { attribute: false },
    other: { attribute: false },
  };
  declare model: VisitModel;
  declare phone: Phone;
  declare binding: PhoneBindingView;
  declare number: string;
  /** Name of the other of the two. */
  declare other: string;

  /** Since when they talk, by this device's clock, which counts where the answer was seen: a cheap one is minutes off. */
  #talk: { readonly phoneCallId: string; readonly since: number | null } | null = null;

  static override styles = [
    common,
    buttons,
    css`
      .card {
        display: grid;
        gap: 10px;
        margin-top: 14px;
        padding: 16px;
        border: 1px solid var(--line);
        border-radius: var(--radius-3);
        background: var(--bg);
      }
      h3 {
        color: var(--text-2);
        font-weight: 600;
        font-size: 0.875rem;
      }
      .number {
        font-weight: 700;
        font-size: clamp(1.25rem, 6.4vw, 1.875rem);
        font-variant-numeric: tabular-nums;
        line-height: 1.25;
        overflow-wrap: anywhere;
        user-select: all;
      }
      .acts {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .acts > * {
        flex: 1 1 140px;
      }
      .old {
        flex: 1 1 100%;
        min-height: 36px;
        font-size: 0.8125rem;
      }
      .meta {
        color: var(--text-2);
        font-size: 0.875rem;
        line-height: 1.45;
        overflow-wrap: anywhere;
      }
      .told,
      .now {
        display: flex;
        gap: 8px;
        padding: 10px 12px;
        border-radius: var(--radius-2);
        font-size: 0.875rem;
        line-height: 1.45;
      }
      .told {
        background: var(--warn-soft);
        color: var(--warn);
      }
      .now {
        background: var(--ok-soft);
        color: var(--ok);
        font-weight: 600;
      }
      .now time {
        margin-inline-start: auto;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  constructor() {
    super();
    new Ticker(this, { everyMs: 1000, running: () => this.binding.call?.state === 'talking' });
  }

  /** For the keyboard, as soon as the number is there. */
  focusFirst(): void {
    this.renderRoot.querySelector<HTMLElement>('.acts > :first-child')?.focus();
  }

  protected override willUpdate(): void {
    const { call } = this.binding;
    if (call === null) this.#talk = null;
    else if (call.state === 'ringing') this.#talk = { phoneCallId: call.phoneCallId, since: null };
    else if (this.#talk?.phoneCallId !== call.phoneCallId)
      this.#talk = { phoneCallId: call.phoneCallId, since: Math.min(Date.now(), call.since) };
    else this.#talk = { ...this.#talk, since: this.#talk.since ?? Date.now() };
  }

  override render() {
    const words = phoneWords();
    const { number, binding, other } = this;
    const shown = phoneNumber(number);
    const who = whoCalls(binding, this.model.self?.role === 'doctor');
    return html`<section class="card" aria-labelledby="label" data-testid="phone-number">
      <h3 id="label">${words.number}</h3>
      <p class="number" data-testid="phone-relay">${shown}</p>
      ${this.#running()}
      ${binding.recorded ? html`<p class="told" data-testid="phone-recorded">${icons.microphone(18)}<span>${words.recorded}</span></p>` : html`<p class="meta" data-testid="phone-not-recorded">${words.notRecorded}</p>`}
      <div class="acts">
        ${
          who === 'other'
            ? null
            : html`<a class="button primary" data-testid="phone-call" href=${telLink(number)} aria-label=${`${words.call} ${shown}`}>${icons.phone(20)}${words.call}</a>`
        }
        <button type="button" data-testid="phone-save" @click=${() => this.#save('4.0')}>${icons.download(20)}${words.save}</button>
        <button type="button" class="quiet old" data-testid="phone-save-old" @click=${() => this.#save('3.0')}>${words.saveOld}</button>
      </div>
      ${who === 'other' ? null : html`<p class="meta" data-testid="phone-call-from">${words.callFrom}</p>`}
      ${who === 'both' ? null : html`<p class="meta">${who === 'other' ? words.onlyOtherCalls(other) : words.onlyYouCall(other)}</p>`}
      <p class="meta" data-testid="phone-valid">${words.validUntil(moment(binding.expiresAt))}</p>
      <div class="acts"><slot></slot></div>
    </section>`;
  }

  /** The live region is always there, so that what comes into it is read. The clock beside it is not. */
  #running(): TemplateResult {
    const { call } = this.binding;
    const isTalking = call?.state === 'talking';
    return html`<div class=${call === null ? '' : 'now'} data-testid="phone-running" data-state=${call?.state ?? 'none'}>
      ${call === null ? null : icons.phone(18)}<span role="status">${this.#runningText()}</span>
      ${isTalking ? html`<time>${clock(Date.now() - (this.#talk?.since ?? call.since))}</time>` : null}
    </div>`;
  }

  #runningText(): string {
    const { calling } = phoneWords();
    const { binding, other, model } = this;
    const { call } = binding;
    if (call === null) return '';
    if (call.state === 'ringing')
      return model.isSelf(call.caller) ? calling.ownRinging(other) : calling.otherRinging(other);
    const text = calling.talking(other);
    if (call.notRecorded !== undefined) return `${text} (${calling.notRecorded})`;
    return call.recorded ? `${text} (${calling.recorded})` : text;
  }

  #save(version: '4.0' | '3.0'): void {
    const { blob, fileName } = this.phone.contactCard(this.binding, {
      language: language() === 'en' ? 'en' : 'zh',
      version,
    });
    saveBlob(blob, fileName);
  }
}

customElements.define('tele-phone-number', TelePhoneNumber);
