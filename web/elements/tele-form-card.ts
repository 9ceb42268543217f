import type { ConsultationForm } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { locale } from '../i18n/language.ts';
import * as icons from '../icons.ts';
import type { AttachmentBlobs } from '../state/attachment-blobs.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import './tele-file.ts';
import './tele-picture.ts';

/** The consultation form as everybody reads it: what was answered, then pictures and documents by what they show. */
export class TeleFormCard extends TeleElement {
  static override properties = { form: { attribute: false }, blobs: { attribute: false }, sender: {} };
  declare form: ConsultationForm;
  declare blobs: AttachmentBlobs;
  declare sender: string;

  static override styles = [
    common,
    css`
      :host {
        display: block;
        width: min(440px, 76vw);
        padding: 8px 10px 4px;
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 8px;
        margin-bottom: 6px;
        color: var(--primary);
        font-size: 0.9375rem;
        line-height: 1.4;
      }
      dl {
        display: grid;
        gap: 8px;
      }
      dt {
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.4;
      }
      dd {
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(120px, 1fr));
        gap: 10px;
        margin-top: 12px;
      }
      li {
        min-width: 0;
      }
      li.file {
        grid-column: 1 / -1;
      }
      .purpose {
        margin-bottom: 3px;
        color: var(--text-2);
        font-size: 0.8125rem;
      }
    `,
  ];

  constructor() {
    super();
    this.sender = '';
  }

  override render() {
    const words = this.words.form;
    const { form } = this;
    return html`<h2>${icons.clipboard(20)}${words.card}</h2>
      <dl data-testid="form-card">
        ${this.#answer(words.chiefComplaint, form.chiefComplaint)}
        ${this.#answer(words.duration, form.duration && words.durationOf[form.duration.unit](form.duration.value))}
        ${this.#answer(words.symptoms, form.symptoms?.join(locale().startsWith('zh') ? '、' : ', '))}
        ${this.#answer(words.temperature, form.temperatureCelsius && words.celsius(degrees(form.temperatureCelsius)))}
        ${this.#answer(words.history, form.history)} ${this.#answer(words.medications, form.medications)}
        ${this.#answer(words.allergies, form.allergies)}
        ${this.#answer(words.pregnancy, form.pregnancy && words.pregnancyOf[form.pregnancy])}
      </dl>
      ${form.attachments.length === 0 ? null : this.#attachments()}`;
  }

  #answer(question: string, answer: string | undefined | 0): TemplateResult | null {
    if (answer === undefined || answer === 0) return null;
    return html`<div><dt>${question}</dt><dd>${answer}</dd></div>`;
  }

  #attachments(): TemplateResult {
    const words = this.words.form;
    return html`<ul aria-label=${words.pictures}>
      ${this.form.attachments.map(({ purpose, attachment }) => {
        const what = words.purposes[purpose];
        if (attachment.kind === 'image')
          return html`<li>
            <p class="purpose">${what}</p>
            <tele-picture .blobs=${this.blobs} .attachment=${attachment} .sender=${this.sender} .caption=${what}></tele-picture>
          </li>`;
        if (attachment.kind === 'file')
          return html`<li class="file">
            <p class="purpose">${what}</p>
            <tele-file .blobs=${this.blobs} .attachment=${attachment}></tele-file>
          </li>`;
        return null;
      })}
    </ul>`;
  }
}

const degrees = (value: number): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);

customElements.define('tele-form-card', TeleFormCard);
