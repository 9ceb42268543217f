import type { Participant, PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { css, html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import type { CallPerson } from '../state/call-people.ts';
import { Follow } from '../state/follow.ts';
import { KeptFocus } from '../state/kept-focus.ts';
import { information } from '../state/notice.ts';
import { canBeRung } from '../state/phone-standing.ts';
import { presenceWords } from '../state/presence-words.ts';
import { personRows } from '../styles/person-rows.ts';
import './tele-avatar.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleDialog } from './tele-dialog.ts';

/** Who is in the call, and who may be called in. The doctor mutes. */
export class TeleCallPeople extends TeleDialog {
  static override properties = {
    model: { attribute: false },
    isBusy: { state: true },
    ringsNoPhones: { state: true },
    said: { state: true },
  };
  declare model: CallModel;
  declare private isBusy: boolean;
  /** What carries masked calls here rings no telephones for a call, which only the first attempt tells. */
  declare private ringsNoPhones: boolean;
  /** For screen readers, in the dialog: what is outside of a modal one is silent. */
  declare private said: string;

  protected readonly testId = 'call-people-dialog';

  static override styles = [
    ...TeleDialog.styles,
    personRows,
    css`
      h3 {
        margin-top: 14px;
        color: var(--text-2);
        font-size: 0.8125rem;
        font-weight: 600;
      }
      li {
        flex-wrap: wrap;
        padding: 6px 0;
      }
      .who {
        min-width: 120px;
      }
      li button {
        flex: none;
        margin-inline-start: auto;
        padding: 0 14px;
        font-size: 0.875rem;
      }
    `,
  ];

  constructor() {
    super();
    this.isBusy = false;
    this.ringsNoPhones = false;
    this.said = '';
    new KeptFocus(this, {
      isBusy: () => this.isBusy,
      goOn: () => this.renderRoot.querySelector<HTMLElement>('[data-testid="dialog-close"]')?.focus(),
    });
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update), model.phone.changes.subscribe(update)],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Guests may not ask, and without it nobody misses anything.
    void this.model.phone.open().catch(() => undefined);
  }

  protected override get heading(): string {
    return roomWords().people;
  }

  protected override content(): TemplateResult {
    const room = roomWords();
    const { people, invitable } = this.model;
    return html`<h3>${room.inCall}</h3>
      <ul>
        ${repeat(
          people,
          ({ personId }) => personId,
          (person) => this.#person(person),
        )}
      </ul>
      ${
        invitable.length === 0
          ? html`<p>${room.everybodyIsIn}</p>`
          : html`<h3>${room.notInCall}</h3>
            <ul>
              ${repeat(
                invitable,
                ({ personId }) => personId,
                (person) => this.#outside(person),
              )}
            </ul>`
      }
      <p class="visually-hidden" role="status" data-testid="call-people-said">${this.said}</p>
      <tele-confirm></tele-confirm>`;
  }

  #person(person: CallPerson): TemplateResult {
    const room = roomWords();
    const { words, model } = this;
    const presence = presenceWords(person);
    const marks = [
      ...(person.role === null ? [] : [words.role[person.role]]),
      ...(person.phone === 'holds' ? [room.byPhone] : []),
      ...(presence === null ? [] : [presence]),
      ...(person.isMuted ? [room.muted] : []),
      ...(person.quality === null ? [] : [room.level[person.quality]]),
    ];
    // Who is there with a device is not rung away from it by somebody else.
    const isAway = person.presence === 'ringing' || person.presence === 'lost';
    const mayBeRung = person.phone === 'none' && (person.isSelf || isAway);
    const mayMute = model.isDoctor && !person.isSelf && !person.isMuted && person.presence === 'present';
    return html`<li data-testid="call-person" data-person=${person.personId}>
      <tele-avatar name=${person.name}></tele-avatar>
      <span class="who"><strong>${person.name}</strong><small>${marks.join(' · ')}</small></span>
      ${
        mayMute
          ? html`<button type="button" data-testid="call-mute-person" aria-label=${room.muteName(person.name)} ?disabled=${this.isBusy} @click=${() => void this.#mute(person)}>
              ${icons.microphoneOff(18)}${room.mute}
            </button>`
          : null
      }
      ${mayBeRung ? this.#byPhone(person, person.isSelf) : null}
    </li>`;
  }

  /** Rings a telephone: somebody’s who is not in the call, or one’s own to leave this device for it. */
  #byPhone(person: Pick<CallPerson, 'personId' | 'name'>, isSelf: boolean): TemplateResult | null {
    const { model } = this;
    const { personId, name } = person;
    if (this.ringsNoPhones || !canBeRung(model.phone.board, personId)) return null;
    const room = roomWords();
    const ring = async (): Promise<void> => {
      const isRung = await this.#run(() => this.#ring(personId));
      if (!isRung) return;
      if (!isSelf) {
        this.said = `${name}: ${room.phoneRings}`;
        return;
      }
      // The call is what they go on with, and what is said there is not hidden behind a dialog.
      this.close();
      this.notify(information(room.ownPhoneRings));
    };
    return html`<button type="button" data-testid="call-join-phone" aria-label=${isSelf ? room.goOnByPhone : room.joinByPhoneName(name)} ?disabled=${this.isBusy} @click=${() => void ring()}>
      ${icons.phone(18)}${isSelf ? room.goOnByPhone : room.joinByPhone}
    </button>`;
  }

  async #ring(personId: PersonId): Promise<void> {
    const { model } = this;
    try {
      await (await model.phone.open()).join(model.call.id, personId);
    } catch (error) {
      // There is nothing to try again: the button would only fail again.
      this.ringsNoPhones ||= error instanceof AppError && error.code === 'NOT_CONFIGURED';
      throw error;
    }
  }

  #outside({ personId, displayName, role }: Participant): TemplateResult {
    const room = roomWords();
    return html`<li data-testid="call-outside" data-person=${personId}>
      <tele-avatar name=${displayName}></tele-avatar>
      <span class="who"><strong>${displayName}</strong><small>${this.words.role[role]}</small></span>
      <button type="button" data-testid="call-invite" aria-label=${room.inviteName(displayName)} ?disabled=${this.isBusy} @click=${() => void this.#run(() => this.model.call.invite(personId))}>
        ${icons.invite(18)}${room.invite}
      </button>
      ${this.#byPhone({ personId, name: displayName }, false)}
    </li>`;
  }

  async #mute({ personId, name }: CallPerson): Promise<void> {
    const room = roomWords();
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: room.muteTitle(name),
      text: room.muteText(name),
      confirm: room.mute,
      back: this.words.cancel,
      testId: 'call-mute-confirm',
    });
    if (typeof answer === 'string') await this.#run(() => this.model.call.mute(personId));
  }

  async #run(act: () => Promise<void>): Promise<boolean> {
    this.isBusy = true;
    const isDone = await this.attempt(act);
    this.isBusy = false;
    return isDone;
  }
}

customElements.define('tele-call-people', TeleCallPeople);
