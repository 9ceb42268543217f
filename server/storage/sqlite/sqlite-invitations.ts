import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, GuestRole, InvitationId, PersonId } from '@teleconsult/protocol';
import type { InvitationStore, NewInvitation, StoredInvitation } from '../../invitations/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import type { Writer } from './writer.ts';
import type { SqlValue } from './writer-protocol.ts';

/** Invitations by the hash of their code. Each change is one statement that says what it needs to find. */
export class SqliteInvitations implements InvitationStore {
  readonly #writer: Writer;
  readonly #find: Read;
  readonly #countOpen: Read;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#find = prepareRead(reader, 'SELECT * FROM invitation WHERE code_hash = ?');
    this.#countOpen = prepareRead(
      reader,
      `SELECT count(*) AS count FROM invitation
        WHERE created_by = ? AND redeemed_by IS NULL AND expires_at > ?`,
    );
  }

  async createInvitation(invitation: NewInvitation): Promise<void> {
    await this.#write(
      `INSERT INTO invitation (invitation_id, code_hash, purpose, consultation_id, role, created_by, created_at,
        expires_at, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        invitation.invitationId,
        invitation.codeHash,
        invitation.purpose,
        invitation.consultationId,
        invitation.role,
        invitation.createdBy,
        invitation.createdAt,
        invitation.expiresAt,
        invitation.sealed,
      ],
    );
  }

  async findInvitation(codeHash: Uint8Array): Promise<StoredInvitation | null> {
    const row = this.#find.get(codeHash);
    return row === undefined ? null : toInvitation(row);
  }

  async claimInvitation(codeHash: Uint8Array, by: PersonId, now: number): Promise<boolean> {
    return this.#write(
      `UPDATE invitation SET redeemed_by = ?
        WHERE code_hash = ? AND (redeemed_by = ? OR (redeemed_by IS NULL AND expires_at > ?))`,
      [by, codeHash, by, now],
    );
  }

  async completeInvitation(codeHash: Uint8Array, consultationId: ConsultationId): Promise<void> {
    await this.#write(
      `UPDATE invitation SET consultation_id = ?, completed = 1
        WHERE code_hash = ? AND completed = 0 AND redeemed_by IS NOT NULL`,
      [consultationId, codeHash],
    );
  }

  async revokeInvitation(invitationId: InvitationId, createdBy: PersonId): Promise<boolean> {
    return this.#write(
      'DELETE FROM invitation WHERE invitation_id = ? AND created_by = ? AND redeemed_by IS NULL',
      [invitationId, createdBy],
    );
  }

  async countOpenInvitations(createdBy: PersonId, now: number): Promise<number> {
    return Number(this.#countOpen.get(createdBy, now)?.['count'] ?? 0);
  }

  async sweepInvitations(expiredBefore: number): Promise<void> {
    await this.#write('DELETE FROM invitation WHERE expires_at < ?', [expiredBefore]);
  }

  /** Whether it changed anything. */
  async #write(sql: string, params: readonly SqlValue[]): Promise<boolean> {
    const [changes] = await this.#writer.write([{ sql, params }]);
    return changes !== undefined && changes > 0;
  }
}

const toInvitation = (row: Row): StoredInvitation => ({
  invitationId: row['invitation_id'] as InvitationId,
  codeHash: row['code_hash'] as Uint8Array,
  purpose: row['purpose'] as StoredInvitation['purpose'],
  consultationId: row['consultation_id'] as ConsultationId | null,
  role: row['role'] as GuestRole | null,
  createdBy: row['created_by'] as PersonId,
  createdAt: Number(row['created_at']),
  expiresAt: Number(row['expires_at']),
  redeemedBy: row['redeemed_by'] as PersonId | null,
  completed: row['completed'] === 1,
  sealed: row['sealed'] as Uint8Array,
});
