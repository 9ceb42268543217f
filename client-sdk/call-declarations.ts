import type { CallView, SeatView, SeatViewMode } from '@teleconsult/protocol';
import type { SeatRef } from './media-session.ts';
import type { Signalling } from './requests.ts';

export interface SeatDeclarationsOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly isJoined: () => boolean;
  readonly shown: () => SeatView | null;
  readonly onView: (call: CallView) => void;
}

/**
 * What this device says of itself in the call: how it shows it, and whether the system took the microphone. It is said
 * when it changes, and again after a join or a reconnect where the server shows something else.
 */
export class SeatDeclarations {
  readonly #options: SeatDeclarationsOptions;
  #view: SeatViewMode = 'full';
  #isAudioOnly = false;
  /** Who says that the microphone was taken. */
  readonly #interruptedBy = new Set<'host' | 'system'>();
  /** One follows the other: what the server shows counts once it has answered what was said before. */
  #said: Promise<unknown> = Promise.resolve();

  constructor(options: SeatDeclarationsOptions) {
    this.#options = options;
  }

  /** False while the server sends no pictures because of how the call is shown. */
  get showsVideo(): boolean {
    return !this.#isAudioOnly && (this.#view === 'full' || this.#view === 'floating');
  }

  setView(view: SeatViewMode): Promise<void> {
    this.#view = view;
    return this.#inTurn(() => this.#sayView());
  }

  /** Video was given up: whatever the view, none is received. */
  setAudioOnly(on: boolean): Promise<void> {
    this.#isAudioOnly = on;
    return this.#inTurn(() => this.#sayView());
  }

  setInterrupted(by: 'host' | 'system', interrupted: boolean): Promise<void> {
    if (interrupted) this.#interruptedBy.add(by);
    else this.#interruptedBy.delete(by);
    return this.#inTurn(() => this.#sayInterrupted());
  }

  /** Never rejects: what cannot be said now is said after the next connect. */
  async correct(): Promise<void> {
    const both = [() => this.#sayView(), () => this.#sayInterrupted()];
    await Promise.allSettled(both.map((say) => this.#inTurn(say)));
  }

  #inTurn(say: () => Promise<void>): Promise<void> {
    const saying = this.#said.then(say);
    this.#said = saying.catch(() => {});
    return saying;
  }

  async #sayView(): Promise<void> {
    const view = this.#isAudioOnly ? 'audio_only' : this.#view;
    const { signalling, seat, isJoined, shown, onView } = this.#options;
    if (!isJoined() || shown()?.view === view) return;
    const { call } = await signalling.request('seat.setView', { ...seat, view });
    onView(call);
  }

  async #sayInterrupted(): Promise<void> {
    const interrupted = this.#interruptedBy.size > 0;
    const { signalling, seat, isJoined, shown, onView } = this.#options;
    if (!isJoined() || shown()?.interrupted === interrupted) return;
    const { call } = await signalling.request('seat.setInterrupted', { ...seat, interrupted });
    onView(call);
  }
}
