/** Twilio's words for what happens to a call, in ours. No number is read from a report. */
import type { PhoneCallEnd, RelayEvent } from '../ports.ts';
import type { CallContext } from './call-context.ts';

export const TWILIO = 'twilio';
export const isCallSid = (text: string | null | undefined): text is string =>
  /^CA[0-9a-f]{32}$/i.test(text ?? '');
export const isRecordingSid = (text: string | null | undefined): text is string =>
  /^RE[0-9a-f]{32}$/i.test(text ?? '');

/** What is known of a call whose report is turned into an event. */
export interface ReportedCall {
  readonly callRef: string;
  readonly context: Omit<CallContext, 'maxTalkSeconds' | 'language' | 'phoneCallId'> & {
    readonly phoneCallId: RelayEvent['phoneCallId'];
  };
  readonly at: number;
}

/** The same event has the same id wherever it is heard of: from a report, another one, or a list. */
export function twilioEvent({ callRef, context, at }: ReportedCall, what: RelayEvent['what']): RelayEvent {
  const { bindingId, phoneCallId } = context;
  const type = what.type === 'recorded' ? `recorded:${what.recordingRef}` : what.type;
  return {
    eventId: `${TWILIO}:${callRef}:${type}`,
    provider: TWILIO,
    callRef,
    bindingId,
    phoneCallId,
    at,
    what,
  };
}

export interface Ending {
  readonly end: PhoneCallEnd;
  readonly talkMs: number;
}

/**
 * How the dialled leg ended, from its last status (of the leg itself, or as `DialCallStatus`), or null while it goes on.
 * @param seconds `CallDuration` or `DialCallDuration`, empty when nobody answered
 */
export function endingOf(
  status: string,
  details: {
    readonly seconds: string | null;
    readonly sipCode: string | null;
    readonly maxTalkSeconds: number | null;
  },
): Ending | null {
  const { seconds, sipCode, maxTalkSeconds } = details;
  const silent = (end: PhoneCallEnd): Ending => ({ end, talkMs: 0 });
  switch (status) {
    case 'completed':
    case 'answered': {
      const talked = /^\d{1,6}$/.test(seconds ?? '') ? Number(seconds) : 0;
      const isOver = maxTalkSeconds !== null && talked >= maxTalkSeconds;
      return { end: isOver ? 'time_over' : 'completed', talkMs: talked * 1_000 };
    }
    case 'busy':
      return silent('busy');
    case 'no-answer':
      return silent('no_answer');
    case 'canceled':
      return silent('cancelled');
    case 'failed':
      // RFC 3261, 21.6.2: 603 is the callee who does not want to.
      return silent(sipCode === '603' ? 'declined' : 'failed');
    default:
      return null;
  }
}

/** `Timestamp` of a report (RFC 2822) or of a list; what is no moment is `otherwise`. */
export function momentOf(text: string | null | undefined, otherwise: number): number {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? otherwise : at;
}

/** What Twilio puts in place of a number it was not given, spelled on a telephone's keys. */
export const WITHHELD: ReadonlySet<string> = new Set([
  '+266696687', // ANONYMOUS
  '+2562533', // BLOCKED
  '+7378742833', // RESTRICTED
  '+8656696', // UNKNOWN
  '+86282452253', // UNAVAILABLE
]);

/** STIR/SHAKEN found that the caller's number is not theirs to show (`StirVerstat`, RFC 8224). */
export const isDisproved = (verstat: string | null): boolean =>
  verstat?.startsWith('TN-Validation-Failed') === true;
