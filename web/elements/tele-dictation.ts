import type { Dictation } from '@teleconsult/client-sdk/records';
import { html, type PropertyValues, svg, type TemplateResult } from 'lit';
import { clock, day, duration, timeOfDay } from '../i18n/format.ts';
import { type RecordsWords, recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import { BlobUrl } from '../state/blob-url.ts';
import { safetyOf } from '../state/dictation-safety.ts';
import { Follow } from '../state/follow.ts';
import { Ticker } from '../state/ticker.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dictationStyle } from '../styles/dictation.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleElement } from './tele-element.ts';

const BARS = 40;
const SAMPLE_MS = 100;

/**
 * One dictation of this device: recording with pause and finish, level, time and how much of it is safe where; or, after an
 * interruption, what can be done with it. Tells `tele-finish` with the dictation when it is to be finished.
 */
export class TeleDictation extends TeleElement {
  static override properties = {
    dictation: { attribute: false },
    isOffline: { attribute: false },
    isBusy: { state: true },
    heard: { state: true },
  };
  declare dictation: Dictation;
  declare isOffline: boolean;
  declare private isBusy: boolean;
  /** What there is so far, while it is listened to. */
  declare private heard: readonly string[] | null;

  #levels: readonly number[] = [];
  #level = 0;
  #urls: readonly BlobUrl[] = [];

  static override styles = [common, buttons, dictationStyle];

  constructor() {
    super();
    this.isOffline = false;
    this.isBusy = false;
    this.heard = null;
    new Follow<Dictation>(this, {
      subject: () => this.dictation,
      subscribe: (dictation, update) => [
        dictation.on('changed', update),
        dictation.on('level', (level) => {
          this.#level = level;
        }),
      ],
    });
    new Ticker(this, { everyMs: SAMPLE_MS, running: () => this.dictation.state === 'recording' });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopListening();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('dictation')) this.#stopListening();
    if (this.dictation.state === 'recording') {
      this.#levels = [...this.#levels, this.#level].slice(-BARS);
      if (this.heard !== null) this.#stopListening();
    }
  }

  override render() {
    return html`<section class=${this.dictation.state} aria-label=${recordsWords().dictation.title[this.dictation.purpose]} data-testid="dictation" data-state=${this.dictation.state}>
        ${this.#content(recordsWords().dictation)}
      </section>
      <tele-confirm></tele-confirm>`;
  }

  #content(words: RecordsWords['dictation']): TemplateResult | null {
    const { dictation } = this;
    switch (dictation.state) {
      case 'recording':
      case 'paused':
        return this.#running(words);
      case 'interrupted':
        return this.#interrupted(words);
      case 'finishing':
        return html`<p class="state" role="status">${this.isOffline ? words.finishingOffline : words.finishing}</p>
          <progress max=${Math.max(1, dictation.durationMs)} value=${dictation.savedMs} aria-label=${words.finishing}></progress>
          ${this.#safety(words)}`;
      case 'failed':
        return html`<p class="state bad" role="alert">${words.failed}</p>
          ${this.#listening(words)}
          <div class="acts">
            ${this.#discardButton(words)}
            <button type="button" class="primary" data-testid="dictation-finish" ?disabled=${this.isBusy} @click=${() => this.tell('tele-finish', dictation)}>${this.words.retry}</button>
          </div>`;
      case 'finished':
        return null;
      default: {
        const unreachable: never = dictation.state;
        return unreachable;
      }
    }
  }

  #running(words: RecordsWords['dictation']): TemplateResult {
    const { dictation } = this;
    const isRecording = dictation.state === 'recording';
    return html`<div class="now">
        <span class="dot"></span>
        <strong>${isRecording ? words.running : words.paused}</strong>
        <span class="time" role="timer" aria-label=${words.length} data-testid="dictation-time">${clock(dictation.durationMs)}</span>
      </div>
      ${this.#meter(words)} ${this.#safety(words)}
      <div class="big">
        <button type="button" class="round" data-testid="dictation-pause" ?disabled=${this.isBusy} @click=${() => this.#toggle()}>
          <span>${isRecording ? icons.pause(30) : icons.microphone(30)}</span>${isRecording ? words.pause : words.resume}
        </button>
        <button type="button" class="round done" data-testid="dictation-finish" ?disabled=${this.isBusy || dictation.durationMs === 0} @click=${() => this.tell('tele-finish', dictation)}>
          <span>${icons.check(30)}</span>${words.finish}
        </button>
      </div>
      ${isRecording ? null : this.#listening(words)}
      ${isRecording ? null : html`<div class="acts">${this.#discardButton(words)}</div>`}`;
  }

  #meter(words: RecordsWords['dictation']): TemplateResult {
    const quiet = Array.from({ length: BARS - this.#levels.length }, () => 0);
    return html`<svg class="levels" viewBox="0 0 ${BARS * 6} 40" preserveAspectRatio="none" role="img" aria-label=${words.level}>
      ${[...quiet, ...this.#levels].map((level, index) => {
        const height = Math.max(3, level * 38);
        return svg`<rect x=${index * 6 + 1.5} y=${20 - height / 2} width="3" height=${height} rx="1.5" />`;
      })}
    </svg>`;
  }

  /** Figures that change each second are no live region: they would be read without end. */
  #safety(words: RecordsWords['dictation']): TemplateResult {
    const { dictation } = this;
    const safety = safetyOf(dictation);
    const text = { server: words.allSaved, device: words.safe, risk: words.risk }[safety];
    return html`<p class="safety ${safety}" data-testid="dictation-safety" data-safety=${safety}>
      ${safety === 'risk' ? icons.clock(18) : icons.shield(18)}<span><strong role="status">${text}</strong>
      <small>${words.kept(duration(dictation.keptMs))} · ${words.saved(duration(dictation.savedMs))}</small></span>
    </p>`;
  }

  #interrupted(words: RecordsWords['dictation']): TemplateResult {
    const { dictation } = this;
    const when = `${day(dictation.startedAt)} ${timeOfDay(dictation.startedAt)}`;
    return html`<h3>${words.interrupted}</h3>
      <p class="state">${words.interruptedText(when, duration(dictation.durationMs))}</p>
      ${this.#safety(words)} ${this.#listening(words)}
      <div class="acts">
        ${this.#discardButton(words)}
        <button type="button" data-testid="dictation-finish" ?disabled=${this.isBusy} @click=${() => this.tell('tele-finish', dictation)}>${words.finishAsIs}</button>
        <button type="button" class="primary" data-testid="dictation-continue" ?disabled=${this.isBusy} @click=${() => void this.#continue()}>
          ${icons.microphone(20)}${words.continue}
        </button>
      </div>`;
  }

  #listening(words: RecordsWords['dictation']): TemplateResult {
    return html`<button type="button" class="quiet listen" data-testid="dictation-listen" aria-expanded=${this.heard === null ? 'false' : 'true'} @click=${() => void this.#listen()}>
        ${icons.play(20)}${this.heard === null ? words.listen : words.stopListening}
      </button>
      ${(this.heard ?? []).map((url, index) => html`<audio controls src=${url} aria-label=${`${words.listen} ${index + 1}`}></audio>`)}`;
  }

  #discardButton(words: RecordsWords['dictation']): TemplateResult {
    return html`<button type="button" class="quiet bad" data-testid="dictation-discard" ?disabled=${this.isBusy} @click=${() => void this.#discard(words)}>
      ${marks.trash(20)}${words.discard}
    </button>`;
  }

  async #listen(): Promise<void> {
    if (this.heard !== null) return this.#stopListening();
    await this.attempt(async () => {
      const blobs = await this.dictation.blobs();
      const urls = blobs.map((blob) => {
        const url = new BlobUrl();
        return { url, shown: url.show(blob) };
      });
      this.#urls = urls.map(({ url }) => url);
      this.heard = urls.map(({ shown }) => shown);
    });
  }

  #stopListening(): void {
    for (const url of this.#urls) url.clear();
    this.#urls = [];
    this.heard = null;
  }

  #toggle(): void {
    if (this.dictation.state === 'recording') this.dictation.pause();
    else this.dictation.resume();
    this.requestUpdate();
  }

  async #continue(): Promise<void> {
    this.isBusy = true;
    await this.attempt(() => this.dictation.continue(), 'microphone');
    this.isBusy = false;
  }

  async #discard(words: RecordsWords['dictation']): Promise<void> {
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: words.discardTitle,
      text: words.discardText,
      confirm: words.discardConfirm,
      back: words.keep,
      testId: 'dictation-discard-confirm',
    });
    if (typeof answer !== 'string') return;
    this.isBusy = true;
    await this.attempt(() => this.dictation.discard());
    this.isBusy = false;
  }
}

customElements.define('tele-dictation', TeleDictation);
