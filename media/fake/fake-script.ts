import { SfuError, type SfuErrorReason, type SfuRoom, type SfuSeat } from '../sfu.ts';

export type FakeOperation =
  | 'openRoom'
  | (keyof SfuRoom & ('openSeat' | 'openPhoneSeat' | 'openTap'))
  | (keyof SfuSeat &
      (
        | 'connectTransport'
        | 'restartIce'
        | 'setCapabilities'
        | 'produce'
        | 'setSourcePaused'
        | 'resumeConsumer'
        | 'pauseConsumer'
        | 'setPreferredLayer'
      ));

/** Which calls are to fail, in the order in which the test asked for it. */
export class FakeScript {
  readonly #failures: { readonly operation: FakeOperation; readonly reason: SfuErrorReason }[] = [];

  failNext(operation: FakeOperation, reason: SfuErrorReason): void {
    this.#failures.push({ operation, reason });
  }

  /** Every operation begins here: throws what the test asked for, once. */
  step(operation: FakeOperation): void {
    const index = this.#failures.findIndex((failure) => failure.operation === operation);
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1);
    if (failure) throw new SfuError(failure.reason);
  }
}
