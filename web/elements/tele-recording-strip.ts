import { css, html, type TemplateResult } from 'lit';
import { clock } from '../i18n/format.ts';
import { type RecordsWords, recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import type { CallModel } from '../state/call-model.ts';
import { isIn } from '../state/call-people.ts';
import { Follow } from '../state/follow.ts';
import { listed } from '../state/names.ts';
import { Ticker } from '../state/ticker.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/**
 * That the call is recorded, in words beside the red dot, with what this person can do about it: take part in it no more,
 * and for the doctor pause, go on and end. It stands in the call and, while the call is small, above the page.
 */
export class TeleRecordingStrip extends TeleElement {
  static override properties = { model: { attribute: false }, isWaiting: { state: true } };
  declare model: CallModel;
  declare private isWaiting: boolean;

  static override styles = [
    common,
    css`
      :host {
        display: block;
        color: var(--stage-text);
      }
      .strip {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 10px;
        min-height: 44px;
        padding: 4px 6px 4px 14px;
        border-radius: 14px;
        background: var(--stage-2);
      }
      .what {
        display: flex;
        flex: 1 1 130px;
        align-items: baseline;
        gap: 9px;
        min-width: 0;
        font-size: 0.875rem;
        line-height: 1.4;
      }
      strong {
        font-weight: 650;
      }
      small {
        display: block;
        color: var(--stage-text-2);
        font-size: 0.8125rem;
      }
      .time {
        font-variant-numeric: tabular-nums;
      }
      .dot {
        flex: none;
        width: 11px;
        height: 11px;
        border-radius: 50%;
      }
      .running .dot {
        background: #ff5247;
        box-shadow: 0 0 0 3px rgb(255 82 71 / 0.28);
        animation: blink 2s ease-in-out infinite;
      }
      .asking .dot {
        border: 2.5px solid #ff8a82;
      }
      .paused .dot {
        width: 11px;
        border: solid #f2c063;
        border-width: 0 4px;
        border-radius: 0;
      }
      .acts {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      button {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        min-height: 44px;
        padding: 0 14px;
        border: 0;
        border-radius: 999px;
        background: var(--stage-3);
        color: var(--stage-text);
        font: 600 0.875rem / 1.2 var(--font);
        cursor: pointer;
        touch-action: manipulation;
      }
      button:hover {
        filter: brightness(1.15);
      }
      button:disabled {
        opacity: 0.6;
      }
      :focus-visible {
        outline-color: #8ab8ff;
      }
      @keyframes blink {
        50% {
          opacity: 0.45;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.isWaiting = false;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    new Ticker(this, { everyMs: 1000, running: () => this.model.recording?.phase === 'running' });
  }

  override render() {
    const { recording } = this.model;
    if (recording === null) return null;
    const { call } = recordsWords();
    const { phase } = recording;
    return html`<section class="strip ${phase}" aria-label=${call.label} data-testid="recording-strip" data-phase=${phase}>
      <div class="what"><span class="dot"></span><span>${this.#words(call)}</span></div>
      <div class="acts">${this.#acts(call)}</div>
    </section>`;
  }

  #words(call: RecordsWords['call']): TemplateResult {
    const { recording } = this.model;
    if (recording === null) return html``;
    if (recording.phase === 'asking')
      return html`<strong>${call.asking}</strong><small>${call.askingHint(this.#names('asked'))}</small>`;
    if (recording.phase === 'paused')
      return html`<strong>${call.paused}</strong><small>${call.pausedHint}</small>`;
    const notYet = this.#names('asked');
    const idle = recording.recorded.length === 0 ? call.runningIdle : '';
    const hint = notYet === '' ? idle : call.notYet(notYet);
    return html`<strong>${call.running}</strong> <span class="time">${clock(Date.now() - recording.since)}</span>${
      hint === '' ? null : html`<small>${hint}</small>`
    }`;
  }

  #names(state: 'asked' | 'granted'): string {
    const { recording, view } = this.model;
    const here = new Set(view.seats.filter(isIn).map(({ personId }) => personId));
    const of = (recording?.consents ?? []).filter(
      (consent) => consent.state === state && here.has(consent.personId),
    );
    return listed(of.map(({ personId }) => this.model.nameOf(personId)));
  }

  #acts(call: RecordsWords['call']): readonly (TemplateResult | null)[] {
    const { model } = this;
    const phase = model.recording?.phase;
    // Who has not answered has the card to answer with.
    if (!model.isDoctor)
      return [
        model.isAskedToBeRecorded
          ? null
          : this.#button({
              testId: 'recording-withdraw',
              text: phase === 'asking' ? call.cancel : call.withdraw,
              hint: call.withdrawHint,
              act: () => model.answerRecording(false),
            }),
      ];
    const stop = this.#button({
      testId: 'recording-stop',
      text: phase === 'asking' ? call.cancel : call.stop,
      icon: marks.stop(18),
      act: () => model.record('stop'),
    });
    if (phase === 'asking') return [stop];
    if (phase === 'paused')
      return [
        this.#button({
          testId: 'recording-resume',
          text: call.resume,
          icon: marks.record(18),
          act: () => model.record('resume'),
        }),
        stop,
      ];
    return [
      this.#button({
        testId: 'recording-pause',
        text: call.pause,
        icon: icons.pause(18),
        act: () => model.record('pause'),
      }),
      stop,
    ];
  }

  #button({
    testId,
    text,
    hint,
    icon,
    act,
  }: {
    readonly testId: string;
    readonly text: string;
    readonly hint?: string;
    readonly icon?: TemplateResult;
    readonly act: () => Promise<void>;
  }): TemplateResult {
    return html`<button type="button" data-testid=${testId} title=${hint ?? text} ?disabled=${this.isWaiting} @click=${() => void this.#do(act)}>
      ${icon ?? null}${text}
    </button>`;
  }

  async #do(act: () => Promise<void>): Promise<void> {
    if (this.isWaiting) return;
    this.isWaiting = true;
    await this.attempt(act);
    this.isWaiting = false;
  }
}

customElements.define('tele-recording-strip', TeleRecordingStrip);
