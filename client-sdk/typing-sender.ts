import type { ConsultationId, TypingActivity } from '@teleconsult/protocol';
import { MAX_VOICE_MS } from '@teleconsult/protocol/limits';
import type { Lifetime } from './lifetime.ts';
import type { Signalling } from './requests.ts';

export interface TypingSenderOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly life: Lifetime;
}

/** Between notices of the same activity. The others take one for over after six seconds. */
const RENEW_MS = 3_000;
/** Somebody who has pressed no key for so long does not type. */
const IDLE_MS = 5_000;

/** Tells the others that this person types or records, however often the app says so, and when it is over. */
export class TypingSender {
  readonly #options: TypingSenderOptions;
  #activity: TypingActivity = 'none';
  /** When the activity is over unless it is set again, by this device's monotonic clock. */
  #until = 0;
  /** What the others were told last, and when. */
  #told: TypingActivity = 'none';
  readonly #toldAt = new Map<TypingActivity, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TypingSenderOptions) {
    this.#options = options;
    options.life.onEnd(() => clearTimeout(this.#timer));
  }

  set(activity: TypingActivity): void {
    if (this.#options.life.over) return;
    this.#activity = activity;
    this.#until = performance.now() + (activity === 'recording' ? MAX_VOICE_MS : IDLE_MS);
    this.#update();
  }

  /** Tells what is due, and looks again when the next thing is. */
  #update(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    if (now >= this.#until) this.#activity = 'none';
    const activity = this.#activity;
    if (activity === 'none') {
      if (this.#told !== 'none') this.#tell('none', now);
      return;
    }
    const dueAt = (this.#toldAt.get(activity) ?? -RENEW_MS) + RENEW_MS;
    if (now >= dueAt) this.#tell(activity, now);
    // Typing is renewed by key strokes, recording by itself.
    const isPending = activity === 'recording' || this.#told !== activity;
    const nextAt = isPending ? Math.min(this.#until, this.#toldNext(activity)) : this.#until;
    this.#timer = setTimeout(() => this.#update(), Math.max(0, nextAt - now));
  }

  #toldNext(activity: TypingActivity): number {
    return (this.#toldAt.get(activity) ?? 0) + RENEW_MS;
  }

  /** Once: whoever is offline is not seen to type. */
  #tell(activity: TypingActivity, now: number): void {
    const { signalling, consultationId } = this.#options;
    this.#told = activity;
    this.#toldAt.set(activity, now);
    if (signalling.connected) signalling.request('typing.set', { consultationId, activity }).catch(() => {});
  }
}
