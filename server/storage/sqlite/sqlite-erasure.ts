import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsultationId } from '@teleconsult/protocol';
import type { ErasableRecords } from '../../vault/shred.ts';
import { openConnection } from './connection.ts';
import { prepareRead } from './read.ts';
import type { WritesStatements } from './sqlite-wrapped-values.ts';
import { removeStaleCopy } from './staging-copy.ts';
import type { Statement } from './writer-protocol.ts';

/** How often, and how far apart, it is tried to empty the log: somebody else may be reading from it. */
const SCRUB_ATTEMPTS = 40;
const SCRUB_PAUSE_MS = 50;

type Deletion = readonly [table: string, sql: string];

/** What goes together with the key, in an order in which it can be deleted. The audit trail stays: it says who erased. */
const SAID: readonly Deletion[] = [
  ['entry', 'DELETE FROM entry WHERE consultation_id = ?'],
  ['mark', 'DELETE FROM mark WHERE consultation_id = ?'],
  ['participant', 'DELETE FROM participant WHERE consultation_id = ?'],
  ['health_channel', 'DELETE FROM health_channel WHERE consultation_id = ?'],
  ['invitation', 'DELETE FROM invitation WHERE consultation_id = ?'],
  [
    'note_version',
    'DELETE FROM note_version WHERE note_id IN (SELECT note_id FROM note WHERE consultation_id = ?)',
  ],
  ['note', 'DELETE FROM note WHERE consultation_id = ?'],
  ['phone_news', 'DELETE FROM phone_news WHERE consultation_id = ?'],
  ['phone_refusal', 'DELETE FROM phone_refusal WHERE consultation_id = ?'],
  ['phone_call', "DELETE FROM phone_call WHERE consultation_id = ? AND state = 'ended'"],
  // One that a provider still has is needed to take it back there, and goes in time; its numbers open no more already.
  ['phone_binding', "DELETE FROM phone_binding WHERE consultation_id = ? AND state = 'unbound'"],
];

/** What names objects: it goes after them, so that erasing which was cut off knows what is left to do. */
const STORED: readonly Deletion[] = [
  ['attachment', 'DELETE FROM attachment WHERE consultation_id = ?'],
  ['recording_file', 'DELETE FROM recording_file WHERE consultation_id = ?'],
  ['recording', 'DELETE FROM recording WHERE consultation_id = ?'],
];

const DESTROY_KEY = `UPDATE consultation SET wrapped_key = x'', sealed_state = x'', sealed_request = NULL,
  phase = 'ended', in_call = 0, due_at = NULL, waiting_since = NULL, active_since = NULL, ended_at = NULL,
  notified_up_to = 0 WHERE consultation_id = ?`;

const statements = (consultationId: string, deletions: readonly Deletion[]): Statement[] =>
  deletions.map(([, sql]) => ({ sql, params: [consultationId] }));

/**
 * Everything that erasing a consultation writes. Its row stays, without key or content: the id is never given out again,
 * and whoever asks is told that there is nothing.
 * @param tables those there are, where an older schema may be met
 */
export function statementsToErase(consultationId: string, tables: ReadonlySet<string>): Statement[] {
  const deletions = [...SAID, ...STORED].filter(([table]) => tables.has(table));
  return [{ sql: DESTROY_KEY, params: [consultationId] }, ...statements(consultationId, deletions)];
}

/** Erases consultations from the database. */
export class SqliteErasure implements ErasableRecords {
  readonly #writer: WritesStatements;
  readonly #reader: DatabaseSync;

  constructor(writer: WritesStatements, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reader = reader;
  }

  async objectsOf(consultationId: ConsultationId): Promise<readonly string[]> {
    const attachments = prepareRead(
      this.#reader,
      'SELECT attachment_id, parts FROM attachment WHERE consultation_id = ?',
    ).all(consultationId);
    const files = prepareRead(
      this.#reader,
      'SELECT recording_id, file_id, parts FROM recording_file WHERE consultation_id = ?',
    ).all(consultationId);
    const recorded = files.flatMap(({ recording_id: recording, file_id: file, parts }) =>
      Array.from(
        { length: Number(parts) + 1 },
        (_, index) => `recordings/${String(recording)}/${String(file)}/${index}`,
      ),
    );
    const sent = attachments.flatMap(({ attachment_id: id, parts }) => [
      `attachments/${String(id)}/original`,
      `attachments/${String(id)}/thumbnail`,
      // The one behind the last is what a broken request may have left.
      ...Array.from({ length: Number(parts) + 1 }, (_, index) => `uploads/${String(id)}/${index}`),
    ]);
    return [...sent, ...recorded];
  }

  async eraseConsultation(consultationId: ConsultationId): Promise<boolean> {
    const [changes] = await this.#writer.write([
      { sql: DESTROY_KEY, params: [consultationId] },
      ...statements(consultationId, SAID),
    ]);
    return changes === 1;
  }

  async forgetObjects(consultationId: ConsultationId): Promise<void> {
    // What somebody still had in hand when the key was destroyed may have been written after it.
    await this.#writer.write(statements(consultationId, [...SAID, ...STORED]));
  }

  async halfErased(): Promise<readonly ConsultationId[]> {
    const rows = prepareRead(
      this.#reader,
      `SELECT consultation_id FROM consultation c WHERE length(wrapped_key) = 0 AND (
        EXISTS (SELECT 1 FROM attachment a WHERE a.consultation_id = c.consultation_id)
        OR EXISTS (SELECT 1 FROM recording r WHERE r.consultation_id = c.consultation_id))`,
    ).all();
    return rows.map((row) => row['consultation_id'] as ConsultationId);
  }

  async scrub(): Promise<boolean> {
    const path = this.#reader.location();
    if (path === null) return true;
    await removeStaleCopy(dirname(path));
    const db = openConnection(path, { readOnly: false });
    try {
      db.exec('PRAGMA busy_timeout = 0');
      for (let attempt = 1; ; attempt += 1) {
        if (db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0) return true;
        if (attempt === SCRUB_ATTEMPTS) return false;
        await delay(SCRUB_PAUSE_MS);
      }
    } finally {
      db.close();
    }
  }
}
