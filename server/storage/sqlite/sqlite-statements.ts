import type { ConsultationId } from '@teleconsult/protocol';
import type { Commit, NewConsultation, StateIndex, StoredEntry } from '../../host/ports.ts';
import type { SqlValue, Statement } from './writer-protocol.ts';

const INSERT_ENTRY = `INSERT INTO entry (consultation_id, sequence, at, by, kind, client_message_id, sealed)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
/** Who comes back in another role has that role; the list is ordered by when the consultation was made. */
const JOIN = `INSERT INTO participant (person_id, created_at, consultation_id, role)
  SELECT ?, created_at, consultation_id, ? FROM consultation WHERE consultation_id = ?
  ON CONFLICT DO UPDATE SET role = excluded.role`;

const indexValues = (index: StateIndex): SqlValue[] => [
  index.phase,
  index.inCall ? 1 : 0,
  index.dueAt,
  index.waitingSince,
  index.activeSince,
  index.endedAt,
];

const insertEntry = (consultationId: ConsultationId, entry: StoredEntry): Statement => ({
  sql: INSERT_ENTRY,
  params: [
    consultationId,
    entry.sequence,
    entry.at,
    entry.by,
    entry.kind,
    entry.clientMessageId,
    entry.sealed,
  ],
});

/** The unit that makes a consultation. */
export function statementsToCreate(consultation: NewConsultation): Statement[] {
  const { consultationId, createdAt, wrappedKey, sealedState, index, channelOf = null } = consultation;
  return [
    {
      sql: `INSERT INTO consultation (consultation_id, created_at, wrapped_key, sealed_state, phase, in_call, due_at,
        waiting_since, active_since, ended_at, idempotency_key, sealed_request)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      params: [
        consultationId,
        createdAt,
        wrappedKey,
        sealedState,
        ...indexValues(index),
        consultation.idempotencyKey,
        consultation.sealedRequest,
      ],
    },
    ...(channelOf === null
      ? []
      : [
          {
            sql: 'INSERT INTO health_channel (person_id, consultation_id) VALUES (?, ?)',
            params: [channelOf, consultationId],
          },
        ]),
    ...consultation.participants.map(({ personId, role }) => ({
      sql: 'INSERT INTO participant (person_id, created_at, consultation_id, role) VALUES (?, ?, ?, ?)',
      params: [personId, createdAt, consultationId, role],
    })),
    ...consultation.entries.map((entry) => insertEntry(consultationId, entry)),
  ];
}

/**
 * The unit that a commit is. Entries come first: what is withdrawn may be one of them. An erased consultation, which has no
 * key, is not brought back to life by a commit that comes late.
 */
export function statementsToAppend(commit: Commit): Statement[] {
  const { consultationId, entries, state, withdrawals = [], joined = [], left = [] } = commit;
  const statements = entries.map((entry) => insertEntry(consultationId, entry));
  if (state !== null)
    statements.push({
      sql: `UPDATE consultation SET sealed_state = ?, phase = ?, in_call = ?, due_at = ?, waiting_since = ?,
        active_since = ?, ended_at = ? WHERE consultation_id = ? AND length(wrapped_key) > 0`,
      params: [state.sealed, ...indexValues(state.index), consultationId],
    });
  // The doctor may have another from now on.
  if (state?.index.phase === 'ended')
    statements.push({
      sql: 'DELETE FROM health_channel WHERE consultation_id = ?',
      params: [consultationId],
    });
  for (const { sequence, how, by, attachmentIds } of withdrawals) {
    statements.push({
      sql: `UPDATE entry SET withdrawn = ?, withdrawn_by = ?
        WHERE consultation_id = ? AND sequence = ? AND withdrawn IS NULL`,
      params: [how, by, consultationId, sequence],
    });
    for (const attachmentId of attachmentIds)
      statements.push({
        sql: 'UPDATE attachment SET withdrawn = 1 WHERE attachment_id = ? AND consultation_id = ?',
        params: [attachmentId, consultationId],
      });
  }
  for (const personId of left)
    statements.push({
      sql: 'DELETE FROM participant WHERE person_id = ? AND consultation_id = ?',
      params: [personId, consultationId],
    });
  for (const { personId, role } of joined)
    statements.push({ sql: JOIN, params: [personId, role, consultationId] });
  return statements;
}
