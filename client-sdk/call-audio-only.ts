import type { CallEvents } from './api.ts';
import { AudioOnlyPolicy, type VideoEvidence } from './quality-fallback.ts';

type AudioOnlyState = CallEvents['audioOnly'];

/** Who decides: the network, or the person, who has chosen sound alone or has chosen video whatever comes. */
type Choice = 'automatic' | 'audio_only' | 'video';

const OFF: AudioOnlyState = { on: false, reason: null };

/** Whether video is given up, by the person or for the sake of sound on a bad network. The person always wins. */
export class AudioOnly {
  readonly #policy = new AudioOnlyPolicy();
  readonly #onChange: (state: AudioOnlyState) => void;
  #choice: Choice = 'automatic';
  #state: AudioOnlyState = OFF;

  constructor(onChange: (state: AudioOnlyState) => void) {
    this.#onChange = onChange;
  }

  get state(): AudioOnlyState {
    return this.#state;
  }

  /** Off while a bad network asked for it means: video, whatever the network does. */
  choose(on: boolean): void {
    if (on) this.#choice = 'audio_only';
    else this.#choice = this.#state.reason === 'network' || this.#choice === 'video' ? 'video' : 'automatic';
    this.#policy.reset();
    this.#become(on ? { on: true, reason: 'chosen' } : OFF);
  }

  observe(evidence: VideoEvidence, now: number): void {
    if (this.#choice !== 'automatic') return;
    const on = this.#policy.observe(evidence, now);
    this.#become(on ? { on: true, reason: 'network' } : OFF);
  }

  #become(state: AudioOnlyState): void {
    if (state.on === this.#state.on && state.reason === this.#state.reason) return;
    this.#state = state;
    this.#onChange(state);
  }
}
