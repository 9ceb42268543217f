import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { AppError } from '@teleconsult/protocol/errors';
import { css, html, type TemplateResult } from 'lit';
import { dialogWords } from '../i18n/dialogs.ts';
import { moment } from '../i18n/format.ts';
import { keepInvitation } from '../state/invitation-link.ts';
import { failure } from '../state/notice.ts';
import { TeleDialog } from './tele-dialog.ts';

type Preview = Awaited<ReturnType<TeleconsultClient['previewInvitation']>>;

/** An invitation this page was opened with: who invites, for what; accepting tells `tele-redeemed` with the id. */
export class TeleInvitation extends TeleDialog {
  static override properties = {
    client: { attribute: false },
    code: { attribute: false },
    preview: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  };
  declare client: TeleconsultClient;
  declare code: string;
  declare private preview: Preview | null;
  declare private problem: string | null;
  declare private isBusy: boolean;

  protected readonly testId = 'invitation-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      .who {
        margin: 8px 0;
        color: var(--text);
        font-size: 1.0625rem;
      }
    `,
  ];

  constructor() {
    super();
    this.preview = null;
    this.problem = null;
    this.isBusy = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  protected override get heading(): string {
    return dialogWords().invite.received;
  }

  protected override content(): TemplateResult {
    const words = dialogWords().invite;
    const { preview, problem } = this;
    if (problem !== null)
      return html`<p role="alert" data-testid="invitation-problem">${problem}</p>
        <div class="choices"><button type="button" @click=${() => this.#drop()}>${this.words.close}</button></div>`;
    if (preview === null) return html`<p role="status">${this.words.loading}</p>`;
    return html`<p class="who" data-testid="invitation-who">${this.#sentence(preview)}</p>
      <p>${words.until(moment(preview.expiresAt))}</p>
      <div class="choices">
        <button type="button" @click=${() => this.#drop()}>${words.notNow}</button>
        <button type="button" class="primary" data-testid="invitation-accept" ?disabled=${this.isBusy} @click=${() => void this.#accept()}>
          ${words.accept}
        </button>
      </div>`;
  }

  #sentence({ invitedBy, role }: Preview): string {
    const words = dialogWords().invite;
    return role === null
      ? words.receivedColleague(invitedBy)
      : words.receivedParticipant(invitedBy, this.words.role[role]);
  }

  async #load(): Promise<void> {
    await this.#try(async () => {
      this.preview = await this.client.previewInvitation(this.code);
    });
  }

  async #accept(): Promise<void> {
    this.isBusy = true;
    await this.#try(async () => {
      const { consultationId } = await this.client.redeemInvitation(this.code);
      keepInvitation(null);
      this.tell('tele-redeemed', consultationId);
      this.close();
    });
    this.isBusy = false;
  }

  /** What is final is said in place, and the invitation dropped; anything else is a notice and can be tried again. */
  async #try(action: () => Promise<void>): Promise<void> {
    const words = dialogWords().invite;
    await this.attempt(async () => {
      try {
        await action();
      } catch (error) {
        const code = error instanceof AppError ? error.code : null;
        if (code === 'EXPIRED' || code === 'NOT_FOUND' || code === 'INVALID') this.problem = words.used;
        else if (code === 'FORBIDDEN' || code === 'CONFLICT') this.problem = words.notYours;
        else throw error;
        keepInvitation(null);
      }
    });
    if (this.preview === null && this.problem === null) this.notify(failure(this.words.errors.DISCONNECTED));
  }

  #drop(): void {
    keepInvitation(null);
    this.close();
  }
}

customElements.define('tele-invitation', TeleInvitation);
