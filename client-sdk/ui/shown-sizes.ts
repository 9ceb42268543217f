import type { Call } from '../api.ts';
import type { FloatingState } from './floating-call-api.ts';
import type { Size } from './placement.ts';
import type { RunningScene } from './scene.ts';
import { SeatViewTeller } from './seat-view.ts';
import { Viewports } from './viewports.ts';

interface Shown {
  readonly scene: RunningScene;
  readonly state: FloatingState;
  /** That of the picture on the screen. */
  readonly size: Size;
}

/** How the call is shown, and how large, for the server to send no more than that. */
export class ShownSizes {
  readonly #seatView = new SeatViewTeller();
  readonly #viewports = new Viewports();
  #call: Call | null = null;

  show({ scene: { call, picture }, state, size }: Shown): void {
    this.#call = call;
    const isSeen = isOutside(state) || !document.hidden;
    const large = state === 'expanded';
    this.#seatView.tell(call, isSeen ? (large ? 'full' : 'floating') : 'background');
    if (large) this.#viewports.release(call.remoteTracks);
    else this.#viewports.show(call.remoteTracks, picture, isSeen ? size : null);
  }

  /** Nothing is shown here any more. */
  release(): void {
    this.#seatView.release();
    this.#viewports.release(this.#call?.remoteTracks ?? []);
    this.#call = null;
  }

  /** The large view, as it went, may have had the last word: that nothing is seen, or that all is. */
  repeat(shown: Shown): void {
    if (!isOutside(shown.state) && document.hidden) return;
    this.#viewports.forget();
    this.show(shown);
  }
}

/** Outside of the page it is seen while the page is not. */
const isOutside = (state: FloatingState): boolean => state === 'document' || state === 'video';
