import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, NoteId, PersonId } from '@teleconsult/protocol';
import type { NoteStore, StoredNote, StoredNoteVersion } from '../../notes/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import { UniqueViolation, type Writer } from './writer.ts';
import type { SqlValue, Statement } from './writer-protocol.ts';

/** Adds a version only where it is the next one and its note stands in the state that takes it. */
const ADD_VERSION = `INSERT INTO note_version (note_id, kind, number, at, by, client_id, sealed)
  SELECT ?, ?, ?, ?, ?, ?, ?
  WHERE EXISTS (SELECT 1 FROM note WHERE note_id = ? AND state = ?)
    AND (SELECT coalesce(max(number), 0) FROM note_version WHERE note_id = ? AND kind = ?) = ?`;

/** Notes and their versions. Each change is one statement that says what it needs to find. */
export class SqliteNotes implements NoteStore {
  readonly #writer: Writer;
  readonly #load: Read;
  readonly #byClient: Read;
  readonly #of: Read;
  readonly #versions: Read;
  readonly #unannounced: Read;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#load = prepareRead(reader, 'SELECT * FROM note WHERE note_id = ?');
    this.#byClient = prepareRead(
      reader,
      'SELECT * FROM note WHERE consultation_id = ? AND author = ? AND client_id = ?',
    );
    this.#of = prepareRead(
      reader,
      'SELECT * FROM note WHERE consultation_id = ? ORDER BY created_at, note_id',
    );
    this.#versions = prepareRead(
      reader,
      'SELECT * FROM note_version WHERE note_id = ? ORDER BY kind DESC, number',
    );
    this.#unannounced = prepareRead(
      reader,
      // Those of which nothing is told, and of the others only those with additions: by far the most need no look.
      `SELECT * FROM note WHERE state = 'signed' AND announced = 0 UNION ALL
        SELECT * FROM note WHERE note_id IN (SELECT DISTINCT note_id FROM note_version WHERE kind = 'addition')
          AND state = 'signed' AND announced > 0 AND announced <
          1 + (SELECT count(*) FROM note_version v WHERE v.note_id = note.note_id AND v.kind = 'addition')`,
    );
  }

  async createNote(
    note: StoredNote,
    first: StoredNoteVersion,
  ): Promise<{ created: boolean; note: StoredNote }> {
    try {
      await this.#writer.write([
        {
          sql: `INSERT INTO note (note_id, consultation_id, author, client_id, created_at, state, announced, sealed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          params: [
            note.noteId,
            note.consultationId,
            note.author,
            note.clientId,
            note.createdAt,
            note.state,
            note.announced,
            note.sealed,
          ],
        },
        addition(first, note.state),
      ]);
      return { created: true, note };
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error;
      const row = this.#byClient.get(note.consultationId, note.author, note.clientId);
      if (row === undefined) throw error;
      return { created: false, note: toNote(row) };
    }
  }

  async loadNote(noteId: NoteId): Promise<StoredNote | null> {
    const row = this.#load.get(noteId);
    return row === undefined ? null : toNote(row);
  }

  async notesOf(consultationId: ConsultationId): Promise<readonly StoredNote[]> {
    return this.#of.all(consultationId).map(toNote);
  }

  async versionsOf(noteId: NoteId): Promise<readonly StoredNoteVersion[]> {
    return this.#versions.all(noteId).map(toVersion);
  }

  async addVersion(version: StoredNoteVersion): Promise<boolean> {
    try {
      return await this.#write(addition(version, version.kind === 'version' ? 'draft' : 'signed'));
    } catch (error) {
      // Another device was faster, or says the same addition again.
      if (error instanceof UniqueViolation) return false;
      throw error;
    }
  }

  async signNote(noteId: NoteId, version: number, sealed: Uint8Array): Promise<boolean> {
    return this.#write({
      sql: `UPDATE note SET state = 'signed', sealed = ? WHERE note_id = ? AND state = 'draft'
        AND (SELECT max(number) FROM note_version v WHERE v.note_id = note.note_id AND v.kind = 'version') = ?`,
      params: [sealed, noteId, version],
    });
  }

  async removeDraft(noteId: NoteId): Promise<boolean> {
    const [, removed] = await this.#writer.write([
      {
        sql: `DELETE FROM note_version WHERE note_id = ?
          AND EXISTS (SELECT 1 FROM note WHERE note_id = ? AND state = 'draft')`,
        params: [noteId, noteId],
      },
      { sql: `DELETE FROM note WHERE note_id = ? AND state = 'draft'`, params: [noteId] },
    ]);
    return removed === 1;
  }

  async unannounced(): Promise<readonly StoredNote[]> {
    return this.#unannounced.all().map(toNote);
  }

  async markAnnounced(noteId: NoteId, announced: number): Promise<void> {
    await this.#write({
      sql: 'UPDATE note SET announced = ? WHERE note_id = ? AND announced < ?',
      params: [announced, noteId, announced],
    });
  }

  /** Whether it changed anything. */
  async #write(statement: Statement): Promise<boolean> {
    const [changes] = await this.#writer.write([statement]);
    return changes !== undefined && changes > 0;
  }
}

function addition(version: StoredNoteVersion, state: StoredNote['state']): Statement {
  const { noteId, kind, number, at, by, clientId, sealed } = version;
  const values: readonly SqlValue[] = [noteId, kind, number, at, by, clientId, sealed];
  return { sql: ADD_VERSION, params: [...values, noteId, state, noteId, kind, number - 1] };
}

const toNote = (row: Row): StoredNote => ({
  noteId: row['note_id'] as NoteId,
  consultationId: row['consultation_id'] as ConsultationId,
  author: row['author'] as PersonId,
  clientId: row['client_id'] as string,
  createdAt: Number(row['created_at']),
  state: row['state'] as StoredNote['state'],
  announced: Number(row['announced']),
  sealed: row['sealed'] as Uint8Array,
});

const toVersion = (row: Row): StoredNoteVersion => ({
  noteId: row['note_id'] as NoteId,
  kind: row['kind'] as StoredNoteVersion['kind'],
  number: Number(row['number']),
  at: Number(row['at']),
  by: row['by'] as PersonId,
  clientId: row['client_id'] as string | null,
  sealed: row['sealed'] as Uint8Array,
});
