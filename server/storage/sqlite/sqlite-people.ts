import type { DatabaseSync } from 'node:sqlite';
import { AppError, type DeviceId, type PersonId, type Preferences } from '@teleconsult/protocol';
import type { PeopleStore, StoredSubscription } from '../../people/ports.ts';
import type { Writer } from './writer.ts';

export class SqlitePeople implements PeopleStore {
  readonly #writer: Writer;
  readonly #reader: DatabaseSync;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reader = reader;
  }

  async preferences(_personId: PersonId): Promise<Preferences | null> {
    return null;
  }

  async setPreferences(_personId: PersonId, _preferences: Preferences): Promise<void> {
    throw new AppError('NOT_CONFIGURED', { detail: String(this.#writer.alive && this.#reader.isOpen) });
  }

  async subscriptions(_personId: PersonId): Promise<readonly StoredSubscription[]> {
    return [];
  }

  async putSubscription(_subscription: StoredSubscription): Promise<void> {}

  async removeSubscription(_personId: PersonId, _deviceId: DeviceId): Promise<void> {}
}
