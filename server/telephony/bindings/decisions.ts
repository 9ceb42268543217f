import { AppError, type ConsultationView, type PhoneCallId } from '@teleconsult/protocol';
import { BoundedMap } from '../../notify/bounded-map.ts';
import type { CallDecision, IncomingPhoneCall, PromptId, RejectReason, RelayParty } from '../ports.ts';
import { numbersOf, type PhoneContext } from './context.ts';
import { mayDial } from './destinations.ts';
import type { RefusedCalls } from './refused-calls.ts';
import type { StoredBinding, StoredPhoneCall } from './store.ts';
import { within } from './within.ts';

/** Calls count for a day. */
export const COUNTED_MS = 24 * 3_600_000;
/** After the longest ring or talk: what is silent for so long is lost. */
export const GRACE_MS = 60_000;
/** Refusals that are answered the same when they are asked again. */
const REMEMBERED = 10_000;
/** Decisions under way. The trunk cannot bring more at once; beyond it calls are turned away. */
const MAX_AT_ONCE = 5_000;

export interface DecisionsParts extends PhoneContext {
  readonly refused: RefusedCalls;
  /** News was written. */
  readonly onNews: () => void;
  /** A binding was found that has to end. */
  readonly onOver: (binding: StoredBinding) => void;
}

/** One question under way. */
interface Deciding {
  /** Whoever asked was answered without it. */
  isLate: boolean;
  /** The call that it began in the store. */
  begun: PhoneCallId | null;
}

/**
 * Decides who is connected when somebody dials a relay number. Whatever is not certain is turned away; what is answered
 * `bridge` is in the store, and counted, before it is answered.
 */
export class Decisions {
  readonly #parts: DecisionsParts;
  readonly #underWay = new Map<string, Promise<CallDecision>>();
  readonly #refusals = new BoundedMap<string, CallDecision>(REMEMBERED);

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
  }

  /** Never rejects: whoever asks would have to turn the call away as well. */
  decide(call: IncomingPhoneCall): Promise<CallDecision> {
    const name = this.#nameOf(call);
    const known = this.#underWay.get(name);
    if (known !== undefined) return known;
    const remembered = this.#refusals.get(name);
    if (remembered !== undefined) return Promise.resolve(remembered);
    if (this.#underWay.size >= MAX_AT_ONCE) {
      this.#parts.refused.count('unavailable');
      return Promise.resolve(UNAVAILABLE);
    }
    const deciding = this.#decideInTime(call, name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, deciding);
    return deciding;
  }

  /**
   * Whose call of a relay number it is, where they may call now. null: nobody's that may, or one that was decided already;
   * `decide` says what becomes of it. @throws AppError when that cannot be known
   */
  async callerOf(
    call: IncomingPhoneCall,
  ): Promise<{ readonly binding: StoredBinding; readonly caller: RelayParty } | null> {
    const { store, host } = this.#parts;
    if ((await store.calls.callByRef(call.provider, call.callRef)) !== null) return null;
    const found = await this.#find(call);
    if ('do' in found) return null;
    if ((await this.#whyNot(found.binding, found.caller)) !== null) return null;
    const view = await host.view(found.binding.consultationId);
    return this.#whyNotNow(view, found.binding) === null ? found : null;
  }

  /** Resolves when all that have begun are made, and answered. */
  async made(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }

  /** Who calls what belongs to it: a provider that names two calls alike must not get the answer for the other one. */
  #nameOf({ provider, callRef, from, x }: IncomingPhoneCall): string {
    const { seals } = this.#parts;
    const caller = from === null ? 'withheld' : seals.hashOf(from);
    return [provider, callRef, caller, seals.relayHashOf(x)].join('\0');
  }

  async #decideInTime(call: IncomingPhoneCall, name: string): Promise<CallDecision> {
    const { settings, log, refused } = this.#parts;
    const state: Deciding = { isLate: false, begun: null };
    const deciding = this.#decide(call, state);
    let decision: CallDecision;
    try {
      decision = await within(settings.decideMs, deciding, () => new AppError('TIMEOUT'));
    } catch (error) {
      state.isLate = true;
      log.error('phone.undecided', { error });
      decision = UNAVAILABLE;
      // It may have been begun in the store all the same: nobody is to find the line busy for it.
      void deciding
        .catch(() => undefined)
        .then(() => this.#giveUp(state.begun))
        .catch((failure: unknown) => log.warn('phone.notGivenUp', { error: failure }));
    }
    if (decision.do !== 'bridge') {
      refused.count(decision.why);
      // A store that failed may be there again; everything else stays what it was.
      if (decision.why !== 'unavailable') this.#refusals.set(name, decision);
    }
    return decision;
  }

  async #decide(call: IncomingPhoneCall, state: Deciding): Promise<CallDecision> {
    const begun = await this.#parts.store.calls.callByRef(call.provider, call.callRef);
    if (begun !== null) return this.#again(begun, call);
    const found = await this.#find(call);
    if ('do' in found) return found;
    const { binding, caller } = found;
    const view = await this.#parts.host.view(binding.consultationId);
    const refusal = (await this.#whyNot(binding, caller)) ?? this.#whyNotNow(view, binding);
    if (refusal !== null) return refusal;
    if (state.isLate) return UNAVAILABLE;
    return this.#begin(call, { binding, caller, state });
  }

  /** The binding of who calls. Their number decides, never the relay number alone. */
  async #find({
    x,
    from,
    provider,
  }: IncomingPhoneCall): Promise<
    { readonly binding: StoredBinding; readonly caller: RelayParty } | CallDecision
  > {
    const { store, seals } = this.#parts;
    const xHash = seals.relayHashOf(x);
    if ((await store.numbers.relay(xHash)) === null) return { do: 'reject', why: 'unknown_number' };
    if (from === null) return this.#stranger();
    const fromHash = seals.hashOf(from);
    const place = await store.bindings.place(xHash, fromHash);
    const binding = place === null ? null : await store.bindings.binding(place.bindingId);
    if (place !== null && binding?.provider === provider) return { binding, caller: place.party };
    if (await store.bindings.hadPlace(xHash, fromHash)) return this.#announce('expired', 'expired');
    return this.#stranger();
  }

  async #whyNot(binding: StoredBinding, caller: RelayParty): Promise<CallDecision | null> {
    const { store, clock } = this.#parts;
    const { consultationId, people, state, expiresAt, direction } = binding;
    const refusals = await store.bindings.refusals(consultationId);
    if (refusals.some(({ personId }) => personId === people.a || personId === people.b))
      return this.#announce('refused', 'refused');
    if (state !== 'bound' || expiresAt <= clock()) return this.#announce('expired', 'expired');
    if (direction !== 'both' && direction !== `${caller}_calls`)
      return this.#announce('unavailable', 'direction');
    return null;
  }

  /** What the visit says, also where nobody has told us yet that it is over. */
  #whyNotNow(view: ConsultationView, binding: StoredBinding): CallDecision | null {
    const { a, b } = binding.people;
    const isThere = (one: typeof a): boolean => view.participants.some(({ personId }) => personId === one);
    if (view.phase !== 'ended' && isThere(a) && isThere(b)) return null;
    this.#parts.onOver(binding);
    return this.#announce('expired', 'expired');
  }

  async #begin(
    call: IncomingPhoneCall,
    { binding, caller, state }: { binding: StoredBinding; caller: RelayParty; state: Deciding },
  ): Promise<CallDecision> {
    const { store, settings, ids, clock, onNews } = this.#parts;
    const { bindingId, people, revision } = binding;
    const to = (await numbersOf(this.#parts, binding))[caller === 'a' ? 'b' : 'a'];
    if (!mayDial(to, settings.destinations)) return this.#announce('unavailable', 'limit');
    const at = clock();
    const phoneCallId = ids.phoneCallId();
    const result = await store.calls.beginCall({
      phoneCallId,
      provider: call.provider,
      callRef: call.callRef,
      bindingId,
      caller,
      at,
      deadlineAt: at + settings.ringMs + GRACE_MS,
      maxTalkMs: settings.maxTalkMs,
      revision,
      limits: settings.limits,
      countedSince: at - COUNTED_MS,
      news: { by: people[caller], at, fact: { type: 'phone.callStarted', bindingId, phoneCallId } },
    });
    switch (result) {
      case 'begun': {
        state.begun = phoneCallId;
        onNews();
        const begun = await store.calls.call(phoneCallId);
        return begun === null ? UNAVAILABLE : this.#bridge(begun, call, to);
      }
      case 'exists': {
        const begun = await store.calls.callByRef(call.provider, call.callRef);
        return begun === null ? UNAVAILABLE : this.#again(begun, call);
      }
      case 'gone':
        return this.#announce('expired', 'expired');
      case 'busy':
        return this.#announce('busy', 'busy');
      case 'limit':
        return this.#announce('unavailable', 'limit');
      default: {
        const unreachable: never = result;
        return unreachable;
      }
    }
  }

  /** The same call asks again. One that is over, or whose binding is, is connected to nobody. */
  async #again(begun: StoredPhoneCall, call: IncomingPhoneCall): Promise<CallDecision> {
    const binding = await this.#parts.store.bindings.binding(begun.bindingId);
    const isSame =
      binding?.state === 'bound' &&
      binding.people.a === begun.people.a &&
      binding.people.b === begun.people.b &&
      binding.xHash === this.#parts.seals.relayHashOf(call.x);
    if (begun.state === 'ended' || !isSame) return this.#announce('expired', 'expired');
    const numbers = await numbersOf(this.#parts, binding);
    // A provider that names two calls alike must not connect the wrong one.
    if (call.from !== numbers[begun.caller]) return this.#stranger();
    return this.#bridge(begun, call, numbers[begun.caller === 'a' ? 'b' : 'a']);
  }

  #bridge(begun: StoredPhoneCall, { x }: IncomingPhoneCall, to: typeof x): CallDecision {
    const { settings } = this.#parts;
    const { bindingId, phoneCallId, caller, recorded, maxTalkMs } = begun;
    const { language, ringMs } = settings;
    return {
      do: 'bridge',
      bindingId,
      phoneCallId,
      caller,
      to,
      showAs: x,
      language,
      recorded,
      ringMs,
      maxTalkMs,
    };
  }

  /** Nobody was told to connect it. One that an earlier question began is not: that was answered, and may be talking. */
  async #giveUp(phoneCallId: PhoneCallId | null): Promise<void> {
    if (phoneCallId === null) return;
    const { store, clock, onNews } = this.#parts;
    const at = clock();
    const fact = { type: 'phone.callEnded', phoneCallId, reason: 'failed', talkMs: 0 } as const;
    await store.calls.endCall(phoneCallId, { at, end: 'failed', talkMs: 0, news: { by: null, at, fact } });
    onNews();
  }

  #stranger(): CallDecision {
    if (this.#parts.settings.strangers === 'reject') return { do: 'reject', why: 'stranger' };
    return this.#announce('stranger', 'stranger');
  }

  #announce(prompt: PromptId, why: RejectReason): CallDecision {
    return { do: 'announce', prompt, language: this.#parts.settings.language, why };
  }
}

const UNAVAILABLE: CallDecision = { do: 'reject', why: 'unavailable' };
