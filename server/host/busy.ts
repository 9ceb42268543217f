import type { CallId, PersonId } from '@teleconsult/protocol';

/** Who is in which call, over all consultations: the server, not a client, decides that somebody is busy. */
export class BusyRegister {
  readonly #calls = new Map<PersonId, CallId>();

  callOf(personId: PersonId): CallId | null {
    return this.#calls.get(personId) ?? null;
  }

  /** Takes all of them or, when one is in another call, none. */
  reserve(people: readonly PersonId[], callId: CallId): boolean {
    if (people.some((person) => this.#calls.has(person) && this.#calls.get(person) !== callId)) return false;
    for (const person of people) this.#calls.set(person, callId);
    return true;
  }

  /** Frees those who are in this very call. */
  release(people: readonly PersonId[], callId: CallId): void {
    for (const person of people) if (this.#calls.get(person) === callId) this.#calls.delete(person);
  }
}
