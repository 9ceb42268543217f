import { randomBytes } from 'node:crypto';
import {
  AppError,
  ConsultationId,
  type ConsultationPhase,
  type ConsultationView,
  type Entry,
  PersonId,
} from '@teleconsult/protocol';
import type { NotesParts } from '@teleconsult/server/notes/notes';
import { ConsultationKey } from '@teleconsult/server/vault/consultation-key';

export const VISIT = ConsultationId.parse(`cns_${'V'.repeat(22)}`);
export const doctor = PersonId.parse('doctor-1');
export const patient = PersonId.parse('patient-1');
export const interpreter = PersonId.parse('interpreter-1');
export const colleague = PersonId.parse('colleague-1');
export const stranger = PersonId.parse('stranger-1');

const participants: ConsultationView['participants'] = [
  { personId: patient, role: 'patient', displayName: 'Patient' },
  { personId: doctor, role: 'doctor', displayName: 'Doctor' },
  { personId: interpreter, role: 'interpreter', displayName: 'Interpreter' },
  { personId: colleague, role: 'colleague', displayName: 'Colleague' },
];

/** One visit with a thread of notes, as far as notes and dictations look into a host. Its submissions can be made to fail. */
export class FakeVisit {
  readonly key = new ConsultationKey(VISIT, randomBytes(32));
  readonly entries: Entry[] = [];
  phase: ConsultationPhase = 'active';
  kind: ConsultationView['kind'] = 'visit';
  now = 1_700_000_000_000;
  /** What becomes of the next submissions: written and answered, or lost before or after they are written. */
  readonly fates: ('before' | 'after')[] = [];
  readonly told: string[] = [];

  readonly publisher: NotesParts['publisher'] & {
    toWatchers: (id: ConsultationId, name: string, payload: object) => void;
  } = {
    toPerson: (personId, name) => void this.told.push(`${name} to ${personId}`),
    toWatchers: (_id, name) => void this.told.push(name),
  };

  readonly host: NotesParts['host'] = {
    view: async (id, by) => {
      this.#require(id, by);
      return this.#view();
    },
    sealing: async (id, by) => {
      this.#require(id, by);
      return { key: this.key } as Awaited<ReturnType<NotesParts['host']['sealing']>>;
    },
    thread: async (_id, _by, { beforeSequence = Number.POSITIVE_INFINITY, limit }) => {
      const below = this.entries.filter(({ sequence }) => sequence < beforeSequence);
      return {
        entries: below.slice(-limit),
        hasMore: below.length > limit,
        lastSequence: this.entries.length,
      };
    },
    submit: async (_id, event) => {
      const fate = this.fates.shift();
      if (fate === 'before') throw new AppError('STORAGE_UNAVAILABLE');
      if (event.type !== 'note.signed' && event.type !== 'note.added') throw new Error(event.type);
      const { type: kind, author: by, ...rest } = event;
      const base = { consultationId: VISIT, sequence: this.entries.length + 1, at: this.now, by };
      this.entries.push({ ...base, kind, ...rest } as Entry);
      if (fate === 'after') throw new AppError('STORAGE_UNAVAILABLE');
      return {} as Awaited<ReturnType<NotesParts['host']['submit']>>;
    },
  };

  readonly clock = (): number => this.now++;

  /** Other entries of the thread, so that what is looked for lies deeper. */
  chatter(count: number): void {
    for (let index = 0; index < count; index++)
      this.entries.push({
        consultationId: VISIT,
        sequence: this.entries.length + 1,
        at: this.now,
        by: null,
        kind: 'consultation.accepted',
      });
  }

  #require(id: ConsultationId, by: PersonId | null): void {
    const takesPart = by === null || participants.some(({ personId }) => personId === by);
    if (id !== VISIT || !takesPart) throw new AppError('NOT_FOUND');
  }

  #view(): ConsultationView {
    return {
      consultationId: VISIT,
      kind: this.kind,
      phase: this.phase,
      phaseSince: 0,
      endReason: null,
      declineReason: null,
      requestedBy: null,
      subject: null,
      participants,
      createdAt: 0,
      lastSequence: this.entries.length,
    };
  }
}
