import type { Clock, Log } from '../../host/ports.ts';
import { isPhoneNumber } from '../numbers.ts';
import type { CallDecision, IncomingPhoneCall, RelayCore } from '../ports.ts';
import { within } from '../webhook-guard.ts';
import { TWILIO, twilioEvent } from './reports.ts';

/** Calls that wait for a decision at once; more are turned away, so that a flood does not become a queue. */
const MOST_AT_ONCE = 500;

export type Unavailable = { readonly do: 'unavailable' };

/** Asks the core once a call, whoever asks how often meanwhile. What fails or takes too long turns the caller away. */
export class Decisions {
  readonly #timeoutMs: number;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Promise<CallDecision | Unavailable>>();

  constructor({ timeoutMs, log, clock }: { timeoutMs: number; log: Log; clock: Clock }) {
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#clock = clock;
  }

  async ask(core: RelayCore, call: IncomingPhoneCall): Promise<CallDecision | Unavailable> {
    const pending = this.#pending.get(call.callRef);
    if (pending !== undefined) return await pending;
    if (this.#pending.size >= MOST_AT_ONCE) return { do: 'unavailable' };
    const asked = this.#askOnce(core, call).finally(() => this.#pending.delete(call.callRef));
    this.#pending.set(call.callRef, asked);
    return await asked;
  }

  async #askOnce(core: RelayCore, call: IncomingPhoneCall): Promise<CallDecision | Unavailable> {
    // A core that throws at once is one that fails, too.
    const work = Promise.resolve().then(() => core.decide(call));
    try {
      const decision = await within(this.#timeoutMs, work);
      if (decision.do !== 'bridge' || isSound(decision, call)) return decision;
      await this.#neverMade(core, call, decision);
    } catch (error) {
      this.#log.error('a phone call was turned away: no decision', { event: TWILIO, error });
      void work.then(
        // The caller has heard "unavailable" by then: what was decided too late never becomes a call.
        (late) => (late.do === 'bridge' ? this.#neverMade(core, call, late) : undefined),
        () => undefined,
      );
    }
    return { do: 'unavailable' };
  }

  async #neverMade(
    core: RelayCore,
    call: IncomingPhoneCall,
    decision: Extract<CallDecision, { do: 'bridge' }>,
  ): Promise<void> {
    const reported = { callRef: call.callRef, context: decision, at: this.#clock() };
    const what = { type: 'ended', caller: decision.caller, end: 'failed', talkMs: 0 } as const;
    await core.event(twilioEvent(reported, what)).catch((error: unknown) => {
      this.#log.error('the end of a phone call that was not made could not be told', {
        event: TWILIO,
        error,
      });
    });
  }
}

/** X is shown and nothing else, and X never rings itself or the caller. */
const isSound = (decision: Extract<CallDecision, { do: 'bridge' }>, call: IncomingPhoneCall): boolean =>
  decision.showAs === call.x &&
  isPhoneNumber(decision.to) &&
  decision.to !== call.x &&
  decision.to !== call.from;
