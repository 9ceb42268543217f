import {
  AppError,
  type ConsultationView,
  type InvitationCode,
  type InvitationId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import type { Vault } from '../vault/vault.ts';
import type { InvitationStore } from './ports.ts';

/** Who asks, as their token says. */
export interface Inviter {
  readonly personId: import('@teleconsult/protocol').PersonId;
  readonly displayName: string | null;
  readonly isDoctor: boolean;
  readonly onlyConsultation: import('@teleconsult/protocol').ConsultationId | null;
}

export interface InvitationsParts {
  readonly invitations: InvitationStore;
  readonly host: ConsultationHost;
  readonly vault: Vault;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly log: Log;
}

/** Invitations by code: they expire and work once. */
export class Invitations {
  readonly #parts: InvitationsParts;

  constructor(parts: InvitationsParts) {
    this.#parts = parts;
  }

  async create(
    _by: Inviter,
    _wish: RequestPayload<'invitation.create'>,
  ): Promise<RequestResult<'invitation.create'>> {
    throw new AppError('NOT_CONFIGURED');
  }

  async preview(_by: Inviter, _code: InvitationCode): Promise<RequestResult<'invitation.preview'>> {
    throw new AppError('NOT_CONFIGURED');
  }

  async redeem(_by: Inviter, _code: InvitationCode): Promise<ConsultationView> {
    throw new AppError('NOT_CONFIGURED');
  }

  async revoke(_by: Inviter, _invitationId: InvitationId): Promise<void> {
    throw new AppError('NOT_CONFIGURED');
  }

  /** Forgets what expired long ago. */
  async sweep(): Promise<void> {
    await this.#parts.invitations.sweepInvitations(this.#parts.clock() - 24 * 3_600_000);
  }
}
