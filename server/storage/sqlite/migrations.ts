import type { DatabaseSync } from 'node:sqlite';

/** Each runs once, in this order. Never edit one that has been released: add another. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE consultation (
    consultation_id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL,
    sealed_state BLOB NOT NULL,
    phase TEXT NOT NULL,
    in_call INTEGER NOT NULL,
    due_at INTEGER,
    idempotency_key TEXT UNIQUE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX consultation_due ON consultation (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX consultation_in_call ON consultation (consultation_id) WHERE in_call = 1;

  CREATE TABLE participant (
    person_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    consultation_id TEXT NOT NULL REFERENCES consultation,
    role TEXT NOT NULL,
    PRIMARY KEY (person_id, created_at, consultation_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE entry (
    consultation_id TEXT NOT NULL REFERENCES consultation,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT,
    kind TEXT NOT NULL,
    client_message_id TEXT,
    sealed BLOB NOT NULL,
    PRIMARY KEY (consultation_id, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX entry_message ON entry (consultation_id, by, client_message_id)
    WHERE client_message_id IS NOT NULL;

  CREATE TABLE attachment (
    attachment_id TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL REFERENCES consultation,
    uploaded_by TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    byte_size INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    status TEXT NOT NULL,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attachment_receiving ON attachment (created_at) WHERE status = 'receiving';
  CREATE INDEX attachment_open ON attachment (uploaded_by) WHERE status = 'receiving';
  `,
  `
  ALTER TABLE consultation ADD COLUMN waiting_since INTEGER;
  ALTER TABLE consultation ADD COLUMN active_since INTEGER;
  ALTER TABLE consultation ADD COLUMN ended_at INTEGER;
  ALTER TABLE consultation ADD COLUMN notified_up_to INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE consultation ADD COLUMN sealed_request BLOB;
  -- The moments are those of the entries that say so; what was before this version is news to nobody.
  UPDATE consultation SET
    waiting_since = CASE phase WHEN 'waiting' THEN (SELECT max(at) FROM entry e
      WHERE e.consultation_id = consultation.consultation_id AND e.kind = 'consultation.waiting') END,
    active_since = (SELECT max(at) FROM entry e
      WHERE e.consultation_id = consultation.consultation_id AND e.kind = 'consultation.accepted'),
    notified_up_to = coalesce((SELECT max(sequence) FROM entry e
      WHERE e.consultation_id = consultation.consultation_id), 0);
  UPDATE consultation SET ended_at = (SELECT max(at) FROM entry e
      WHERE e.consultation_id = consultation.consultation_id AND e.kind = 'consultation.ended')
    WHERE active_since IS NOT NULL;
  CREATE INDEX consultation_waiting ON consultation (waiting_since) WHERE waiting_since IS NOT NULL;
  CREATE INDEX consultation_notified ON consultation (consultation_id, notified_up_to);
  CREATE INDEX participant_of ON participant (consultation_id, role);

  ALTER TABLE entry ADD COLUMN withdrawn TEXT CHECK (withdrawn IN ('recalled', 'removed'));
  ALTER TABLE entry ADD COLUMN withdrawn_by INTEGER;
  ALTER TABLE attachment ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE mark (
    consultation_id TEXT NOT NULL REFERENCES consultation,
    person_id TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    read INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, person_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE preference (
    person_id TEXT PRIMARY KEY,
    read_receipts INTEGER NOT NULL,
    push_calls INTEGER NOT NULL,
    push_messages INTEGER NOT NULL,
    push_consultations INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE push_subscription (
    person_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (person_id, device_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE invitation (
    invitation_id TEXT PRIMARY KEY,
    code_hash BLOB NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    consultation_id TEXT REFERENCES consultation,
    role TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    redeemed_by TEXT,
    completed INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX invitation_open ON invitation (created_by, expires_at) WHERE redeemed_by IS NULL;
  `,
  `
  CREATE TABLE recording (
    recording_id TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL REFERENCES consultation,
    purpose TEXT NOT NULL,
    started_by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('running', 'ready', 'erased')),
    -- Makes beginning idempotent: the call's recording id, or the device's id of a dictation.
    client_id TEXT,
    sealed BLOB NOT NULL,
    UNIQUE (consultation_id, started_by, client_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recording_of ON recording (consultation_id, started_at);
  CREATE INDEX recording_running ON recording (recording_id) WHERE state = 'running';

  CREATE TABLE recording_file (
    file_id TEXT PRIMARY KEY,
    recording_id TEXT NOT NULL REFERENCES recording,
    consultation_id TEXT NOT NULL,
    -- 'track' is what was recorded, 'composed' what was made of it.
    kind TEXT NOT NULL CHECK (kind IN ('track', 'composed')),
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('growing', 'whole', 'truncated')),
    byte_size INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    -- 1 once its length, loudness and index are part of its sealed facts.
    measured INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recording_file_of ON recording_file (recording_id, created_at);
  CREATE INDEX recording_file_growing ON recording_file (file_id) WHERE state = 'growing';
  CREATE INDEX recording_file_unmeasured ON recording_file (created_at)
    WHERE measured = 0 AND state IN ('whole', 'truncated');

  CREATE TABLE note (
    note_id TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL REFERENCES consultation,
    author TEXT NOT NULL,
    client_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'signed')),
    -- How many of signing and additions the thread tells of already.
    announced INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL,
    UNIQUE (consultation_id, author, client_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX note_of ON note (consultation_id, created_at);

  CREATE TABLE note_version (
    note_id TEXT NOT NULL REFERENCES note,
    -- 'version' of a draft, 'addition' to a signed note; numbered apart.
    kind TEXT NOT NULL CHECK (kind IN ('version', 'addition')),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    client_id TEXT,
    sealed BLOB NOT NULL,
    PRIMARY KEY (note_id, kind, number)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX note_addition ON note_version (note_id, client_id) WHERE client_id IS NOT NULL;

  CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    device TEXT,
    action TEXT NOT NULL,
    consultation_id TEXT,
    object TEXT,
    result TEXT NOT NULL,
    -- SHA-256 over the hash before it and this row.
    hash BLOB NOT NULL
  ) STRICT;
  CREATE INDEX audit_of ON audit (consultation_id, number);
  -- Who can change the schema can undo this: the chain of hashes finds what was done then.
  CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  `,
  `
  -- What is looked for at the start and every hour must not read all there is: the server does nothing else meanwhile.
  CREATE INDEX attachment_of ON attachment (consultation_id);
  CREATE INDEX consultation_erased ON consultation (consultation_id) WHERE length(wrapped_key) = 0;
  CREATE INDEX recording_erased ON recording (started_at) WHERE state = 'erased';
  CREATE INDEX note_untold ON note (note_id) WHERE state = 'signed' AND announced = 0;
  CREATE INDEX note_added_to ON note_version (note_id) WHERE kind = 'addition';
  `,
  `
  -- A doctor has one health channel that is open. It is no participation: it is in nobody's list.
  CREATE TABLE health_channel (
    person_id TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL UNIQUE REFERENCES consultation (consultation_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The secret that hashes and seals telephone numbers: one row.
  CREATE TABLE phone_key (
    name TEXT PRIMARY KEY CHECK (name = 'phone'),
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE phone_number (
    person_id TEXT PRIMARY KEY,
    number_hash TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE phone_relay (
    x_hash TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    active INTEGER NOT NULL,
    -- When it was given to somebody last: the one that rested longest is next.
    given_at INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX phone_relay_pool ON phone_relay (provider, given_at) WHERE active = 1;

  CREATE TABLE phone_refusal (
    consultation_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, person_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE phone_binding (
    binding_id TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    created_by TEXT,
    person_a TEXT NOT NULL,
    person_b TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('both', 'a_calls', 'b_calls')),
    recorded INTEGER NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('binding', 'bound', 'unbinding', 'unbound')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ref TEXT,
    x_hash TEXT,
    unbound_reason TEXT,
    unbound_at INTEGER,
    revision INTEGER NOT NULL DEFAULT 1,
    changing TEXT NOT NULL DEFAULT '' CHECK (changing IN ('', 'a', 'b', 'ab')),
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER,
    -- Both numbers, under the key of the consultation.
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX phone_binding_open ON phone_binding (consultation_id)
    WHERE state IN ('binding', 'bound');
  CREATE UNIQUE INDEX phone_binding_client ON phone_binding (consultation_id, coalesce(created_by, ''), client_id);
  CREATE INDEX phone_binding_ref ON phone_binding (ref, provider) WHERE ref IS NOT NULL;
  CREATE INDEX phone_binding_of ON phone_binding (consultation_id, created_at);
  CREATE INDEX phone_binding_expiry ON phone_binding (expires_at) WHERE state IN ('binding', 'bound');
  CREATE INDEX phone_binding_due ON phone_binding (retry_at) WHERE retry_at IS NOT NULL;
  CREATE INDEX phone_binding_a ON phone_binding (person_a) WHERE state IN ('binding', 'bound');
  CREATE INDEX phone_binding_b ON phone_binding (person_b) WHERE state IN ('binding', 'bound');
  CREATE INDEX phone_binding_over ON phone_binding (unbound_at) WHERE state = 'unbound';

  -- Who has, and had, which relay number. The number of who calls decides whom they reach: it is there once.
  CREATE TABLE phone_use (
    binding_id TEXT NOT NULL,
    pair_hash TEXT NOT NULL,
    number_hash TEXT NOT NULL,
    x_hash TEXT NOT NULL,
    party TEXT NOT NULL CHECK (party IN ('a', 'b')),
    released_at INTEGER,
    PRIMARY KEY (binding_id, pair_hash, number_hash)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX phone_use_place ON phone_use (x_hash, number_hash) WHERE released_at IS NULL;
  CREATE INDEX phone_use_relay ON phone_use (x_hash, number_hash, released_at);
  CREATE INDEX phone_use_pair ON phone_use (pair_hash, x_hash);
  CREATE INDEX phone_use_over ON phone_use (released_at) WHERE released_at IS NOT NULL;

  CREATE TABLE phone_call (
    phone_call_id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    call_ref TEXT NOT NULL,
    binding_id TEXT NOT NULL,
    consultation_id TEXT NOT NULL,
    caller TEXT NOT NULL CHECK (caller IN ('a', 'b')),
    person_a TEXT NOT NULL,
    person_b TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ringing', 'talking', 'ended')),
    started_at INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at INTEGER,
    end_reason TEXT,
    talk_ms INTEGER NOT NULL DEFAULT 0,
    max_talk_ms INTEGER NOT NULL,
    -- What it takes of the limits: all it may last while it runs, what was talked once it has ended.
    counted_ms INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    -- 1: connected because we said so; 0: a provider that connects by itself has told of it.
    decided INTEGER NOT NULL,
    UNIQUE (provider, call_ref)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX phone_call_running ON phone_call (binding_id) WHERE state <> 'ended' AND decided = 1;
  CREATE INDEX phone_call_silent ON phone_call (deadline_at) WHERE state <> 'ended';
  CREATE INDEX phone_call_of_binding ON phone_call (binding_id, started_at, counted_ms);
  CREATE INDEX phone_call_of_consultation ON phone_call (consultation_id, started_at, counted_ms);
  CREATE INDEX phone_call_of_a ON phone_call (person_a, started_at, counted_ms);
  CREATE INDEX phone_call_of_b ON phone_call (person_b, started_at, counted_ms);
  CREATE INDEX phone_call_begun ON phone_call (started_at, counted_ms);

  -- What the thread is to be told, written together with what happened.
  CREATE TABLE phone_news (
    news_id INTEGER PRIMARY KEY AUTOINCREMENT,
    consultation_id TEXT NOT NULL,
    by TEXT,
    at INTEGER NOT NULL,
    fact TEXT NOT NULL,
    tried INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX phone_news_of ON phone_news (consultation_id, news_id);
  `,
  `
  -- Why a call that was to be recorded is not; null: it is, or was not to be.
  ALTER TABLE phone_call ADD COLUMN not_recorded TEXT;
  `,
];

/**
 * Brings the database to the newest schema, whole or not at all; of two servers that start at once one does it.
 * Refuses a database that a newer version of the server has written, and leaves it as it is.
 */
export function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = schemaOf(db);
    if (version > MIGRATIONS.length)
      throw new Error(
        `The database has schema ${version}; this server knows ${MIGRATIONS.length}. Update the server.`,
      );
    for (const sql of MIGRATIONS.slice(version)) db.exec(sql);
    if (version < MIGRATIONS.length) db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

const schemaOf = (db: DatabaseSync): number =>
  Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
