import { css, html } from 'lit';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { TeleElement } from './tele-element.ts';

export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly back: string;
  /** `data-testid` of the button that does it. */
  readonly testId: string;
  /** Label of the note that may go with it; left out, there is none. */
  readonly noteLabel?: string;
  readonly maxNoteLength?: number;
}

/** Asks before something that cannot be taken back. */
export class TeleConfirm extends TeleElement {
  static override properties = { asked: { state: true } };
  declare private asked: Confirmation | null;

  #answer: ((note: string | null) => void) | null = null;

  static override styles = [
    common,
    buttons,
    dialog,
    css`
      label {
        display: block;
        margin: 18px 0 6px;
        font-weight: 600;
        font-size: 0.875rem;
      }
      textarea {
        display: block;
        width: 100%;
        min-height: 84px;
        padding: 10px 12px;
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-2);
        background: var(--bg);
        color: var(--text);
        font: inherit;
        resize: vertical;
      }
    `,
  ];

  constructor() {
    super();
    this.asked = null;
  }

  /** Resolves to the note (perhaps empty) once confirmed, to null when the person went back. */
  async ask(confirmation: Confirmation): Promise<string | null> {
    this.#answer?.(null);
    this.asked = confirmation;
    await this.updateComplete;
    const answered = new Promise<string | null>((resolve) => {
      this.#answer = resolve;
    });
    this.#dialog?.showModal();
    return answered;
  }

  override render() {
    const { asked } = this;
    return html`<dialog aria-labelledby="title" aria-describedby="text" @close=${() => this.#settle(null)}>
      ${
        asked === null
          ? null
          : html`<h2 id="title">${asked.title}</h2>
            <p id="text">${asked.text}</p>
            ${
              asked.noteLabel === undefined
                ? null
                : html`<label for="note">${asked.noteLabel}</label>
                  <textarea id="note" data-testid="note" maxlength=${asked.maxNoteLength ?? 500}></textarea>`
            }
            <div class="choices">
              <button type="button" @click=${() => this.#settle(null)}>${asked.back}</button>
              <button type="button" class="danger" data-testid=${asked.testId} @click=${() => this.#confirm()}>
                ${asked.confirm}
              </button>
            </div>`
      }
    </dialog>`;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  #confirm(): void {
    const note = this.renderRoot.querySelector<HTMLTextAreaElement>('#note')?.value.trim() ?? '';
    this.#settle(note);
  }

  #settle(note: string | null): void {
    const answer = this.#answer;
    this.#answer = null;
    this.#dialog?.close();
    this.asked = null;
    answer?.(note);
  }
}

customElements.define('tele-confirm', TeleConfirm);
