import { css, html, nothing, type TemplateResult } from 'lit';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

export interface Picked {
  readonly files: readonly File[];
  readonly as: 'image' | 'file';
}

/** A button that opens the system's chooser. What was chosen is told as `tele-picked`. */
export class TeleFilePicker extends TeleElement {
  static override properties = {
    label: {},
    icon: { attribute: false },
    as: {},
    camera: { type: Boolean },
    testId: { attribute: 'test-id' },
  };
  declare label: string;
  declare icon: TemplateResult | null;
  declare as: Picked['as'];
  /** Opens the camera at once, where there is one. */
  declare camera: boolean;
  declare testId: string;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: inline-flex;
      }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.icon = null;
    this.as = 'file';
    this.camera = false;
    this.testId = '';
  }

  override render() {
    return html`<input
        type="file"
        hidden
        data-testid=${this.testId}
        aria-label=${this.label}
        ?multiple=${!this.camera}
        accept=${this.as === 'image' ? 'image/*' : '*/*'}
        capture=${this.camera ? 'environment' : nothing}
        @change=${this.#onChange}
      />
      <button
        class="icon"
        type="button"
        aria-label=${this.label}
        title=${this.label}
        @click=${() => this.renderRoot.querySelector('input')?.click()}
      >
        ${this.icon}
      </button>`;
  }

  readonly #onChange = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const picked: Picked = { files: [...(input.files ?? [])], as: this.as };
    // The same file may be chosen again after it was taken out.
    input.value = '';
    this.tell('tele-picked', picked);
  };
}

customElements.define('tele-file-picker', TeleFilePicker);
