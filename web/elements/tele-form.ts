import { AppError } from '@teleconsult/protocol/errors';
import { MAX_FORM_ATTACHMENTS } from '@teleconsult/protocol/limits';
import { css, html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { byteSize } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import {
  EMPTY_ANSWERS,
  type FormAnswers,
  type FormPicture,
  type FormProblem,
  formDraft,
  isPicture,
  MAX_LENGTH,
  MAX_SYMPTOM_LENGTH,
  MAX_SYMPTOMS,
  problemsOf,
  progressOf,
  type Question,
} from '../state/form-answers.ts';
import { formStore } from '../state/form-store.ts';
import { failure } from '../state/notice.ts';
import { pending, refusal } from '../state/pending-attachment.ts';
import type { VisitModel } from '../state/visit-model.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleDialog } from './tele-dialog.ts';
import './tele-form-pictures.ts';
import type { PickedForForm } from './tele-form-pictures.ts';

/** A pause in typing this long keeps the form; it is kept at once when it is closed or left. */
const KEEP_AFTER_MS = 600;

type TextQuestion = 'chiefComplaint' | 'symptoms' | 'history' | 'medications' | 'allergies';

/** The consultation form. What is written is kept on this device until it is sent. */
export class TeleForm extends TeleDialog {
  static override properties = {
    model: { attribute: false },
    answers: { state: true },
    problems: { state: true },
  };
  declare model: VisitModel;
  declare private answers: FormAnswers;
  declare private problems: readonly FormProblem[];

  protected readonly testId = 'form-dialog';
  #keeping: ReturnType<typeof setTimeout> | null = null;
  #lastId = 0;

  static override styles = [
    ...TeleDialog.styles,
    css`
      dialog {
        width: min(600px, calc(100vw - 32px));
      }
      @media (max-width: 480px) {
        dialog {
          width: 100%;
          max-height: calc(100dvh - 24px);
        }
      }
      progress {
        display: block;
        width: 100%;
        height: 6px;
        margin: 14px 0 4px;
        border: 0;
        border-radius: 3px;
        background: var(--surface-3);
        appearance: none;
        overflow: hidden;
      }
      progress::-webkit-progress-bar {
        background: transparent;
      }
      progress::-webkit-progress-value {
        background: var(--primary);
      }
      progress::-moz-progress-bar {
        background: var(--primary);
      }
      .summary {
        margin-top: 14px;
        padding: 10px 14px;
        border-radius: var(--radius-2);
        background: var(--danger-soft);
      }
      .two {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(200px, 1fr));
        gap: 0 16px;
      }
      .choices {
        position: sticky;
        bottom: -24px;
        margin: 22px -24px -24px;
        padding: 12px 24px calc(16px + env(safe-area-inset-bottom));
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
      .clear {
        margin-top: 10px;
        padding: 0 8px;
        color: var(--text-2);
      }
    `,
  ];

  constructor() {
    super();
    this.answers = EMPTY_ANSWERS;
    this.problems = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('pagehide', this.#keep);
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('pagehide', this.#keep);
    if (this.#keeping !== null) this.#keep();
  }

  protected override get heading(): string {
    return this.words.form.title;
  }

  protected override content(): TemplateResult {
    const words = this.words.form;
    const { done, all } = progressOf(this.answers);
    return html`<p>${words.lead}</p>
      <progress max=${all} .value=${done} aria-label=${words.progress(done, all)}></progress>
      <p class="hint">${words.progress(done, all)} · ${words.kept}</p>
      ${
        this.problems.length === 0
          ? null
          : html`<p class="wrong summary" role="alert" data-testid="form-problems">${icons.alert(18)}${words.problems(this.problems.length)}</p>`
      }
      <form novalidate @submit=${this.#onSubmit}>
        ${this.#text('chiefComplaint', { hint: words.chiefComplaintHint, isRequired: true })} ${this.#duration()}
        ${this.#text('symptoms', { hint: words.symptomsHint, isLine: true })}
        <div class="two">${this.#temperature()} ${this.#pregnancy()}</div>
        ${this.#text('history', { hint: words.historyHint })} ${this.#text('medications', {})}
        ${this.#text('allergies', { hint: words.allergiesHint })}
        <tele-form-pictures
          .pictures=${this.answers.pictures}
          @tele-form-picked=${(event: CustomEvent<PickedForForm>) => this.#add(event.detail)}
          @tele-form-removed=${(event: CustomEvent<string>) => this.#remove(event.detail)}
        ></tele-form-pictures>
        ${this.#wrong('pictures')}
        <button type="button" class="quiet clear" data-testid="form-clear" @click=${() => void this.#clear()}>${words.clear}</button>
        <div class="choices">
          <button type="button" data-testid="form-later" @click=${() => this.close()}>${words.later}</button>
          <button type="submit" class="primary" data-testid="form-send">${words.send}</button>
        </div>
      </form>
      <tele-confirm></tele-confirm>`;
  }

  #text(
    question: TextQuestion,
    { hint, isRequired = false, isLine = false }: { hint?: string; isRequired?: boolean; isLine?: boolean },
  ): TemplateResult {
    const label = this.words.form[question];
    const describedBy = `${question}-hint ${question}-wrong`;
    const isWrong = this.problems.some((problem) => problem.question === question);
    const onInput = (event: Event): void =>
      this.#answer({ [question]: (event.target as HTMLInputElement | HTMLTextAreaElement).value });
    return html`<div class="field">
      <label for=${question}>${label}</label>
      ${hint === undefined ? null : html`<p class="hint" id=${`${question}-hint`}>${hint}</p>`}
      ${
        isLine
          ? html`<input id=${question} data-testid=${`form-${question}`} aria-describedby=${describedBy} aria-invalid=${isWrong} .value=${live(this.answers[question])} @input=${onInput} />`
          : html`<textarea
              id=${question}
              data-testid=${`form-${question}`}
              aria-describedby=${describedBy}
              aria-invalid=${isWrong}
              aria-required=${isRequired}
              .value=${live(this.answers[question])}
              @input=${onInput}
            ></textarea>`
      }
      ${this.#wrong(question)}
    </div>`;
  }

  #duration(): TemplateResult {
    const words = this.words.form;
    const isWrong = this.problems.some(({ question }) => question === 'durationValue');
    return html`<fieldset class="field">
      <legend>${words.duration}</legend>
      <div class="pair">
        <input
          id="durationValue"
          data-testid="form-durationValue"
          inputmode="numeric"
          aria-label=${words.durationValue}
          aria-describedby="durationValue-wrong"
          aria-invalid=${isWrong}
          .value=${live(this.answers.durationValue)}
          @input=${(event: Event) => this.#answer({ durationValue: (event.target as HTMLInputElement).value })}
        />
        <select
          data-testid="form-durationUnit"
          aria-label=${words.durationUnit}
          @change=${(event: Event) => this.#answer({ durationUnit: (event.target as HTMLSelectElement).value as FormAnswers['durationUnit'] })}
        >
          ${Object.entries(words.units).map(([unit, name]) => html`<option value=${unit} ?selected=${unit === this.answers.durationUnit}>${name}</option>`)}
        </select>
      </div>
      ${this.#wrong('durationValue')}
    </fieldset>`;
  }

  #temperature(): TemplateResult {
    const words = this.words.form;
    const isWrong = this.problems.some(({ question }) => question === 'temperature');
    return html`<div class="field">
      <label for="temperature">${words.temperature}</label>
      <p class="hint" id="temperature-hint">${words.temperatureUnit}</p>
      <input
        id="temperature"
        data-testid="form-temperature"
        inputmode="decimal"
        aria-describedby="temperature-hint temperature-wrong"
        aria-invalid=${isWrong}
        .value=${live(this.answers.temperature)}
        @input=${(event: Event) => this.#answer({ temperature: (event.target as HTMLInputElement).value })}
      />
      ${this.#wrong('temperature')}
    </div>`;
  }

  #pregnancy(): TemplateResult {
    const words = this.words.form;
    return html`<div class="field">
      <label for="pregnancy">${words.pregnancy}</label>
      <p class="hint">&nbsp;</p>
      <select
        id="pregnancy"
        data-testid="form-pregnancy"
        @change=${(event: Event) => this.#answer({ pregnancy: (event.target as HTMLSelectElement).value as FormAnswers['pregnancy'] })}
      >
        <option value="" ?selected=${this.answers.pregnancy === ''}>${words.notSaid}</option>
        ${Object.entries(words.pregnancyOf).map(([value, name]) => html`<option value=${value} ?selected=${value === this.answers.pregnancy}>${name}</option>`)}
      </select>
    </div>`;
  }

  #wrong(question: Question): TemplateResult | null {
    const problem = this.problems.find((found) => found.question === question);
    if (problem === undefined) return null;
    return html`<p class="wrong" id=${`${question}-wrong`}>${icons.alert(16)}${this.#problemText(problem)}</p>`;
  }

  #problemText(problem: FormProblem): string {
    const { errors } = this.words.form;
    switch (problem.reason) {
      case 'tooLong':
        return errors.tooLong(MAX_LENGTH[problem.question]);
      case 'symptomsMany':
        return errors.symptomsMany(MAX_SYMPTOMS);
      case 'symptomLong':
        return errors.symptomLong(MAX_SYMPTOM_LENGTH);
      case 'attachmentsMany':
        return errors.attachmentsMany(MAX_FORM_ATTACHMENTS);
      case 'required':
      case 'duration':
      case 'temperature':
        return errors[problem.reason];
      default: {
        const unreachable: never = problem;
        return unreachable;
      }
    }
  }

  #answer(change: Partial<FormAnswers>): void {
    this.answers = { ...this.answers, ...change };
    // What was wrong is checked again while it is corrected, but nothing new is blamed before sending.
    const still = problemsOf(this.answers);
    this.problems = this.problems.filter(({ question }) =>
      still.some((problem) => problem.question === question),
    );
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    this.#keeping = setTimeout(this.#keep, KEEP_AFTER_MS);
  }

  #add({ files, purpose }: PickedForForm): void {
    const words = this.words.composer;
    const pictures: FormPicture[] = [];
    for (const file of files) {
      const refused = refusal(pending(file, isPicture(file) ? 'image' : 'file'));
      this.#lastId += 1;
      const id = `${Date.now()}-${this.#lastId}`;
      if (refused === null) pictures.push({ id, purpose, data: file, fileName: file.name || 'file' });
      else
        this.notify(
          failure(
            refused.reason === 'empty'
              ? words.emptyFile(file.name)
              : words.tooLarge(file.name, byteSize(refused.limitBytes)),
          ),
        );
    }
    const room = MAX_FORM_ATTACHMENTS - this.answers.pictures.length;
    if (pictures.length > room)
      this.notify(failure(this.words.form.errors.attachmentsMany(MAX_FORM_ATTACHMENTS)));
    this.#answer({ pictures: [...this.answers.pictures, ...pictures.slice(0, Math.max(0, room))] });
  }

  #remove(id: string): void {
    this.#answer({ pictures: this.answers.pictures.filter((picture) => picture.id !== id) });
  }

  async #load(): Promise<void> {
    const kept = await formStore.load(this.model.view.consultationId);
    // Whoever already writes is not interrupted.
    if (this.answers === EMPTY_ANSWERS) this.answers = kept;
  }

  readonly #keep = (): void => {
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    this.#keeping = null;
    if (this.answers !== EMPTY_ANSWERS) void formStore.keep(this.model.view.consultationId, this.answers);
  };

  async #clear(): Promise<void> {
    const words = this.words.form;
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: words.clearTitle,
      text: words.clearText,
      confirm: words.clear,
      back: this.words.cancel,
      testId: 'form-clear-confirm',
    });
    if (typeof answer === 'string') await this.#forget();
  }

  async #forget(): Promise<void> {
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    this.#keeping = null;
    this.answers = EMPTY_ANSWERS;
    this.problems = [];
    await formStore.drop(this.model.view.consultationId);
  }

  readonly #onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    this.problems = problemsOf(this.answers);
    const [first] = this.problems;
    if (first !== undefined) {
      void this.updateComplete.then(() =>
        this.renderRoot.querySelector<HTMLElement>(`#${first.question}`)?.focus(),
      );
      return;
    }
    // From here on the outbox keeps it: a refusal stays there with its reason, and can be sent again.
    // Only a full outbox takes nothing; then the form stays where it was.
    const { answers, model } = this;
    void model.visit.send(formDraft(answers)).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'RATE_LIMITED') return;
      void formStore.keep(model.view.consultationId, answers);
    });
    void this.#forget();
    this.close();
  };
}

customElements.define('tele-form', TeleForm);
