import { createHash } from 'node:crypto';
import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type GuestRole,
  type InvitationCode,
  type InvitationId,
  MAX_PARTICIPANTS,
  type Participant,
  type PersonId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import { requireWhole } from '../identity/access.ts';
import type { Vault } from '../vault/vault.ts';
import { Attempts } from './attempts.ts';
import { type Inviter, nameOf, requireDoctor } from './inviter.ts';
import { openName, sealName } from './inviter-name.ts';
import type { InvitationStore, StoredInvitation } from './ports.ts';

/** Open invitations of one person: enough for a family, too few to hand out codes by the thousand. */
const OPEN_INVITATIONS = 20;
/** Codes that led nowhere, of one person in ten minutes. A code has 190 bits: this only keeps the guessing quiet. */
const FAILED_CODES = 10;
const FAILED_CODES_S = 600;
/** How long what expired is still known, for the person who has it. */
const KEPT_MS = 24 * 3_600_000;

export interface InvitationsParts {
  readonly invitations: InvitationStore;
  readonly host: ConsultationHost;
  readonly vault: Vault;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Invitations by code: they expire and work once. A code that is unknown, expired, revoked or another’s looks the
 * same (`EXPIRED`), so that trying codes teaches nothing. What an invitation promised is carried out after it was
 * claimed; when the server dies in between, the person who claimed it asks again and it goes on.
 */
export class Invitations {
  readonly #parts: InvitationsParts;
  readonly #failed = new Attempts(FAILED_CODES, FAILED_CODES_S);
  /** The invitation of a person that is being written. */
  readonly #creating = new Map<PersonId, Promise<void>>();

  constructor(parts: InvitationsParts) {
    this.#parts = parts;
  }

  /**
   * @throws AppError NOT_FOUND (the caller takes no part), FORBIDDEN (not this role), WRONG_STATE (it has ended),
   * INVALID (the token holds no name), RATE_LIMITED (too many are open)
   */
  async create(
    by: Inviter,
    wish: RequestPayload<'invitation.create'>,
  ): Promise<RequestResult<'invitation.create'>> {
    const { host, ids, vault, clock, invitations, log } = this.#parts;
    const target = wish.purpose === 'participant' ? wish : { consultationId: null, role: null };
    if (target.consultationId === null) {
      requireWhole(by);
      requireDoctor(by);
    } else {
      if (![null, target.consultationId].includes(by.onlyConsultation)) throw new AppError('NOT_FOUND');
      requireMayInvite(await host.view(target.consultationId, by.personId), by.personId, target.role);
    }
    const name = nameOf(by);
    const invitationId = ids.invitationId();
    const code = ids.invitationCode();
    const sealed = await sealName(vault, invitationId, name);
    const createdAt = clock();
    const expiresAt = createdAt + wish.validForMs;
    await this.#withinLimit(by.personId, createdAt, () =>
      invitations.createInvitation({
        invitationId,
        codeHash: hashOf(code),
        purpose: wish.purpose,
        ...target,
        createdBy: by.personId,
        createdAt,
        expiresAt,
        sealed,
      }),
    );
    log.info('invitation.created', {
      person: by.personId,
      ...(target.consultationId === null ? {} : { consultation: target.consultationId }),
    });
    return { invitationId, code, expiresAt };
  }

  /** @throws AppError EXPIRED, RATE_LIMITED */
  async preview(by: Inviter, code: InvitationCode): Promise<RequestResult<'invitation.preview'>> {
    requireWhole(by);
    const found = await this.#usable(by, code);
    const { purpose, role, expiresAt, invitationId, sealed } = found;
    return { purpose, invitedBy: await openName(this.#parts.vault, invitationId, sealed), role, expiresAt };
  }

  /**
   * @throws AppError EXPIRED, RATE_LIMITED, INVALID (the token holds no name), FORBIDDEN (one’s own, or for doctors),
   * CONFLICT (takes part in another role), WRONG_STATE (there is no room left)
   */
  async redeem(by: Inviter, code: InvitationCode): Promise<ConsultationView> {
    requireWhole(by);
    const name = nameOf(by);
    const found = await this.#usable(by, code);
    if (found.createdBy === by.personId)
      throw new AppError('FORBIDDEN', { detail: 'an invitation of one’s own' });
    if (found.purpose === 'colleague' || found.role === 'colleague') requireDoctor(by);
    const view =
      found.purpose === 'participant'
        ? await this.#join(found, by.personId, name)
        : await this.#meet(found, by.personId, name);
    this.#parts.log.info('invitation.redeemed', { person: by.personId, consultation: view.consultationId });
    return view;
  }

  /** @throws AppError NOT_FOUND when it is not the caller’s, or somebody has accepted it */
  async revoke(by: Inviter, invitationId: InvitationId): Promise<void> {
    requireWhole(by);
    if (!(await this.#parts.invitations.revokeInvitation(invitationId, by.personId)))
      throw new AppError('NOT_FOUND');
    this.#parts.log.info('invitation.revoked', { person: by.personId });
  }

  /** Forgets what expired long ago. */
  async sweep(): Promise<void> {
    await this.#parts.invitations.sweepInvitations(this.#parts.clock() - KEPT_MS);
  }

  /** Draws the person into the consultation they were invited to. */
  async #join(found: StoredInvitation, personId: PersonId, displayName: string): Promise<ConsultationView> {
    const { host } = this.#parts;
    const { consultationId, role } = found;
    if (consultationId === null || role === null) throw new AppError('INTERNAL');
    const { participants } = await host.view(consultationId, null);
    const present = participants.find((other) => other.personId === personId);
    // What would be refused anyway uses up no code; and one who is there already needs none.
    if (present !== undefined && present.role !== role)
      throw new AppError('CONFLICT', { detail: 'takes part in another role' });
    if (present === undefined && participants.length >= MAX_PARTICIPANTS)
      throw new AppError('WRONG_STATE', { detail: `at most ${MAX_PARTICIPANTS} people take part` });
    if (present === undefined) {
      await this.#claim(found, personId);
      await host.addParticipant(consultationId, { personId, role, displayName });
    }
    if (present === undefined || found.redeemedBy === personId) await this.#complete(found, consultationId);
    return host.view(consultationId, personId);
  }

  /** Makes the thread of the two doctors. Whoever shows a code has asked, and whoever scans it accepts. */
  async #meet(found: StoredInvitation, personId: PersonId, displayName: string): Promise<ConsultationView> {
    const { host, vault } = this.#parts;
    const { invitationId, createdBy, consultationId: met } = found;
    if (found.completed && met !== null) return host.view(met, personId);
    await this.#claim(found, personId);
    const participants: Participant[] = [
      {
        personId: createdBy,
        role: 'doctor',
        displayName: await openName(vault, invitationId, found.sealed),
      },
      { personId, role: 'doctor', displayName },
    ];
    // The blank keeps it apart from every key a host application may choose.
    const { view } = await host.create(
      { participants, requestedBy: createdBy },
      `invitation ${invitationId}`,
    );
    const { consultationId } = view;
    // One that was declined or expired before the server could go on is answered as it is.
    const accepted =
      view.phase === 'ended' ? view : await host.command(consultationId, { type: 'accept', by: personId });
    await this.#complete(found, consultationId);
    return accepted;
  }

  /** The invitation of this code, if this person may still use it. */
  async #usable(by: Inviter, code: InvitationCode): Promise<StoredInvitation> {
    await this.#failed.take(by.personId);
    const found = await this.#parts.invitations.findInvitation(hashOf(code));
    if (found === null || !(await this.#isOpenTo(found, by.personId))) throw new AppError('EXPIRED');
    await this.#failed.giveBack(by.personId);
    return found;
  }

  async #isOpenTo(found: StoredInvitation, personId: PersonId): Promise<boolean> {
    const { host, clock } = this.#parts;
    const { redeemedBy, expiresAt, consultationId, completed } = found;
    if (redeemedBy === null ? expiresAt <= clock() : redeemedBy !== personId) return false;
    if (consultationId === null) return true;
    const { phase, participants } = await host.view(consultationId, null);
    const takesPart = participants.some((other) => other.personId === personId);
    // Who left or was taken out does not come back by the code they came with.
    return completed ? takesPart : takesPart || phase !== 'ended';
  }

  async #claim({ codeHash }: StoredInvitation, personId: PersonId): Promise<void> {
    const { invitations, clock } = this.#parts;
    if (!(await invitations.claimInvitation(codeHash, personId, clock()))) throw new AppError('EXPIRED');
  }

  async #complete({ codeHash }: StoredInvitation, consultationId: ConsultationId): Promise<void> {
    await this.#parts.invitations.completeInvitation(codeHash, consultationId);
  }

  /** One after the other for a person: whoever counts sees all that were created before. */
  async #withinLimit(personId: PersonId, now: number, create: () => Promise<void>): Promise<void> {
    const before = this.#creating.get(personId);
    const creating = (async () => {
      await before?.catch(() => undefined);
      const open = await this.#parts.invitations.countOpenInvitations(personId, now);
      if (open >= OPEN_INVITATIONS)
        throw new AppError('RATE_LIMITED', { detail: `at most ${OPEN_INVITATIONS} invitations are open` });
      await create();
    })();
    this.#creating.set(personId, creating);
    try {
      await creating;
    } finally {
      if (this.#creating.get(personId) === creating) this.#creating.delete(personId);
    }
  }
}

const hashOf = (code: InvitationCode): Uint8Array => createHash('sha256').update(code).digest();

/** A patient draws in relatives and interpreters, a doctor anybody; guests invite nobody. */
function requireMayInvite(
  { kind, phase, participants }: ConsultationView,
  personId: PersonId,
  role: GuestRole | null,
): void {
  const own = participants.find((other) => other.personId === personId)?.role;
  const mayInvite = own === 'doctor' || (own === 'patient' && role !== 'colleague');
  if (!mayInvite) throw new AppError('FORBIDDEN');
  if (kind === 'health_channel') throw new AppError('FORBIDDEN');
  // A patient’s relative has no business among doctors.
  if (kind === 'colleagues' && role === 'relative') throw new AppError('FORBIDDEN');
  if (phase === 'ended') throw new AppError('WRONG_STATE', { detail: 'the consultation has ended' });
}
