import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, PersonId, PhoneBindingId, PhoneUnboundReason } from '@teleconsult/protocol';
import type { PhoneNews } from '../../telephony/bindings/ports.ts';
import type {
  CreateBindingResult,
  NewBinding,
  PhoneBindingStore,
  StoredBinding,
  StoredRefusal,
} from '../../telephony/bindings/store.ts';
import type { RelayParty } from '../../telephony/ports.ts';
import { firstBinding, isOpen, prepareBindingReads, toBinding } from './sqlite-phone-binding-rows.ts';
import { newsOfBinding, newsOfChange } from './sqlite-phone-news.ts';
import type { WritesStatements } from './sqlite-wrapped-values.ts';
import { UniqueViolation } from './writer.ts';
import type { SqlValue, Statement } from './writer-protocol.ts';

/** ?1 to ?11: the row; ?12: the consultation may have so many since ?13. */
const INSERT = `INSERT INTO phone_binding (binding_id, consultation_id, client_id, created_by, person_a, person_b,
  direction, recorded, provider, state, created_at, expires_at, sealed, retry_at, x_hash)`;
const ROW = `?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'binding', ?10, ?11, ?14, ?10`;
const MAY = `NOT EXISTS (SELECT 1 FROM phone_refusal WHERE consultation_id = ?2 AND person_id IN (?5, ?6))
  AND (SELECT count(*) FROM phone_binding WHERE consultation_id = ?2 AND created_at > ?13) < ?12`;

/**
 * A relay number that neither of the two has, that nobody of the two had with somebody else since ?18 (they might still
 * dial it), and that not too many others have; where it is for one pair alone, those it rests from count too. The pair's
 * former one comes first, then the one that rested longest.
 */
const CHOOSE = `${INSERT} SELECT ${ROW}, r.x_hash FROM phone_relay r
  WHERE r.provider = ?9 AND r.active = 1 AND ${MAY}
    AND NOT EXISTS (SELECT 1 FROM phone_use u WHERE u.x_hash = r.x_hash AND u.number_hash IN (?15, ?16)
      AND (u.released_at IS NULL OR (u.pair_hash <> ?17 AND u.released_at > ?18)))
    AND (SELECT count(DISTINCT u.pair_hash) FROM phone_use u WHERE u.x_hash = r.x_hash
      AND (u.released_at IS NULL OR (?19 = 1 AND u.pair_hash <> ?17 AND u.released_at > ?18))) < ?19
  ORDER BY EXISTS (SELECT 1 FROM phone_use u WHERE u.pair_hash = ?17 AND u.x_hash = r.x_hash) DESC,
    r.given_at, r.x_hash LIMIT 1`;
const INSERT_WITHOUT = `${INSERT} SELECT ${ROW}, NULL WHERE ${MAY}`;

interface Use {
  readonly bindingId: PhoneBindingId;
  readonly party: RelayParty;
  readonly numberHash: string;
  readonly pairHash: string;
  readonly revision: number;
}

/** Only where the binding has come to this revision in the same unit: a statement before it may have found nothing to do. */
const use = ({ bindingId, party, numberHash, pairHash, revision }: Use): readonly Statement[] => [
  {
    // A pair that has its former number again: the row that it rests is no longer true.
    sql: `DELETE FROM phone_use WHERE pair_hash = ? AND number_hash = ? AND released_at IS NOT NULL
      AND x_hash = (SELECT x_hash FROM phone_binding WHERE binding_id = ? AND revision = ? AND state <> 'unbound')`,
    params: [pairHash, numberHash, bindingId, revision],
  },
  {
    sql: `INSERT INTO phone_use (binding_id, pair_hash, number_hash, x_hash, party)
      SELECT binding_id, ?, ?, x_hash, ? FROM phone_binding
      WHERE binding_id = ? AND revision = ? AND x_hash IS NOT NULL AND state IN ('binding', 'bound')`,
    params: [pairHash, numberHash, party, bindingId, revision],
  },
];

/** Who has which relay number. Each change is one statement, or says in each what the first one found. */
export class SqlitePhoneBindings implements PhoneBindingStore {
  readonly #writer: WritesStatements;
  readonly #reads: ReturnType<typeof prepareBindingReads>;

  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reads = prepareBindingReads(reader);
  }

  async createBinding(binding: NewBinding): Promise<CreateBindingResult> {
    const { bindingId, consultationId, people, hashes, fromPool } = binding;
    const row: readonly SqlValue[] = [
      ...[bindingId, consultationId, binding.clientBindingId, binding.createdBy, people.a, people.b],
      ...[
        binding.direction,
        binding.recorded ? 1 : 0,
        binding.provider,
        binding.createdAt,
        binding.expiresAt,
      ],
      ...[binding.atMost, binding.countedSince, binding.sealed],
    ];
    const choice = [hashes.a, hashes.b, hashes.pair, binding.restsSince, binding.pairsPerRelay];
    const pair = { bindingId, pairHash: hashes.pair, revision: 1 };
    try {
      const [created] = await this.#writer.write([
        fromPool ? { sql: CHOOSE, params: [...row, ...choice] } : { sql: INSERT_WITHOUT, params: row },
        ...use({ ...pair, party: 'a', numberHash: hashes.a }),
        ...use({ ...pair, party: 'b', numberHash: hashes.b }),
        {
          sql: `UPDATE phone_relay SET given_at = ?
            WHERE x_hash = (SELECT x_hash FROM phone_binding WHERE binding_id = ?)`,
          params: [binding.createdAt, bindingId],
        },
      ]);
      return created === 1 ? 'created' : this.#whyNot(binding);
    } catch (error) {
      if (error instanceof UniqueViolation) return 'exists';
      throw error;
    }
  }

  async binding(bindingId: PhoneBindingId): Promise<StoredBinding | null> {
    return firstBinding(this.#reads.binding.get(bindingId));
  }

  async bindingByClient(
    consultationId: ConsultationId,
    createdBy: PersonId | null,
    clientBindingId: string,
  ): Promise<StoredBinding | null> {
    return firstBinding(this.#reads.byClient.get(consultationId, createdBy ?? '', clientBindingId));
  }

  async bindingByRef(provider: string, ref: string): Promise<StoredBinding | null> {
    return firstBinding(this.#reads.byRef.get(ref, provider));
  }

  async openBinding(consultationId: ConsultationId): Promise<StoredBinding | null> {
    return firstBinding(this.#reads.open.get(consultationId));
  }

  async bindingsOf(consultationId: ConsultationId, unboundSince: number): Promise<readonly StoredBinding[]> {
    return this.#reads.of.all(consultationId, unboundSince).map(toBinding);
  }

  async openBindingsOf(personId: PersonId): Promise<readonly StoredBinding[]> {
    return this.#reads.ofPerson.all(personId, personId).map(toBinding);
  }

  async openBindings(after: PhoneBindingId | null, limit: number): Promise<readonly StoredBinding[]> {
    return this.#reads.openAfter.all(after ?? '', limit).map(toBinding);
  }

  async expiredBindings(now: number, limit: number): Promise<readonly PhoneBindingId[]> {
    return this.#reads.expired.all(now, limit).map((row) => row['binding_id'] as PhoneBindingId);
  }

  async dueBindings(now: number, limit: number): Promise<readonly PhoneBindingId[]> {
    return this.#reads.due.all(now, limit).map((row) => row['binding_id'] as PhoneBindingId);
  }

  async pendingBindings(): Promise<Record<'binding' | 'changing' | 'unbinding', number>> {
    const pending = { binding: 0, changing: 0, unbinding: 0 };
    for (const row of this.#reads.pending.all()) {
      const state = row['state'] as StoredBinding['state'];
      pending[state === 'binding' || state === 'unbinding' ? state : 'changing'] += Number(row['count']);
    }
    return pending;
  }

  async beginUnbinding(
    bindingId: PhoneBindingId,
    reason: PhoneUnboundReason,
    news: PhoneNews,
  ): Promise<boolean> {
    const [, begun] = await this.#writer.write([
      {
        // Nobody was told of one that was never bound.
        sql: `INSERT INTO phone_news (consultation_id, by, at, fact)
          SELECT consultation_id, ?, ?, ? FROM phone_binding WHERE binding_id = ? AND state = 'bound'`,
        params: [news.by, news.at, JSON.stringify(news.fact), bindingId],
      },
      {
        sql: `UPDATE phone_binding SET state = 'unbinding', unbound_reason = ?, unbound_at = ?, changing = '',
          attempts = 0, retry_at = ? WHERE binding_id = ? AND state IN ('binding', 'bound')`,
        params: [reason, news.at, news.at, bindingId],
      },
    ]);
    return begun === 1;
  }

  async markBound(bound: Parameters<PhoneBindingStore['markBound']>[0]): Promise<'bound' | 'over' | 'taken'> {
    const { bindingId, revision, ref, chosen, news } = bound;
    const pair = { bindingId, pairHash: chosen?.hashes.pair ?? '', revision };
    try {
      const [marked] = await this.#writer.write([
        {
          sql: `UPDATE phone_binding SET state = 'bound', ref = ?1, x_hash = coalesce(?2, x_hash), attempts = 0,
            changing = CASE revision WHEN ?3 THEN changing ELSE 'ab' END,
            retry_at = CASE WHEN revision = ?3 AND changing = '' THEN NULL ELSE ?4 END WHERE binding_id = ?5 AND state = 'binding'`,
          params: [ref, chosen?.relay.xHash ?? null, revision, news.at, bindingId],
        },
        newsOfBinding(bindingId, news),
        ...(chosen === null
          ? []
          : [
              {
                sql: 'INSERT OR IGNORE INTO phone_relay (x_hash, provider, active, sealed) VALUES (?, ?, 0, ?)',
                params: [chosen.relay.xHash, chosen.relay.provider, chosen.relay.sealed],
              },
              ...use({ ...pair, party: 'a', numberHash: chosen.hashes.a }),
              ...use({ ...pair, party: 'b', numberHash: chosen.hashes.b }),
            ]),
        {
          sql: `UPDATE phone_binding SET ref = ?, x_hash = coalesce(?, x_hash)
            WHERE binding_id = ? AND state = 'unbinding'`,
          params: [ref, chosen?.relay.xHash ?? null, bindingId],
        },
      ]);
      return marked === 1 ? 'bound' : 'over';
    } catch (error) {
      if (error instanceof UniqueViolation) return 'taken';
      throw error;
    }
  }

  async markChanged(bindingId: PhoneBindingId, revision: number, ref: string | null): Promise<void> {
    await this.#writer.write([
      {
        sql: `UPDATE phone_binding SET changing = '', ref = coalesce(?, ref), attempts = 0, retry_at = NULL
          WHERE binding_id = ? AND revision = ? AND state = 'bound'`,
        params: [ref, bindingId, revision],
      },
    ]);
  }

  async retryLater(
    { bindingId, retryAt: was }: Pick<StoredBinding, 'bindingId' | 'retryAt'>,
    retryAt: number,
  ): Promise<void> {
    await this.#writer.write([
      {
        sql: `UPDATE phone_binding SET attempts = attempts + 1, retry_at = ?
          WHERE binding_id = ? AND retry_at = ? AND state <> 'unbound'`,
        params: [retryAt, bindingId, was],
      },
    ]);
  }

  async markUnbound(bindingId: PhoneBindingId, at: number): Promise<void> {
    await this.#writer.write([
      {
        sql: `UPDATE phone_binding SET state = 'unbound', unbound_at = ?, sealed = x'', retry_at = NULL
          WHERE binding_id = ? AND state = 'unbinding'`,
        params: [at, bindingId],
      },
      {
        sql: `UPDATE phone_use SET released_at = ? WHERE binding_id = ? AND released_at IS NULL
          AND EXISTS (SELECT 1 FROM phone_binding b WHERE b.binding_id = ? AND b.state = 'unbound')`,
        params: [at, bindingId, bindingId],
      },
    ]);
  }

  async replacePeople(
    change: Parameters<PhoneBindingStore['replacePeople']>[0],
  ): Promise<'replaced' | 'stale' | 'taken'> {
    const { bindingId, revision, people, replaced, hashes, sealed, at, restsSince } = change;
    const next = { bindingId, pairHash: hashes.pair, revision: revision + 1 };
    const fresh = JSON.stringify(replaced.map((party) => hashes[party]));
    const changing = replaced.toSorted().join('');
    try {
      const [changed] = await this.#writer.write([
        {
          sql: `UPDATE phone_binding SET person_a = ?1, person_b = ?2, sealed = ?3, revision = revision + 1,
            changing = CASE WHEN changing IN ('', ?4) THEN ?4 ELSE 'ab' END, attempts = 0, retry_at = ?5
            WHERE binding_id = ?6 AND revision = ?7 AND state IN ('binding', 'bound')
              AND NOT EXISTS (SELECT 1 FROM phone_use u WHERE u.x_hash = phone_binding.x_hash
                AND u.number_hash IN (SELECT value FROM json_each(?8)) AND u.pair_hash <> ?9
                AND u.binding_id <> ?6 AND (u.released_at IS NULL OR u.released_at > ?10))`,
          params: [
            people.a,
            people.b,
            sealed,
            changing,
            at,
            bindingId,
            revision,
            fresh,
            hashes.pair,
            restsSince,
          ],
        },
        {
          sql: `UPDATE phone_use SET released_at = ? WHERE binding_id = ? AND released_at IS NULL
            AND EXISTS (SELECT 1 FROM phone_binding b WHERE b.binding_id = ? AND b.revision = ?)`,
          params: [at, bindingId, bindingId, revision + 1],
        },
        ...use({ ...next, party: 'a', numberHash: hashes.a }),
        ...use({ ...next, party: 'b', numberHash: hashes.b }),
      ]);
      if (changed === 1) return 'replaced';
      const row = await this.binding(bindingId);
      return row?.revision === revision && isOpen(row) ? 'taken' : 'stale';
    } catch (error) {
      if (error instanceof UniqueViolation) return 'taken';
      throw error;
    }
  }

  async place(
    xHash: string,
    numberHash: string,
  ): Promise<{ readonly bindingId: PhoneBindingId; readonly party: RelayParty } | null> {
    const row = this.#reads.place.get(xHash, numberHash);
    if (row === undefined) return null;
    return { bindingId: row['binding_id'] as PhoneBindingId, party: row['party'] as RelayParty };
  }

  async partyOf(bindingId: PhoneBindingId, numberHash: string): Promise<RelayParty | null> {
    return (this.#reads.party.get(bindingId, numberHash)?.['party'] as RelayParty | undefined) ?? null;
  }

  async hadPlace(xHash: string, numberHash: string): Promise<boolean> {
    return this.#reads.hadPlace.get(xHash, numberHash) !== undefined;
  }

  async refusals(consultationId: ConsultationId): Promise<readonly StoredRefusal[]> {
    return this.#reads.refusals
      .all(consultationId)
      .map((row) => ({ personId: row['person_id'] as PersonId, since: Number(row['since']) }));
  }

  async setRefused(
    consultationId: ConsultationId,
    { personId, since }: StoredRefusal,
    refused: boolean,
  ): Promise<boolean> {
    const change: Statement = refused
      ? {
          sql: 'INSERT OR IGNORE INTO phone_refusal (consultation_id, person_id, since) VALUES (?, ?, ?)',
          params: [consultationId, personId, since],
        }
      : {
          sql: 'DELETE FROM phone_refusal WHERE consultation_id = ? AND person_id = ?',
          params: [consultationId, personId],
        };
    const fact = { type: 'phone.refused', personId, refused } as const;
    const [changes] = await this.#writer.write([
      change,
      newsOfChange(consultationId, { by: personId, at: since, fact }),
    ]);
    return changes === 1;
  }

  /** Read after the refusal: what it says may have passed meanwhile, but none was created. */
  #whyNot(binding: NewBinding): CreateBindingResult {
    const { consultationId, people, createdBy, clientBindingId, countedSince, atMost } = binding;
    const isThere =
      this.#reads.open.get(consultationId) !== undefined ||
      this.#reads.byClient.get(consultationId, createdBy ?? '', clientBindingId) !== undefined;
    if (isThere) return 'exists';
    if (this.#reads.refusedBy.get(consultationId, people.a, people.b) !== undefined) return 'refused';
    const count = Number(this.#reads.countSince.get(consultationId, countedSince)?.['count'] ?? 0);
    return count >= atMost ? 'limit' : 'no_relay';
  }
}
