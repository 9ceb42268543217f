import type { CallView, DeviceId, PersonId, SeatLeftReason, SeatView } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { CallOutcome } from './api.ts';

/** Who this client is. The person is null when the token cannot be read. */
export interface Own {
  readonly personId: PersonId | null;
  readonly deviceId: DeviceId;
}

/** The person's seat. */
export function ownSeatIn(view: CallView, { personId, deviceId }: Own): SeatView | null {
  const isOwn = (seat: SeatView) =>
    personId === null ? seat.deviceId === deviceId : seat.personId === personId;
  return view.seats.find(isOwn) ?? null;
}

/**
 * The call goes on without this person, who needs an invitation to come back. Who was lost does not, as long as the
 * server keeps the way back open: their device may simply join again.
 */
export function isLeftForGood(seat: SeatView | null): boolean {
  return seat?.state === 'left' && seat.returnUntil === null;
}

/** The person's seat is, or was when they were lost, this device's. */
export function isSeatOf(seat: SeatView | null, deviceId: DeviceId): boolean {
  return seat?.deviceId === deviceId && !isLeftForGood(seat);
}

/** True of a call that is this person's to ring or to show: it runs, and they have a part in it. */
export function concerns(view: CallView, own: Own): boolean {
  if (view.state === 'ended') return false;
  // Whose seats these are is not known; the server tells people only of calls they may see.
  if (own.personId === null) return true;
  const seat = ownSeatIn(view, own);
  return seat !== null && !isLeftForGood(seat);
}

/** How the call ended for this device, once it has. */
export function outcomeOf(
  view: CallView,
  own: Own,
  { tookPart }: { readonly tookPart: boolean },
): CallOutcome {
  const seat = ownSeatIn(view, own);
  const holder = seat?.deviceId ?? null;
  const isElsewhere = holder !== null && holder !== own.deviceId;
  if (isElsewhere && !tookPart && view.startedBy !== own.personId)
    return seat?.leftReason === 'declined' ? 'declined_elsewhere' : 'answered_elsewhere';
  if (view.state === 'ended') return view.endReason ?? 'lost';
  return outcomeOfSeat(seat?.leftReason ?? null);
}

function outcomeOfSeat(reason: SeatLeftReason | null): CallOutcome {
  switch (reason) {
    case null:
    case 'lost':
      return 'lost';
    case 'hung_up':
    case 'removed':
      return 'completed';
    case 'declined':
    case 'no_answer':
    case 'busy':
      return reason;
    default:
      return unreachable(reason);
  }
}
