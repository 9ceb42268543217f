import type { PhoneCallEnd, PromptId } from '../ports.ts';
import type { DialogEnd } from '../sip/dialog-api.ts';

/** How a call is brought to its end. */
export interface Ending {
  readonly end: PhoneCallEnd;
  /** Said to whoever is there; null: nothing. */
  readonly prompt: PromptId | null;
  /** What the caller's phone gets where it was not answered. */
  readonly status: number;
}

export const LOST: Ending = { end: 'lost', prompt: null, status: 503 };
export const FAILED: Ending = { end: 'failed', prompt: 'unavailable', status: 503 };
const COMPLETED: Ending = { end: 'completed', prompt: null, status: 480 };

/** What the end of one phone's dialog is to the call. */
export function endingBy({ by }: DialogEnd, wasAnswered: boolean): Ending {
  switch (by) {
    case 'them':
      return wasAnswered ? COMPLETED : { ...COMPLETED, end: 'cancelled' };
    case 'unacknowledged':
      return FAILED;
    case 'us':
    case 'lost':
    case 'closed':
      return LOST;
    default: {
      const unreachable: never = by;
      return unreachable;
    }
  }
}
