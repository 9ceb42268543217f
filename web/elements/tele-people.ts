import type { Participant } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { information } from '../state/notice.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { personRows } from '../styles/person-rows.ts';
import './tele-avatar.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleDialog } from './tele-dialog.ts';

/** Who takes part, and who is there now. The doctor removes guests; guests leave; who may, invites. */
export class TelePeople extends TeleDialog {
  static override properties = { model: { attribute: false }, isBusy: { state: true } };
  declare model: VisitModel;
  declare private isBusy: boolean;

  protected readonly testId = 'people-dialog';

  static override styles = [
    ...TeleDialog.styles,
    personRows,
    css`
      .online {
        color: var(--ok);
      }
      .remove {
        padding: 0 14px;
        color: var(--danger);
        font-size: 0.875rem;
      }
    `,
  ];

  constructor() {
    super();
    this.isBusy = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  protected override get heading(): string {
    return this.words.people.title;
  }

  protected override content(): TemplateResult {
    const { model } = this;
    const words = this.words.people;
    const isOpen = model.view.phase !== 'ended';
    const mayInvite = isOpen && (model.self?.role === 'patient' || model.self?.role === 'doctor');
    return html`<ul>
        ${model.view.participants.map((person) => html`<li data-testid="person" data-person=${person.personId}>${this.#person(person)}</li>`)}
      </ul>
      <div class="choices">
        ${
          model.isGuest && isOpen
            ? html`<button type="button" data-testid="leave" ?disabled=${this.isBusy} @click=${() => void this.#leave()}>${icons.leave(18)}${words.leave}</button>`
            : null
        }
        ${
          mayInvite
            ? html`<button type="button" class="primary" data-testid="invite" @click=${() => this.tell('tele-dialog', 'invite')}>${icons.invite(20)}${this.words.invite.open}</button>`
            : null
        }
      </div>
      <tele-confirm></tele-confirm>`;
  }

  #person(person: Participant): TemplateResult {
    const { model } = this;
    const words = this.words.people;
    const isOnline = model.isOnline(person.personId);
    const isGuest = person.role !== 'patient' && person.role !== 'doctor';
    const mayRemove = isGuest && model.self?.role === 'doctor' && model.view.phase !== 'ended';
    return html`<tele-avatar name=${person.displayName}></tele-avatar>
      <span class="who">
        <strong>${person.displayName}${model.isSelf(person.personId) ? ` (${this.words.you})` : ''}</strong>
        <small>${this.words.role[person.role]} · <span class=${isOnline ? 'online' : ''}>${isOnline ? words.online : words.offline}</span></small>
      </span>
      ${
        mayRemove
          ? html`<button type="button" class="remove" data-testid="remove-person" aria-label=${words.remove(person.displayName)} ?disabled=${this.isBusy} @click=${() => void this.#remove(person)}>${words.removeShort}</button>`
          : null
      }`;
  }

  async #remove({ personId, displayName }: Participant): Promise<void> {
    const words = this.words.people;
    const isSure = await this.#confirm(words.removeTitle(displayName), words.removeText, words.removeShort);
    if (!isSure) return;
    this.isBusy = true;
    await this.attempt(() => this.model.visit.removeParticipant(personId));
    this.isBusy = false;
  }

  async #leave(): Promise<void> {
    const words = this.words.people;
    if (!(await this.#confirm(words.leaveTitle, words.leaveText, words.leave))) return;
    this.isBusy = true;
    const hasLeft = await this.attempt(() => this.model.visit.leave());
    this.isBusy = false;
    if (!hasLeft) return;
    this.notify(information(words.left));
    this.tell('tele-left', this.model.view.consultationId);
    this.close();
  }

  async #confirm(title: string, text: string, confirm: string): Promise<boolean> {
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title,
      text,
      confirm,
      back: this.words.cancel,
      testId: 'people-confirm',
    });
    return typeof answer === 'string';
  }
}

customElements.define('tele-people', TelePeople);
