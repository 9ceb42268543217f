import type { PhoneCallEnd, PromptId, RejectReason } from '../ports.ts';
import type { CallOutcome } from '../sip/outgoing-call.ts';

/** How a call that reached nobody ends for whoever called: what they hear, or the answer their phone gets. */
export interface NotReached {
  readonly end: PhoneCallEnd;
  readonly status: number;
  readonly prompt: PromptId;
}

const BUSY: NotReached = { end: 'busy', status: 486, prompt: 'busy' };
const NO_ANSWER: NotReached = { end: 'no_answer', status: 480, prompt: 'no_answer' };
const DECLINED: NotReached = { end: 'declined', status: 603, prompt: 'no_answer' };
/** The number leads nowhere: the same for the caller as nobody answering. */
const NOWHERE: NotReached = { end: 'failed', status: 480, prompt: 'unavailable' };
/** Ours or the trunk's trouble. */
const TROUBLE: NotReached = { end: 'failed', status: 503, prompt: 'unavailable' };

/** @param rangOut it was us who stopped the ringing */
export function notReached(
  outcome: Exclude<CallOutcome, { type: 'answered' }>,
  rangOut: boolean,
): NotReached {
  switch (outcome.type) {
    case 'cancelled':
      return rangOut ? NO_ANSWER : TROUBLE;
    case 'failed':
      return outcome.why === 'noMedia' ? NOWHERE : TROUBLE;
    case 'refused':
      return ofStatus(outcome.status);
    default: {
      const unreachable: never = outcome;
      return unreachable;
    }
  }
}

function ofStatus(status: number): NotReached {
  if (status === 486 || status === 600) return BUSY;
  if (status === 408 || status === 480 || status === 487) return NO_ANSWER;
  // Elsewhere is not where the binding says: nobody is sent there.
  if (status < 400 || status === 603 || status === 607 || status === 608) return DECLINED;
  return status >= 500 && status < 600 ? TROUBLE : NOWHERE;
}

/** What a phone that is turned away without a word is told. Nothing of it tells of the other. */
export function statusOf(why: RejectReason): number {
  switch (why) {
    case 'unknown_number':
    case 'expired':
      return 404;
    case 'stranger':
    case 'direction':
      return 403;
    case 'limit':
    case 'refused':
      return 480;
    case 'busy':
      return 486;
    case 'unavailable':
      return 503;
    default: {
      const unreachable: never = why;
      return unreachable;
    }
  }
}
