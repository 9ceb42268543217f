import type { ConsultationId, GuestRole, InvitationId, PersonId } from '@teleconsult/protocol';

export interface StoredInvitation {
  readonly invitationId: InvitationId;
  /** SHA-256 of the code, so that the database opens no door. */
  readonly codeHash: Uint8Array;
  readonly purpose: 'participant' | 'colleague';
  /** Set for `participant`, and for `colleague` once completed. */
  readonly consultationId: ConsultationId | null;
  readonly role: GuestRole | null;
  readonly createdBy: PersonId;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly redeemedBy: PersonId | null;
  /** What was promised is done. One that was claimed and not completed goes on when its person asks again. */
  readonly completed: boolean;
  /** The inviter's display name, sealed. */
  readonly sealed: Uint8Array;
}

/** An invitation as it is created: nobody has it yet. */
export type NewInvitation = Omit<StoredInvitation, 'redeemedBy' | 'completed'>;

/** Invitations. A resolved write is on disk. */
export interface InvitationStore {
  createInvitation(invitation: NewInvitation): Promise<void>;
  findInvitation(codeHash: Uint8Array): Promise<StoredInvitation | null>;
  /**
   * Gives the invitation to this person if nobody has it and it has not expired at `now`; of many at once one wins.
   * False when it is another's, expired, revoked or unknown. True again for the person who has it.
   */
  claimInvitation(codeHash: Uint8Array, by: PersonId, now: number): Promise<boolean>;
  /** The claim led into this consultation. Again changes nothing; of a claimed invitation only. */
  completeInvitation(codeHash: Uint8Array, consultationId: ConsultationId): Promise<void>;
  /** Removes an invitation of this person that nobody claimed; false when there is none. */
  revokeInvitation(invitationId: InvitationId, createdBy: PersonId): Promise<boolean>;
  /** How many of a person's invitations are open at `now`. */
  countOpenInvitations(createdBy: PersonId, now: number): Promise<number>;
  /** Forgets what expired before this moment. */
  sweepInvitations(expiredBefore: number): Promise<void>;
}
