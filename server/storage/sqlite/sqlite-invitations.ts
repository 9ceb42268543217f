import type { DatabaseSync } from 'node:sqlite';
import { AppError, type ConsultationId, type InvitationId, type PersonId } from '@teleconsult/protocol';
import type { InvitationStore, StoredInvitation } from '../../invitations/ports.ts';
import type { Writer } from './writer.ts';

export class SqliteInvitations implements InvitationStore {
  readonly #writer: Writer;
  readonly #reader: DatabaseSync;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reader = reader;
  }

  async createInvitation(_invitation: StoredInvitation): Promise<void> {
    throw new AppError('NOT_CONFIGURED', { detail: String(this.#writer.alive && this.#reader.isOpen) });
  }

  async findInvitation(_codeHash: Uint8Array): Promise<StoredInvitation | null> {
    return null;
  }

  async claimInvitation(_codeHash: Uint8Array, _by: PersonId, _now: number): Promise<boolean> {
    return false;
  }

  async setInvitationConsultation(_codeHash: Uint8Array, _consultationId: ConsultationId): Promise<void> {}

  async revokeInvitation(_invitationId: InvitationId, _createdBy: PersonId): Promise<boolean> {
    return false;
  }

  async countOpenInvitations(_createdBy: PersonId, _now: number): Promise<number> {
    return 0;
  }

  async sweepInvitations(_expiredBefore: number): Promise<void> {}
}
