import type { CallId, ConsultationId, PersonId } from '@teleconsult/protocol';
import { isHeld, isInvited, seatOf } from '../consultation/seats.ts';
import type { CallRecord } from '../consultation/state.ts';

export interface Engagement {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
}

interface Entry extends Engagement {
  /** What the call says of the person, as far as it is on disk; `rung` also while a ring is being written. */
  readonly seat: 'none' | 'rung' | 'held';
  /** Requests under way that would give the person a seat. */
  readonly claims: number;
}

/** How a call finds a person: free, in another call, or in one and already knocked at by a second. */
export type Elsewhere = 'free' | 'engaged' | 'knocked';

/**
 * Who is in which call or rung for it, over all consultations: the server, not a client, decides that somebody is
 * busy, and a person holds a seat in one call at most. It holds no more than the people of running calls.
 */
export class BusyRegister {
  readonly #people = new Map<PersonId, Map<CallId, Entry>>();

  /** How many people are in calls or rung. */
  get size(): number {
    return this.#people.size;
  }

  of(personId: PersonId): readonly Engagement[] {
    return this.#entries(personId);
  }

  /** Two calls of one consultation are no conflict: its own queue makes one of them (glare). */
  elsewhere(personId: PersonId, consultationId: ConsultationId): Elsewhere {
    const others = new Set(this.#entries(personId).map((entry) => entry.consultationId));
    others.delete(consultationId);
    if (others.size === 0) return 'free';
    return others.size === 1 ? 'engaged' : 'knocked';
  }

  /** Whether the person holds a seat in a call of another consultation, or is about to. */
  holdsElsewhere(personId: PersonId, consultationId: ConsultationId): boolean {
    return this.#entries(personId).some(
      (entry) => entry.consultationId !== consultationId && (entry.seat === 'held' || entry.claims > 0),
    );
  }

  /** These people are rung, or about to be. */
  reserve(people: readonly PersonId[], engagement: Engagement): void {
    for (const person of people) {
      const { seat, claims } = this.#entry(person, engagement);
      this.#set(person, { ...engagement, seat: seat === 'none' ? 'rung' : seat, claims });
    }
  }

  /** Takes the person's one seat for a request; false when it is taken in another consultation. `unclaim` follows. */
  claim(personId: PersonId, engagement: Engagement): boolean {
    if (this.holdsElsewhere(personId, engagement.consultationId)) return false;
    const { seat, claims } = this.#entry(personId, engagement);
    this.#set(personId, { ...engagement, seat, claims: claims + 1 });
    return true;
  }

  /** The request is over; what it led to was told by `follow`. */
  unclaim(personId: PersonId, engagement: Engagement): void {
    const { seat, claims } = this.#entry(personId, engagement);
    this.#set(personId, { ...engagement, seat, claims: Math.max(0, claims - 1) });
  }

  /** These people are as the call says; null when it does not run. */
  follow(people: readonly PersonId[], engagement: Engagement, call: CallRecord | null): void {
    for (const person of people) {
      const seat = call?.callId === engagement.callId ? seatOf(call, person) : undefined;
      const { claims } = this.#entry(person, engagement);
      this.#set(person, { ...engagement, seat: stateOf(seat), claims });
    }
  }

  #entries(personId: PersonId): readonly Entry[] {
    return [...(this.#people.get(personId)?.values() ?? [])];
  }

  #entry(personId: PersonId, engagement: Engagement): Entry {
    const found = this.#people.get(personId)?.get(engagement.callId);
    return found ?? { ...engagement, seat: 'none', claims: 0 };
  }

  #set(personId: PersonId, entry: Entry): void {
    const calls = this.#people.get(personId) ?? new Map<CallId, Entry>();
    if (entry.seat === 'none' && entry.claims === 0) calls.delete(entry.callId);
    else calls.set(entry.callId, entry);
    if (calls.size === 0) this.#people.delete(personId);
    else this.#people.set(personId, calls);
  }
}

function stateOf(seat: CallRecord['seats'][number] | undefined): Entry['seat'] {
  if (seat === undefined) return 'none';
  if (isHeld(seat)) return 'held';
  return isInvited(seat) ? 'rung' : 'none';
}
