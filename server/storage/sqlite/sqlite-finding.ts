import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import type { WaitingPatient } from '../../host/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';

/** Finds consultations by who takes part in them, by what time does to them, and by what was told of them. */
export class SqliteFinding {
  readonly #listFor: Read;
  readonly #channel: Read;
  readonly #due: Read;
  readonly #inCall: Read;
  readonly #waitingFor: Read;
  readonly #durations: Read;
  readonly #behind: Read;
  readonly #notified: Read;

  constructor(reader: DatabaseSync) {
    const prepare = (sql: string): Read => prepareRead(reader, sql);
    // A page ends where a moment does: `created_at < ?` of the next page would otherwise skip who shares it.
    this.#listFor = prepare(
      `SELECT consultation_id FROM participant WHERE person_id = ? AND created_at < ? AND created_at >= coalesce(
        (SELECT created_at FROM participant WHERE person_id = ? AND created_at < ?
          ORDER BY created_at DESC LIMIT 1 OFFSET ? - 1), 0)
      ORDER BY created_at DESC, consultation_id`,
    );
    this.#channel = prepare('SELECT consultation_id FROM health_channel WHERE person_id = ?');
    this.#due = prepare('SELECT consultation_id FROM consultation WHERE due_at <= ? ORDER BY due_at LIMIT ?');
    this.#inCall = prepare('SELECT consultation_id FROM consultation WHERE in_call = 1');
    // From all that wait, which are few, and not from all that a doctor ever had (CROSS JOIN keeps this order).
    this.#waitingFor = prepare(
      `SELECT c.consultation_id, c.waiting_since, patient.person_id FROM consultation c
        CROSS JOIN participant doctor ON doctor.consultation_id = c.consultation_id AND doctor.role = 'doctor'
        CROSS JOIN participant patient ON patient.consultation_id = c.consultation_id AND patient.role = 'patient'
      WHERE c.waiting_since IS NOT NULL AND doctor.person_id = ? ORDER BY c.waiting_since, c.consultation_id`,
    );
    this.#durations = prepare(
      `SELECT c.ended_at - c.active_since AS duration FROM participant doctor
        CROSS JOIN consultation c ON c.consultation_id = doctor.consultation_id
      WHERE doctor.person_id = ? AND doctor.role = 'doctor' AND c.ended_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM participant p WHERE p.consultation_id = c.consultation_id AND p.role = 'patient')
      ORDER BY doctor.created_at DESC, doctor.consultation_id DESC LIMIT ?`,
    );
    this.#behind = prepare(
      `SELECT c.consultation_id FROM consultation c WHERE EXISTS (
        SELECT 1 FROM entry e WHERE e.consultation_id = c.consultation_id AND e.sequence > c.notified_up_to)
      LIMIT ?`,
    );
    this.#notified = prepare('SELECT notified_up_to FROM consultation WHERE consultation_id = ?');
  }

  async listFor(
    personId: PersonId,
    page: { readonly limit: number; readonly createdBefore: number | null },
  ): Promise<readonly ConsultationId[]> {
    const before = page.createdBefore ?? Number.MAX_SAFE_INTEGER;
    return ids(this.#listFor.all(personId, before, personId, before, page.limit));
  }

  openChannel(personId: PersonId): ConsultationId | null {
    return ids(this.#channel.all(personId))[0] ?? null;
  }

  async openChannelOf(personId: PersonId): Promise<ConsultationId | null> {
    return this.openChannel(personId);
  }

  async due(now: number, limit: number): Promise<readonly ConsultationId[]> {
    return ids(this.#due.all(now, limit));
  }

  async inCall(): Promise<readonly ConsultationId[]> {
    return ids(this.#inCall.all());
  }

  async waitingFor(doctorId: PersonId): Promise<readonly WaitingPatient[]> {
    return this.#waitingFor.all(doctorId).map((row) => ({
      consultationId: row['consultation_id'] as ConsultationId,
      patientId: row['person_id'] as PersonId,
      since: Number(row['waiting_since']),
    }));
  }

  async visitDurations(doctorId: PersonId, limit: number): Promise<readonly number[]> {
    return this.#durations.all(doctorId, limit).map((row) => Number(row['duration']));
  }

  async behind(limit: number): Promise<readonly ConsultationId[]> {
    return ids(this.#behind.all(limit));
  }

  async notifiedUpTo(consultationId: ConsultationId): Promise<number> {
    return Number(this.#notified.get(consultationId)?.['notified_up_to'] ?? 0);
  }
}

export const ids = (rows: readonly Row[]): ConsultationId[] =>
  rows.map((row) => row['consultation_id'] as ConsultationId);
