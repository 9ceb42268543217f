import type { ConsultationId, InvitationId, PersonId } from '@teleconsult/protocol';
import type { InvitationStore, NewInvitation, StoredInvitation } from '../../invitations/ports.ts';

const keyOf = (codeHash: Uint8Array): string => Buffer.from(codeHash).toString('base64');

/** Invitations in memory, gone with the process: for tests and for trying things out. */
export class MemoryInvitations implements InvitationStore {
  readonly #invitations = new Map<string, StoredInvitation>();

  async createInvitation(invitation: NewInvitation): Promise<void> {
    const taken = [...this.#invitations.values()].some(
      ({ invitationId }) => invitationId === invitation.invitationId,
    );
    const key = keyOf(invitation.codeHash);
    if (taken || this.#invitations.has(key)) throw new Error('There is an invitation of this id or code.');
    this.#invitations.set(key, structuredClone({ ...invitation, redeemedBy: null, completed: false }));
  }

  async findInvitation(codeHash: Uint8Array): Promise<StoredInvitation | null> {
    return structuredClone(this.#invitations.get(keyOf(codeHash)) ?? null);
  }

  async claimInvitation(codeHash: Uint8Array, by: PersonId, now: number): Promise<boolean> {
    const key = keyOf(codeHash);
    const found = this.#invitations.get(key);
    if (found === undefined) return false;
    const isFree = found.redeemedBy === null && found.expiresAt > now;
    if (isFree) this.#invitations.set(key, { ...found, redeemedBy: by });
    return isFree || found.redeemedBy === by;
  }

  async completeInvitation(codeHash: Uint8Array, consultationId: ConsultationId): Promise<void> {
    const key = keyOf(codeHash);
    const found = this.#invitations.get(key);
    if (found === undefined || found.completed || found.redeemedBy === null) return;
    this.#invitations.set(key, { ...found, consultationId, completed: true });
  }

  async revokeInvitation(invitationId: InvitationId, createdBy: PersonId): Promise<boolean> {
    for (const [key, found] of this.#invitations)
      if (found.invitationId === invitationId && found.createdBy === createdBy && found.redeemedBy === null)
        return this.#invitations.delete(key);
    return false;
  }

  async countOpenInvitations(createdBy: PersonId, now: number): Promise<number> {
    return [...this.#invitations.values()].filter(
      (found) => found.createdBy === createdBy && found.redeemedBy === null && found.expiresAt > now,
    ).length;
  }

  async sweepInvitations(expiredBefore: number): Promise<void> {
    for (const [key, { expiresAt }] of this.#invitations)
      if (expiresAt < expiredBefore) this.#invitations.delete(key);
  }
}
