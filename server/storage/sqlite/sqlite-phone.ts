import type { DatabaseSync } from 'node:sqlite';
import type { PersonId } from '@teleconsult/protocol';
import type {
  PhoneNumberStore,
  PhoneStore,
  StoredNumber,
  StoredRelay,
} from '../../telephony/bindings/store.ts';
import { prepareRead, type Read } from './read.ts';
import { SqlitePhoneBindings } from './sqlite-phone-bindings.ts';
import { SqlitePhoneCalls } from './sqlite-phone-calls.ts';
import { SqlitePhoneNews } from './sqlite-phone-news.ts';
import type { WritesStatements } from './sqlite-wrapped-values.ts';

/** Masked calls: numbers, who has which relay number, calls, and what the thread is to be told of them. */
export class SqlitePhone implements PhoneStore {
  readonly numbers: SqlitePhoneNumbers;
  readonly bindings: SqlitePhoneBindings;
  readonly calls: SqlitePhoneCalls;
  readonly news: SqlitePhoneNews;
  readonly #writer: WritesStatements;

  /** @param writer rejects with `UniqueViolation` where a uniqueness rule is broken */
  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.numbers = new SqlitePhoneNumbers(writer, reader);
    this.bindings = new SqlitePhoneBindings(writer, reader);
    this.calls = new SqlitePhoneCalls(writer, reader);
    this.news = new SqlitePhoneNews(writer, reader);
  }

  async sweep(before: { calls: number; bindings: number; uses: number }): Promise<void> {
    await this.#writer.write([
      {
        sql: `DELETE FROM phone_call WHERE state = 'ended' AND started_at < ?`,
        params: [before.calls],
      },
      { sql: 'DELETE FROM phone_use WHERE released_at < ?', params: [before.uses] },
      {
        sql: `DELETE FROM phone_binding WHERE state = 'unbound' AND unbound_at < ?
          AND NOT EXISTS (SELECT 1 FROM phone_call c WHERE c.binding_id = phone_binding.binding_id)`,
        params: [before.bindings],
      },
    ]);
  }
}

class SqlitePhoneNumbers implements PhoneNumberStore {
  readonly #writer: WritesStatements;
  readonly #key: Read;
  readonly #number: Read;
  readonly #relay: Read;

  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.#key = prepareRead(reader, 'SELECT sealed FROM phone_key');
    this.#number = prepareRead(reader, 'SELECT * FROM phone_number WHERE person_id = ?');
    this.#relay = prepareRead(reader, 'SELECT * FROM phone_relay WHERE x_hash = ?');
  }

  async loadKey(): Promise<Uint8Array | null> {
    return (this.#key.get()?.['sealed'] as Uint8Array | undefined) ?? null;
  }

  async keepKey(sealed: Uint8Array): Promise<Uint8Array> {
    await this.#writer.write([
      { sql: `INSERT OR IGNORE INTO phone_key (name, sealed) VALUES ('phone', ?)`, params: [sealed] },
    ]);
    const kept = await this.loadKey();
    if (kept === null) throw new Error('The key of telephone numbers was not kept.');
    return kept;
  }

  async number(personId: PersonId): Promise<StoredNumber | null> {
    const row = this.#number.get(personId);
    if (row === undefined) return null;
    return {
      personId,
      numberHash: row['number_hash'] as string,
      changedAt: Number(row['changed_at']),
      sealed: row['sealed'] as Uint8Array,
    };
  }

  async setNumber({ personId, numberHash, changedAt, sealed }: StoredNumber): Promise<void> {
    await this.#writer.write([
      {
        sql: 'INSERT OR REPLACE INTO phone_number (person_id, number_hash, changed_at, sealed) VALUES (?, ?, ?, ?)',
        params: [personId, numberHash, changedAt, sealed],
      },
    ]);
  }

  async removeNumber(personId: PersonId): Promise<void> {
    await this.#writer.write([{ sql: 'DELETE FROM phone_number WHERE person_id = ?', params: [personId] }]);
  }

  async setRelays(provider: string, relays: readonly StoredRelay[]): Promise<void> {
    await this.#writer.write([
      { sql: 'UPDATE phone_relay SET active = 0 WHERE provider = ?', params: [provider] },
      ...relays.map(({ xHash, sealed }) => ({
        sql: `INSERT INTO phone_relay (x_hash, provider, active, sealed) VALUES (?, ?, 1, ?)
          ON CONFLICT DO UPDATE SET active = 1, provider = excluded.provider`,
        params: [xHash, provider, sealed],
      })),
    ]);
  }

  async relay(xHash: string): Promise<StoredRelay | null> {
    const row = this.#relay.get(xHash);
    return row === undefined
      ? null
      : { xHash, provider: row['provider'] as string, sealed: row['sealed'] as Uint8Array };
  }
}
