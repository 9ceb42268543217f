import type { RequestName } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { Emitter } from '../events.ts';

/** `until_restart`: new ICE credentials mend it. `for_good`: they do not. */
export type MediaCut = 'until_restart' | 'for_good';

interface FaultEvents {
  mediaCut: MediaCut;
}

/** What an app tries out: where the SDK asks whether something works, this says that it does not. */
export class Faults {
  /** Every media session of this client hears of a cut. */
  readonly events = new Emitter<FaultEvents>();
  #isUnreachable = false;
  #hasForgottenMedia = false;

  /** No attempt to connect succeeds while this is on. */
  set isUnreachable(on: boolean) {
    this.#isUnreachable = on;
  }

  /** True from when the server forgot all media until a seat is joined anew. */
  get hasForgottenMedia(): boolean {
    return this.#hasForgottenMedia;
  }

  cutMedia(cut: MediaCut): void {
    this.events.emit('mediaCut', cut);
  }

  forgetMedia(): void {
    this.#hasForgottenMedia = true;
  }

  /** Nothing is broken any more. */
  mend(): void {
    this.#isUnreachable = false;
    this.#hasForgottenMedia = false;
  }

  /** Throws as an attempt does that reaches nobody. */
  requireReachable(): void {
    if (this.#isUnreachable) throw new AppError('DISCONNECTED', { detail: 'simulated' });
  }

  /** Throws what a server answers that knows nothing of the seat's media. */
  requireKnown(name: RequestName): void {
    if (!this.#hasForgottenMedia || !name.startsWith('seat.')) return;
    if (name === 'seat.join') this.#hasForgottenMedia = false;
    else throw new AppError('NOT_FOUND', { detail: 'simulated' });
  }
}
