import { html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { menu } from '../styles/menu.ts';
import type { DialogName } from './tele-dialogs.ts';
import { TeleElement } from './tele-element.ts';
import './tele-language.ts';

export type VisitAction = DialogName | 'search' | 'toBeginning';

/** What else can be done in a consultation: a sheet behind one button. Tells `tele-action` with what was chosen. */
export class TeleVisitMenu extends TeleElement {
  static override properties = { model: { attribute: false }, isOpen: { state: true } };
  declare model: VisitModel;
  declare private isOpen: boolean;

  static override styles = [common, buttons, dialog, menu];

  constructor() {
    super();
    this.isOpen = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: ({ phone }, update) => [phone.changes.subscribe(update)],
    });
  }

  override render() {
    const words = this.words.settings;
    return html`<button class="icon" type="button" data-testid="visit-menu" aria-haspopup="dialog" aria-label=${words.menu} title=${words.menu} @click=${this.#open}>
        ${icons.more()}
      </button>
      <dialog aria-labelledby="title" data-testid="visit-menu-dialog" @close=${this.#onClose} @click=${this.#onBackdrop}>
        ${this.isOpen ? this.#items() : null}
      </dialog>`;
  }

  #items(): TemplateResult {
    const { thread, people, invite, settings, form, subject } = this.words;
    const { self, view } = this.model;
    const isOpen = view.phase !== 'ended';
    const isPatient = self?.role === 'patient' && isOpen;
    const mayInvite =
      isOpen && (self?.role === 'patient' || self?.role === 'doctor') && view.kind === 'visit';
    const hasRecords = view.kind === 'visit' && (view.phase === 'active' || view.phase === 'ended');
    const isBefore = view.phase === 'requested' || view.phase === 'waiting';
    return html`<h2 id="title">${settings.menu}</h2>
      <ul class="items">
        ${this.#item('search', thread.search, icons.search())} ${this.#item('toBeginning', thread.toBeginning, icons.toTop())}
        ${isPatient ? this.#item('form', form.open, icons.clipboard()) : null}
        ${isPatient && isBefore ? this.#item('subject', subject.open, icons.person()) : null}
        ${hasRecords ? this.#records() : null}
        ${this.model.phone.board?.available ? this.#item('phone', this.words.phone, icons.phone()) : null}
        ${this.#item('people', people.open, icons.people())}
        ${mayInvite ? this.#item('invite', invite.open, icons.invite()) : null}
        ${isOpen ? this.#item('check', this.words.check.open, icons.video(22)) : null}
        ${this.#item('settings', settings.open, icons.settings())}
        <li class="language"><tele-language></tele-language></li>
      </ul>
      <div class="choices"><button type="button" @click=${() => this.#dialog?.close()}>${this.words.close}</button></div>`;
  }

  #records(): TemplateResult {
    const { records } = this.words;
    return html`${this.#item('records', records.recordings, icons.microphone())} ${this.#item('notes', records.notes, icons.text())}
      ${this.#item('followUps', records.followUps, icons.clock())}`;
  }

  #item(action: VisitAction, text: string, icon: TemplateResult): TemplateResult {
    const choose = (): void => {
      this.#dialog?.close();
      this.tell('tele-action', action);
    };
    return html`<li><button type="button" class="item" data-testid=${`menu-${action}`} @click=${choose}>${icon}<span>${text}</span></button></li>`;
  }

  readonly #open = (): void => {
    this.isOpen = true;
    // Looked for as the visit opened. Who had no connection then would miss them until the page is loaded again.
    const { view, isGuest, phone } = this.model;
    if (view.kind === 'visit' && !isGuest) void phone.open().catch(() => undefined);
    void this.updateComplete.then(() => this.#dialog?.showModal());
  };

  readonly #onClose = (): void => {
    this.isOpen = false;
  };

  readonly #onBackdrop = (event: MouseEvent): void => {
    if (event.target === this.#dialog) this.#dialog?.close();
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

customElements.define('tele-visit-menu', TeleVisitMenu);
