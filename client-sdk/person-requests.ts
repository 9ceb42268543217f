import type {
  ConsultationView,
  GuestRole,
  InvitationCode,
  InvitationId,
  PersonId,
  Preferences,
} from '@teleconsult/protocol';
import type { CallOptions, Colleague, Invitation } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import type { Signalling } from './requests.ts';

/** A hundredth of a degree is about a kilometre: the server never learns more. */
const POSITION_STEPS_PER_DEGREE = 100;

/** What a person asks beside any consultation. */
export class PersonRequests {
  readonly #signalling: Signalling;
  readonly #life: Lifetime;

  constructor({ signalling, life }: { readonly signalling: Signalling; readonly life: Lifetime }) {
    this.#signalling = signalling;
    this.#life = life;
  }

  async preferences(options?: CallOptions): Promise<Preferences> {
    const { preferences } = await this.#within(this.#signalling.request('preferences.get', {}, options));
    return preferences;
  }

  async setPreferences(
    { readReceipts, push }: { readReceipts?: boolean; push?: Partial<Preferences['push']> },
    options?: CallOptions,
  ): Promise<Preferences> {
    const change = {
      ...(readReceipts === undefined ? {} : { readReceipts }),
      ...(push === undefined ? {} : { push }),
    };
    const { preferences } = await this.#within(this.#signalling.request('preferences.set', change, options));
    return preferences;
  }

  inviteColleague({
    validForMs,
    ...options
  }: CallOptions & { validForMs?: number } = {}): Promise<Invitation> {
    const validity = validForMs === undefined ? {} : { validForMs };
    const payload = { purpose: 'colleague', ...validity } as const;
    return this.#within(this.#signalling.request('invitation.create', payload, options));
  }

  previewInvitation(
    code: string,
    options?: CallOptions,
  ): Promise<{
    purpose: 'participant' | 'colleague';
    invitedBy: string;
    role: GuestRole | null;
    expiresAt: number;
  }> {
    return this.#within(
      this.#signalling.request('invitation.preview', { code: code as InvitationCode }, options),
    );
  }

  async redeemInvitation(code: string, options?: CallOptions): Promise<ConsultationView> {
    const { consultation } = await this.#within(
      this.#signalling.request('invitation.redeem', { code: code as InvitationCode }, options),
    );
    return consultation;
  }

  async revokeInvitation(invitationId: string, options?: CallOptions): Promise<void> {
    const payload = { invitationId: invitationId as InvitationId };
    await this.#within(this.#signalling.request('invitation.revoke', payload, options));
  }

  showNearby(
    { latitude, longitude }: { latitude: number; longitude: number },
    options?: CallOptions,
  ): Promise<{ until: number }> {
    const payload = { latitude: rounded(latitude), longitude: rounded(longitude), consent: true } as const;
    return this.#within(this.#signalling.request('nearby.show', payload, options));
  }

  async hideNearby(options?: CallOptions): Promise<void> {
    await this.#within(this.#signalling.request('nearby.hide', {}, options));
  }

  async listNearby(options?: CallOptions): Promise<readonly Colleague[]> {
    const { colleagues } = await this.#within(this.#signalling.request('nearby.list', {}, options));
    return colleagues;
  }

  async requestColleague(personId: string, options?: CallOptions): Promise<ConsultationView> {
    const payload = { personId: personId as PersonId };
    const { consultation } = await this.#within(
      this.#signalling.request('colleague.request', payload, options),
    );
    return consultation;
  }

  #within<T>(asking: Promise<T>): Promise<T> {
    return this.#life.within(asking);
  }
}

function rounded(degrees: number): number {
  return Math.round(degrees * POSITION_STEPS_PER_DEGREE) / POSITION_STEPS_PER_DEGREE;
}
