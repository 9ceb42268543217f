import { setTimeout as wait } from 'node:timers/promises';
import type { LegName, PhoneSession } from '../rtp/ports.ts';
import type { Dialog, DialogEnd } from '../sip/dialog-api.ts';
import type { DialogSnapshot } from '../sip/dialog-state.ts';
import { LegSound } from './leg-sound.ts';

/** A phone whose answer to a late offer, or whose ACK, never comes is spoken to in vain. */
const KNOWN_WITHIN_MS = 5_000;
/** Nobody presses more keys in a second; a gateway may bring some of them at once. */
const MOST_KEYS_A_SECOND = 20;

export interface LegEvents {
  hungUp(end: DialogEnd): void;
  /** A key, told by signalling (INFO). Keys in the sound are told by the session. */
  digit(digit: string): void;
  /** They answered with sound we cannot take. */
  unusable(): void;
}

/** One phone of a call: its dialog and its sound. It may not be answered yet. */
export class CallLeg {
  readonly name: LegName;
  readonly sound: LegSound;
  readonly #session: PhoneSession;
  readonly #gone = new AbortController();
  readonly #reached = Promise.withResolvers<void>();
  /** When keys were passed on to it within the last second. */
  #keysAt: number[] = [];
  #dialog: Dialog | null = null;
  #hasHungUp = false;

  constructor(session: PhoneSession, name: LegName, host: string) {
    this.name = name;
    this.#session = session;
    this.sound = new LegSound(session, name, host);
  }

  /** Whether it was answered and has not hung up. */
  get isThere(): boolean {
    return this.#dialog !== null && !this.#gone.signal.aborted;
  }

  /** From now on it talks by this dialog. */
  connect(dialog: Dialog, on: LegEvents): void {
    this.#dialog = dialog;
    void dialog.reached.then(() => this.#reached.resolve());
    dialog.listen({
      onBye: (end) => {
        this.#hasHungUp = true;
        this.#gone.abort();
        on.hungUp(end);
      },
      onOffer: (offer) => {
        const answer = this.sound.answer(offer.sdp);
        if (answer === null) offer.refuse();
        else offer.answer(answer);
      },
      onInfo: ({ digit }) => {
        if (digit !== null) on.digit(digit);
      },
      onAnswer: (sdp) => {
        if (!this.sound.accept(sdp)) on.unusable();
      },
    });
  }

  /**
   * Resolves with true when it is proved that they are there: an INVITE may be forged, and the address it wants sound sent to
   * may be anybody's. With false when it is stopped, or they are gone.
   */
  async isReached(stop: AbortSignal): Promise<boolean> {
    const over = AbortSignal.any([stop, this.#gone.signal]);
    if (over.aborted) return false;
    const isOver = Promise.withResolvers<void>();
    const settle = (): void => isOver.resolve();
    over.addEventListener('abort', settle, { once: true });
    await Promise.race([this.#reached.promise, isOver.promise]);
    over.removeEventListener('abort', settle);
    return !over.aborted;
  }

  /**
   * Says it, once it is known where, and proved that they are there. Resolves when that is over, with whether it was said to
   * its end to somebody who could hear all of it: not to one who has hung up, held meanwhile, or has not said where they
   * listen. To one who holds it takes its time.
   */
  async say(prompt: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    const gone = this.#gone.signal;
    const stop = signal === undefined ? gone : AbortSignal.any([signal, gone]);
    if (!this.isThere || stop.aborted) return false;
    const late = new AbortController();
    const tooLate = wait(KNOWN_WITHIN_MS, false, { signal: AbortSignal.any([stop, late.signal]) }).catch(
      () => false,
    );
    const known = Promise.all([this.sound.known, this.#reached.promise]).then(() => true);
    const isKnown = await Promise.race([known, tooLate]);
    late.abort();
    if (!isKnown) return false;
    const { hears, missed } = this.sound;
    await this.#session.say(this.name, prompt, stop);
    return !stop.aborted && hears && this.sound.hears && this.sound.missed === missed;
  }

  /** Passes a key on in signalling, of our own making. What comes quicker than anybody presses keys is left out. */
  async passOn(digit: string): Promise<void> {
    const now = performance.now();
    this.#keysAt = this.#keysAt.filter((at) => now - at < 1_000);
    if (!this.isThere || this.#keysAt.length >= MOST_KEYS_A_SECOND) return;
    this.#keysAt.push(now);
    await this.#dialog?.info('application/dtmf-relay', Buffer.from(`Signal=${digit}\r\nDuration=160\r\n`));
  }

  /** Resolves when they have heard, or it is certain that they will not. Again changes nothing. */
  async hangUp(): Promise<void> {
    this.#gone.abort();
    await this.#dialog?.bye();
  }

  /** What is needed to hang it up after a restart; null: there is nothing to hang up. */
  snapshot(): DialogSnapshot | null {
    return this.#hasHungUp ? null : (this.#dialog?.snapshot() ?? null);
  }
}
