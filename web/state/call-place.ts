import type { Call } from '@teleconsult/client-sdk/api';

export interface PlaceFacts {
  /** The call that this device takes part in. */
  readonly call: Pick<Call, 'id' | 'view'> | null;
  readonly isRestoring: boolean;
  /** The consultation on the screen; null: none, or the page is not ready. */
  readonly shownId: string | null;
  /** The visit on the screen shows the bar of a call that this device does not hold. */
  readonly showsElsewhere: boolean;
  /** The call that the person made small, or that was restored and not yet made large. */
  readonly smallCallId: string | null;
  /** What was answered last. */
  readonly wasInVisit: boolean;
}

/**
 * Whether the visit on the screen shows the call of this device; otherwise the small window does. Never both. After the
 * end of a call it stays what it was, so that the small window says farewell only where it was shown.
 */
export function isInVisit(facts: PlaceFacts): boolean {
  const { call, isRestoring, shownId, showsElsewhere, smallCallId, wasInVisit } = facts;
  if (call !== null) return call.id !== smallCallId && call.view.consultationId === shownId;
  return isRestoring ? false : showsElsewhere || wasInVisit;
}
