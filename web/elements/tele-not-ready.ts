import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { AppError } from '@teleconsult/protocol/errors';
import { css, html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import { plain } from '../styles/app.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-connection.ts';
import { TeleElement } from './tele-element.ts';
import './tele-language.ts';
import './tele-message-page.ts';

export type WaitingStage =
  | { readonly name: 'missingLink' }
  | { readonly name: 'loading' }
  | { readonly name: 'failed'; readonly error: AppError };

/** The page before it has something to show: it loads, failed, or was opened without a link. Tells `tele-retry`. */
export class TeleNotReady extends TeleElement {
  static override properties = {
    stage: { attribute: false },
    client: { attribute: false },
    isInvited: { attribute: false },
  };
  declare stage: WaitingStage;
  declare client: TeleconsultClient | null;
  /** An invitation waits for whoever signs in. */
  declare isInvited: boolean;

  static override styles = [
    common,
    buttons,
    plain,
    css`
      :host {
        display: block;
        height: 100%;
      }
      .loading {
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 12px;
        color: var(--text-2);
      }
      .spinner {
        width: 22px;
        height: 22px;
        border: 3px solid var(--surface-3);
        border-block-start-color: var(--primary);
        border-radius: 50%;
        animation: turn 0.9s linear infinite;
      }
      .failed {
        display: grid;
        align-content: center;
        justify-items: center;
        gap: 12px;
      }
      .failed tele-message-page {
        height: auto;
      }
      .failed small {
        color: var(--text-2);
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
    this.stage = { name: 'loading' };
    this.client = null;
    this.isInvited = false;
  }

  override render() {
    return html`<div class="plain">
      <header class="plain-header"><span>${this.words.productName}</span><tele-language></tele-language></header>
      ${this.client === null ? null : html`<tele-connection class=${this.stage.name === 'failed' ? 'visually-hidden' : ''} .client=${this.client}></tele-connection>`}
      <main>${this.#text()}</main>
    </div>`;
  }

  #text(): TemplateResult {
    const { missingLink, notFound, errors, loading } = this.words;
    const { stage, isInvited } = this;
    if (stage.name === 'missingLink' && isInvited)
      return html`<tele-message-page data-testid="missing-link" heading=${this.words.invite.signInTitle} text=${this.words.invite.signIn}>
        ${icons.invite(44)}
      </tele-message-page>`;
    if (stage.name === 'missingLink')
      return html`<tele-message-page data-testid="missing-link" heading=${missingLink.title} text=${missingLink.text}>
        ${icons.shield(44)}
      </tele-message-page>`;
    if (stage.name === 'loading')
      return html`<h1 class="visually-hidden">${this.words.productName}</h1>
        <div class="loading" role="status"><span class="spinner"></span>${loading}</div>`;
    const { code, retryable, requestId } = stage.error;
    const isUnknown = code === 'NOT_FOUND' || code === 'FORBIDDEN' || code === 'INVALID';
    return html`<div class="failed">
      <tele-message-page
        data-testid="failed"
        heading=${isUnknown ? notFound.title : this.words.connection.closed}
        text=${isUnknown ? notFound.text : errors[code]}
      >
        ${icons.alert(44)}
      </tele-message-page>
      ${requestId === undefined ? null : html`<small>${this.words.requestId(requestId)}</small>`}
      ${retryable ? html`<button class="primary" type="button" @click=${() => this.tell('tele-retry')}>${this.words.retry}</button>` : null}
    </div>`;
  }
}

customElements.define('tele-not-ready', TeleNotReady);
