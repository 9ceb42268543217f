import type { DatabaseSync } from 'node:sqlite';
import type { DeviceId, PersonId, Preferences } from '@teleconsult/protocol';
import { MAX_SUBSCRIPTIONS, type PeopleStore, type StoredSubscription } from '../../people/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import type { Writer } from './writer.ts';

/** Choices and push subscriptions of people. */
export class SqlitePeople implements PeopleStore {
  readonly #writer: Writer;
  readonly #preferences: Read;
  readonly #subscriptions: Read;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#preferences = prepareRead(reader, 'SELECT * FROM preference WHERE person_id = ?');
    this.#subscriptions = prepareRead(
      reader,
      'SELECT * FROM push_subscription WHERE person_id = ? ORDER BY created_at DESC, device_id',
    );
  }

  async preferences(personId: PersonId): Promise<Preferences | null> {
    const row = this.#preferences.get(personId);
    return row === undefined ? null : toPreferences(row);
  }

  async setPreferences(personId: PersonId, { readReceipts, push }: Preferences): Promise<void> {
    await this.#writer.write([
      {
        sql: `INSERT OR REPLACE INTO preference
          (person_id, read_receipts, push_calls, push_messages, push_consultations) VALUES (?, ?, ?, ?, ?)`,
        params: [
          personId,
          ...[readReceipts, push.calls, push.messages, push.consultations].map((on) => (on ? 1 : 0)),
        ],
      },
    ]);
  }

  async subscriptions(personId: PersonId): Promise<readonly StoredSubscription[]> {
    return this.#subscriptions.all(personId).map(toSubscription);
  }

  async putSubscription({ personId, deviceId, createdAt, sealed }: StoredSubscription): Promise<void> {
    await this.#writer.write([
      {
        sql: `INSERT OR REPLACE INTO push_subscription (person_id, device_id, created_at, sealed)
          VALUES (?, ?, ?, ?)`,
        params: [personId, deviceId, createdAt, sealed],
      },
      // Where the clock stood still, the one that was just put is kept before others.
      {
        sql: `DELETE FROM push_subscription WHERE person_id = ? AND device_id NOT IN (
          SELECT device_id FROM push_subscription WHERE person_id = ?
          ORDER BY created_at DESC, device_id = ? DESC, device_id LIMIT ?)`,
        params: [personId, personId, deviceId, MAX_SUBSCRIPTIONS],
      },
    ]);
  }

  async removeSubscription(personId: PersonId, deviceId: DeviceId, createdAt?: number): Promise<void> {
    await this.#writer.write([
      {
        sql: `DELETE FROM push_subscription
          WHERE person_id = ? AND device_id = ? AND created_at = coalesce(?, created_at)`,
        params: [personId, deviceId, createdAt ?? null],
      },
    ]);
  }
}

const toPreferences = (row: Row): Preferences => ({
  readReceipts: row['read_receipts'] === 1,
  push: {
    calls: row['push_calls'] === 1,
    messages: row['push_messages'] === 1,
    consultations: row['push_consultations'] === 1,
  },
});

const toSubscription = (row: Row): StoredSubscription => ({
  personId: row['person_id'] as PersonId,
  deviceId: row['device_id'] as DeviceId,
  createdAt: Number(row['created_at']),
  sealed: row['sealed'] as Uint8Array,
});
