import {
  type EntryKind,
  FileId,
  type NoteId,
  type PersonId,
  PhoneBindingId,
  RecordingId,
} from '@teleconsult/protocol';
import { EntryCodec } from '../../host/entry-codec.ts';
import { openNoteFacts, openVersion } from '../../notes/sealed-note.ts';
import { openFileFacts, openRecordingFacts } from '../../recordings/sealed-facts.ts';
import type { Row } from '../../storage/sqlite/read.ts';
import { openPair } from '../../telephony/bindings/phone-seals.ts';
import type { ConsultationKey } from '../../vault/consultation-key.ts';

/** A table with fields that the key of their consultation opens. */
export interface FieldTable {
  /** Such as `entry.sealed`. */
  readonly columns: readonly string[];
  /** Reads its rows of one consultation. */
  readonly sql: string;
  /** Names a row for the operator, without anything that was said. */
  name(row: Row): string;
  /** Throws where the field is not what was sealed for this place. */
  open(key: ConsultationKey, row: Row): void;
}

const sealed = (row: Row): Uint8Array => row['sealed'] as Uint8Array;
const text = (row: Row, column: string): string => String(row[column]);

/** Every place where the product keeps a sealed field. A test compares it with the columns of the schema. */
export const FIELD_TABLES: readonly FieldTable[] = [
  {
    columns: ['consultation.sealed_state', 'consultation.sealed_request'],
    sql: 'SELECT consultation_id, sealed_state, sealed_request FROM consultation WHERE consultation_id = ?',
    name: () => 'state',
    open(key, row) {
      new EntryCodec(key.consultationId, key).openState(row['sealed_state'] as Uint8Array);
      const request = row['sealed_request'];
      if (request instanceof Uint8Array) key.open(request, 'request');
    },
  },
  {
    columns: ['entry.sealed'],
    sql: 'SELECT * FROM entry WHERE consultation_id = ? ORDER BY sequence',
    name: (row) => `entry ${text(row, 'sequence')}`,
    open: (key, row) =>
      void new EntryCodec(key.consultationId, key).openOriginal({
        sequence: Number(row['sequence']),
        at: Number(row['at']),
        by: row['by'] as PersonId | null,
        kind: row['kind'] as EntryKind,
        clientMessageId: row['client_message_id'] as never,
        sealed: sealed(row),
      }),
  },
  {
    columns: ['attachment.sealed'],
    sql: 'SELECT attachment_id, sealed FROM attachment WHERE consultation_id = ?',
    name: (row) => text(row, 'attachment_id'),
    open: (key, row) =>
      void new EntryCodec(key.consultationId, key).openAttachment(text(row, 'attachment_id'), sealed(row)),
  },
  {
    columns: ['recording.sealed'],
    sql: 'SELECT recording_id, sealed FROM recording WHERE consultation_id = ?',
    name: (row) => text(row, 'recording_id'),
    open(key, row) {
      const recordingId = RecordingId.parse(row['recording_id']);
      openRecordingFacts(key, { recordingId, sealed: sealed(row) });
    },
  },
  {
    columns: ['recording_file.sealed'],
    sql: 'SELECT file_id, sealed FROM recording_file WHERE consultation_id = ?',
    name: (row) => text(row, 'file_id'),
    open(key, row) {
      openFileFacts(key, { fileId: FileId.parse(row['file_id']), sealed: sealed(row) });
    },
  },
  {
    columns: ['note.sealed'],
    sql: 'SELECT note_id, sealed FROM note WHERE consultation_id = ?',
    name: (row) => text(row, 'note_id'),
    open: (key, row) => void openNoteFacts(key, { noteId: row['note_id'] as NoteId, sealed: sealed(row) }),
  },
  {
    columns: ['note_version.sealed'],
    sql: `SELECT v.* FROM note_version v JOIN note n USING (note_id) WHERE n.consultation_id = ?`,
    name: (row) => `${text(row, 'note_id')} ${text(row, 'kind')} ${text(row, 'number')}`,
    open: (key, row) =>
      void openVersion(key, {
        noteId: row['note_id'] as NoteId,
        kind: row['kind'] as 'version' | 'addition',
        number: Number(row['number']),
        at: Number(row['at']),
        by: row['by'] as PersonId,
        clientId: row['client_id'] as string | null,
        sealed: sealed(row),
      }),
  },
  {
    columns: ['phone_binding.sealed'],
    // One that was given back holds no numbers any more.
    sql: 'SELECT binding_id, sealed FROM phone_binding WHERE consultation_id = ? AND length(sealed) > 0',
    name: (row) => text(row, 'binding_id'),
    open(key, row) {
      openPair(key, { bindingId: PhoneBindingId.parse(row['binding_id']), sealed: sealed(row) });
    },
  },
];
