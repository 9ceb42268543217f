import { AppError, type ConsultationView, type ParticipantRole, type PersonId } from '@teleconsult/protocol';
import type { StoredNote } from './ports.ts';

/** Who reads signed notes of a visit. Relatives and interpreters help in the talk and read no findings. */
const READERS: readonly ParticipantRole[] = ['patient', 'doctor', 'colleague'];

export const roleOf = (view: ConsultationView, personId: PersonId): ParticipantRole | undefined =>
  view.participants.find((participant) => participant.personId === personId)?.role;

/** A draft is its author's alone. */
export function mayRead(view: ConsultationView, note: StoredNote, by: PersonId): boolean {
  const role = roleOf(view, by);
  if (note.state === 'draft') return note.author === by && role === 'doctor';
  return role !== undefined && READERS.includes(role);
}

/** The doctor of a visit that runs or ran. @throws AppError FORBIDDEN, WRONG_STATE */
export function requireWriter(view: ConsultationView, by: PersonId): void {
  if (view.kind !== 'visit' || roleOf(view, by) !== 'doctor') throw new AppError('FORBIDDEN');
  if (view.phase !== 'active' && view.phase !== 'ended')
    throw new AppError('WRONG_STATE', { detail: 'the visit has not begun' });
}
