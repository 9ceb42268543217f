/** Two phones, connected through us. Each leg is built here anew; nothing of one is written into the other. */
import { setTimeout as wait } from 'node:timers/promises';
import type { PhoneBindingId, PhoneNotRecordedReason } from '@teleconsult/protocol';
import type { CallDecision, PhoneCallEnd, PromptId } from '../ports.ts';
import { RelayError } from '../ports.ts';
import type { PhoneSession, SessionEvent } from '../rtp/ports.ts';
import { guardedClock, systemClock, Timers } from '../sip/clock.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import type { CallOutcome, OutgoingCall } from '../sip/outgoing-call.ts';
import { atMost } from './at-most.ts';
import { CallLeg } from './call-leg.ts';
import { CallRecorder } from './call-recorder.ts';
import type { TabledCall } from './call-table.ts';
import { type Ending, endingBy, FAILED, LOST } from './ending.ts';
import { type NotReached, notReached } from './outcomes.ts';
import type { RelayWorld } from './relay-world.ts';
import { RINGBACK } from './ringback.ts';
import { SilenceWatch } from './silence-watch.ts';
import { WaysOut } from './ways-out.ts';

export type Bridge = Extract<CallDecision, { do: 'bridge' }>;

const TAPE_CLOSES_WITHIN_MS = 10_000;
/** Timers of Node hold no more. */
const LONGEST_MS = 2 ** 31 - 1;

export class BridgedCall {
  readonly #world: RelayWorld;
  readonly #invite: IncomingCall;
  readonly #bridge: Bridge;
  readonly #callRef: string;
  readonly #startedAt: number;
  readonly #timers = new Timers<'ring' | 'warn' | 'over'>(
    guardedClock(systemClock, (error) => this.#broken(error)),
  );
  readonly #over = Promise.withResolvers<void>();
  /** Aborted as soon as it is to end. */
  readonly #stop = new AbortController();
  readonly #waysOut: WaysOut;
  #session: PhoneSession | null = null;
  #caller: CallLeg | null = null;
  #callee: CallLeg | null = null;
  #outgoing: OutgoingCall | null = null;
  #recorder: CallRecorder | null = null;
  #watch: SilenceWatch | null = null;
  #hasRungOut = false;
  #hasRung = false;
  #isTalking = false;
  #answeredAt: number | null = null;
  #ending: Promise<void> | null = null;

  constructor(world: RelayWorld, of: { invite: IncomingCall; bridge: Bridge; callRef: string }) {
    this.#world = world;
    this.#invite = of.invite;
    this.#bridge = of.bridge;
    this.#callRef = of.callRef;
    this.#startedAt = world.clock();
    this.#waysOut = new WaysOut(world.line.settings.rtp.source);
  }

  get bindingId(): PhoneBindingId {
    return this.#bridge.bindingId;
  }

  /** Resolves when it is over. Never rejects. */
  async run(): Promise<void> {
    this.#tabulate();
    this.#invite.onCancelled(() => void this.end({ end: 'cancelled', prompt: null, status: 487 }));
    try {
      await this.#connect();
    } catch (error) {
      // A destination that may not be dialled, no port, no trunk: all of them are ours to look after.
      const reason = error instanceof RelayError ? error.reason : 'failed';
      this.#world.log.error('phone.notConnected', { reason, error });
      await this.end(reason === 'refused' ? { ...FAILED, status: 480 } : FAILED);
    }
    await this.#over.promise;
  }

  /** Ends it, once: resolves when the last word was said and both were hung up. Never rejects. */
  end(ending: Ending): Promise<void> {
    this.#ending ??= this.#end(ending)
      .catch((error: unknown) => this.#world.log.error('phone.callFailed', { error }))
      .finally(() => this.#over.resolve());
    return this.#ending;
  }

  async #connect(): Promise<void> {
    const { line } = this.#world;
    const session = await line.openSession({
      onEvent: (event) => this.#heard(event),
      onTapeFailed: () => this.#recorder?.failed(),
      isPlain: !this.#bridge.recorded,
    });
    if (this.#isOver) return session.close();
    this.#session = session;
    const { host } = line.settings.rtp;
    this.#caller = new CallLeg(session, 'a', host);
    this.#callee = new CallLeg(session, 'b', host);
    const told = this.#isToBeRecorded()
      ? this.#answerAndTell(this.#caller).catch((error: unknown) => this.#broken(error))
      : null;
    const outcome = await this.#ring(this.#callee);
    if (outcome === null || this.#isOver) return;
    if (outcome.type !== 'answered') return this.#missed(notReached(outcome, this.#hasRungOut));
    this.#pickedUp(this.#callee, outcome);
    if (this.#isOver) return;
    if (told !== null) {
      const heard = await Promise.all([told, this.#tell(this.#callee)]);
      if (this.#isOver) return;
      // Who has not heard that it is recorded is not recorded.
      if (heard.every((one) => one === true)) await this.#beginTape(session);
      else this.#notRecorded('not_told');
    } else this.#answer(this.#caller);
    // Nobody is heard by whoever has forged the INVITE, or where they want the sound to go.
    if (await this.#caller.isReached(this.#stop.signal)) this.#talk(session);
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  #isToBeRecorded(): boolean {
    if (!this.#bridge.recorded) return false;
    if (this.#world.openTape === null) this.#notRecorded('no_tape');
    return this.#world.openTape !== null;
  }

  /** Rings the callee; null: it is over meanwhile. */
  async #ring(callee: CallLeg): Promise<CallOutcome | null> {
    const { to, showAs, ringMs } = this.#bridge;
    const outgoing = this.#world.line.dial({
      to,
      showAs,
      sdp: callee.sound.offer(),
      onRinging: () => {
        this.#invite.ringing();
        this.#rings();
      },
    });
    this.#outgoing = outgoing;
    this.#tabulate();
    this.#timers.set('ring', Math.min(ringMs, LONGEST_MS), () => {
      this.#hasRungOut = true;
      outgoing.cancel();
    });
    const outcome = await outgoing.outcome;
    this.#timers.stop('ring');
    this.#outgoing = null;
    if (outcome.type === 'answered' && this.#isOver) {
      // It was answered in the moment it ended.
      this.#world.farewells.add(outcome.dialog.bye());
      return null;
    }
    return outcome;
  }

  #rings(): void {
    if (this.#hasRung || this.#isOver) return;
    this.#hasRung = true;
    void this.#news({ type: 'ringing', caller: this.#bridge.caller });
  }

  async #missed({ end, status, prompt }: NotReached): Promise<void> {
    await this.end({ end, prompt, status });
  }

  #pickedUp(callee: CallLeg, { dialog, sdp }: Extract<CallOutcome, { type: 'answered' }>): void {
    this.#answeredAt = this.#world.clock();
    this.#rings();
    void this.#news({ type: 'answered', caller: this.#bridge.caller });
    callee.connect(dialog, this.#eventsOf(callee));
    this.#tabulate();
    // Where they listen nobody knows, so they are told nothing, and a caller who is not answered yet waits for no words.
    if (!callee.sound.accept(sdp))
      void this.end(this.#caller?.isThere === true ? FAILED : { ...FAILED, prompt: null });
  }

  /** Answers the caller's phone. */
  #answer(caller: CallLeg): boolean {
    const { offer } = this.#invite;
    const sdp = offer === null ? caller.sound.offer() : caller.sound.answer(offer);
    if (sdp === null || this.#invite.state !== 'open') {
      void this.end({ end: sdp === null ? 'failed' : 'cancelled', prompt: null, status: 488 });
      return false;
    }
    caller.connect(this.#invite.answer(sdp), this.#eventsOf(caller));
    this.#tabulate();
    return true;
  }

  /** The caller is told before anything is recorded, and hears it ring until somebody answers. */
  async #answerAndTell(caller: CallLeg): Promise<boolean> {
    if (!this.#answer(caller)) return false;
    const hasHeard = await this.#tell(caller);
    void this.#ringback(caller).catch((error: unknown) => this.#broken(error));
    return hasHeard;
  }

  async #ringback(caller: CallLeg): Promise<void> {
    const answered = new AbortController();
    const outcome = this.#outgoing?.outcome;
    if (outcome === undefined) return;
    void outcome.then(() => answered.abort());
    const stop = AbortSignal.any([answered.signal, this.#stop.signal]);
    // Until somebody answers, or the caller does not hear it anyway.
    let isHeard = true;
    while (isHeard) isHeard = await caller.say(RINGBACK, stop);
  }

  /** Whether they have heard that it is recorded. */
  async #tell(leg: CallLeg): Promise<boolean> {
    const { line } = this.#world;
    const { signal } = this.#stop;
    await wait(line.timings.leadMs, undefined, { signal }).catch(() => undefined);
    const isOpen = await this.#waysOut.isOpen(leg.name, signal);
    const isSaid = await leg.say(line.prompt(this.#bridge.language, 'recorded'), signal);
    return isOpen && isSaid;
  }

  /** Both were told. People are not kept waiting for a slow store: the tape begins when it is there. */
  async #beginTape(session: PhoneSession): Promise<void> {
    const { openTape, log, line } = this.#world;
    if (openTape === null) return;
    const { phoneCallId, bindingId } = this.#bridge;
    const recorder = new CallRecorder({
      session,
      openTape,
      log,
      onNotRecorded: (why) => this.#notRecorded(why),
    });
    this.#recorder = recorder;
    const started = recorder.start({ phoneCallId, bindingId, startedAt: this.#startedAt });
    await atMost(line.timings.tapeMs, started);
  }

  /** Both may believe that it is: the bindings are told. */
  #notRecorded(why: PhoneNotRecordedReason): void {
    const { figures, log } = this.#world;
    figures.notRecorded += 1;
    log.warn('phone.notRecorded', { reason: why });
    void this.#news({ type: 'not_recorded', why });
  }

  #talk(session: PhoneSession): void {
    if (this.#isOver) return;
    const { timings } = this.#world.line;
    session.bridge(true);
    this.#isTalking = true;
    const { maxTalkMs } = this.#bridge;
    const left = Math.min(maxTalkMs, LONGEST_MS);
    this.#timers.set(
      'over',
      left,
      () => void this.end({ end: 'time_over', prompt: 'time_over', status: 480 }),
    );
    // A short call is not interrupted to say that it is short.
    if (left >= 2 * timings.warnBeforeMs)
      this.#timers.set('warn', left - timings.warnBeforeMs, () => this.#sayToBoth('time_nearly_over'));
    this.#watch = new SilenceWatch({
      session,
      everyMs: timings.watchEveryMs,
      silentMs: timings.silentMs,
      isHeld: () => this.#caller?.sound.holds === true || this.#callee?.sound.holds === true,
      onSilent: () => {
        this.#world.figures.silent += 1;
        void this.end(LOST);
      },
    });
    this.#watch.start();
  }

  #sayToBoth(prompt: PromptId): void {
    const sound = this.#world.line.prompt(this.#bridge.language, prompt);
    for (const leg of [this.#caller, this.#callee])
      void leg?.say(sound, this.#stop.signal).catch((error: unknown) => this.#broken(error));
  }

  #eventsOf(leg: CallLeg): Parameters<CallLeg['connect']>[1] {
    return {
      hungUp: (end) => void this.end(endingBy(end, this.#answeredAt !== null)),
      unusable: () => void this.end(FAILED),
      digit: (digit) => {
        // Keys pass when sound does: not before both were told, and not under the last words.
        if (!this.#isTalking || this.#isOver) return;
        const other = leg === this.#caller ? this.#callee : this.#caller;
        void other?.passOn(digit);
      },
    };
  }

  #heard(event: SessionEvent): void {
    if (event.type === 'firstPacket') this.#waysOut.heard(event.leg);
    if (event.type !== 'failed') return;
    this.#world.figures.soundFailures += 1;
    void this.end({ ...FAILED, prompt: null });
  }

  #broken(error: unknown): void {
    this.#world.log.error('phone.callFailed', { error });
    void this.end(FAILED);
  }

  async #end({ end, prompt, status }: Ending): Promise<void> {
    const { clock, line, log, figures, farewells } = this.#world;
    const at = clock();
    const talkMs = this.#answeredAt === null ? 0 : Math.max(0, at - this.#answeredAt);
    this.#stop.abort();
    this.#timers.clear();
    this.#watch?.stop();
    // From here on neither hears the other, whatever is still said.
    this.#session?.bridge(false);
    this.#outgoing?.cancel();
    this.#invite.refuse(status);
    const legs = [this.#caller, this.#callee].filter((leg) => leg !== null);
    const taped = this.#recorder?.close();
    try {
      const lastWords = prompt === null ? null : line.prompt(this.#bridge.language, prompt);
      const limit = AbortSignal.timeout(line.timings.lastWordsMs);
      if (lastWords !== null) await Promise.all(legs.map((leg) => leg.say(lastWords, limit)));
    } catch (error) {
      log.error('phone.lastWordsFailed', { error });
    }
    const hungUp = Promise.all(legs.map((leg) => leg.hangUp())).then(() => undefined);
    farewells.add(hungUp);
    // The end of a call is told, also where its tape never came to one.
    if (taped !== undefined) await atMost(TAPE_CLOSES_WITHIN_MS, taped);
    figures.ended[end] += 1;
    void this.#tellEnd({ at, end, talkMs }, hungUp).catch((error: unknown) =>
      log.error('phone.endNotTold', { error }),
    );
    await this.#closeSession();
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    const { a, b } = await session.statistics();
    session.close();
    this.#world.figures.count(a);
    this.#world.figures.count(b);
  }

  /** Its place in the table is given up when its end is kept and both phones have heard, and not before. */
  async #tellEnd(
    ended: { at: number; end: PhoneCallEnd; talkMs: number },
    hungUp: Promise<void>,
  ): Promise<void> {
    const { table } = this.#world;
    const { caller } = this.#bridge;
    this.#tabulate(ended);
    const { at, end, talkMs } = ended;
    const isKept = await this.#news({ type: 'ended', caller, end, talkMs }, at);
    await hungUp;
    if (isKept) table.remove(this.#callRef);
  }

  #news(what: Parameters<RelayWorld['news']['tell']>[2], at = this.#world.clock()): Promise<boolean> {
    const { bindingId, phoneCallId } = this.#bridge;
    return this.#world.news.tell({ callRef: this.#callRef, bindingId, phoneCallId }, at, what);
  }

  /** What rings, for whoever comes after a crash. */
  #ringing(): TabledCall['ringing'] {
    const caller = this.#invite.state === 'open' ? this.#invite.snapshot() : null;
    const callee = this.#outgoing?.snapshot() ?? null;
    if (caller === null && callee === null) return null;
    return { caller, callee, until: this.#startedAt + this.#bridge.ringMs };
  }

  #tabulate(ended: { at: number; end: PhoneCallEnd; talkMs: number } | null = null): void {
    const { bindingId, phoneCallId, caller, maxTalkMs } = this.#bridge;
    const dialogs = [this.#caller?.snapshot(), this.#callee?.snapshot()].filter((one) => one != null);
    this.#world.table.put({
      callRef: this.#callRef,
      relay: { bindingId, phoneCallId, caller, answeredAt: this.#answeredAt, maxTalkMs, ended },
      ringing: this.#ringing(),
      dialogs,
    });
  }
}
