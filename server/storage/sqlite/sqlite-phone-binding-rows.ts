import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, PersonId, PhoneBindingId, PhoneUnboundReason } from '@teleconsult/protocol';
import type { StoredBinding } from '../../telephony/bindings/store.ts';
import { prepareRead, type Row } from './read.ts';

const BINDINGS_READ = 100;

/** What is asked about bindings and about who has which relay number. */
export const prepareBindingReads = (db: DatabaseSync) => ({
  binding: prepareRead(db, 'SELECT * FROM phone_binding WHERE binding_id = ?'),
  byClient: prepareRead(
    db,
    `SELECT * FROM phone_binding WHERE consultation_id = ? AND coalesce(created_by, '') = ? AND client_id = ?`,
  ),
  byRef: prepareRead(
    db,
    'SELECT * FROM phone_binding WHERE ref = ? AND provider = ? ORDER BY created_at DESC LIMIT 1',
  ),
  open: prepareRead(
    db,
    `SELECT * FROM phone_binding WHERE consultation_id = ? AND state IN ('binding', 'bound')`,
  ),
  of: prepareRead(
    db,
    `SELECT * FROM phone_binding WHERE consultation_id = ? AND (state <> 'unbound' OR unbound_at > ?)
      ORDER BY created_at DESC, binding_id LIMIT ${BINDINGS_READ}`,
  ),
  ofPerson: prepareRead(
    db,
    `SELECT * FROM phone_binding WHERE person_a = ? AND state IN ('binding', 'bound')
      UNION SELECT * FROM phone_binding WHERE person_b = ? AND state IN ('binding', 'bound')`,
  ),
  openAfter: prepareRead(
    db,
    `SELECT * FROM phone_binding WHERE binding_id > ? AND state IN ('binding', 'bound') ORDER BY binding_id LIMIT ?`,
  ),
  expired: prepareRead(
    db,
    `SELECT binding_id FROM phone_binding WHERE state IN ('binding', 'bound') AND expires_at <= ?
      ORDER BY expires_at LIMIT ?`,
  ),
  due: prepareRead(
    db,
    `SELECT binding_id FROM phone_binding WHERE retry_at IS NOT NULL AND retry_at <= ? ORDER BY retry_at LIMIT ?`,
  ),
  pending: prepareRead(
    db,
    'SELECT state, count(*) AS count FROM phone_binding WHERE retry_at IS NOT NULL GROUP BY state',
  ),
  place: prepareRead(
    db,
    'SELECT binding_id, party FROM phone_use WHERE x_hash = ? AND number_hash = ? AND released_at IS NULL',
  ),
  party: prepareRead(
    db,
    `SELECT party FROM phone_use WHERE binding_id = ? AND number_hash = ?
      ORDER BY released_at IS NOT NULL, released_at DESC LIMIT 1`,
  ),
  hadPlace: prepareRead(db, 'SELECT 1 FROM phone_use WHERE x_hash = ? AND number_hash = ? LIMIT 1'),
  refusals: prepareRead(
    db,
    'SELECT * FROM phone_refusal WHERE consultation_id = ? ORDER BY since, person_id',
  ),
  refusedBy: prepareRead(
    db,
    'SELECT 1 FROM phone_refusal WHERE consultation_id = ? AND person_id IN (?, ?) LIMIT 1',
  ),
  countSince: prepareRead(
    db,
    'SELECT count(*) AS count FROM phone_binding WHERE consultation_id = ? AND created_at > ?',
  ),
});

export const firstBinding = (row: Row | undefined): StoredBinding | null =>
  row === undefined ? null : toBinding(row);
export const isOpen = ({ state }: StoredBinding): boolean => state === 'binding' || state === 'bound';
const numberOrNull = (value: unknown): number | null => (value == null ? null : Number(value));

export const toBinding = (row: Row): StoredBinding => ({
  bindingId: row['binding_id'] as PhoneBindingId,
  consultationId: row['consultation_id'] as ConsultationId,
  clientBindingId: row['client_id'] as string,
  createdBy: row['created_by'] as PersonId | null,
  people: { a: row['person_a'] as PersonId, b: row['person_b'] as PersonId },
  direction: row['direction'] as StoredBinding['direction'],
  recorded: row['recorded'] === 1,
  provider: row['provider'] as string,
  state: row['state'] as StoredBinding['state'],
  createdAt: Number(row['created_at']),
  expiresAt: Number(row['expires_at']),
  ref: row['ref'] as string | null,
  xHash: row['x_hash'] as string | null,
  unboundReason: row['unbound_reason'] as PhoneUnboundReason | null,
  unboundAt: numberOrNull(row['unbound_at']),
  revision: Number(row['revision']),
  changing: (['a', 'b'] as const).filter((party) => String(row['changing']).includes(party)),
  attempts: Number(row['attempts']),
  retryAt: numberOrNull(row['retry_at']),
  sealed: row['sealed'] as Uint8Array,
});
