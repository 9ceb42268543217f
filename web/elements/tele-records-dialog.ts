import type { Records } from '@teleconsult/client-sdk/records';
import { html, type TemplateResult } from 'lit';
import { recordsWords } from '../i18n/records.ts';
import { Follow } from '../state/follow.ts';
import type { RecordsPlace } from '../state/records-place.ts';
import { recordsStyle } from '../styles/records.ts';
import './tele-confirm.ts';
import type { Confirmation, TeleConfirm } from './tele-confirm.ts';
import { TeleDialog } from './tele-dialog.ts';

/** A dialog about what is recorded of a visit. It loads it anew when it opens, and says so when that fails. */
export abstract class TeleRecordsDialog extends TeleDialog {
  static override properties = {
    model: { attribute: false },
    records: { state: true },
    hasFailed: { state: true },
  };
  declare model: RecordsPlace;
  declare protected records: Records | null;
  declare private hasFailed: boolean;

  static override styles = [...TeleDialog.styles, recordsStyle];

  constructor() {
    super();
    this.records = null;
    this.hasFailed = false;
    new Follow<RecordsPlace>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  protected abstract loaded(records: Records): TemplateResult;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  protected override content(): TemplateResult {
    const { records } = this;
    if (this.hasFailed)
      return html`<p role="alert">${recordsWords().list.failed}</p>
        <div class="choices"><button type="button" class="primary" @click=${() => void this.#load()}>${this.words.retry}</button></div>`;
    if (records === null) return html`<p role="status">${this.words.loading}</p>`;
    return html`${this.loaded(records)}<tele-confirm></tele-confirm>`;
  }

  /** True once the person has confirmed. */
  protected async confirmed(asked: Confirmation): Promise<boolean> {
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask(asked);
    return typeof answer === 'string';
  }

  async #load(): Promise<void> {
    this.hasFailed = false;
    const known = this.model.records;
    try {
      this.records = await this.model.openRecords();
      // What was opened before may be old.
      await known?.load();
    } catch {
      this.hasFailed = true;
    }
  }
}
