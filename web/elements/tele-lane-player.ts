import type { Records } from '@teleconsult/client-sdk/records';
import type { PersonId, RecordingView, Waveform } from '@teleconsult/protocol';
import { html, type PropertyValues, svg, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { clock, duration } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as icons from '../icons.ts';
import * as marks from '../icons-records.ts';
import { LaneLinks } from '../state/lane-links.ts';
import { LanePlayback, SPEEDS, type Speed } from '../state/lane-playback.ts';
import {
  axisMarks,
  type Lane,
  lanePeaks,
  speaksAt,
  speechOf,
  spokenMs,
  type Timeline,
  timelineFor,
} from '../state/lane-timeline.ts';
import { listed } from '../state/names.ts';
import { Ticker } from '../state/ticker.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { lanePlayer } from '../styles/lane-player.ts';
import { TeleElement } from './tele-element.ts';

const COLUMNS = 160;
const STEP_MS = 10_000;
const AXIS_MARKS = 6;

/**
 * A recording with a lane for each person: who spoke when, one position for all, and their pictures where there are any.
 * `fromMs` and `toMs` leave out what was cut off at the ends.
 */
export class TeleLanePlayer extends TeleElement {
  static override properties = {
    records: { attribute: false },
    recording: { attribute: false },
    nameOf: { attribute: false },
    fromMs: { attribute: false },
    toMs: { attribute: false },
  };
  declare records: Records;
  declare recording: RecordingView;
  declare nameOf: (personId: PersonId) => string;
  declare fromMs: number;
  /** null: to its end. */
  declare toMs: number | null;

  #timeline: Timeline = { lanes: [], lengthMs: 0 };
  #playback: LanePlayback | null = null;
  readonly #waveforms = new Map<string, Waveform>();
  #files = '';
  /** Rises with each recording shown, so that waveforms of the former one are not taken for its. */
  #loads = 0;
  #stop: (() => void) | null = null;

  static override styles = [common, buttons, lanePlayer];

  constructor() {
    super();
    this.fromMs = 0;
    this.toMs = null;
    new Ticker(this, { everyMs: 100, running: () => this.#playback?.state === 'playing' });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unload();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('recording') || this.#playback === null) this.#load();
    this.#playback?.setRange(this.fromMs, this.toMs ?? this.#timeline.lengthMs);
  }

  override render() {
    const playback = this.#playback;
    if (playback === null) return null;
    const { player } = recordsWords();
    return html`<section class="player" aria-label=${player.label} data-testid="lane-player" data-state=${playback.state}>
      ${this.#pictures(playback)} ${this.#lanes(playback)} ${this.#controls(playback)}
      ${playback.hasFailed ? html`<p class="failed" role="alert">${player.failed}</p>` : null}
    </section>`;
  }

  #pictures(playback: LanePlayback): TemplateResult | null {
    const { player } = recordsWords();
    const seen = playback.slots.filter(({ source }) => source !== 'voice');
    if (seen.length === 0) return null;
    const at = playback.positionMs;
    return html`<div class="pictures">
      ${seen.map(({ personId, source, slot }) => {
        const name = this.nameOf(personId);
        const label = source === 'screen' ? player.screen(name) : player.picture(name);
        slot.element.setAttribute('aria-label', label);
        return html`<figure class=${slot.isDue(at) ? '' : 'without'} data-testid="lane-picture">
          ${slot.element}
          <figcaption aria-hidden="true">${name}</figcaption>
        </figure>`;
      })}
    </div>`;
  }

  #lanes(playback: LanePlayback): TemplateResult {
    const { player } = recordsWords();
    const [from, to] = playback.range;
    const length = Math.max(1, to - from);
    const at = playback.positionMs;
    const share = ((at - from) / length) * 100;
    return html`<div class="lanes" role="group" aria-label=${player.lanes}>
      ${this.#timeline.lanes.map((lane, index) => this.#lane(lane, { index, playback }))}
      <div class="row axis" aria-hidden="true">
        <span></span>
        <svg width="100%" height="16">
          ${axisMarks(length, AXIS_MARKS).map((mark) => {
            const x = `${(mark / length) * 100}%`;
            return svg`<text x=${x} y="13">${clock(mark)}</text>`;
          })}
        </svg>
      </div>
      <div class="seek">
        <svg class="cursor" width="100%" height="100%" aria-hidden="true"><line x1="${share}%" x2="${share}%" y1="0" y2="100%" /></svg>
        <input
          type="range"
          data-testid="lane-seek"
          min="0"
          max=${Math.round(length)}
          step="1000"
          .value=${live(String(Math.round(at - from)))}
          aria-label=${player.position}
          aria-valuetext=${this.#positionWords(playback)}
          @input=${(event: Event) => playback.seek(from + Number((event.target as HTMLInputElement).value))}
        />
      </div>
    </div>`;
  }

  #lane(
    lane: Lane,
    { index, playback }: { readonly index: number; readonly playback: LanePlayback },
  ): TemplateResult {
    const { player } = recordsWords();
    const { personId } = lane;
    const name = this.nameOf(personId);
    const isMuted = playback.muted.has(personId);
    const spoken = spokenMs(this.#speech(lane));
    const hasVoice = lane.voice.length > 0;
    return html`<div class="row lane of-${index % 4} ${isMuted ? 'muted' : ''}" role="group" aria-label=${name} data-testid="lane" data-person=${personId}>
      <div class="who">
        <button
          type="button"
          class="icon"
          data-testid="lane-mute"
          aria-pressed=${isMuted ? 'true' : 'false'}
          aria-label=${player.muteLane(name)}
          title=${isMuted ? player.unmuteLane(name) : player.muteLane(name)}
          ?disabled=${!hasVoice}
          @click=${() => playback.setMuted(personId, !isMuted)}
        >
          ${isMuted ? marks.speakerOff(18) : icons.speaker(18)}
        </button>
        <span class="name">${name}<small>${spoken > 0 ? player.spoke(duration(spoken)) : player.silent}</small></span>
      </div>
      ${this.#wave(lane, playback)}
    </div>`;
  }

  #wave(lane: Lane, playback: LanePlayback): TemplateResult {
    const [from, to] = playback.range;
    const at = playback.positionMs;
    const cut = lane.voice.map((clip) => ({
      ...clip,
      startMs: clip.startMs - from,
      endMs: clip.endMs - from,
    }));
    const peaks = lanePeaks({
      clips: cut,
      waveforms: this.#waveforms,
      lengthMs: Math.max(1, to - from),
      columns: COLUMNS,
    });
    const loudest = Math.max(24, ...peaks.map((peak) => peak ?? 0));
    const played = ((at - from) / Math.max(1, to - from)) * COLUMNS;
    return html`<svg class="wave" viewBox="0 0 ${COLUMNS * 4} 44" preserveAspectRatio="none" aria-hidden="true">
      ${peaks.map((peak, index) => {
        if (peak === null) return null;
        const height = Math.max(2, (peak / loudest) * 40);
        return svg`<rect x=${index * 4 + 0.6} width="2.8" y=${22 - height / 2} height=${height} rx="1.2"
          class=${index + 0.5 <= played ? 'played' : ''} />`;
      })}
    </svg>`;
  }

  #controls(playback: LanePlayback): TemplateResult {
    const { player } = recordsWords();
    const [from, to] = playback.range;
    const at = playback.positionMs;
    const isPlaying = playback.state !== 'stopped';
    return html`<div class="controls">
      <button type="button" class="icon" data-testid="lane-back" aria-label=${player.back} title=${player.back} @click=${() => playback.seek(playback.positionMs - STEP_MS)}>
        ${marks.back10(24)}<small aria-hidden="true">10</small>
      </button>
      <button
        type="button"
        class="icon primary play"
        data-testid="lane-play"
        aria-label=${isPlaying ? player.pause : player.play}
        aria-busy=${playback.state === 'loading' ? 'true' : 'false'}
        @click=${() => (isPlaying ? playback.pause() : playback.play())}
      >
        ${isPlaying ? icons.pause(26) : icons.play(26)}
      </button>
      <button type="button" class="icon" data-testid="lane-forward" aria-label=${player.forward} title=${player.forward} @click=${() => playback.seek(playback.positionMs + STEP_MS)}>
        ${marks.forward10(24)}<small aria-hidden="true">10</small>
      </button>
      <span class="time" data-testid="lane-time">${clock(at - from)} / ${clock(to - from)}</span>
      <label class="speed"><span class="visually-hidden">${player.speed}</span>
        <select data-testid="lane-speed" aria-label=${player.speed} @change=${(event: Event) => playback.setSpeed(Number((event.target as HTMLSelectElement).value) as Speed)}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === playback.speed}>${speed}×</option>`)}
        </select>
      </label>
    </div>`;
  }

  #positionWords(playback: LanePlayback): string {
    const { player } = recordsWords();
    const [from, to] = playback.range;
    const at = playback.positionMs;
    const speakers = this.#timeline.lanes.filter((lane) => speaksAt(this.#speech(lane), at));
    const who =
      speakers.length === 0
        ? player.silence
        : player.speaking(listed(speakers.map(({ personId }) => this.nameOf(personId))));
    return `${player.positionOf(duration(at - from), duration(to - from))}, ${who}`;
  }

  #speech(lane: Lane): readonly (readonly [number, number])[] {
    return speechOf(lane.voice, this.#waveforms);
  }

  #load(): void {
    const files = `${this.recording.recordingId} ${this.recording.files.map(({ fileId, state }) => `${fileId}${state}`).join()}`;
    if (files === this.#files && this.#playback !== null) return;
    this.#unload();
    this.#files = files;
    this.#timeline = timelineFor(this.recording);
    const playback = new LanePlayback(this.#timeline, new LaneLinks(this.records, this.recording));
    this.#stop = playback.changes.subscribe(() => this.requestUpdate());
    this.#playback = playback;
    void this.#loadWaveforms();
  }

  /** Without its waveform a lane can still be heard. */
  async #loadWaveforms(): Promise<void> {
    const loads = this.#loads;
    const clips = this.#timeline.lanes.flatMap(({ voice }) => voice);
    for (const { file } of clips) {
      try {
        const waveform = await this.records.waveform(file, this.recording);
        if (loads !== this.#loads) return;
        this.#waveforms.set(file.fileId, waveform);
        this.requestUpdate();
      } catch {
        if (loads !== this.#loads) return;
      }
    }
  }

  #unload(): void {
    this.#loads += 1;
    this.#stop?.();
    this.#playback?.close();
    this.#playback = null;
    this.#waveforms.clear();
    this.#files = '';
  }
}

customElements.define('tele-lane-player', TeleLanePlayer);
