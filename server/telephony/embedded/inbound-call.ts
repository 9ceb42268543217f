import { setTimeout as wait } from 'node:timers/promises';
import type { PhoneBindingId } from '@teleconsult/protocol';
import type { PhoneNumber } from '../numbers.ts';
import type { CallDecision, IncomingPhoneCall, RelayCore } from '../ports.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import { BridgedCall } from './bridged-call.ts';
import { CallLeg } from './call-leg.ts';
import { DialInCall } from './dial-in-call.ts';
import type { DialIn, DialIns } from './dial-ins.ts';
import type { Ending } from './ending.ts';
import { statusOf } from './outcomes.ts';
import type { PhoneLegs } from './phone-legs.ts';
import type { RelayWorld } from './relay-world.ts';

export interface InboundWorld extends RelayWorld {
  readonly provider: string;
  readonly core: RelayCore;
  /** The calls that those who dial in belong into; null: everybody is decided about by the core. */
  readonly dialIns: () => DialIns | null;
  readonly legs: Pick<PhoneLegs, 'pickUp'>;
  /** Whether a binding was given back: a decision for it that is on its way still is not carried out. */
  readonly wasUnbound: (bindingId: PhoneBindingId) => boolean;
  /** Whether one more may hear an announcement now. Each true is given back with `announced`. */
  readonly mayAnnounce: () => boolean;
  readonly announced: () => void;
}

export interface InboundOptions {
  readonly callRef: string;
  readonly invite: IncomingCall;
  readonly from: PhoneNumber | null;
  readonly x: PhoneNumber;
}

type Announcement = Extract<CallDecision, { do: 'announce' }>;
type Decided = CallDecision | { readonly do: 'join'; readonly dialIn: DialIn; readonly dialIns: DialIns };

/** A call from the trunk: asked about, and then connected, spoken to or turned away. */
export class InboundCall {
  readonly callRef: string;
  readonly #world: InboundWorld;
  readonly #options: InboundOptions;
  readonly #stop = new AbortController();
  #bridged: BridgedCall | null = null;
  #dialledIn: DialInCall | null = null;

  constructor(world: InboundWorld, options: InboundOptions) {
    this.#world = world;
    this.#options = options;
    this.callRef = options.callRef;
  }

  /** Whose numbers it connects, or by whose it dialled in; null: nobody is connected. */
  get bindingId(): PhoneBindingId | null {
    return (this.#bridged ?? this.#dialledIn)?.bindingId ?? null;
  }

  /** Resolves when it is over. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#world.log.error('phone.callFailed', { error });
      this.#options.invite.refuse(500);
    }
  }

  /** Ends it, whatever it is at. */
  async end(ending: Ending): Promise<void> {
    this.#stop.abort();
    const running = this.#bridged ?? this.#dialledIn;
    if (running !== null) await running.end(ending);
    else this.#options.invite.refuse(ending.status);
  }

  async #run(): Promise<void> {
    const { invite } = this.#options;
    const decision = await this.#decide();
    switch (decision.do) {
      case 'bridge':
        return this.#bridge(decision);
      case 'join':
        return this.#join(decision);
      case 'announce':
        this.#world.figures.turnedAway[decision.why] += 1;
        return this.#announce(decision);
      case 'reject':
        this.#world.figures.turnedAway[decision.why] += 1;
        invite.refuse(statusOf(decision.why));
        return;
      default: {
        const unreachable: never = decision;
        return unreachable;
      }
    }
  }

  /** No answer, or none in time: nobody is connected. */
  async #decide(): Promise<Decided> {
    const { provider, clock, line, log } = this.#world;
    const { callRef, from, x } = this.#options;
    const call: IncomingPhoneCall = { provider, callRef, from, x, at: clock() };
    const asked = this.#asked(call);
    const late = new AbortController();
    const tooLate = wait(line.timings.decideMs, null, { signal: late.signal }).catch(() => null);
    try {
      const decision = await Promise.race([asked, tooLate]);
      if (decision !== null && isSound(decision, this.#options)) return decision;
      log.error('phone.undecided', { reason: decision === null ? 'too slow' : 'unsound' });
    } catch (error) {
      log.error('phone.undecided', { error });
    } finally {
      late.abort();
    }
    void asked.then((decided) => this.#neverMade(decided)).catch(() => undefined);
    return { do: 'announce', prompt: 'unavailable', language: line.settings.language, why: 'unavailable' };
  }

  /** A call that runs comes first. Where that cannot be known nobody else is rung in its place. */
  async #asked(call: IncomingPhoneCall): Promise<Decided> {
    const dialIns = this.#world.dialIns();
    const dialIn = dialIns === null ? null : await dialIns.find(call);
    if (dialIns === null || dialIn === null) return this.#world.core.decide(call);
    return { do: 'join', dialIn, dialIns };
  }

  /** What is decided too late becomes no call, and the store is told so. */
  #neverMade(decided: Decided, end: 'failed' | 'cancelled' = 'failed'): void {
    if (decided.do !== 'bridge') return;
    const { bindingId, phoneCallId, caller } = decided;
    const { clock, news } = this.#world;
    const of = { callRef: this.callRef, bindingId, phoneCallId };
    void news.tell(of, clock(), { type: 'ended', caller, end, talkMs: 0 });
  }

  async #bridge(bridge: Extract<CallDecision, { do: 'bridge' }>): Promise<void> {
    const { invite } = this.#options;
    const { wasUnbound } = this.#world;
    if (invite.state !== 'open') return this.#neverMade(bridge, 'cancelled');
    if (this.#stop.signal.aborted || wasUnbound(bridge.bindingId)) {
      this.#neverMade(bridge);
      invite.refuse(480);
      return;
    }
    this.#bridged = new BridgedCall(this.#world, { invite, bridge, callRef: this.callRef });
    await this.#bridged.run();
  }

  async #join({ dialIn, dialIns }: Extract<Decided, { do: 'join' }>): Promise<void> {
    const { invite } = this.#options;
    const { wasUnbound, legs, log } = this.#world;
    if (invite.state !== 'open') return;
    if (this.#stop.signal.aborted || wasUnbound(dialIn.bindingId)) return invite.refuse(480);
    this.#dialledIn = new DialInCall({ dialIns, legs, log, dialIn, invite });
    await this.#dialledIn.run();
  }

  /** Answers, says it, hangs up. With too many at once, or without sound, the phone gets a plain refusal. */
  async #announce({ prompt, language, why }: Announcement): Promise<void> {
    const { mayAnnounce, announced } = this.#world;
    if (this.#options.invite.state !== 'open') return;
    if (this.#stop.signal.aborted || !mayAnnounce()) return this.#options.invite.refuse(statusOf(why));
    try {
      await this.#speak(this.#world.line.prompt(language, prompt));
    } catch (error) {
      this.#world.log.warn('phone.notAnnounced', { reason: prompt, error });
      this.#options.invite.refuse(statusOf(why));
    } finally {
      announced();
    }
  }

  async #speak(sound: Uint8Array): Promise<void> {
    const { invite } = this.#options;
    const { line } = this.#world;
    const session = await line.openSession({ onEvent: () => undefined, isPlain: true });
    try {
      const leg = new CallLeg(session, 'a', line.settings.rtp.host);
      const sdp = invite.offer === null ? leg.sound.offer() : leg.sound.answer(invite.offer);
      if (sdp === null) return invite.refuse(488);
      if (invite.state !== 'open') return;
      leg.connect(invite.answer(sdp), {
        hungUp: () => undefined,
        unusable: () => this.#stop.abort(),
        digit: () => undefined,
      });
      try {
        const limit = AbortSignal.timeout(line.timings.lastWordsMs + line.timings.leadMs);
        const stop = AbortSignal.any([this.#stop.signal, limit]);
        await wait(line.timings.leadMs, undefined, { signal: stop }).catch(() => undefined);
        await leg.say(sound, stop);
      } finally {
        // Who was answered is hung up, whatever became of the words.
        this.#world.farewells.add(leg.hangUp());
      }
    } finally {
      session.close();
    }
  }
}

/** X is shown and nothing else, and X never rings itself or the caller: a call that does would come back to us for ever. */
const isSound = (decision: Decided, { from, x }: InboundOptions): boolean =>
  decision.do !== 'bridge' || (decision.showAs === x && decision.to !== x && decision.to !== from);
