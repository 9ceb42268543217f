import { AppError, type ConsultationId, type PersonId } from '@teleconsult/protocol';
import type { Caller } from './tokens.ts';

/** Refuses a consultation outside the token's reach, in the same words as one that does not exist. */
export function requireReach(caller: Caller, consultationId: ConsultationId): void {
  if (caller.scope === 'participant' && ![null, consultationId].includes(caller.onlyConsultation))
    throw new AppError('NOT_FOUND');
}

/** Refuses a token for one consultation: it reaches nothing of the person beside it. */
export function requireWhole({
  onlyConsultation,
}: {
  readonly onlyConsultation: ConsultationId | null;
}): void {
  if (onlyConsultation !== null) throw new AppError('FORBIDDEN');
}

/** The person whose eyes are used: null reads as the host application. */
export const readerOf = (caller: Caller): PersonId | null =>
  caller.scope === 'host' ? null : caller.personId;
