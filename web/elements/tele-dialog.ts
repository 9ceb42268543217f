import { html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import { openDialog } from '../state/open-dialog.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { fields } from '../styles/fields.ts';
import { TeleElement } from './tele-element.ts';

/**
 * A dialog that opens when it comes into the page and tells `tele-close` when it was closed. Whoever put it there
 * takes it out then.
 */
export abstract class TeleDialog extends TeleElement {
  static override styles = [common, buttons, dialog, fields];

  protected abstract get heading(): string;
  protected abstract content(): TemplateResult | null;
  /** `data-testid` of the dialog. */
  protected abstract readonly testId: string;

  override render() {
    return html`<dialog aria-labelledby="title" data-testid=${this.testId} @close=${this.#onClose}>
      <header>
        <h2 id="title">${this.heading}</h2>
        <button class="icon" type="button" data-testid="dialog-close" aria-label=${this.words.close} @click=${() => this.close()}>
          ${icons.close()}
        </button>
      </header>
      ${this.content()}
    </dialog>`;
  }

  protected override firstUpdated(): void {
    if (this.#dialog !== null) openDialog(this.#dialog);
  }

  protected close(): void {
    this.#dialog?.close();
  }

  readonly #onClose = (): void => this.tell('tele-close');

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}
