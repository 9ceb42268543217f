/** Telephones that a test answers, for `Telephones`. */
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
  /** While set, words last until they are stopped, or this is unset. */
  #isSlow = false;
  readonly #speaking = new Set<() => void>();
  readonly #listeners = new Set<(digit: string) => void>();
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
    this.#settleAnswered(end);
    this.#settleEnded({ end, talkMs: 0 });
    this.#quiet();
  }

  press(digits: string): void {
    for (const digit of digits) {
      for (const listener of this.#listeners) listener(digit);
      this.wish.onDigit?.(digit);
    }
  }

  /** Whether a question waits for a key. */
  get isAsked(): boolean {
    return this.#listeners.size > 0;
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

  async say(prompt: PromptId, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    this.said.push(prompt);
    if (!this.#isSlow) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#speaking.add(resolve);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#speaking.delete(resolve);
  }

  async ask(question: Parameters<Telephone['ask']>[0]): Promise<string | null> {
    const { prompt, digits, withinMs, signal } = question;
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const listener = (digit: string): void => {
      if (digits.includes(digit)) resolve(digit);
    };
    this.#listeners.add(listener);
    signal?.addEventListener('abort', () => resolve(null), { once: true });
    await this.say(prompt, signal);
    const late = setTimeout(() => resolve(null), withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#listeners.delete(listener);
    }
  }

  async hangUp(prompt: PromptId | null, end: PhoneCallEnd = 'completed'): Promise<void> {
    if (this.hungUp !== null) return;
    this.hungUp = { prompt, end };
    if (prompt !== null) await this.say(prompt);
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
