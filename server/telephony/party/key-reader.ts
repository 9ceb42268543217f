/** Between the two keys of a wish. */
const WITHIN_MS = 3_000;

/** Reads `*6`, with which people on the phone switch their own microphone, as they know it from other conferences. */
export class KeyReader {
  readonly #onMicrophone: () => void;
  #starAt: number | null = null;

  constructor(onMicrophone: () => void) {
    this.#onMicrophone = onMicrophone;
  }

  pressed(digit: string, now: number): void {
    const isWish = digit === '6' && this.#starAt !== null && now - this.#starAt <= WITHIN_MS;
    this.#starAt = digit === '*' ? now : null;
    if (isWish) this.#onMicrophone();
  }
}
