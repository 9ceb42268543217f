import type { G711Codec, SeatEvent } from './sfu.ts';

/** What a seat was told of sending its microphone a second time, for the telephones in the room. */
export class SecondVoice {
  readonly #emit: (event: SeatEvent) => void;
  #state: { readonly wanted: boolean; readonly codec: G711Codec } | null = null;

  constructor(emit: (event: SeatEvent) => void) {
    this.#emit = emit;
  }

  get isWanted(): boolean {
    return this.#state?.wanted === true;
  }

  /** Null: no telephone is there that could not hear this seat otherwise. The codec is that of the first one, and stays. */
  want(codec: G711Codec | null): void {
    if (this.isWanted === (codec !== null)) return;
    this.#state = { wanted: codec !== null, codec: codec ?? this.#state?.codec ?? 8 };
    this.#tell();
  }

  /** The device may have missed what it was told. Not while it does as it was told: that would begin its track anew. */
  repeat(isSent: boolean): void {
    if (this.#state?.wanted === false || !isSent) this.#tell();
  }

  #tell(): void {
    if (this.#state !== null) this.#emit({ type: 'g711Wanted', ...this.#state });
  }
}
