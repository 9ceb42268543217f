import type { Subject, SubjectDraft } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { TeleDialog } from './tele-dialog.ts';

const FIRST_YEAR = 1900;
const MAX_NAME = 80;
const MAX_REFERENCE = 200;

type Wrong = 'nameMissing' | 'yearWrong' | 'declareMissing';

/** For whom the patient consults: themselves, or somebody who authorised them. */
export class TeleSubject extends TeleDialog {
  static override properties = {
    model: { attribute: false },
    isOther: { state: true },
    wrong: { state: true },
    isSaving: { state: true },
  };
  declare model: VisitModel;
  declare private isOther: boolean;
  declare private wrong: readonly Wrong[];
  declare private isSaving: boolean;

  protected readonly testId = 'subject-dialog';

  static override styles = [
    ...TeleDialog.styles,
    css`
      .field.declare {
        padding: 4px 14px;
        border-radius: var(--radius-2);
        background: var(--surface-2);
      }
    `,
  ];

  constructor() {
    super();
    this.isOther = false;
    this.wrong = [];
    this.isSaving = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.isOther = this.model.view.subject !== null;
  }

  protected override get heading(): string {
    return this.words.subject.title;
  }

  protected override content(): TemplateResult {
    const words = this.words.subject;
    return html`<form novalidate @submit=${(event: SubmitEvent) => void this.#onSubmit(event)}>
      <fieldset class="field">
        <legend class="visually-hidden">${words.title}</legend>
        ${this.#who(false, words.forSelf)} ${this.#who(true, words.forOther)}
      </fieldset>
      ${this.isOther ? this.#other(this.model.view.subject) : null}
      <div class="choices">
        <button type="button" @click=${() => this.close()}>${this.words.cancel}</button>
        <button type="submit" class="primary" data-testid="subject-save" ?disabled=${this.isSaving}>${words.save}</button>
      </div>
    </form>`;
  }

  #who(isOther: boolean, text: string): TemplateResult {
    return html`<label class="option">
      <input
        type="radio"
        name="who"
        data-testid=${isOther ? 'subject-other' : 'subject-self'}
        .checked=${this.isOther === isOther}
        @change=${() => {
          this.isOther = isOther;
          this.wrong = [];
        }}
      /><span>${text}</span>
    </label>`;
  }

  #other(subject: Subject | null): TemplateResult {
    const words = this.words.subject;
    return html`<div class="field">
        <label for="name">${words.name}</label>
        <input id="name" name="name" data-testid="subject-name" maxlength=${MAX_NAME} autocomplete="off" aria-invalid=${this.wrong.includes('nameMissing')} aria-describedby="name-wrong" .value=${subject?.displayName ?? ''} />
        ${this.#problem('nameMissing', 'name-wrong')}
      </div>
      ${this.#choice('relationship', words.relationship, words.relationships, subject?.relationship ?? 'child')}
      <div class="field">
        <label for="birthYear">${words.birthYear}</label>
        <input id="birthYear" name="birthYear" data-testid="subject-year" inputmode="numeric" aria-invalid=${this.wrong.includes('yearWrong')} aria-describedby="year-wrong" .value=${String(subject?.birthYear ?? '')} />
        ${this.#problem('yearWrong', 'year-wrong')}
      </div>
      ${this.#choice('basis', words.basis, words.bases, subject?.authorisation.basis ?? 'guardian')}
      <div class="field">
        <label for="reference">${words.reference}</label>
        <input id="reference" name="reference" maxlength=${MAX_REFERENCE} autocomplete="off" .value=${subject?.authorisation.reference ?? ''} />
      </div>
      <div class="field declare">
        <label class="option">
          <input type="checkbox" name="declared" data-testid="subject-declare" aria-invalid=${this.wrong.includes('declareMissing')} aria-describedby="declare-wrong" />
          <span>${words.declare}</span>
        </label>
        ${this.#problem('declareMissing', 'declare-wrong')}
      </div>`;
  }

  #choice(
    name: string,
    label: string,
    options: Readonly<Record<string, string>>,
    chosen: string,
  ): TemplateResult {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} name=${name} data-testid=${`subject-${name}`}>
        ${Object.entries(options).map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}
      </select>
    </div>`;
  }

  #problem(wrong: Wrong, id: string): TemplateResult | null {
    if (!this.wrong.includes(wrong)) return null;
    return html`<p class="wrong" id=${id} role="alert">${icons.alert(16)}${this.words.subject[wrong]}</p>`;
  }

  async #onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const draft = this.isOther ? this.#draft(new FormData(form)) : null;
    if (this.wrong.length > 0) return;
    this.isSaving = true;
    const isSaved = await this.attempt(() => this.model.visit.setSubject(draft));
    this.isSaving = false;
    if (isSaved) this.close();
  }

  /** Reads the fields and notes what is wrong with them. */
  #draft(data: FormData): SubjectDraft {
    const text = (name: string): string => {
      const value = data.get(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    const [displayName, year, reference] = [
      text('name'),
      text('birthYear').normalize('NFKC'),
      text('reference'),
    ];
    const birthYear = Number(year);
    const isYear =
      Number.isInteger(birthYear) && birthYear >= FIRST_YEAR && birthYear <= new Date().getFullYear();
    this.wrong = [
      ...(displayName === '' ? (['nameMissing'] as const) : []),
      ...(year !== '' && !isYear ? (['yearWrong'] as const) : []),
      ...(data.get('declared') === null ? (['declareMissing'] as const) : []),
    ];
    return {
      displayName,
      relationship: text('relationship') as SubjectDraft['relationship'],
      ...(year === '' ? {} : { birthYear }),
      authorisation: {
        basis: text('basis') as SubjectDraft['authorisation']['basis'],
        ...(reference === '' ? {} : { reference }),
      },
    };
  }
}

customElements.define('tele-subject', TeleSubject);
