import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Log } from '../../host/ports.ts';
import type { PhoneNumber } from '../numbers.ts';
import { type PhoneCallEnd, type PhoneLanguage, type PromptId, RelayError } from '../ports.ts';
import type { G711, PhoneSession, SessionEvent } from '../rtp/ports.ts';
import { systemClock, Timers } from '../sip/clock.ts';
import type { Dialog } from '../sip/dialog-api.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import type { OutgoingCall } from '../sip/outgoing-call.ts';
import { CallLeg } from './call-leg.ts';
import type { CallTable } from './call-table.ts';
import type { Farewells } from './farewells.ts';
import { type KeyQuestion, LegWords } from './leg-words.ts';
import { notReached } from './outcomes.ts';
import type { PhoneLine } from './phone-line.ts';
import type { RelayFigures } from './relay-figures.ts';
import { SilenceWatch } from './silence-watch.ts';
import { WaysOut } from './ways-out.ts';

/** What a phone has on the line with us, whoever rang whom. */
export interface LegWish {
  readonly language: PhoneLanguage;
  readonly maxTalkMs: number;
  /** Our address towards the SFU; that of all sound where it is left out. */
  readonly soundHost?: string;
}

export interface DialOut extends LegWish {
  readonly to: PhoneNumber;
  /** What the phone shows: a number of the clinic. */
  readonly showAs: PhoneNumber;
  readonly ringMs: number;
  readonly onRinging?: () => void;
  /** A key was pressed. */
  readonly onDigit?: (digit: string) => void;
}

/** Where the phone's sound is fetched from and sent to: plain RTP, G.711. */
export interface LegPlace {
  readonly host: string;
  readonly port: number;
  /** Of what we send to the SFU. */
  readonly ssrc: number;
}

export interface SoundPeer {
  readonly host: string;
  readonly port: number;
  readonly codec: G711;
}

export type LegOutcome = 'answered' | PhoneCallEnd;

export interface LegEnd {
  readonly end: PhoneCallEnd;
  readonly talkMs: number;
}

interface LegCallParts {
  readonly line: PhoneLine;
  readonly table: CallTable;
  readonly farewells: Farewells;
  readonly figures: RelayFigures;
  readonly log: Log;
  readonly clock: Clock;
  readonly callRef: string;
  readonly wish: LegWish;
}

/** One phone that was rung by us, or has dialled in, whose other side is no phone. */
export class PhoneLegCall {
  readonly callRef: string;
  /** Resolves when it was answered, or how it ended before. Never rejects. */
  readonly answered: Promise<LegOutcome>;
  /** Never rejects. */
  readonly ended: Promise<LegEnd>;
  readonly #parts: LegCallParts;
  readonly #settleAnswered: (outcome: LegOutcome) => void;
  readonly #settleEnded: (end: LegEnd) => void;
  readonly #timers = new Timers<'ring' | 'over'>(systemClock);
  readonly #stop = new AbortController();
  readonly #words: LegWords;
  readonly #waysOut: WaysOut;
  #onDigit: ((digit: string) => void) | null = null;
  #session: PhoneSession | null = null;
  #leg: CallLeg | null = null;
  #outgoing: OutgoingCall | null = null;
  #watch: SilenceWatch | null = null;
  /** When it stops ringing; 0: it does not ring. */
  #ringUntil = 0;
  #peer: SoundPeer | null = null;
  #isMuted = false;
  #hasRungOut = false;
  #answeredAt: number | null = null;
  #ending: Promise<void> | null = null;

  constructor(parts: LegCallParts) {
    const answered = Promise.withResolvers<LegOutcome>();
    const ended = Promise.withResolvers<LegEnd>();
    this.callRef = parts.callRef;
    this.answered = answered.promise;
    this.ended = ended.promise;
    this.#settleAnswered = answered.resolve;
    this.#settleEnded = ended.resolve;
    this.#parts = parts;
    this.#waysOut = new WaysOut(parts.line.settings.rtp.source);
    this.#words = new LegWords({
      speak: (prompt, stop) => this.#speak(prompt, stop),
      gone: this.#stop.signal,
    });
  }

  /** It was hung up, or is being hung up. */
  get isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Where an SFU sends to, and the SSRC of what it is sent. */
  get sound(): LegPlace {
    const { line, wish } = this.#parts;
    const session = this.#session;
    if (session === null) throw new Error('the phone is not rung yet');
    return {
      host: wish.soundHost ?? line.settings.rtp.host,
      port: session.ports.b,
      ssrc: session.ssrc.b,
    };
  }

  /** Rings it. @throws RelayError; then it has ended */
  async ring(wish: DialOut): Promise<void> {
    await this.#orEnded(() => this.#ring(wish));
  }

  /** Answers a phone that has dialled in. @throws RelayError; then it has ended, and was perhaps not answered */
  async pickUp(invite: IncomingCall): Promise<void> {
    await this.#orEnded(() => this.#pickUp(invite));
  }

  /** Whom keys are told from now on. */
  listen(onDigit: (digit: string) => void): void {
    this.#onDigit = onDigit;
  }

  /** Where the SFU listens. @throws RangeError for what is no address of ours to send to */
  connect(peer: SoundPeer): void {
    this.#peer = peer;
    this.#signalPeer();
  }

  /** Lets sound through, both ways. */
  bridge(on: boolean): void {
    this.#session?.bridge(on);
  }

  /** Whether the others do not hear the phone; it goes on hearing them. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    this.#signalPeer();
  }

  /**
   * Says an announcement to the phone. Resolves when it was said, stopped, or the phone is gone, with whether somebody could
   * hear all of it: nobody does who holds.
   */
  say(prompt: PromptId, signal?: AbortSignal): Promise<boolean> {
    return this.#words.say(prompt, signal);
  }

  /**
   * Asks, and answers the first of these keys that is pressed, which may be before it was said to its end, but not before it
   * has begun. null: none of them in time, stopped, or the phone is gone.
   */
  ask(question: KeyQuestion): Promise<string | null> {
    return this.#words.ask(question);
  }

  /** Ends it, with last words where there are some. Resolves when it was hung up. Again changes nothing. Never rejects. */
  hangUp(prompt: PromptId | null, end?: PhoneCallEnd): Promise<void> {
    this.#ending ??= this.#end(prompt, end ?? (this.#answeredAt === null ? 'cancelled' : 'completed'));
    return this.#ending;
  }

  async #orEnded(begin: () => Promise<void>): Promise<void> {
    try {
      await begin();
    } catch (error) {
      this.#parts.log.warn('phone.legNotRung', { error });
      await this.hangUp(null, 'failed');
      throw error instanceof RelayError ? error : new RelayError('unavailable');
    }
  }

  async #open(): Promise<CallLeg> {
    const { line, wish } = this.#parts;
    this.#session = await line.openSession({
      onEvent: (event) => this.#heard(event),
      b: wish.soundHost ?? line.settings.rtp.host,
    });
    const leg = new CallLeg(this.#session, 'a', line.settings.rtp.host);
    this.#leg = leg;
    if (this.#stop.signal.aborted) {
      this.#session.close();
      throw new RelayError('unavailable');
    }
    this.#signalPeer();
    return leg;
  }

  async #ring(wish: DialOut): Promise<void> {
    const { line, clock } = this.#parts;
    this.#onDigit = wish.onDigit ?? null;
    const leg = await this.#open();
    const outgoing = line.dial({
      to: wish.to,
      showAs: wish.showAs,
      sdp: leg.sound.offer(),
      onRinging: () => wish.onRinging?.(),
    });
    this.#outgoing = outgoing;
    this.#ringUntil = clock() + wish.ringMs;
    this.#tabulate(leg);
    this.#timers.set('ring', Math.min(wish.ringMs, 2 ** 31 - 1), () => {
      this.#hasRungOut = true;
      outgoing.cancel();
    });
    void this.#follow(outgoing, leg).catch((error: unknown) => {
      this.#parts.log.error('phone.legFailed', { error });
      return this.hangUp(null, 'failed');
    });
  }

  async #follow(outgoing: OutgoingCall, leg: CallLeg): Promise<void> {
    const outcome = await outgoing.outcome;
    this.#outgoing = null;
    this.#timers.stop('ring');
    if (outcome.type !== 'answered') return this.hangUp(null, notReached(outcome, this.#hasRungOut).end);
    if (this.#stop.signal.aborted) {
      this.#parts.farewells.add(outcome.dialog.bye());
      return;
    }
    this.#connected(leg, outcome.dialog);
    if (!leg.sound.accept(outcome.sdp)) return this.hangUp(null, 'failed');
    this.#settleAnswered('answered');
  }

  async #pickUp(invite: IncomingCall): Promise<void> {
    const leg = await this.#open();
    const sdp = invite.offer === null ? leg.sound.offer() : leg.sound.answer(invite.offer);
    if (sdp === null || invite.state !== 'open') throw new RelayError('unavailable');
    this.#connected(leg, invite.answer(sdp));
    // Nobody is heard by whoever has forged the INVITE.
    if (!(await leg.isReached(this.#stop.signal))) throw new RelayError('unavailable');
    const { leadMs } = this.#parts.line.timings;
    await wait(leadMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    this.#settleAnswered('answered');
  }

  /** From now on somebody is there. */
  #connected(leg: CallLeg, dialog: Dialog): void {
    const { clock, wish, line, figures } = this.#parts;
    const session = this.#session;
    this.#answeredAt = clock();
    leg.connect(dialog, {
      hungUp: ({ by }) => void this.hangUp(null, by === 'them' ? 'completed' : 'lost'),
      unusable: () => void this.hangUp(null, 'failed'),
      digit: (digit) => this.#pressed(digit),
    });
    // They may have hung up in the moment they answered.
    if (this.#stop.signal.aborted || session === null) return;
    this.#tabulate(leg);
    this.#timers.set(
      'over',
      Math.min(wish.maxTalkMs, 2 ** 31 - 1),
      () => void this.hangUp('time_over', 'time_over'),
    );
    // A room is never silent; it is the phone that may be gone without a word.
    this.#watch = new SilenceWatch({
      session,
      of: ['a'],
      everyMs: line.timings.watchEveryMs,
      silentMs: line.timings.silentMs,
      isHeld: () => leg.sound.holds,
      onSilent: () => {
        figures.silent += 1;
        void this.hangUp(null, 'lost');
      },
    });
    this.#watch.start();
  }

  #signalPeer(): void {
    const peer = this.#peer;
    if (peer === null) return;
    const direction = this.#isMuted ? 'receive' : 'both';
    // Keys are read here; an SFU has no use for them.
    this.#session?.setRemote('b', { ...peer, telephoneEvent: null, direction });
  }

  #heard(event: SessionEvent): void {
    if (event.type === 'firstPacket') this.#waysOut.heard(event.leg);
    if (event.type === 'digit' && event.leg === 'a') this.#pressed(event.digit);
    if (event.type !== 'failed') return;
    this.#parts.figures.soundFailures += 1;
    void this.hangUp(null, 'failed');
  }

  #pressed(digit: string): void {
    this.#words.pressed(digit);
    this.#onDigit?.(digit);
  }

  async #speak(prompt: PromptId, stop: AbortSignal): Promise<boolean> {
    const { line, wish } = this.#parts;
    if (this.#leg === null) return false;
    const isOpen = await this.#waysOut.isOpen('a', stop);
    const isSaid = await this.#leg.say(line.prompt(wish.language, prompt), stop);
    return isOpen && isSaid;
  }

  #tabulate(leg: CallLeg): void {
    const dialog = leg.snapshot();
    const callee = this.#outgoing?.snapshot() ?? null;
    const { table, callRef } = this.#parts;
    const ringing = callee === null ? null : { caller: null, callee, until: this.#ringUntil };
    table.put({ callRef, relay: null, ringing, dialogs: dialog === null ? [] : [dialog] });
  }

  async #end(prompt: PromptId | null, end: PhoneCallEnd): Promise<void> {
    const { line, wish, clock, table, log, farewells } = this.#parts;
    const talkMs = this.#answeredAt === null ? 0 : Math.max(0, clock() - this.#answeredAt);
    this.#stop.abort();
    this.#timers.clear();
    this.#watch?.stop();
    this.#outgoing?.cancel();
    const session = this.#session;
    session?.bridge(false);
    try {
      if (prompt !== null)
        await this.#leg?.say(
          line.prompt(wish.language, prompt),
          AbortSignal.timeout(line.timings.lastWordsMs),
        );
    } catch (error) {
      log.error('phone.lastWordsFailed', { error });
    }
    // Its place in the table is given up when it has heard, so that a crash before that is made good.
    const leg = this.#leg;
    if (leg !== null) farewells.add(leg.hangUp().then(() => table.remove(this.callRef)));
    session?.close();
    this.#settleAnswered(end);
    this.#settleEnded({ end, talkMs });
  }
}
