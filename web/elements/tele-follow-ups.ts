import type { Records } from '@teleconsult/client-sdk/records';
import type { FollowUp, FollowUpOutcome } from '@teleconsult/protocol';
import { MAX_FOLLOW_UP_REASON } from '@teleconsult/protocol/limits';
import { css, html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { day, moment } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import { beginDictation } from '../state/dictation-flow.ts';
import { dateOf, dueAtOf, followUpOrder } from '../state/follow-up-order.ts';
import { information } from '../state/notice.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { switchRow } from '../styles/switch.ts';
import './tele-follow-up-form.ts';
import type { FollowUpPlan } from './tele-follow-up-form.ts';
import { TeleRecordsDialog } from './tele-records-dialog.ts';

const OUTCOMES: readonly FollowUpOutcome[] = ['reached', 'not_reached', 'refused'];

/** What is planned after the visit: the doctor plans and carries out, the patient sees it and may refuse to be contacted. */
export class TeleFollowUps extends TeleRecordsDialog {
  static override properties = {
    ...TeleRecordsDialog.properties,
    openForm: { state: true },
    outcome: { state: true },
    isBusy: { state: true },
  };
  declare model: VisitModel;
  /** The form that is open: of a new one, of a change, or of an outcome. */
  declare private openForm:
    | { readonly kind: 'plan' }
    | { readonly kind: 'change' | 'complete'; readonly id: string }
    | null;
  declare private outcome: FollowUpOutcome;
  declare private isBusy: boolean;

  protected readonly testId = 'follow-ups-dialog';

  static override styles = [
    ...TeleRecordsDialog.styles,
    switchRow,
    css`
      .refusal {
        margin-top: 14px;
      }
    `,
  ];

  constructor() {
    super();
    this.openForm = null;
    this.outcome = 'reached';
    this.isBusy = false;
  }

  protected override get heading(): string {
    return recordsWords().followUps.title;
  }

  protected override loaded(records: Records): TemplateResult {
    const { followUps: words } = recordsWords();
    const { followUps, contactRefusedSince } = records.followUps;
    const isDoctor = this.model.self?.role === 'doctor';
    const isPatient = this.model.self?.role === 'patient';
    return html`${isPatient ? this.#refusal(records, contactRefusedSince !== null) : null}
      ${
        isDoctor && contactRefusedSince !== null
          ? html`<p class="told refusal" data-testid="contact-refused">${icons.alert(18)}<span>${words.refusedDoctor(moment(contactRefusedSince))}</span></p>`
          : null
      }
      ${followUps.length === 0 ? html`<p class="refusal" data-testid="no-follow-ups">${words.none}</p>` : null}
      <ul class="cards">
        ${repeat(
          followUpOrder(followUps),
          ({ followUpId }) => followUpId,
          (followUp) => this.#card(records, followUp, isDoctor),
        )}
      </ul>
      ${isDoctor ? this.#planning(records) : null}`;
  }

  /** Said with its effect, before and after. */
  #refusal(records: Records, isRefused: boolean): TemplateResult {
    const { followUps: words } = recordsWords();
    const set = (): void => void this.#do(() => records.refuseContact(!isRefused));
    return html`<div class="refusal">
      <button type="button" class="switch" role="switch" aria-checked=${isRefused ? 'true' : 'false'} data-testid="refuse-contact" ?disabled=${this.isBusy} @click=${set}>
        <span class="words">${words.refuse}<small>${words.refuseHint}</small></span><span class="knob"></span>
      </button>
      <p class="meta" role="status">${isRefused ? words.refused : words.allowed}</p>
    </div>`;
  }

  #card(records: Records, followUp: FollowUp, isDoctor: boolean): TemplateResult {
    const { followUps: words } = recordsWords();
    const { followUpId, state, dueAt, reason, outcome, noteId } = followUp;
    const style = { planned: '', due: 'warn', in_progress: 'now', done: 'well', cancelled: '' }[state];
    const form = this.openForm;
    const isOpen = form !== null && form.kind !== 'plan' && form.id === followUpId;
    return html`<li class="card" data-testid="follow-up" data-state=${state}>
      <span class="badge ${style}">${words.state[state]}</span>
      <h3>${day(dueAt)}</h3>
      <p class="text">${reason}</p>
      ${outcome === null ? null : html`<p class="meta" data-testid="follow-up-outcome">${words.outcome[outcome]}</p>`}
      ${state === 'in_progress' && isDoctor ? html`<p class="meta" role="status">${words.begun}</p>` : null}
      ${
        noteId === null
          ? null
          : html`<div class="acts"><button type="button" class="quiet" @click=${() => this.tell('tele-dialog', 'notes')}>${icons.clipboard(20)}${words.seeNote}</button></div>`
      }
      ${isDoctor && !isOpen ? this.#acts(records, followUp) : null}
      ${
        isOpen && form.kind === 'change'
          ? this.#form({ date: dateOf(dueAt), reason }, (plan) =>
              this.#save(plan, (at) => records.changeFollowUp(followUpId, at)),
            )
          : null
      }
      ${isOpen && form.kind === 'complete' ? this.#completing(records, followUp) : null}
    </li>`;
  }

  #acts(records: Records, { followUpId, state }: FollowUp): TemplateResult | null {
    const { followUps: words } = recordsWords();
    const isRefused = records.followUps.contactRefusedSince !== null;
    const hasEnded = this.model.view.phase === 'ended';
    if (state === 'in_progress')
      return html`<div class="acts">
        <button type="button" data-testid="follow-up-dictate" ?disabled=${this.isBusy || this.model.isDictating} @click=${() => void this.#dictate(records, followUpId)}>${icons.microphone(20)}${words.dictate}</button>
        <button type="button" class="primary" data-testid="follow-up-complete" @click=${() => this.#open('complete', followUpId)}>${icons.check(20)}${words.complete}</button>
      </div>`;
    if (state !== 'planned' && state !== 'due') return null;
    return html`<div class="acts">
        <button type="button" class="primary" data-testid="follow-up-begin" ?disabled=${this.isBusy || isRefused || !hasEnded} @click=${() => void this.#begin(records, followUpId)}>${icons.phone(20)}${words.begin}</button>
        <button type="button" data-testid="follow-up-change" @click=${() => this.#open('change', followUpId)}>${words.change}</button>
        <button type="button" class="quiet warn-text" data-testid="follow-up-cancel" ?disabled=${this.isBusy} @click=${() => void this.#cancel(records, followUpId)}>${words.cancel}</button>
      </div>
      ${hasEnded ? null : html`<p class="meta">${words.beginEnded}</p>`}`;
  }

  #planning(records: Records): TemplateResult {
    const { followUps: words } = recordsWords();
    if (this.openForm?.kind !== 'plan')
      return html`<div class="choices"><button type="button" class="primary" data-testid="follow-up-plan" @click=${() => {
        this.openForm = { kind: 'plan' };
      }}>${icons.plus(20)}${words.plan}</button></div>`;
    return this.#form({ date: '', reason: '' }, (plan) => this.#save(plan, (at) => records.planFollowUp(at)));
  }

  #form(plan: FollowUpPlan, save: (plan: FollowUpPlan) => void): TemplateResult {
    return html`<tele-follow-up-form
      .plan=${plan}
      .isBusy=${this.isBusy}
      maxlength=${MAX_FOLLOW_UP_REASON}
      @tele-plan=${(event: CustomEvent<FollowUpPlan>) => save(event.detail)}
      @tele-cancel=${() => {
        this.openForm = null;
      }}
    ></tele-follow-up-form>`;
  }

  #completing(records: Records, { followUpId }: FollowUp): TemplateResult {
    const { followUps: words } = recordsWords();
    const notes = records.notes.filter((note) => note.followUpId === followUpId);
    const complete = (event: Event): void => {
      event.preventDefault();
      const noteId = this.renderRoot.querySelector<HTMLSelectElement>('#note')?.value ?? '';
      const result = { outcome: this.outcome, ...(noteId === '' ? {} : { noteId }) };
      void this.#do(() => records.completeFollowUp(followUpId, result));
    };
    return html`<form @submit=${complete} data-testid="follow-up-result">
      <fieldset class="field">
        <legend>${words.completeTitle}</legend>
        ${OUTCOMES.map(
          (outcome) =>
            html`<label class="option"><input type="radio" name="outcome" value=${outcome} data-testid=${`outcome-${outcome}`} .checked=${this.outcome === outcome} @change=${() => {
              this.outcome = outcome;
            }} /><span>${words.outcome[outcome]}</span></label>`,
        )}
      </fieldset>
      <div class="field"><label for="note">${words.note}</label>
        <select id="note" data-testid="follow-up-note">
          <option value="">${words.noNote}</option>
          ${notes.map((note, index) => html`<option value=${note.noteId} ?selected=${index === 0}>${note.state === 'draft' ? `${words.noteDraft}: ` : ''}${note.current.text.slice(0, 60) || moment(note.createdAt)}</option>`)}
        </select>
      </div>
      <div class="choices">
        <button type="button" @click=${() => {
          this.openForm = null;
        }}>${this.words.cancel}</button>
        <button type="submit" class="primary" data-testid="follow-up-complete-confirm" ?disabled=${this.isBusy}>${words.completeConfirm}</button>
      </div>
    </form>`;
  }

  #open(kind: 'change' | 'complete', id: string): void {
    this.outcome = 'reached';
    this.openForm = { kind, id };
  }

  #save(plan: FollowUpPlan, save: (plan: { dueAt: number; reason: string }) => Promise<unknown>): void {
    const dueAt = dueAtOf(plan.date);
    if (dueAt !== null) void this.#do(() => save({ dueAt, reason: plan.reason.trim() }));
  }

  async #begin(records: Records, followUpId: string): Promise<void> {
    if (await this.#do(() => records.beginFollowUp(followUpId)))
      this.notify(information(recordsWords().followUps.begun));
  }

  async #cancel(records: Records, followUpId: string): Promise<void> {
    const { followUps: words } = recordsWords();
    const isSure = await this.confirmed({
      title: words.cancelTitle,
      text: words.cancelText,
      confirm: words.cancelConfirm,
      back: words.keep,
      testId: 'follow-up-cancel-confirm',
    });
    if (isSure) await this.#do(() => records.cancelFollowUp(followUpId));
  }

  /** The notes have the recorder, and what becomes of it. */
  async #dictate(records: Records, followUpId: string): Promise<void> {
    const begun = await this.attempt(
      () => beginDictation(records, 'follow_up', { target: { kind: 'newNote' }, followUpId }),
      'microphone',
    );
    if (begun) this.tell('tele-dialog', 'notes');
  }

  async #do(act: () => Promise<unknown>): Promise<boolean> {
    this.isBusy = true;
    const isDone = await this.attempt(act);
    if (isDone) this.openForm = null;
    this.isBusy = false;
    return isDone;
  }
}

customElements.define('tele-follow-ups', TeleFollowUps);
