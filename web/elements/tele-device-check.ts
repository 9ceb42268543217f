import type { DeviceCheck, NetworkReport, TeleconsultClient } from '@teleconsult/client-sdk/api';
import { html, type TemplateResult } from 'lit';
import { percent } from '../i18n/format.ts';
import { locale } from '../i18n/language.ts';
import { type RoomWords, roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import { rememberCheck } from '../state/call-check-memory.ts';
import {
  afterLooking,
  afterMeasuring,
  type CheckPart,
  type CheckResult,
  conclusion,
  UNCHECKED,
} from '../state/call-check-model.ts';
import { Ticker } from '../state/ticker.ts';
import { buttons } from '../styles/buttons.ts';
import { deviceCheck } from '../styles/call-panel-check.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';
import './tele-video.ts';

/** How the test of the speaker stands. */
type Tone = 'silent' | 'playing' | 'asked' | 'heard' | 'unheard';

/**
 * Shows the camera, how loud the microphone is, plays a tone and measures the network, each with what to do when it does not
 * work. It frees the devices when it is left.
 */
export class TeleDeviceCheck extends TeleElement {
  static override properties = {
    client: { attribute: false },
    check: { state: true },
    isOpening: { state: true },
    tone: { state: true },
    share: { state: true },
    report: { state: true },
    result: { state: true },
  };
  declare client: TeleconsultClient;
  declare private check: DeviceCheck | null;
  declare private isOpening: boolean;
  declare private tone: Tone;
  /** How much of the network check is done, 0 to 1; null while none runs. */
  declare private share: number | null;
  declare private report: NetworkReport | null;
  declare private result: CheckResult;

  #leaving = new AbortController();
  #concluded: boolean | null = null;

  static override styles = [common, buttons, deviceCheck];

  constructor() {
    super();
    this.check = null;
    this.isOpening = false;
    this.tone = 'silent';
    this.share = null;
    this.report = null;
    this.result = UNCHECKED;
    new Ticker(this, { everyMs: 100, running: () => this.check !== null });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#leaving = new AbortController();
    void this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leaving.abort();
    this.check?.close();
    this.check = null;
  }

  override render() {
    const room = roomWords();
    const isWell = conclusion(this.result) === true;
    return html`<p class="lead">${room.check.lead}</p>
      <ul>
        ${this.#part('camera', this.#camera(room))} ${this.#part('microphone', this.#microphone(room))}
        ${this.#part('speaker', this.#speaker(room))} ${this.#part('network', this.#network(room))}
      </ul>
      ${isWell ? html`<p class="all" data-testid="check-all">${icons.check()}${room.check.all}</p>` : null}`;
  }

  protected override willUpdate(): void {
    if (this.check === null) return;
    const next = afterLooking(this.result, this.check, this.check.level);
    const isNew = next.camera !== this.result.camera || next.microphone !== this.result.microphone;
    if (isNew) this.#become(next);
  }

  #part(part: CheckPart, content: TemplateResult): TemplateResult {
    const { check } = roomWords();
    const state = this.result[part];
    const mark = { open: null, well: icons.check(18), trouble: icons.alert(18) }[state];
    return html`<li class=${state} data-testid=${`check-${part}-part`} data-state=${state}>
      <h3>${check[part]} <span class="mark">${mark}<span class="visually-hidden">${check.state[state]}</span></span></h3>
      ${content}
    </li>`;
  }

  #camera({ check: words }: RoomWords): TemplateResult {
    const { check } = this;
    if (check === null) return this.#asking(words.asking);
    if (check.problems.camera !== null) return this.#problem('camera', check.problems.camera.code);
    return html`<tele-video class="preview" test-id="check-preview" .track=${check.camera} label=${words.preview}></tele-video>
      <p>${words.cameraWorks}</p>`;
  }

  #microphone({ check: words }: RoomWords): TemplateResult {
    const { check } = this;
    if (check === null) return this.#asking(null);
    if (check.problems.microphone !== null)
      return this.#problem('microphone', check.problems.microphone.code);
    const isHeard = this.result.microphone === 'well';
    return html`<meter min="0" max="1" .value=${check.level} aria-label=${words.level} data-testid="check-level"></meter>
      <p data-testid="check-heard">${isHeard ? words.heard : words.saySomething}</p>`;
  }

  #speaker({ check: words }: RoomWords): TemplateResult {
    const { tone } = this;
    const isPlaying = tone === 'playing';
    return html`<div class="row">
        <button type="button" data-testid="check-tone" ?disabled=${isPlaying || this.check === null} @click=${() => void this.#play()}>
          ${icons.speaker(20)}${isPlaying ? words.tonePlaying : words.tone}
        </button>
      </div>
      ${
        tone === 'asked'
          ? html`<div class="row" role="group" aria-label=${words.didYouHear}>
              <p>${words.didYouHear}</p>
              <button type="button" data-testid="check-tone-yes" @click=${() => this.#heard(true)}>${words.yes}</button>
              <button type="button" data-testid="check-tone-no" @click=${() => this.#heard(false)}>${words.no}</button>
            </div>`
          : null
      }
      ${tone === 'heard' ? html`<p data-testid="check-tone-result">${words.toneHeard}</p>` : null}
      ${tone === 'unheard' ? html`<p class="problem" data-testid="check-tone-result">${words.toneUnheard}</p>` : null}`;
  }

  #network({ check: words, ...room }: RoomWords): TemplateResult {
    const { share, report } = this;
    const progress = words.measuring(percent(share ?? 0));
    return html`${
      share === null
        ? html`${report === null ? html`<p>${words.networkLead}</p>` : null}
            <div class="row">
              <button type="button" class=${report === null ? 'primary' : ''} data-testid="check-network" @click=${() => void this.#measure()}>
                ${report === null ? words.networkStart : words.networkAgain}
              </button>
            </div>`
        : html`<progress max="1" .value=${share} aria-label=${progress} data-testid="check-progress"></progress>
            <p aria-hidden="true">${progress}</p>`
    }
    ${report === null ? null : this.#verdict(report, { ...room, check: words })}`;
  }

  #verdict(report: NetworkReport, room: RoomWords): TemplateResult {
    const { check: words } = room;
    const { verdict, advice, rttMs, lossPercent } = report;
    const number = (value: number) =>
      new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);
    return html`<p class="verdict" data-testid="check-verdict" data-verdict=${verdict}><strong>${words.verdict[verdict]}</strong></p>
      ${
        advice.length === 0
          ? null
          : html`<ol class="advice">${advice.map((code) => html`<li data-testid="check-advice" data-advice=${code}>${words.advice[code]}</li>`)}</ol>`
      }
      ${
        rttMs === null || lossPercent === null
          ? null
          : html`<p class="numbers">${words.numbers(room.ms(number(rttMs)), percent(lossPercent / 100))}</p>`
      }`;
  }

  #asking(text: string | null): TemplateResult {
    const { check } = roomWords();
    if (this.isOpening) return text === null ? html`` : html`<p class="asking">${text}</p>`;
    return html`<div class="row"><button type="button" data-testid="check-again" @click=${() => void this.#open()}>${check.again}</button></div>`;
  }

  #problem(device: 'camera' | 'microphone', code: string): TemplateResult {
    const { check: words } = roomWords();
    const isDenied = code === 'PERMISSION_DENIED';
    return html`<p class="problem" data-testid=${`check-${device}-problem`}>
        ${isDenied ? `${words.denied[device]} ${words.denied.how}` : words.missing[device]}
      </p>
      <div class="row">
        <button type="button" data-testid="check-again" ?disabled=${this.isOpening} @click=${() => void this.#open()}>${icons.retry(18)}${words.again}</button>
      </div>`;
  }

  /** Again, too: what was open is freed first, so that a camera is never asked for against itself. */
  async #open(): Promise<void> {
    const { signal } = this.#leaving;
    this.check?.close();
    this.check = null;
    this.isOpening = true;
    await this.attempt(async () => {
      const check = await this.client.openDeviceCheck({ signal });
      if (signal.aborted) {
        check.close();
        return;
      }
      this.check = check;
      this.#sayProblems(check);
    });
    this.isOpening = false;
  }

  #sayProblems({ problems }: DeviceCheck): void {
    const { check: words } = roomWords();
    const said = (['camera', 'microphone'] as const).flatMap((device) => {
      const problem = problems[device];
      if (problem === null) return [];
      return [
        problem.code === 'PERMISSION_DENIED'
          ? `${words.denied[device]} ${words.denied.how}`
          : words.missing[device],
      ];
    });
    if (said.length > 0) speak(said.join(' '));
  }

  async #play(): Promise<void> {
    const { check } = this;
    if (check === null) return;
    this.tone = 'playing';
    const isPlayed = await this.attempt(() => check.playTone({ signal: this.#leaving.signal }));
    this.tone = isPlayed ? 'asked' : 'silent';
    if (!isPlayed || !this.isConnected) return;
    speak(roomWords().check.didYouHear);
    await this.updateComplete;
    // The button that was pressed stays; the answer is what is wanted next.
    this.renderRoot.querySelector<HTMLElement>('[data-testid="check-tone-yes"]')?.focus();
  }

  #heard(heard: boolean): void {
    const { check: words } = roomWords();
    this.tone = heard ? 'heard' : 'unheard';
    this.#become({ ...this.result, speaker: heard ? 'well' : 'trouble' });
    speak(heard ? words.toneHeard : words.toneUnheard);
    this.renderRoot.querySelector<HTMLElement>('[data-testid="check-tone"]')?.focus();
  }

  async #measure(): Promise<void> {
    const { signal } = this.#leaving;
    this.share = 0;
    this.report = null;
    const { check: words } = roomWords();
    speak(words.measuring(percent(0)));
    await this.attempt(async () => {
      const report = await this.client.checkNetwork({
        signal,
        onProgress: (share) => {
          this.share = share;
        },
      });
      this.report = report;
      this.#become(afterMeasuring(this.result, report));
      speak([words.verdict[report.verdict], ...report.advice.map((code) => words.advice[code])].join(' '));
    });
    this.share = null;
    if (!this.isConnected) return;
    await this.updateComplete;
    // The progress took the place of the button that had the focus.
    if (this.shadowRoot?.activeElement === null)
      this.renderRoot.querySelector<HTMLElement>('[data-testid="check-network"]')?.focus();
  }

  /** Remembers what it comes to as soon as that is certain. */
  #become(result: CheckResult): void {
    const { check: words } = roomWords();
    const before = this.result;
    this.result = result;
    if (before.microphone === 'open' && result.microphone === 'well') speak(words.heard);
    const concluded = conclusion(result);
    if (concluded === null || concluded === this.#concluded) return;
    this.#concluded = concluded;
    rememberCheck({ at: Date.now(), well: concluded });
    if (concluded) speak(words.all);
  }
}

customElements.define('tele-device-check', TeleDeviceCheck);
