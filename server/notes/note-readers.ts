import {
  AppError,
  type ConsultationView,
  type DictationPurpose,
  type FollowUpId,
  type ParticipantRole,
  type PersonId,
} from '@teleconsult/protocol';
import type { StoredNote } from './ports.ts';

/** Who reads signed notes of a visit. Relatives and interpreters help in the talk and read no findings. */
const READERS: readonly ParticipantRole[] = ['patient', 'doctor', 'colleague'];

export const roleOf = (
  { participants }: Pick<ConsultationView, 'participants'>,
  personId: PersonId,
): ParticipantRole | undefined => participants.find((participant) => participant.personId === personId)?.role;

/** A draft is its author's alone. */
export function mayRead(view: ConsultationView, note: StoredNote, by: PersonId): boolean {
  const role = roleOf(view, by);
  if (note.state === 'draft') return note.author === by && role === 'doctor';
  return role !== undefined && READERS.includes(role);
}

/** The doctor of a visit that runs or ran, or of a health channel that is open. @throws AppError FORBIDDEN, WRONG_STATE */
export function requireWriter({ kind, phase, ...view }: ConsultationView, by: PersonId): void {
  if (kind === 'colleagues' || roleOf(view, by) !== 'doctor') throw new AppError('FORBIDDEN');
  if (kind === 'health_channel' && phase === 'ended')
    throw new AppError('WRONG_STATE', { detail: 'the health channel has ended' });
  if (phase !== 'active' && phase !== 'ended')
    throw new AppError('WRONG_STATE', { detail: 'the visit has not begun' });
}

/**
 * What is written or dictated is what its place is for, and names a follow-up if it is the result of one.
 * @throws AppError INVALID
 */
export function requirePurpose(
  { kind }: Pick<ConsultationView, 'kind'>,
  { purpose, followUpId = null }: { purpose: DictationPurpose; followUpId?: FollowUpId | null | undefined },
): void {
  if ((purpose === 'health_channel') !== (kind === 'health_channel'))
    throw new AppError('INVALID', { detail: 'purpose: health_channel in a health channel, and there alone' });
  if ((purpose === 'follow_up') !== (followUpId !== null))
    throw new AppError('INVALID', { detail: 'followUpId: for follow_up, and for it alone' });
}
