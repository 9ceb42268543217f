import { css, html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { duration } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import { isCut, moveEnd, type Trim } from '../state/trim.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { fields } from '../styles/fields.ts';
import { TeleElement } from './tele-element.ts';

/** Cuts the ends of a dictation by sliders or by numbers. Tells `tele-trim` with the new ends. */
export class TeleTrim extends TeleElement {
  static override properties = { trim: { attribute: false }, lengthMs: { attribute: false } };
  declare trim: Trim;
  declare lengthMs: number;

  static override styles = [
    common,
    buttons,
    fields,
    css`
      fieldset {
        display: grid;
        gap: 4px;
        margin: 0;
        padding: 0;
        border: 0;
        min-width: 0;
      }
      .end {
        display: grid;
        grid-template-columns: 5.5em minmax(0, 1fr) 7em;
        align-items: center;
        gap: 10px;
      }
      input[type='range'] {
        min-height: 44px;
        padding: 0 !important;
        border: 0 !important;
        background: none !important;
        accent-color: var(--primary);
      }
      .end > label {
        font-weight: 500;
        font-size: 0.875rem;
      }
      .told {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        color: var(--text-2);
        font-size: 0.875rem;
      }
      @media (max-width: 480px) {
        .end {
          grid-template-columns: 4em minmax(0, 1fr) 5.6em;
          gap: 6px;
        }
      }
    `,
  ];

  override render() {
    const { notes } = recordsWords();
    const { trim, lengthMs } = this;
    const kept = trim.endMs - trim.startMs;
    return html`<fieldset data-testid="trim">
      <legend>${notes.trim}</legend>
      ${this.#end('startMs', { slider: notes.trimStartSlider, number: notes.trimStart })}
      ${this.#end('endMs', { slider: notes.trimEndSlider, number: notes.trimEnd })}
      ${
        isCut(trim, lengthMs)
          ? html`<div class="told"><span role="status" data-testid="trim-told">${notes.trimmed(duration(kept), duration(lengthMs - kept))}</span>
              <button type="button" class="quiet" data-testid="trim-all" @click=${() => this.tell('tele-trim', { startMs: 0, endMs: lengthMs })}>${notes.trimAll}</button></div>`
          : null
      }
    </fieldset>`;
  }

  #end(
    end: keyof Trim,
    { slider, number }: { readonly slider: string; readonly number: string },
  ): TemplateResult {
    const { trim, lengthMs } = this;
    const atMs = trim[end];
    return html`<div class="end">
      <label for=${`slider-${end}`}>${slider}</label>
      <input
        id=${`slider-${end}`}
        type="range"
        data-testid=${`trim-slider-${end}`}
        min="0"
        max=${lengthMs}
        step="100"
        .value=${live(String(atMs))}
        aria-valuetext=${duration(atMs)}
        @input=${(event: Event) => this.#move({ [end]: Number((event.target as HTMLInputElement).value) })}
      />
      <input
        type="number"
        data-testid=${`trim-number-${end}`}
        min="0"
        max=${(lengthMs / 1000).toFixed(1)}
        step="0.1"
        .value=${live((atMs / 1000).toFixed(1))}
        aria-label=${number}
        @change=${(event: Event) => this.#typed(end, event.target as HTMLInputElement)}
      />
    </div>`;
  }

  #typed(end: keyof Trim, input: HTMLInputElement): void {
    const seconds = input.valueAsNumber;
    if (Number.isFinite(seconds)) this.#move({ [end]: seconds * 1000 });
    // What could not be taken is shown as it is.
    this.requestUpdate();
  }

  #move(change: Partial<Trim>): void {
    this.tell('tele-trim', moveEnd(this.trim, change, this.lengthMs));
  }
}

customElements.define('tele-trim', TeleTrim);
