import { setTimeout as wait } from 'node:timers/promises';
import type { PhoneBindingId } from '@teleconsult/protocol';
import type { PhoneNumber } from '../numbers.ts';
import type { CallDecision, IncomingPhoneCall, RelayCore } from '../ports.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import { BridgedCall, type Ending } from './bridged-call.ts';
import { CallLeg } from './call-leg.ts';
import { statusOf } from './outcomes.ts';
import type { RelayWorld } from './relay-world.ts';

export interface InboundWorld extends RelayWorld {
  readonly provider: string;
  readonly core: RelayCore;
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

/** A call from the trunk: asked about, and then connected, spoken to or turned away. */
export class InboundCall {
  readonly callRef: string;
  readonly #world: InboundWorld;
  readonly #options: InboundOptions;
  readonly #stop = new AbortController();
  #bridged: BridgedCall | null = null;

  constructor(world: InboundWorld, options: InboundOptions) {
    this.#world = world;
    this.#options = options;
    this.callRef = options.callRef;
  }

  /** Whose numbers it connects; null: nobody is connected. */
  get bindingId(): PhoneBindingId | null {
    return this.#bridged?.bindingId ?? null;
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
    if (this.#bridged !== null) await this.#bridged.end(ending);
    else this.#options.invite.refuse(ending.status);
  }

  async #run(): Promise<void> {
    const { invite } = this.#options;
    const decision = await this.#decide();
    switch (decision.do) {
      case 'bridge':
        return this.#bridge(decision);
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
  async #decide(): Promise<CallDecision> {
    const { core, provider, clock, line, log } = this.#world;
    const { callRef, from, x } = this.#options;
    const call: IncomingPhoneCall = { provider, callRef, from, x, at: clock() };
    const asked = Promise.resolve().then(() => core.decide(call));
    const late = new AbortController();
    const tooLate = wait(line.timings.decideMs, null, { signal: late.signal }).catch(() => null);
    try {
      const decision = await Promise.race([asked, tooLate]);
      if (decision !== null) return decision;
      log.error('phone.undecided', { reason: 'too slow' });
    } catch (error) {
      log.error('phone.undecided', { error });
    } finally {
      late.abort();
    }
    void asked.then((decided) => this.#neverMade(decided)).catch(() => undefined);
    return { do: 'announce', prompt: 'unavailable', language: line.settings.language, why: 'unavailable' };
  }

  /** What is decided too late becomes no call, and the store is told so. */
  #neverMade(decided: CallDecision, end: 'failed' | 'cancelled' = 'failed'): void {
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
    const session = await line.openSession({ onEvent: () => undefined });
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
      const limit = AbortSignal.timeout(line.timings.lastWordsMs + line.timings.leadMs);
      const stop = AbortSignal.any([this.#stop.signal, limit]);
      await wait(line.timings.leadMs, undefined, { signal: stop }).catch(() => undefined);
      await leg.say(sound, stop);
      this.#world.farewells.add(leg.hangUp());
    } finally {
      session.close();
    }
  }
}
