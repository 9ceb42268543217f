import type { CallView } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Call, CallOutcome } from './api.ts';
import { type Own, ownSeatIn } from './call-outcome.ts';
import type { CallSeat } from './call-seat.ts';
import type { Lifetime } from './lifetime.ts';

/** How this device takes part in a call. */
export type Part =
  | { readonly kind: 'outside' }
  | { readonly kind: 'answering'; readonly answered: Promise<void> }
  | { readonly kind: 'inside'; readonly seat: CallSeat; readonly life: Lifetime }
  /** Another device of this person took the seat, or their telephone. */
  | { readonly kind: 'moved' }
  /** Hung up here; the server may not know yet. */
  | { readonly kind: 'leaving'; readonly left: Promise<void> }
  | { readonly kind: 'over'; readonly outcome: CallOutcome };

export interface RoleBasis {
  readonly view: CallView;
  readonly own: Own;
  /** A seat of this device is its to go on with, because it kept what that needs. */
  readonly isKept: boolean;
  /** What it was before. */
  readonly before: Call['role'];
}

/** What the call is to this device. */
export function roleOf(part: Part, { view, own, isKept, before }: RoleBasis): Call['role'] {
  const isMine = view.startedBy === own.personId;
  const role = isMine ? 'caller' : 'answered';
  switch (part.kind) {
    case 'inside':
    case 'leaving':
      return role;
    case 'moved':
      return 'elsewhere';
    case 'over':
      return before;
    case 'outside':
    case 'answering': {
      const seat = ownSeatIn(view, own);
      const holder = seat?.deviceId ?? null;
      if (holder === own.deviceId && (isKept || part.kind === 'answering')) return role;
      const isByPhone = seat?.phone && seat.state !== 'invited';
      return holder !== null || isByPhone || isMine ? 'elsewhere' : 'incoming';
    }
    default:
      return unreachable(part);
  }
}
