import { ConsultationId, Moment, PersonId, Sequence } from './ids.ts';

/** What every entry of a thread has. */
export const entryBase = {
  consultationId: ConsultationId,
  sequence: Sequence,
  at: Moment,
  /** Who did it; null when the server or the host application did. */
  by: PersonId.nullable(),
};
