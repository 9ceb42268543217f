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

const ofErased = (table: string): string =>
  `EXISTS (SELECT 1 FROM consultation c
    WHERE c.consultation_id = ${table}.consultation_id AND length(c.wrapped_key) = 0)`;

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
        // Of an erased consultation nothing is kept, however young: calls end, and numbers are given back, after it.
        sql: `DELETE FROM phone_call WHERE state = 'ended' AND (started_at < ? OR ${ofErased('phone_call')})`,
        params: [before.calls],
      },
      { sql: 'DELETE FROM phone_use WHERE released_at < ?', params: [before.uses] },
      {
        sql: `DELETE FROM phone_binding WHERE state = 'unbound'
          AND (unbound_at < ? OR ${ofErased('phone_binding')})
          AND NOT EXISTS (SELECT 1 FROM phone_call c WHERE c.binding_id = phone_binding.binding_id)`,
        params: [before.bindings],
      },
    ]);
  }
}

/** As they are chosen (`sqlite-phone-bindings.ts`), for a pair that is new to all of them. */
const FREE = `SELECT count(*) AS count FROM phone_relay r WHERE r.provider = ?1 AND r.active = 1
  AND (SELECT count(DISTINCT u.pair_hash) FROM phone_use u WHERE u.x_hash = r.x_hash
    AND (u.released_at IS NULL OR (?2 = 1 AND u.released_at > ?3))) < ?2`;

class SqlitePhoneNumbers implements PhoneNumberStore {
  readonly #writer: WritesStatements;
  readonly #key: Read;
  readonly #number: Read;
  readonly #relay: Read;
  readonly #free: Read;

  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.#key = prepareRead(reader, 'SELECT sealed FROM phone_key');
    this.#number = prepareRead(reader, 'SELECT * FROM phone_number WHERE person_id = ?');
    this.#relay = prepareRead(reader, 'SELECT * FROM phone_relay WHERE x_hash = ?');
    this.#free = prepareRead(reader, FREE);
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

  async countFree(pool: Parameters<PhoneNumberStore['countFree']>[0]): Promise<number> {
    const { provider, pairsPerRelay, restsSince } = pool;
    return Number(this.#free.get(provider, pairsPerRelay, restsSince)?.['count'] ?? 0);
  }

  async relay(xHash: string): Promise<StoredRelay | null> {
    const row = this.#relay.get(xHash);
    return row === undefined
      ? null
      : { xHash, provider: row['provider'] as string, sealed: row['sealed'] as Uint8Array };
  }
}
