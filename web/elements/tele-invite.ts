import type { Invitation, TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { GuestRole } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { dialogWords } from '../i18n/dialogs.ts';
import { moment } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { saveBlob } from '../state/blob-url.ts';
import { invitationLink } from '../state/invitation-link.ts';
import { drawCode, invitationPicture, modulesOf } from '../state/invitation-picture.ts';
import { failure, information } from '../state/notice.ts';
import { Ticker } from '../state/ticker.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { TeleDialog } from './tele-dialog.ts';

const CODE_PX = 260;

/** Invites a third person to a consultation; without a consultation, a colleague to a thread of doctors. */
export class TeleInvite extends TeleDialog {
  static override properties = {
    client: { attribute: false },
    model: { attribute: false },
    guest: { state: true },
    invitation: { state: true },
    isBusy: { state: true },
  };
  declare client: TeleconsultClient;
  declare model: VisitModel | null;
  declare private guest: GuestRole;
  declare private invitation: Invitation | null;
  declare private isBusy: boolean;

  protected readonly testId = 'invite-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      canvas {
        display: block;
        max-width: 100%;
        margin: 14px auto 6px;
        border-radius: 12px;
        image-rendering: pixelated;
      }
      .until {
        text-align: center;
        font-size: 0.875rem;
      }
      .expired {
        color: var(--danger);
      }
      .choices {
        flex-wrap: wrap;
        justify-content: center;
      }
      .choices button {
        flex: 1 1 140px;
        padding: 0 12px;
        font-size: 0.875rem;
      }
      .revoke {
        color: var(--danger);
      }
    `,
  ];

  constructor() {
    super();
    this.model = null;
    this.guest = 'relative';
    this.invitation = null;
    this.isBusy = false;
    new Ticker(this, { everyMs: 5_000, running: () => this.invitation !== null });
  }

  protected override get heading(): string {
    return this.model === null ? dialogWords().invite.colleagueTitle : dialogWords().invite.title;
  }

  protected override content(): TemplateResult {
    return this.invitation === null ? this.#question() : this.#shown(this.invitation);
  }

  protected override updated(): void {
    const canvas = this.renderRoot.querySelector('canvas');
    if (canvas === null || this.invitation === null) return;
    const scale = Math.max(1, Math.ceil(devicePixelRatio));
    drawCode(canvas, modulesOf(this.#link(this.invitation)), CODE_PX * scale);
    canvas.style.width = `${canvas.width / scale}px`;
  }

  #question(): TemplateResult {
    const words = dialogWords().invite;
    return html`${this.model === null ? html`<p>${dialogWords().colleagues.byCodeHint}</p>` : this.#roles(this.model)}
      <div class="choices">
        <button type="button" class="primary" data-testid="invite-create" ?disabled=${this.isBusy} @click=${() => void this.#create()}>
          ${words.create}
        </button>
      </div>`;
  }

  #roles({ self }: VisitModel): TemplateResult {
    const words = dialogWords().invite;
    // A patient brings people of their own; whom to ask for advice is the doctor's to decide.
    const roles: readonly GuestRole[] =
      self?.role === 'doctor' ? ['relative', 'interpreter', 'colleague'] : ['relative', 'interpreter'];
    return html`<fieldset class="field">
      <legend>${words.who}</legend>
      ${roles.map(
        (role) => html`<label class="option">
          <input type="radio" name="role" value=${role} data-testid=${`invite-role-${role}`} .checked=${role === this.guest} @change=${() => {
            this.guest = role;
          }} />
          <span>${words.roles[role]}<small>${words.roleHint[role]}</small></span>
        </label>`,
      )}
    </fieldset>`;
  }

  #shown(invitation: Invitation): TemplateResult {
    const words = dialogWords().invite;
    if (invitation.expiresAt <= Date.now())
      return html`<p class="until expired" role="alert">${words.expired}</p>
        <div class="choices">
          <button type="button" class="primary" @click=${() => {
            this.invitation = null;
          }}>${words.again}</button>
        </div>`;
    const link = this.#link(invitation);
    return html`<p>${words.show}</p>
      <canvas role="img" aria-label=${words.code} data-testid="invite-code"></canvas>
      <p class="until">${words.until(moment(invitation.expiresAt))}</p>
      <div class="field">
        <label for="link">${words.link}</label>
        <input id="link" readonly data-testid="invite-link" .value=${link} @focus=${(event: Event) => (event.target as HTMLInputElement).select()} />
      </div>
      <div class="choices">
        <button type="button" data-testid="invite-copy" @click=${() => void this.#copy(link)}>${icons.copy(18)}${words.copy}</button>
        ${
          'share' in navigator
            ? html`<button type="button" data-testid="invite-share" @click=${() => void this.#share(link)}>${icons.share(18)}${words.share}</button>`
            : null
        }
        <button type="button" data-testid="invite-save" @click=${() => void this.#save(invitation)}>${icons.download(18)}${words.save}</button>
        <button type="button" class="quiet revoke" data-testid="invite-revoke" ?disabled=${this.isBusy} @click=${() => void this.#revoke(invitation)}>${words.revoke}</button>
      </div>`;
  }

  #link({ code }: Invitation): string {
    return invitationLink(location.origin, this.model === null ? 'colleague' : this.guest, code);
  }

  async #create(): Promise<void> {
    const { model } = this;
    this.isBusy = true;
    await this.attempt(async () => {
      this.invitation =
        model === null ? await this.client.inviteColleague() : await model.visit.invite(this.guest);
    });
    this.isBusy = false;
  }

  async #copy(link: string): Promise<void> {
    const words = dialogWords().invite;
    try {
      await navigator.clipboard.writeText(link);
      this.notify(information(words.copied));
    } catch {
      this.renderRoot.querySelector<HTMLInputElement>('#link')?.select();
      this.notify(failure(words.copyFailed));
    }
  }

  async #share(link: string): Promise<void> {
    try {
      await navigator.share({ title: dialogWords().invite.caption, url: link });
    } catch {
      // The person closed the system's dialog, or it cannot share; the other ways stay.
    }
  }

  async #save(invitation: Invitation): Promise<void> {
    const words = dialogWords().invite;
    const caption = [words.caption, words.until(moment(invitation.expiresAt))];
    try {
      saveBlob(
        await invitationPicture({ link: this.#link(invitation), caption }),
        'teleconsult-invitation.png',
      );
    } catch {
      this.notify(failure(words.saveFailed));
    }
  }

  async #revoke({ invitationId }: Invitation): Promise<void> {
    this.isBusy = true;
    const isRevoked = await this.attempt(() => this.client.revokeInvitation(invitationId));
    this.isBusy = false;
    if (!isRevoked) return;
    this.notify(information(dialogWords().invite.revoked));
    this.close();
  }
}

customElements.define('tele-invite', TeleInvite);
