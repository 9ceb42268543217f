import type { DatabaseSync } from 'node:sqlite';
import type {
  ConsultationId,
  PersonId,
  PhoneBindingId,
  PhoneCallEndReason,
  PhoneCallId,
  PhoneNotRecordedReason,
} from '@teleconsult/protocol';
import type { PhoneNews } from '../../telephony/bindings/ports.ts';
import type { PhoneLimits } from '../../telephony/bindings/settings.ts';
import type {
  BeginCallResult,
  CountedCall,
  NewPhoneCall,
  PhoneCallStore,
  StoredPhoneCall,
} from '../../telephony/bindings/store.ts';
import type { RelayParty } from '../../telephony/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import { newsOfBinding } from './sqlite-phone-news.ts';
import type { WritesStatements } from './sqlite-wrapped-values.ts';
import { UniqueViolation } from './writer.ts';
import type { SqlValue } from './writer-protocol.ts';

const COLUMNS = `phone_call_id, provider, call_ref, binding_id, consultation_id, caller, person_a, person_b, state,
  started_at, max_talk_ms, counted_ms, recorded, deadline_at, decided`;

const counted = (name: string, where: string): string =>
  `(SELECT count(*) FROM phone_call WHERE ${where} AND started_at > ?2) AS ${name}_calls,
   (SELECT coalesce(sum(counted_ms), 0) FROM phone_call WHERE ${where} AND started_at > ?2) AS ${name}_ms`;
// One who is a here may be b elsewhere; each half has its index, and nobody phones themselves.
const countedPerson = (name: string, person: string): string =>
  `(SELECT count(*) FROM phone_call WHERE person_a = ${person} AND started_at > ?2)
   + (SELECT count(*) FROM phone_call WHERE person_b = ${person} AND started_at > ?2) AS ${name}_calls,
   (SELECT coalesce(sum(counted_ms), 0) FROM phone_call WHERE person_a = ${person} AND started_at > ?2)
   + (SELECT coalesce(sum(counted_ms), 0) FROM phone_call WHERE person_b = ${person} AND started_at > ?2) AS ${name}_ms,
   (SELECT count(*) FROM phone_call WHERE state <> 'ended' AND ${person} IN (person_a, person_b)) AS ${name}_running`;

/** What the calls of a binding (?1) since a moment (?2) take of every limit. */
const USED = `SELECT b.*, ${counted('binding', 'binding_id = b.binding_id')},
  ${counted('consultation', 'consultation_id = b.consultation_id')},
  ${countedPerson('a', 'b.person_a')}, ${countedPerson('b', 'b.person_b')}, ${counted('server', '1')},
  (SELECT count(*) FROM phone_call WHERE state <> 'ended') AS server_running
  FROM phone_binding b WHERE b.binding_id = ?1`;

const BEGIN = `INSERT INTO phone_call (${COLUMNS})
  SELECT ?3, provider, ?4, binding_id, consultation_id, ?5, person_a, person_b, 'ringing', ?6, talk, talk, recorded, ?7, 1
  FROM (SELECT u.*, min(?8, ?11 - binding_ms, ?13 - consultation_ms, ?15 - a_ms, ?15 - b_ms, ?17 - server_ms) AS talk
    FROM (${USED}) u) used
  WHERE state = 'bound' AND revision = ?9 AND expires_at > ?6
    AND NOT EXISTS (SELECT 1 FROM phone_refusal r
      WHERE r.consultation_id = used.consultation_id AND r.person_id IN (used.person_a, used.person_b))
    AND binding_calls < ?10 AND consultation_calls < ?12 AND a_calls < ?14 AND b_calls < ?14 AND server_calls < ?16
    AND a_running < ?18 AND b_running < ?18 AND server_running < ?19 AND talk >= ?20`;

/** Calls through relay numbers. */
export class SqlitePhoneCalls implements PhoneCallStore {
  readonly #writer: WritesStatements;
  readonly #reads: ReturnType<typeof prepareReads>;

  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reads = prepareReads(reader);
  }

  async beginCall(call: CountedCall): Promise<BeginCallResult> {
    const { binding, consultation, person, server, atOncePerPerson, atOnce, shortestTalkMs } = call.limits;
    try {
      const [begun] = await this.#writer.write([
        {
          sql: BEGIN,
          params: [
            ...[call.bindingId, call.countedSince, call.phoneCallId, call.callRef, call.caller, call.at],
            ...[call.deadlineAt, call.maxTalkMs, call.revision],
            ...[binding, consultation, person, server].flatMap(({ calls, talkMs }) => [calls, talkMs]),
            ...[atOncePerPerson, atOnce, shortestTalkMs],
          ],
        },
        newsOfBinding(call.bindingId, call.news),
      ]);
      if (begun === 1) return 'begun';
      const known = await this.callByRef(call.provider, call.callRef);
      return known === null ? this.#whyNot(call) : 'exists';
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error;
      return (await this.callByRef(call.provider, call.callRef)) === null ? 'busy' : 'exists';
    }
  }

  async reportCall(call: NewPhoneCall): Promise<void> {
    await this.#writer.write([
      {
        sql: `INSERT OR IGNORE INTO phone_call (${COLUMNS})
          SELECT ?, provider, ?, binding_id, consultation_id, ?, person_a, person_b, 'ringing', ?, ?, ?, recorded, ?, 0
          FROM phone_binding WHERE binding_id = ? AND provider = ?`,
        params: [
          ...[call.phoneCallId, call.callRef, call.caller, call.at, call.maxTalkMs, call.maxTalkMs],
          ...[call.deadlineAt, call.bindingId, call.provider],
        ],
      },
      newsOfBinding(call.bindingId, call.news),
    ]);
  }

  async isOverLimit(bindingId: PhoneBindingId, limits: PhoneLimits, countedSince: number): Promise<boolean> {
    const row = this.#reads.used.get(bindingId, countedSince);
    if (row === undefined) return false;
    const scopes = {
      binding: 'binding',
      consultation: 'consultation',
      server: 'server',
      a: 'person',
      b: 'person',
    } as const;
    return Object.entries(scopes).some(
      ([name, scope]) =>
        Number(row[`${name}_calls`]) > limits[scope].calls ||
        Number(row[`${name}_ms`]) > limits[scope].talkMs,
    );
  }

  async call(phoneCallId: PhoneCallId): Promise<StoredPhoneCall | null> {
    const row = this.#reads.call.get(phoneCallId);
    return row === undefined ? null : toCall(row);
  }

  async callByRef(provider: string, callRef: string): Promise<StoredPhoneCall | null> {
    const row = this.#reads.byRef.get(provider, callRef);
    return row === undefined ? null : toCall(row);
  }

  async runningOf(bindingId: PhoneBindingId): Promise<readonly StoredPhoneCall[]> {
    return this.#reads.runningOf.all(bindingId).map(toCall);
  }

  async running(provider: string): Promise<readonly StoredPhoneCall[]> {
    return this.#reads.running.all(provider).map(toCall);
  }

  async countRunning(): Promise<number> {
    return Number(this.#reads.countRunning.get()?.['count'] ?? 0);
  }

  async silent(now: number, limit: number): Promise<readonly StoredPhoneCall[]> {
    return this.#reads.silent.all(now, limit).map(toCall);
  }

  async answerCall(
    phoneCallId: PhoneCallId,
    { at, deadlineAt, news }: { at: number; deadlineAt: number; news: PhoneNews },
  ): Promise<boolean> {
    return this.#change(phoneCallId, news, {
      sql: `UPDATE phone_call SET state = 'talking', answered_at = ?, deadline_at = ?
        WHERE phone_call_id = ? AND state = 'ringing'`,
      params: [at, deadlineAt, phoneCallId],
    });
  }

  async endCall(
    phoneCallId: PhoneCallId,
    { at, end, talkMs, news }: { at: number; end: PhoneCallEndReason; talkMs: number; news: PhoneNews },
  ): Promise<boolean> {
    return this.#change(
      phoneCallId,
      news,
      {
        sql: `UPDATE phone_call SET state = 'ended', ended_at = ?, end_reason = ?, talk_ms = ?, counted_ms = ?
          WHERE phone_call_id = ? AND state <> 'ended'`,
        params: [at, end, talkMs, talkMs, phoneCallId],
      },
      {
        sql: `UPDATE phone_call SET talk_ms = max(talk_ms, ?), counted_ms = max(counted_ms, ?)
          WHERE phone_call_id = ? AND end_reason = 'lost'`,
        params: [talkMs, talkMs, phoneCallId],
      },
    );
  }

  async markNotRecorded(phoneCallId: PhoneCallId, why: PhoneNotRecordedReason): Promise<boolean> {
    const [changed] = await this.#writer.write([
      {
        sql: `UPDATE phone_call SET not_recorded = ?
          WHERE phone_call_id = ? AND recorded = 1 AND not_recorded IS NULL AND state <> 'ended'`,
        params: [why, phoneCallId],
      },
    ]);
    return changed === 1;
  }

  async #change(
    phoneCallId: PhoneCallId,
    news: PhoneNews,
    change: { sql: string; params: readonly SqlValue[] },
    ...more: readonly { sql: string; params: readonly SqlValue[] }[]
  ): Promise<boolean> {
    const bindingId = this.#reads.call.get(phoneCallId)?.['binding_id'];
    if (typeof bindingId !== 'string') return false;
    const [changed] = await this.#writer.write([change, newsOfBinding(bindingId, news), ...more]);
    return changed === 1;
  }

  /** Read after the refusal: what it says may have passed meanwhile, but the call was refused. */
  #whyNot({ bindingId, revision, at, limits }: CountedCall): BeginCallResult {
    const row = this.#reads.alive.get(bindingId, revision, at);
    if (row === undefined) return 'gone';
    const isBusy = (person: 'person_a' | 'person_b'): boolean => {
      const running = this.#reads.runningOfPerson.get(String(row[person]));
      return Number(running?.['count']) >= limits.atOncePerPerson;
    };
    return isBusy('person_a') || isBusy('person_b') ? 'busy' : 'limit';
  }
}

const prepareReads = (
  db: DatabaseSync,
): Record<
  | 'used'
  | 'alive'
  | 'runningOfPerson'
  | 'call'
  | 'byRef'
  | 'runningOf'
  | 'running'
  | 'countRunning'
  | 'silent',
  Read
> => ({
  used: prepareRead(db, USED),
  alive: prepareRead(
    db,
    `SELECT person_a, person_b FROM phone_binding b WHERE binding_id = ? AND revision = ? AND state = 'bound'
      AND expires_at > ? AND NOT EXISTS (SELECT 1 FROM phone_refusal r
        WHERE r.consultation_id = b.consultation_id AND r.person_id IN (b.person_a, b.person_b))`,
  ),
  runningOfPerson: prepareRead(
    db,
    `SELECT count(*) AS count FROM phone_call WHERE state <> 'ended' AND ? IN (person_a, person_b)`,
  ),
  call: prepareRead(db, 'SELECT * FROM phone_call WHERE phone_call_id = ?'),
  byRef: prepareRead(db, 'SELECT * FROM phone_call WHERE provider = ? AND call_ref = ?'),
  runningOf: prepareRead(
    db,
    `SELECT * FROM phone_call WHERE binding_id = ? AND state <> 'ended' ORDER BY started_at DESC`,
  ),
  running: prepareRead(
    db,
    `SELECT * FROM phone_call WHERE provider = ? AND state <> 'ended' ORDER BY started_at LIMIT 10000`,
  ),
  countRunning: prepareRead(db, `SELECT count(*) AS count FROM phone_call WHERE state <> 'ended'`),
  silent: prepareRead(
    db,
    `SELECT * FROM phone_call WHERE state <> 'ended' AND deadline_at <= ? ORDER BY deadline_at LIMIT ?`,
  ),
});

const numberOrNull = (value: unknown): number | null => (value == null ? null : Number(value));

const toCall = (row: Row): StoredPhoneCall => ({
  phoneCallId: row['phone_call_id'] as PhoneCallId,
  provider: row['provider'] as string,
  callRef: row['call_ref'] as string,
  bindingId: row['binding_id'] as PhoneBindingId,
  consultationId: row['consultation_id'] as ConsultationId,
  caller: row['caller'] as RelayParty,
  people: { a: row['person_a'] as PersonId, b: row['person_b'] as PersonId },
  state: row['state'] as StoredPhoneCall['state'],
  startedAt: Number(row['started_at']),
  answeredAt: numberOrNull(row['answered_at']),
  endedAt: numberOrNull(row['ended_at']),
  end: row['end_reason'] as PhoneCallEndReason | null,
  talkMs: Number(row['talk_ms']),
  maxTalkMs: Number(row['max_talk_ms']),
  recorded: row['recorded'] === 1,
  notRecorded: row['not_recorded'] as PhoneNotRecordedReason | null,
  deadlineAt: Number(row['deadline_at']),
});
