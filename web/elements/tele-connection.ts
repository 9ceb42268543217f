import type { ConnectionState, TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { AppError } from '@teleconsult/protocol/errors';
import { css, html } from 'lit';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { information } from '../state/notice.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** A reconnection faster than this is not worth a banner. */
const QUIET_MS = 700;

/** The state of the connection in words, while it is anything but fine, and what the person can do about it. */
export class TeleConnection extends TeleElement {
  static override properties = {
    client: { attribute: false },
    state: { state: true },
    error: { state: true },
    overdue: { state: true },
  };
  declare client: TeleconsultClient | null;
  declare private state: ConnectionState;
  declare private error: AppError | null;
  /** True once the quiet time of a loss is over. */
  declare private overdue: boolean;

  #wasConnected = false;
  #spoke = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
      }
      .banner {
        display: flex;
        align-items: center;
        gap: 10px;
        min-height: 48px;
        padding: 4px 16px;
        background: var(--warn-soft);
        color: var(--warn);
        font-size: 0.9375rem;
        line-height: 1.35;
      }
      .banner > svg {
        animation: turn 1.4s linear infinite;
      }
      .banner.closed {
        background: var(--danger-soft);
        color: var(--danger);
      }
      .banner.closed > svg {
        animation: none;
      }
      .banner.first {
        background: var(--primary-soft);
        color: var(--primary);
      }
      p {
        flex: 1;
        padding: 8px 0;
      }
      strong {
        font-weight: 600;
      }
      p small {
        display: block;
        color: var(--text);
        font-size: 0.8125rem;
      }
      button {
        padding: 0 12px;
        border-color: transparent;
        background: transparent;
        color: inherit;
        text-decoration: underline;
        text-underline-offset: 3px;
        white-space: nowrap;
      }
      @keyframes turn {
        to {
          transform: rotate(360deg);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .banner > svg {
          animation: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.client = null;
    this.state = 'idle';
    this.error = null;
    this.overdue = false;
    new Follow<TeleconsultClient>(this, {
      subject: () => this.client,
      subscribe: (client) => {
        this.#become(client.connection, null);
        const onOnline = (): void => client.reconnectHint();
        addEventListener('online', onOnline);
        return [
          client.on('connection', ({ state, error }) => this.#become(state, error)),
          () => removeEventListener('online', onOnline),
          () => clearTimeout(this.#timer),
          () => document.documentElement.style.removeProperty('--banner-height'),
        ];
      },
    });
  }

  override render() {
    return html`<div data-testid="connection" data-state=${this.state} role="status">${this.#banner()}</div>`;
  }

  protected override updated(): void {
    // Notices stand below the banner, wherever this element is.
    document.documentElement.style.setProperty('--banner-height', `${this.offsetHeight}px`);
  }

  #banner() {
    const { connection, errors } = this.words;
    if (this.state === 'closed') {
      const error = this.error;
      return html`<div class="banner closed">
        ${icons.alert(20)}
        <p>
          <strong>${connection.closed}</strong>
          ${error === null ? null : html`<small>${errors[error.code]}</small>`}
          ${error?.requestId === undefined ? null : html`<small>${this.words.requestId(error.requestId)}</small>`}
        </p>
        ${
          error?.code === 'TOKEN_EXPIRED' || error?.code === 'UNAUTHENTICATED'
            ? null
            : html`<button type="button" @click=${() => location.reload()}>${connection.reload}</button>`
        }
      </div>`;
    }
    if (this.state !== 'connecting' || !this.overdue) return null;
    if (!this.#wasConnected && this.error === null)
      return html`<div class="banner first">${icons.retry(20)}<p><strong>${connection.connecting}</strong></p></div>`;
    return html`<div class="banner">
      ${icons.retry(20)}
      <p><strong>${connection.reconnecting}</strong><small>${connection.reconnectingHint}</small></p>
      <button type="button" @click=${() => this.client?.reconnectHint()}>${connection.tryNow}</button>
    </div>`;
  }

  #become(state: ConnectionState, error: AppError | null): void {
    const returned = state === 'connected' && this.#spoke;
    this.state = state;
    this.error = error;
    if (state === 'connected') {
      this.#wasConnected = true;
      this.#spoke = false;
      this.overdue = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else
      this.#timer ??= setTimeout(() => {
        this.overdue = true;
        this.#spoke = this.#wasConnected;
      }, QUIET_MS);
    if (returned) this.notify(information(this.words.connection.restored));
  }
}

customElements.define('tele-connection', TeleConnection);
