import { AppError, type ConsultationView, type PersonId, type RequestResult } from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock } from '../host/ports.ts';
import type { Inviter } from './invitations.ts';

export interface NearbyColleaguesParts {
  readonly host: ConsultationHost;
  readonly clock: Clock;
}

/** Doctors who let colleagues near by see them: with consent each time, rounded, in memory only. */
export class NearbyColleagues {
  readonly #parts: NearbyColleaguesParts;

  constructor(parts: NearbyColleaguesParts) {
    this.#parts = parts;
  }

  async show(_by: Inviter, _position: { latitude: number; longitude: number }): Promise<{ until: number }> {
    throw new AppError('NOT_CONFIGURED', { detail: String(this.#parts.clock() > 0) });
  }

  hide(_personId: PersonId): void {}

  list(_by: Inviter): RequestResult<'nearby.list'>['colleagues'] {
    throw new AppError('NOT_CONFIGURED');
  }

  async request(_by: Inviter, _personId: PersonId): Promise<ConsultationView> {
    throw new AppError('NOT_CONFIGURED');
  }
}
