import type { RelayEvent } from '../ports.ts';
import type { RelayLookup } from '../relay-lookup.ts';
import { LONGEST_CALL_MS } from './call-context.ts';
import type { Ends } from './ends.ts';
import { momentOf, TWILIO, twilioEvent } from './reports.ts';
import type { TwilioRest } from './rest.ts';

const OVER: ReadonlySet<string> = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);

/**
 * Twilio's lists know days of UTC, and calls by their beginning: more is read than was asked for. Events that were told
 * have the same ids.
 */
const dayOf = (at: number): string => new Date(at - LONGEST_CALL_MS).toISOString().slice(0, 10);

/** Ends and recordings that Twilio lists, of calls our store knows. */
export async function* reconciled(from: {
  readonly rest: TwilioRest;
  readonly lookup: RelayLookup;
  readonly ends: Ends;
  readonly since: number;
  readonly signal: AbortSignal;
}): AsyncGenerator<RelayEvent> {
  const { rest, lookup, ends, since, signal } = from;
  for await (const call of rest.calls({ 'StartTime>': dayOf(since) }, signal)) {
    if (typeof call.parent_call_sid === 'string' || !OVER.has(call.status)) continue;
    const at = momentOf(call.end_time, since);
    const context = at < since ? null : await lookup.callOf(TWILIO, call.sid);
    const ending = context === null ? null : await ends.found(call.sid, signal);
    if (context === null || ending === null) continue;
    yield twilioEvent(
      { callRef: call.sid, context, at },
      { type: 'ended', caller: context.caller, ...ending },
    );
  }
  for await (const recording of rest.recordings({ 'DateCreated>': dayOf(since) }, signal)) {
    if (recording.status !== 'completed') continue;
    const context = await lookup.callOf(TWILIO, recording.call_sid);
    if (context === null) continue;
    const reported = { callRef: recording.call_sid, context, at: momentOf(recording.date_updated, since) };
    yield twilioEvent(reported, { type: 'recorded', recordingRef: recording.sid });
  }
}
