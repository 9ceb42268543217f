import type { CallId, ConsultationId, PersonId } from '@teleconsult/protocol';

interface Engagement {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
}

/** Who is in which call, over all consultations: the server, not a client, decides that somebody is busy. */
export class BusyRegister {
  readonly #engagements = new Map<PersonId, Engagement>();

  of(personId: PersonId): Engagement | null {
    return this.#engagements.get(personId) ?? null;
  }

  /**
   * Takes all of them or, when one is in a call of another consultation, none. Two calls of one consultation are
   * no conflict: its own queue makes one of them (glare).
   */
  reserve(people: readonly PersonId[], engagement: Engagement): boolean {
    const { consultationId } = engagement;
    if (people.some((person) => (this.of(person)?.consultationId ?? consultationId) !== consultationId))
      return false;
    for (const person of people) this.#engagements.set(person, engagement);
    return true;
  }

  /** Frees those who are in this very call. */
  release(people: readonly PersonId[], callId: CallId): void {
    for (const person of people)
      if (this.#engagements.get(person)?.callId === callId) this.#engagements.delete(person);
  }
}
