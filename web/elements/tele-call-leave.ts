import { css, html, type TemplateResult } from 'lit';
import { roomWords } from '../i18n/room.ts';
import type { CallModel } from '../state/call-model.ts';
import { TeleDialog } from './tele-dialog.ts';

/** Asks whoever may end a call of several for all whether they only leave it. */
export class TeleCallLeave extends TeleDialog {
  static override properties = { model: { attribute: false } };
  declare model: CallModel;

  protected readonly testId = 'call-leave-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      .ways {
        display: grid;
        gap: 10px;
        margin-top: 18px;
      }
      .ways button {
        min-height: 48px;
      }
    `,
  ];

  protected override get heading(): string {
    return roomWords().leaveTitle;
  }

  protected override content(): TemplateResult {
    const room = roomWords();
    const { call } = this.model;
    return html`<p>${room.leaveText}</p>
      <div class="ways">
        <button type="button" class="primary" data-testid="call-leave" @click=${() => this.#do(() => call.leave())}>${room.leaveOnly}</button>
        <button type="button" class="danger" data-testid="call-end-all" @click=${() => this.#do(() => call.hangUp())}>${room.endForAll}</button>
        <button type="button" @click=${() => this.close()}>${this.words.cancel}</button>
      </div>`;
  }

  #do(act: () => Promise<void>): void {
    this.close();
    void this.attempt(act);
  }
}

customElements.define('tele-call-leave', TeleCallLeave);
