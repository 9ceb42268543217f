/** Telephones that a test answers, for `Telephones`. */
import type { KeyQuestion } from '../embedded/leg-words.ts';
import type { DialOut, LegEnd, LegOutcome, LegPlace, SoundPeer } from '../embedded/phone-leg-call.ts';
import { type PhoneCallEnd, type PromptId, RelayError } from '../ports.ts';
import type { Telephone, Telephones } from './ports.ts';

export class FakeTelephone implements Telephone {
  readonly wish: DialOut;
  readonly answered: Promise<LegOutcome>;
  readonly ended: Promise<LegEnd>;
  readonly sound: LegPlace;
  /** Where the room was said to listen, oldest first. */
  readonly peers: SoundPeer[] = [];
  /** What was said to it, oldest first. */
  readonly said: PromptId[] = [];
  /** How it was hung up by us; null: it was not. */
  hungUp: { readonly prompt: PromptId | null; readonly end: PhoneCallEnd } | null = null;
  isBridged = false;
  /** It holds: what is said to it is not heard. */
  isHolding = false;
  #listensOn = false;
  #onDigit: ((digit: string) => void) | null = null;
  #isOver = false;
  /** While set, words last until they are stopped, or this is unset. */
  #isSlow = false;
  readonly #speaking = new Set<() => void>();
  readonly #listeners = new Set<(digit: string) => void>();
  readonly #asking = new Set<() => void>();
  readonly #settleAnswered: (outcome: LegOutcome) => void;
  readonly #settleEnded: (end: LegEnd) => void;

  constructor(wish: DialOut, port: number) {
    const answered = Promise.withResolvers<LegOutcome>();
    const ended = Promise.withResolvers<LegEnd>();
    this.wish = wish;
    this.answered = answered.promise;
    this.ended = ended.promise;
    this.#settleAnswered = answered.resolve;
    this.#settleEnded = ended.resolve;
    this.sound = { host: '127.0.0.1', port, ssrc: port };
  }

  /** The person answers. */
  answer(): void {
    this.#settleAnswered('answered');
  }

  /** It ends by itself: the person hangs up, is busy, does not answer. */
  end(end: PhoneCallEnd): void {
    this.#isOver = true;
    for (const stop of this.#asking) stop();
    this.#settleAnswered(end);
    this.#settleEnded({ end, talkMs: 0 });
    this.#quiet();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  listen(onDigit: (digit: string) => void): void {
    this.#onDigit = onDigit;
  }

  press(digits: string): void {
    for (const digit of digits) {
      for (const listener of this.#listeners) listener(digit);
      this.#onDigit?.(digit);
    }
  }

  /** Whether a question waits for a key. */
  get isAsked(): boolean {
    return this.#listeners.size > 0;
  }

  /** Whether it waits for a key after all was said. */
  get waitsForKey(): boolean {
    return this.#listensOn;
  }

  set isSlow(isSlow: boolean) {
    this.#isSlow = isSlow;
    if (!isSlow) this.#quiet();
  }

  connect(peer: SoundPeer): void {
    this.peers.push(peer);
  }

  bridge(on: boolean): void {
    this.isBridged = on;
  }

  async say(prompt: PromptId, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted === true || this.#isOver) return false;
    return this.#speak(prompt, signal);
  }

  async #speak(prompt: PromptId, signal?: AbortSignal): Promise<boolean> {
    this.said.push(prompt);
    if (this.#isSlow) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#speaking.add(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      this.#speaking.delete(resolve);
    }
    return signal?.aborted !== true && !this.isHolding && !this.#isOver;
  }

  async ask({ prompt, digits, withinMs, signal }: KeyQuestion): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const listener = (digit: string): void => {
      if (digits.includes(digit)) resolve(digit);
    };
    const stop = (): void => resolve(null);
    this.#listeners.add(listener);
    this.#asking.add(stop);
    if (this.#isOver) stop();
    signal?.addEventListener('abort', stop, { once: true });
    if (prompt !== null) await this.say(prompt, signal);
    this.#listensOn = prompt === null;
    const late = withinMs === null ? undefined : setTimeout(stop, withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#listensOn = false;
      this.#listeners.delete(listener);
      this.#asking.delete(stop);
    }
  }

  async hangUp(prompt: PromptId | null, end: PhoneCallEnd = 'completed'): Promise<void> {
    if (this.hungUp !== null) return;
    this.hungUp = { prompt, end };
    this.#isOver = true;
    for (const stop of this.#asking) stop();
    if (prompt !== null) await this.#speak(prompt);
    this.end(end);
  }

  #quiet(): void {
    for (const resolve of this.#speaking) resolve();
  }
}

export class FakeTelephones implements Telephones {
  /** Everybody who was rung, oldest first. */
  readonly rung: FakeTelephone[] = [];
  #refusal: RelayError | null = null;

  /** The next one cannot be rung. */
  refuseNext(reason: RelayError['reason']): void {
    this.#refusal = new RelayError(reason);
  }

  async dialOut(wish: DialOut): Promise<FakeTelephone> {
    const refusal = this.#refusal;
    this.#refusal = null;
    if (refusal !== null) throw refusal;
    const telephone = new FakeTelephone(wish, 20_000 + 2 * this.rung.length);
    this.rung.push(telephone);
    return telephone;
  }
}
