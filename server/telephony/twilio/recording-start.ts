import type { Log } from '../../host/ports.ts';
import type { RelayCore } from '../ports.ts';
import { within } from '../webhook-guard.ts';
import type { CallsUnderWay } from './calls-under-way.ts';
import { type ReportedCall, TWILIO, twilioEvent } from './reports.ts';
import type { TwilioRest } from './rest.ts';

/** The callee waits in silence for it. */
const STARTED_WITHIN_MS = 4_000;

/** Begins recordings of calls in which both have heard the notice. */
export class RecordingStart {
  readonly #rest: TwilioRest;
  readonly #calls: CallsUnderWay;
  readonly #log: Log;

  constructor({ rest, calls, log }: { rest: TwilioRest; calls: CallsUnderWay; log: Log }) {
    this.#rest = rest;
    this.#calls = calls;
    this.#log = log;
  }

  /** One that cannot be begun is told of, and the call goes on without. Rejects as the core does. */
  async begin(core: RelayCore, call: ReportedCall, reportTo: string): Promise<void> {
    const under = this.#calls.get(call.callRef);
    if (under?.recording === true) return;
    if (under !== undefined) under.recording = true;
    try {
      await within(STARTED_WITHIN_MS, this.#rest.startRecording(call.callRef, reportTo));
    } catch (error) {
      this.#log.warn('phone.notRecorded', { event: TWILIO, reason: 'no_tape', error });
      await core.event(twilioEvent(call, { type: 'not_recorded', why: 'no_tape' }));
    }
  }
}
