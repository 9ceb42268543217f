import type { Log } from '../../host/ports.ts';
import type { PhoneCallEnd, PromptId, RelayCore } from '../ports.ts';
import type { RelayLookup } from '../relay-lookup.ts';
import type { CallsUnderWay, CallUnderWay } from './calls-under-way.ts';
import { type Ending, endingOf, type ReportedCall, TWILIO, twilioEvent } from './reports.ts';
import type { TwilioRest } from './rest.ts';
import type { Twiml } from './twiml.ts';

export interface EndOfCall {
  readonly end: PhoneCallEnd;
  /** What we ended it for; undefined: we did not. */
  readonly endedFor: PromptId | null | undefined;
}

/** Ends of calls: told, looked up where reports were lost, and brought about. */
export class Ends {
  readonly #rest: TwilioRest;
  readonly #calls: CallsUnderWay;
  readonly #lookup: RelayLookup;
  readonly #twiml: Twiml;
  readonly #log: Log;

  constructor(parts: {
    rest: TwilioRest;
    calls: CallsUnderWay;
    lookup: RelayLookup;
    twiml: Twiml;
    log: Log;
  }) {
    this.#rest = parts.rest;
    this.#calls = parts.calls;
    this.#lookup = parts.lookup;
    this.#twiml = parts.twiml;
    this.#log = parts.log;
  }

  /** Tells it durably. Rejects as the core does. */
  async tell(core: RelayCore, told: ReportedCall & { readonly ending: Ending }): Promise<EndOfCall> {
    const call = this.#calls.get(told.callRef);
    const endedFor = call?.endedFor;
    const { talkMs } = told.ending;
    const end = endForUs(told.ending.end, endedFor);
    await core.event(twilioEvent(told, { type: 'ended', caller: told.context.caller, end, talkMs }));
    if (call !== undefined) call.ended = true;
    return { end, endedFor };
  }

  /** The call, if it is ours and no end of it is known. */
  async stillOpen(callRef: string): Promise<ReportedCall['context'] | null> {
    const known = this.#calls.get(callRef) ?? (await this.#lookup.callOf(TWILIO, callRef));
    return known === null || known.ended ? null : known;
  }

  /** How a call whose caller has gone has ended, as Twilio lists its other leg; null: that leg goes on. @throws RelayError */
  async found(callRef: string, signal?: AbortSignal): Promise<Ending | null> {
    for await (const { status, duration } of this.#rest.calls({ ParentCallSid: callRef }, signal))
      return endingOf(status, { seconds: duration ?? null, sipCode: null, maxTalkSeconds: null });
    return { end: 'cancelled', talkMs: 0 };
  }

  /** Ends a running call; both hear why, as far as they have been answered. @throws RelayError */
  async bringAbout(callRef: string, why: PromptId | null): Promise<void> {
    const call = this.#calls.get(callRef) ?? (await this.#takenUp(callRef));
    if (call !== null) call.endedFor = why;
    if (why === null || call === null) {
      await this.#rest.updateCall(callRef, { status: 'completed' });
      return;
    }
    const twiml = this.#twiml.announce(why, call.language);
    // The callee first: as soon as the caller is redirected, Twilio hangs up on the callee without a word. The caller
    // then comes back with the end of the dialling, and hears it there. Where there is no callee yet, he is redirected.
    if (await this.#sayToCallee(callRef, twiml)) return;
    if ((await this.#rest.updateCall(callRef, { twiml })) === 'wrong_state')
      await this.#rest.updateCall(callRef, { status: 'completed' });
  }

  /** A call that an earlier process decided. Whoever reports its end is to find what it was ended for. */
  async #takenUp(callRef: string): Promise<CallUnderWay | null> {
    const known = await this.#lookup.callOf(TWILIO, callRef);
    if (known === null) return null;
    this.#calls.add(callRef, known);
    const call = this.#calls.get(callRef);
    if (call === undefined) return null;
    call.ended ||= known.ended;
    return call;
  }

  async #sayToCallee(callRef: string, twiml: string): Promise<boolean> {
    let isSaid = false;
    try {
      for await (const leg of this.#rest.calls({ ParentCallSid: callRef, Status: 'in-progress' }))
        isSaid = (await this.#rest.updateCall(leg.sid, { twiml })) === 'done' || isSaid;
    } catch (error) {
      // Ending it matters more than what is said: the caller's side is ended in any case.
      this.#log.warn('the end of a phone call could not be said to the callee', { event: TWILIO, error });
    }
    return isSaid;
  }
}

/** The end that is told when we brought it about: nobody answered is still nobody answered. */
export function endForUs(end: PhoneCallEnd, endedFor: PromptId | null | undefined): PhoneCallEnd {
  if (endedFor === undefined || endedFor === null) return end;
  if (end === 'busy' || end === 'no_answer' || end === 'declined') return end;
  return endedFor === 'time_over' ? 'time_over' : 'unbound';
}
