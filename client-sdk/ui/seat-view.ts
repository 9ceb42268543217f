import type { SeatViewMode } from '@teleconsult/protocol';
import type { Call } from '../api.ts';

/**
 * Says how the call is shown, each time that changes. What cannot be said is not repeated here: the SDK does that after
 * the next connect.
 */
export class SeatViewTeller {
  #told: { readonly call: Call; readonly view: SeatViewMode } | null = null;

  tell(call: Call, view: SeatViewMode): void {
    if (this.#told?.call === call && this.#told.view === view) return;
    this.#told = { call, view };
    void call.setView(view).catch(() => undefined);
  }

  /** Nothing is shown here any more, so the call is the app's own again. */
  release(): void {
    const told = this.#told;
    this.#told = null;
    if (told === null || told.call.outcome !== null || told.view === 'full') return;
    void told.call.setView('full').catch(() => undefined);
  }
}
