import type { CallRecording } from '@teleconsult/protocol';
import { css, html, type PropertyValues } from 'lit';
import { recordsWords } from '../i18n/records.ts';
import { speak } from '../state/announcer.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { chime } from '../state/recording-chime.ts';
import { isHeard, recordingNews } from '../state/recording-news.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { common } from '../styles/common.ts';
import './tele-dictation-bar.ts';
import { TeleElement } from './tele-element.ts';
import './tele-recording-consent.ts';
import './tele-recording-strip.ts';

/**
 * What is recorded on this device at this moment, above the page: the recording of a call that is not shown large, the
 * question whether one may be recorded, and a dictation. Tells beginning and end aloud, wherever the call is shown.
 */
export class TeleRecordedNow extends TeleElement {
  static override properties = {
    call: { attribute: false },
    isLarge: { attribute: false },
    dictating: { attribute: false },
  };
  declare call: CallModel | null;
  /** The call is shown large, and has the strip in itself. */
  declare isLarge: boolean;
  declare dictating: VisitModel | null;

  #told: { readonly call: CallModel; readonly recording: CallRecording | null } | null = null;

  static override styles = [
    common,
    css`
      :host {
        display: block;
        grid-row: 1;
        background: var(--stage);
      }
      .bars {
        display: grid;
        gap: 1px;
      }
      tele-recording-strip {
        padding: calc(6px + env(safe-area-inset-top)) 8px 6px;
      }
    `,
  ];

  constructor() {
    super();
    this.call = null;
    this.isLarge = false;
    this.dictating = null;
    new Follow<CallModel>(this, {
      subject: () => this.call,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    new Follow<VisitModel>(this, {
      subject: () => this.dictating,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    const { call } = this;
    // Also on a device of the person that is not in the call: they may take part in it no more from there, too.
    const isRecorded = call?.isOngoing === true && call.recording !== null;
    const isInCall = this.isLarge && call?.status !== 'elsewhere';
    return html`<div class="bars">
        ${isRecorded && !isInCall ? html`<tele-recording-strip .model=${call}></tele-recording-strip>` : null}
        ${this.dictating === null ? null : html`<tele-dictation-bar .model=${this.dictating}></tele-dictation-bar>`}
      </div>
      ${call?.isAskedToBeRecorded ? html`<tele-recording-consent .model=${call}></tele-recording-consent>` : null}`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const { call } = this;
    const { said } = recordsWords().call;
    const told = this.#told;
    if (call === null || !call.isOngoing || call.status === 'elsewhere') {
      // The call is over, and the recording with it.
      if (told?.recording != null && told.recording.phase !== 'asking') speak(said.over);
      this.#told = null;
      return;
    }
    const isFirst = told?.call !== call;
    const before = isFirst ? null : told.recording;
    const { recording } = call;
    this.#told = { call, recording };
    const news = recordingNews({ before, after: recording, isFirst, self: call.self });
    if (news === null) return;
    const text = news === 'asked' ? said.asked(call.nameOf(recording?.startedBy ?? call.self)) : said[news];
    speak(text);
    if (isHeard(news)) chime(text);
  }
}

customElements.define('tele-recorded-now', TeleRecordedNow);
