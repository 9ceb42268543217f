import type { Entry } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { day, moment, timeOfDay } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import type { DialogName } from './tele-dialogs.ts';
import { TeleElement } from './tele-element.ts';

export type RecordEntry = Extract<
  Entry,
  { kind: `recording.${string}` | `note.${string}` | `followUp.${string}` | 'contact.changed' }
>;

interface Line {
  readonly icon: TemplateResult;
  readonly text: unknown;
  /** Where more of it is. */
  readonly opens: DialogName | null;
}

/** A line of the thread about a recording, a note or a follow-up. Tells `tele-action` with the dialog that has more of it. */
export class TeleRecordLine extends TeleElement {
  static override properties = { model: { attribute: false }, entry: { attribute: false } };
  declare model: VisitModel;
  declare entry: RecordEntry;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: inline-flex;
        align-items: flex-start;
        gap: 7px;
        max-width: 92%;
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.5;
      }
      svg {
        margin-top: 1px;
      }
      p {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .note {
        display: block;
        white-space: pre-wrap;
      }
      button {
        min-height: 28px;
        min-width: 0;
        margin: -4px 0;
        padding: 0 8px;
        font-size: 0.8125rem;
      }
      time {
        flex: none;
        font-size: 0.75rem;
        line-height: 1.625;
      }
    `,
  ];

  override render() {
    const { entry } = this;
    const { icon, text, opens } = this.#line();
    return html`${icon}
      <p data-testid="record-line" data-kind=${entry.kind}>${text} ${
        opens === null
          ? null
          : html`<button type="button" class="quiet" @click=${() => this.tell('tele-action', opens)}>${recordsWords().line.open}</button>`
      }</p>
      <time datetime=${new Date(entry.at).toISOString()} title=${moment(entry.at)}>${timeOfDay(entry.at)}</time>`;
  }

  #line(): Line {
    const { entry, model } = this;
    const { line } = recordsWords();
    const name = model.nameOf(entry.by);
    const dot = marks.record(17);
    switch (entry.kind) {
      case 'recording.asked':
        return { icon: dot, text: line.asked(name), opens: null };
      case 'recording.agreed':
        return { icon: icons.check(17), text: line.agreed(name), opens: null };
      case 'recording.started':
        return { icon: dot, text: line.started, opens: null };
      case 'recording.paused':
        return { icon: icons.pause(17), text: line.paused(name), opens: null };
      case 'recording.resumed':
        return { icon: dot, text: line.resumed(name), opens: null };
      case 'recording.stopped': {
        const hasSome = entry.reason !== 'not_answered';
        return { icon: dot, text: line.stopped[entry.reason](name), opens: hasSome ? 'records' : null };
      }
      case 'note.signed':
        return { icon: icons.clipboard(17), text: line.signed[entry.purpose](name), opens: 'notes' };
      case 'note.added':
        return { icon: icons.clipboard(17), text: line.added(name), opens: 'notes' };
      case 'followUp.planned':
        return this.#followUp(this.#withReason(line.planned(day(entry.dueAt)), entry.reason));
      case 'followUp.changed':
        return this.#followUp(this.#withReason(line.changed(day(entry.dueAt)), entry.reason));
      case 'followUp.cancelled':
        return this.#followUp(line.cancelled);
      case 'followUp.due':
        return this.#followUp(line.due);
      case 'followUp.begun':
        return this.#followUp(line.begun(name));
      case 'followUp.completed':
        return this.#followUp(line.completed[entry.outcome]);
      case 'contact.changed':
        return this.#followUp(entry.refused ? line.contactRefused(name) : line.contactAllowed(name));
      default: {
        const unreachable: never = entry;
        return unreachable;
      }
    }
  }

  #followUp(text: unknown): Line {
    return { icon: marks.calendar(17), text, opens: 'followUps' };
  }

  #withReason(text: string, reason: string): TemplateResult {
    return html`${text}<span class="note">${reason}</span>`;
  }
}

customElements.define('tele-record-line', TeleRecordLine);
