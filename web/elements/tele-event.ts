import type { Entry } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { duration, moment, timeOfDay } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import type { PhoneEntry } from '../state/phone-story.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import type { RecordEntry } from './tele-record-line.ts';

type EventEntry = Exclude<Entry, { kind: 'message.sent' }>;

/** Most conversations have none of them, so their words are fetched with the first. */
const isOfRecord = (entry: EventEntry): entry is RecordEntry =>
  /^(recording|note|followUp|contact)\./.test(entry.kind);
const isOfPhone = (entry: EventEntry): entry is PhoneEntry => entry.kind.startsWith('phone.');

/** A line of the thread that says what happened: to the consultation, or to a call. */
export class TeleEvent extends TeleElement {
  static override properties = { model: { attribute: false }, entry: { attribute: false } };
  declare model: VisitModel;
  declare entry: EventEntry;

  static override styles = [
    common,
    css`
      :host {
        display: flex;
        justify-content: center;
        padding: 3px 0;
      }
      div {
        display: inline-flex;
        align-items: flex-start;
        gap: 7px;
        max-width: 92%;
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.5;
      }
      .card {
        margin: 3px 0;
        padding: 7px 14px;
        border: 1px solid var(--line);
        border-radius: var(--radius-2);
        background: var(--surface);
        color: var(--text);
      }
      .missed {
        color: var(--danger);
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
        margin-top: 2px;
        color: var(--text-2);
        white-space: pre-wrap;
      }
      time {
        flex: none;
        color: var(--text-2);
        font-size: 0.75rem;
        line-height: 1.625;
      }
    `,
  ];

  protected override willUpdate(): void {
    // Without its code the line stays empty; a notice for each of many lines would help nobody.
    if (isOfRecord(this.entry)) void import('./tele-record-line.ts').catch(() => undefined);
    if (isOfPhone(this.entry)) void import('./tele-phone-line.ts').catch(() => undefined);
  }

  override render() {
    const { entry } = this;
    if (isOfRecord(entry))
      return html`<tele-record-line .model=${this.model} .entry=${entry}></tele-record-line>`;
    if (isOfPhone(entry))
      return html`<tele-phone-line .model=${this.model} .entry=${entry}></tele-phone-line>`;
    const { style, icon, text } = this.#line(entry);
    return html`<div class=${style}>
      ${icon}
      <p>${text}</p>
      <time datetime=${new Date(entry.at).toISOString()} title=${moment(entry.at)}>${timeOfDay(entry.at)}</time>
    </div>`;
  }

  #subject(
    entry: Extract<EventEntry, { kind: 'consultation.subjectSet' }>,
    name: string,
    own: boolean,
  ): unknown {
    const words = this.words.subject;
    if (entry.subject === null) return own ? words.clearedOwn : words.cleared(name);
    const { displayName, relationship, authorisation } = entry.subject;
    const relation = words.relationships[relationship];
    return html`${own ? words.changedOwn(displayName, relation) : words.changed(name, displayName, relation)}
      <span class="note">${words.authorisedBy(words.bases[authorisation.basis])}</span>`;
  }

  #line(entry: Exclude<EventEntry, RecordEntry | PhoneEntry>): {
    style: string;
    icon: TemplateResult | null;
    text: unknown;
  } {
    const { model } = this;
    const { thread } = this.words;
    const name = model.nameOf(entry.by);
    const own = model.isSelf(entry.by);
    switch (entry.kind) {
      case 'consultation.requested':
        return { style: '', icon: null, text: thread.requested };
      case 'consultation.waiting':
        return { style: '', icon: null, text: own ? thread.youWaiting : thread.waiting(name) };
      case 'consultation.accepted':
        return {
          style: 'card',
          icon: icons.stethoscope(18),
          text: own ? thread.youAccepted : thread.accepted(name),
        };
      case 'consultation.ended': {
        const text = entry.by === null ? this.words.ended[entry.reason] : thread.endedBy[entry.reason](name);
        const note =
          entry.note === undefined ? null : html`<span class="note">${thread.note(entry.note)}</span>`;
        const reason = entry.declineReason;
        const advice =
          reason === undefined ? null : html`<span class="note">${this.words.decline.advice[reason]}</span>`;
        const icon = reason === 'emergency' ? icons.alert(18) : icons.check(18);
        return { style: 'card', icon, text: html`${text}${advice}${note}` };
      }
      case 'consultation.subjectSet':
        return { style: '', icon: icons.person(17), text: this.#subject(entry, name, own) };
      case 'participant.joined':
        return {
          style: '',
          icon: icons.people(17),
          text: model.isSelf(entry.personId)
            ? thread.youJoined
            : thread.joined(entry.displayName, this.words.role[entry.role]),
        };
      case 'participant.left':
        return { style: '', icon: null, text: thread.leftBy[entry.reason](model.nameOf(entry.personId)) };
      case 'message.recalled':
        return { style: '', icon: null, text: own ? thread.youRecalled : thread.recalled(name) };
      case 'message.removed': {
        const reason =
          entry.reason === undefined ? null : html`<span class="note">${thread.note(entry.reason)}</span>`;
        return { style: '', icon: null, text: html`${thread.removed}${reason}` };
      }
      case 'call.started':
        return {
          style: '',
          icon: entry.media === 'video' ? icons.video(17) : icons.phone(17),
          text: thread.started[entry.media](name),
        };
      case 'call.answered':
        return { style: '', icon: null, text: thread.answered(name) };
      case 'call.invited':
        return { style: '', icon: null, text: thread.invitedToCall(model.nameOf(entry.personId)) };
      case 'call.left':
        return { style: '', icon: null, text: thread.leftCall[entry.reason](model.nameOf(entry.personId)) };
      case 'call.mediaChanged':
        return {
          style: '',
          icon: entry.media === 'video' ? icons.video(17) : icons.phone(17),
          text: thread.mediaChanged[entry.media],
        };
      case 'call.ended':
        return {
          style: entry.reason === 'completed' ? 'card' : 'card missed',
          icon: icons.hangUp(18),
          text: thread.callEnded[entry.reason](duration(entry.durationMs)),
        };
      default: {
        const unreachable: never = entry;
        return unreachable;
      }
    }
  }
}

customElements.define('tele-event', TeleEvent);
