import type { ConsultationId, PersonId } from '@teleconsult/protocol';

/** Most doctors whose running visits are remembered; of more the one heard of longest ago is forgotten. */
const MAX_DOCTORS = 10_000;
/** Most visits of one doctor that are remembered as running. */
const MAX_VISITS = 50;

/**
 * Which visits doctors are in, as far as this server has seen: from their changes, and from the lists people read.
 * It sharpens an estimate and nothing else, so what was missed (a restart) costs little and heals by itself.
 */
export class RunningVisits {
  readonly #byDoctor = new Map<PersonId, Map<ConsultationId, number>>();

  began(doctorId: PersonId, consultationId: ConsultationId, since: number): void {
    const visits = this.#byDoctor.get(doctorId) ?? new Map<ConsultationId, number>();
    this.#byDoctor.delete(doctorId);
    this.#byDoctor.set(doctorId, visits.set(consultationId, since));
    dropFirst(visits, MAX_VISITS);
    dropFirst(this.#byDoctor, MAX_DOCTORS);
  }

  ended(doctorId: PersonId, consultationId: ConsultationId): void {
    const visits = this.#byDoctor.get(doctorId);
    visits?.delete(consultationId);
    if (visits?.size === 0) this.#byDoctor.delete(doctorId);
  }

  /** Since when the visit runs that the doctor turned to last; null for none. */
  activeSince(doctorId: PersonId): number | null {
    const since = [...(this.#byDoctor.get(doctorId)?.values() ?? [])];
    return since.length === 0 ? null : Math.max(...since);
  }
}

function dropFirst<K>(map: Map<K, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
