import {
  AppError,
  DEFAULT_PREFERENCES,
  type DeviceId,
  type PersonId,
  type Preferences,
  type RequestPayload,
} from '@teleconsult/protocol';
import type { Clock, Log, Publisher } from '../host/ports.ts';
import type { PushSettings } from '../notify/settings.ts';
import type { Vault } from '../vault/vault.ts';
import type { PeopleStore } from './ports.ts';

export interface PeopleParts {
  readonly people: PeopleStore;
  readonly publisher: Publisher;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  readonly push: PushSettings | null;
}

/** What people have chosen, and where their closed apps can be reached. */
export class People {
  readonly #parts: PeopleParts;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  async preferences(personId: PersonId): Promise<Preferences> {
    return (await this.#parts.people.preferences(personId)) ?? DEFAULT_PREFERENCES;
  }

  async setPreferences(
    _personId: PersonId,
    _change: RequestPayload<'preferences.set'>,
  ): Promise<Preferences> {
    throw new AppError('NOT_CONFIGURED');
  }

  /** Whether others see what this person has read. Answered from memory where it is known. */
  async showsRead(personId: PersonId): Promise<boolean> {
    return (await this.preferences(personId)).readReceipts;
  }

  pushKey(): string {
    throw new AppError('NOT_CONFIGURED');
  }

  async subscribe(
    _personId: PersonId,
    _deviceId: DeviceId,
    _subscription: RequestPayload<'push.subscribe'>['subscription'],
  ): Promise<void> {
    throw new AppError('NOT_CONFIGURED');
  }

  async unsubscribe(_personId: PersonId, _deviceId: DeviceId): Promise<void> {
    throw new AppError('NOT_CONFIGURED');
  }
}
