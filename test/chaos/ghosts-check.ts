/** Who is in a call at a quiet point, as the server, its media and the devices say. */
export interface QuietPoint {
  readonly seats: readonly {
    readonly personId: string;
    readonly deviceId: string | null;
    readonly state: string;
  }[];
  /** Devices that believe to be in the call. */
  readonly inCall: readonly { readonly personId: string; readonly deviceId: string }[];
  /** The most seats of one person that anybody was told of since the last quiet point. */
  readonly mostSeatsTold: number;
}

const HELD = ['connecting', 'present', 'reconnecting'];

/** How many seats somebody's device holds. */
export const heldSeats = ({ seats }: QuietPoint): number =>
  seats.filter(({ state }) => HELD.includes(state)).length;

/** Ghosts of one call; empty when everybody is there once. */
export function ghostsIn(point: QuietPoint): string[] {
  const found: string[] = [];
  const seatOf = new Map<string, string | null>();
  for (const { personId, deviceId, state } of point.seats) {
    if (seatOf.has(personId)) found.push(`${personId} has two seats`);
    seatOf.set(personId, HELD.includes(state) ? deviceId : null);
  }
  const deviceOf = new Map<string, string>();
  for (const { personId, deviceId } of point.inCall) {
    if (deviceOf.has(personId)) found.push(`${personId} is in the call with two devices`);
    deviceOf.set(personId, deviceId);
    if (seatOf.get(personId) !== deviceId) found.push(`${deviceId} believes to hold the seat of ${personId}`);
  }
  for (const [personId, deviceId] of seatOf)
    if (deviceId !== null && !deviceOf.has(personId))
      found.push(`the seat of ${personId} is held by nobody who knows it`);
  if (point.mostSeatsTold > 1) found.push('somebody was told of two seats of one person');
  return found;
}
