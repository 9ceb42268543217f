import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { css, html, LitElement, type TemplateResult } from 'lit';
import { messages } from '../i18n/language.ts';
import { failure } from '../state/notice.ts';
import type { Sdk } from '../state/sdk.ts';
import type { VisitModel } from '../state/visit-model.ts';

export type DialogName =
  | 'form'
  | 'subject'
  | 'people'
  | 'invite'
  | 'inviteColleague'
  | 'colleagues'
  | 'channel'
  | 'settings'
  | 'check'
  | 'records'
  | 'notes'
  | 'followUps'
  | 'phone';

/** Their code is fetched when they are opened: most visits need none of them. */
const loaders: Readonly<Record<DialogName, () => Promise<unknown>>> = {
  form: () => import('./tele-form.ts'),
  subject: () => import('./tele-subject.ts'),
  people: () => import('./tele-people.ts'),
  invite: () => import('./tele-invite.ts'),
  inviteColleague: () => import('./tele-invite.ts'),
  colleagues: () => import('./tele-colleagues.ts'),
  channel: () => import('./tele-health-channel.ts'),
  settings: () => import('./tele-settings.ts'),
  check: () => import('./tele-check-dialog.ts'),
  records: () => import('./tele-recordings.ts'),
  notes: () => import('./tele-notes.ts'),
  followUps: () => import('./tele-follow-ups.ts'),
  phone: () => import('./tele-phone.ts'),
};

/** Shows one dialog at a time, whichever was asked for. */
export class TeleDialogs extends LitElement {
  static override properties = {
    client: { attribute: false },
    sdk: { attribute: false },
    model: { attribute: false },
    shown: { state: true },
  };
  declare client: TeleconsultClient | null;
  /** For what opens something by itself. */
  declare sdk: Sdk | null;
  declare model: VisitModel | null;
  declare private shown: DialogName | null;

  static override styles = css`
    :host {
      position: absolute;
    }
  `;

  constructor() {
    super();
    this.client = null;
    this.sdk = null;
    this.model = null;
    this.shown = null;
  }

  async open(name: DialogName): Promise<void> {
    try {
      await loaders[name]();
      this.shown = name;
    } catch {
      // The code of a dialog did not arrive; nothing else can fail here.
      const detail = failure(messages().errors.DISCONNECTED);
      this.dispatchEvent(new CustomEvent('tele-notice', { bubbles: true, composed: true, detail }));
    }
  }

  override render() {
    return html`<div @tele-close=${this.#onClose} @tele-dialog=${this.#onDialog}>${this.#dialog()}</div>`;
  }

  #dialog(): TemplateResult | null {
    const { shown, model, client } = this;
    if (shown === null || client === null) return null;
    if (shown === 'settings') return html`<tele-settings .client=${client}></tele-settings>`;
    if (shown === 'colleagues') return html`<tele-colleagues .client=${client}></tele-colleagues>`;
    if (shown === 'channel')
      return html`<tele-health-channel .client=${client} .sdk=${this.sdk}></tele-health-channel>`;
    if (shown === 'inviteColleague') return html`<tele-invite .client=${client}></tele-invite>`;
    if (shown === 'check') return html`<tele-check-dialog .client=${client}></tele-check-dialog>`;
    if (model === null) return null;
    if (shown === 'form') return html`<tele-form .model=${model}></tele-form>`;
    if (shown === 'subject') return html`<tele-subject .model=${model}></tele-subject>`;
    if (shown === 'records') return html`<tele-recordings .model=${model}></tele-recordings>`;
    if (shown === 'notes') return html`<tele-notes .model=${model}></tele-notes>`;
    if (shown === 'followUps') return html`<tele-follow-ups .model=${model}></tele-follow-ups>`;
    if (shown === 'phone') return html`<tele-phone .model=${model}></tele-phone>`;
    if (shown === 'people') return html`<tele-people .model=${model}></tele-people>`;
    return html`<tele-invite .client=${client} .model=${model}></tele-invite>`;
  }

  readonly #onClose = (event: Event): void => {
    event.stopPropagation();
    this.shown = null;
  };

  /** One dialog may lead to another. */
  readonly #onDialog = (event: CustomEvent<DialogName>): void => {
    event.stopPropagation();
    this.shown = null;
    void this.open(event.detail);
  };
}

customElements.define('tele-dialogs', TeleDialogs);
