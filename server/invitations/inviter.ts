import { AppError, type ConsultationId, type PersonId } from '@teleconsult/protocol';

/** Who asks, as their token says. */
export interface Inviter {
  readonly personId: PersonId;
  /** The name the host application vouches for; null when the token holds none. */
  readonly displayName: string | null;
  readonly isDoctor: boolean;
  readonly onlyConsultation: ConsultationId | null;
}

/** The name others will read. @throws AppError INVALID when the token vouches for none */
export function nameOf({ displayName }: Inviter): string {
  if (displayName === null)
    throw new AppError('INVALID', { detail: 'the token holds no name (claim "name")' });
  return displayName;
}

/** @throws AppError FORBIDDEN when the token does not vouch for the profession */
export function requireDoctor({ isDoctor }: Inviter): void {
  if (!isDoctor)
    throw new AppError('FORBIDDEN', { detail: 'the token vouches for no doctor (claim "profession")' });
}
