/** Resume tickets of a seat: what its device takes the seat again with. The host hashes them; here they are compared. */

/**
 * SHA-256 of a ticket. Only this is kept, so that a state that leaks opens no seat; and a hash of 190 random bits may
 * be compared as any text, since nobody can choose its beginning.
 */
export type TicketHash = string & { readonly is: 'TicketHash' };

/** Most tickets that were given for one and not used yet: so many requests of a device may be under way at once. */
const MAX_OPEN = 4;

/**
 * A seat's tickets belong to the device that holds it, in this call: that is where they are kept, and they are worth
 * nothing elsewhere.
 */
export interface SeatTickets {
  /** The last one that was used; null before the first. Good until one of `open` is: the answer with those may be lost. */
  readonly used: TicketHash | null;
  /** What was given for it, newest last. One answer holds one; requests at the same moment get one each. */
  readonly open: readonly TicketHash[];
}

export const firstTickets = (given: TicketHash): SeatTickets => ({ used: null, open: [given] });

/** The tickets after `brought` was used and `given` for it; null when it is worth nothing here. */
export function exchanged(tickets: SeatTickets, brought: TicketHash, given: TicketHash): SeatTickets | null {
  if (tickets.open.includes(brought)) return { used: brought, open: [given] };
  if (brought !== tickets.used) return null;
  return { used: brought, open: [...tickets.open, given].slice(-MAX_OPEN) };
}
