import type { Attachment } from '@teleconsult/protocol';
import { css, html, svg } from 'lit';
import { live } from 'lit/directives/live.js';
import { clock, duration } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import type { AttachmentBlobs } from '../state/attachment-blobs.ts';
import { BlobUrl } from '../state/blob-url.ts';
import { failure, noticeOf } from '../state/notice.ts';
import { Ticker } from '../state/ticker.ts';
import { bars } from '../state/waveform.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

type VoiceAttachment = Extract<Attachment, { kind: 'voice' }>;

const BARS = 40;
const SEEK_MS = 1000;
const SPEEDS = [1, 1.5, 2] as const;
type Speed = (typeof SPEEDS)[number];

/** Whoever listens faster wants the next message as fast. */
let chosenSpeed: Speed = 1;

/** The one player that sounds; another one's start stops it. */
let sounding: TeleVoicePlayer | null = null;

/** A voice message: play and pause, its loudness over time, and a position that mouse, touch and keys can move. */
export class TeleVoicePlayer extends TeleElement {
  static override properties = {
    blobs: { attribute: false },
    attachment: { attribute: false },
    sender: {},
    state: { state: true },
    speed: { state: true },
  };
  declare blobs: AttachmentBlobs;
  declare attachment: VoiceAttachment;
  declare sender: string;
  declare private state: 'stopped' | 'loading' | 'playing';
  declare private speed: Speed;

  readonly #url = new BlobUrl();
  #audio: HTMLAudioElement | null = null;
  /** Where playing begins, while no audio is loaded. */
  #startMs = 0;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: 10px;
        width: min(290px, 66vw);
        padding: 4px 8px 0 4px;
      }
      .icon {
        flex: none;
        background: var(--primary);
        color: var(--on-primary);
      }
      .icon:hover:not(:disabled) {
        background: var(--primary-hover);
      }
      .track {
        position: relative;
        flex: 1;
        min-width: 0;
        height: 40px;
        border-radius: 8px;
      }
      .track:focus-within:has(:focus-visible) {
        outline: 3px solid var(--focus);
        outline-offset: 2px;
      }
      .track svg {
        width: 100%;
        height: 100%;
      }
      rect {
        fill: var(--text-2);
        opacity: 0.5;
      }
      rect.played {
        fill: var(--primary);
        opacity: 1;
      }
      input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
      .time {
        flex: none;
        min-width: 2.6em;
        color: var(--text-2);
        font-size: 0.8125rem;
        font-variant-numeric: tabular-nums;
        text-align: end;
      }
      .end {
        display: grid;
        flex: none;
        justify-items: end;
      }
      .speed {
        min-width: 44px;
        min-height: 28px;
        padding: 0 6px;
        border-color: transparent;
        background: color-mix(in srgb, var(--text) 8%, transparent);
        font-size: 0.75rem;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  constructor() {
    super();
    this.sender = '';
    this.state = 'stopped';
    this.speed = chosenSpeed;
    new Ticker(this, { everyMs: 100, running: () => this.state === 'playing' });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unload();
  }

  override render() {
    const { voice } = this.words;
    const { durationMs, peaks } = this.attachment;
    const at = this.#positionMs;
    const share = at / durationMs;
    const isPlaying = this.state !== 'stopped';
    const position = voice.positionOf(duration(at), duration(durationMs));
    return html`<button
        class="icon"
        type="button"
        data-testid="voice-play"
        data-state=${this.state}
        aria-label=${isPlaying ? voice.pause : voice.play(duration(durationMs))}
        aria-busy=${this.state === 'loading'}
        @click=${this.#toggle}
      >
        ${isPlaying ? icons.pause() : icons.play()}
      </button>
      <div class="track" role="group" aria-label=${voice.label(this.sender)}>
        <svg viewBox="0 0 ${BARS * 4} 40" preserveAspectRatio="none" aria-hidden="true">
          ${bars(peaks, BARS).map((height, index) => {
            const barHeight = Math.max(3, height * 34);
            return svg`<rect x=${index * 4 + 0.8} y=${20 - barHeight / 2} width="2.4" height=${barHeight} rx="1.2"
              class=${(index + 0.5) / BARS <= share ? 'played' : ''} />`;
          })}
        </svg>
        <input
          type="range"
          min="0"
          max=${durationMs}
          step=${Math.min(SEEK_MS, Math.ceil(durationMs / 10))}
          .value=${live(String(Math.round(at)))}
          aria-label=${voice.position}
          aria-valuetext=${position}
          @input=${this.#seek}
        />
      </div>
      <span class="end">
        <span class="time" aria-hidden="true">${clock(at > 0 ? at : durationMs)}</span>
        <button class="speed" type="button" data-testid="voice-speed" aria-label=${voice.speed(`${this.speed}×`)} @click=${this.#faster}>
          ${this.speed}×
        </button>
      </span>`;
  }

  get #positionMs(): number {
    const at = this.#audio === null ? this.#startMs : this.#audio.currentTime * 1000;
    return Math.min(at, this.attachment.durationMs);
  }

  readonly #faster = (): void => {
    chosenSpeed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length] ?? 1;
    this.speed = chosenSpeed;
    if (this.#audio !== null) this.#audio.playbackRate = chosenSpeed;
  };

  readonly #toggle = (): void => {
    if (this.state === 'stopped') void this.#play();
    else this.#pause();
  };

  readonly #seek = (event: Event): void => {
    const atMs = Number((event.target as HTMLInputElement).value);
    if (this.#audio === null) this.#startMs = atMs;
    else this.#audio.currentTime = atMs / 1000;
    this.requestUpdate();
  };

  async #play(): Promise<void> {
    if (sounding !== null && sounding !== this) sounding.#pause();
    sounding = this;
    this.state = 'loading';
    try {
      const audio = this.#audio ?? (await this.#load());
      if (this.state !== 'loading') return;
      this.speed = chosenSpeed;
      audio.playbackRate = chosenSpeed;
      await audio.play();
      this.state = 'playing';
    } catch (error) {
      this.state = 'stopped';
      const isOurs = !(error instanceof DOMException);
      const notice = isOurs ? noticeOf(error) : failure(this.words.voice.failed);
      // A pause while playing was about to begin is not a failure.
      if (notice !== null && !(error instanceof DOMException && error.name === 'AbortError'))
        this.notify(notice);
    }
  }

  async #load(): Promise<HTMLAudioElement> {
    const blob = await this.blobs.get(this.attachment.attachmentId, 'original');
    const audio = new Audio(this.#url.show(blob));
    audio.currentTime = this.#startMs / 1000;
    audio.addEventListener('ended', () => {
      audio.currentTime = 0;
      this.#pause();
    });
    this.#audio = audio;
    return audio;
  }

  #pause(): void {
    this.#audio?.pause();
    this.state = 'stopped';
    if (sounding === this) sounding = null;
  }

  #unload(): void {
    this.#pause();
    this.#audio?.removeAttribute('src');
    this.#audio = null;
    this.#startMs = 0;
    this.#url.clear();
  }
}

customElements.define('tele-voice-player', TeleVoicePlayer);
