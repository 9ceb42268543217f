/** Alibaba's reports of calls, in our words. Numbers in them are compared here and leave with nothing. */
import { z } from 'zod';
import type { PhoneCallEnd, RejectReason, RelayEvent, RelayParty } from '../ports.ts';
import { momentOfReport } from './beijing-time.ts';
import { numberOfReport } from './domestic-number.ts';

export const ALIBABA = 'alibaba';
/** One address a kind: the reports do not say themselves what they are. */
export const REPORT_KINDS = ['start', 'ring', 'pickup', 'end', 'recording'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

const Digits = z.union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative().transform(String)]);
const Text = z.string().max(64).nullish();
const Small = z.coerce.number().int().min(0).max(100_000).nullish();
// A moment or a cause that is none does not make a call unheard of: it ended, whyever.
const Time = z
  .union([z.string().max(32), z.number()])
  .nullish()
  .catch(null);
const Cause = Small.catch(null);

/** How many digits make a number; the last ones are the same with a country code, a 0, or neither before them. */
const NUMBER_DIGITS = { least: 7, most: 10 };
const digitsOf = (text: string): string => text.replace(/\D/g, '');

/** Whether an opaque name has a number in it, however either is written. */
function holdsNumber(name: string, number: string | null | undefined): boolean {
  const digits = digitsOf(number ?? '').slice(-NUMBER_DIGITS.most);
  return digits.length >= NUMBER_DIGITS.least && digitsOf(name).includes(digits);
}

/** What is read of a report; whatever else it holds is not. */
export const Report = z
  .object({
    pool_key: z.string().max(64).nullish(),
    partner_key: z.string().max(64).nullish(),
    sub_id: Digits.nullish(),
    subs_id: Digits.nullish(),
    /** The `OutId` of the binding: our own id of it. */
    out_id: z.string().max(128).nullish(),
    /** An opaque name; it becomes part of event ids, and so must be no number of anybody. */
    call_id: z.string().regex(/^[A-Za-z0-9_-]{6,100}$/),
    phone_no: Text,
    peer_no: Text,
    call_type: Small,
    call_time: Time,
    ring_time: Time,
    ringTime: Time,
    start_time: Time,
    release_time: Time,
    release_dir: Cause,
    release_cause: Cause,
    unconnected_cause: Cause,
  })
  .refine(({ call_id, phone_no, peer_no }) => ![phone_no, peer_no].some((one) => holdsNumber(call_id, one)));
export type Report = z.infer<typeof Report>;

/** Short messages come by the same reports; they are none of a relay of calls. */
const SHORT_MESSAGES: ReadonlySet<number> = new Set([2, 3, 5]);
const BLOCKED = 4;
const B_TO_A = 1;

export const isOfCall = ({ call_type }: Report): boolean => !SHORT_MESSAGES.has(call_type ?? 0);

/** Number of whoever dialled X, or null. */
export const callerNumber = ({ call_type, phone_no, peer_no }: Report) =>
  numberOfReport((call_type === B_TO_A ? peer_no : phone_no) ?? '');

/** Who called by the kind of the report alone: after a hand-over, late reports hold numbers that are no longer bound. */
export const callerByType = ({ call_type }: Report): RelayParty => (call_type === B_TO_A ? 'b' : 'a');

/** The name of a recording has all that asking for it needs: the moment of its call and the call. */
export const recordingRefOf = (callId: string, callAt: number): string => `${callAt}.${callId}`;
export function recordingOf(ref: string): { callId: string; callAt: number } | null {
  const [, at, callId] = /^(\d{13})\.([A-Za-z0-9_-]{6,100})$/.exec(ref) ?? [];
  return at === undefined || callId === undefined ? null : { callId, callAt: Number(at) };
}

/** What a report says, and when; null: nothing that is an event. `now` is for those without a moment. */
export function eventOf(
  kind: ReportKind,
  report: Report,
  { caller, now }: { caller: RelayParty; now: number },
): Pick<RelayEvent, 'at' | 'what'> | null {
  const calledAt = momentOfReport(report.call_time) ?? now;
  const blocked = blockedFor(report);
  if (blocked !== null && kind !== 'recording')
    return { at: calledAt, what: { type: 'blocked', why: blocked } };
  switch (kind) {
    case 'start':
      return { at: calledAt, what: { type: 'ringing', caller } };
    case 'ring':
      return {
        at: momentOfReport(report.ring_time ?? report.ringTime) ?? calledAt,
        what: { type: 'ringing', caller },
      };
    case 'pickup':
      return { at: momentOfReport(report.start_time) ?? now, what: { type: 'answered', caller } };
    case 'end': {
      const startedAt = momentOfReport(report.start_time);
      const at = momentOfReport(report.release_time) ?? now;
      const talkMs = startedAt === null ? 0 : Math.max(0, at - startedAt);
      return { at, what: { type: 'ended', caller, end: endFor(report, talkMs), talkMs } };
    }
    case 'recording': {
      const callAt = momentOfReport(report.call_time);
      if (callAt === null) return null;
      return { at: now, what: { type: 'recorded', recordingRef: recordingRefOf(report.call_id, callAt) } };
    }
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}

/** `unconnected_cause`: 1 on a block list, 2 no binding, 3 not in this direction, 4 something else. */
function blockedFor({ call_type, unconnected_cause }: Report): RejectReason | null {
  switch (unconnected_cause) {
    case 1:
      return 'refused';
    case 2:
      return 'stranger';
    case 3:
      return 'direction';
    default:
      return call_type === BLOCKED ? 'unavailable' : null;
  }
}

/** `release_cause` is a cause of ITU-T Q.850; `release_dir` says who hung up: 0 the service, 1 the caller, 2 the callee. */
function endFor({ release_cause, release_dir }: Report, talkMs: number): PhoneCallEnd {
  if (talkMs > 0) return 'completed';
  switch (release_cause) {
    case 17:
      return 'busy';
    case 18:
    case 19:
    case 20:
      return 'no_answer';
    case 21:
      return 'declined';
    case 16:
    case 31:
      return release_dir === 1 ? 'cancelled' : release_dir === 2 ? 'declined' : 'failed';
    default:
      return release_dir === 1 ? 'cancelled' : 'failed';
  }
}
