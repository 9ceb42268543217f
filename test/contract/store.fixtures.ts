import {
  AttachmentId,
  ClientMessageId,
  ConsultationId,
  type ParticipantRole,
  PersonId,
} from '@teleconsult/protocol';
import type {
  AttachmentRecord,
  AttachmentStore,
  ConsultationStore,
  NewConsultation,
  StateIndex,
  StoredEntry,
} from '@teleconsult/server/host/ports';

/** Both stores of one database. `close` may be called twice. */
export interface StoresUnderTest extends AsyncDisposable {
  readonly consultations: ConsultationStore;
  readonly attachments: AttachmentStore;
  close(): Promise<void>;
}

const numbered = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(22, '0')}`;

export const consultationId = (number: number) => ConsultationId.parse(numbered('cns', number));
export const attachmentId = (number: number) => AttachmentId.parse(numbered('att', number));
export const person = (name: string) => PersonId.parse(name);
export const clientMessageId = (name: string) => ClientMessageId.parse(name.padEnd(8, '-'));

export const sealed = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const message = (sequence: number, change: Partial<StoredEntry> = {}): StoredEntry => ({
  sequence,
  at: 1_000 + sequence,
  by: person('ann'),
  kind: 'message.sent',
  clientMessageId: clientMessageId(`message-${sequence}`),
  sealed: sealed(`message ${sequence}`),
  ...change,
});

export const fact = (sequence: number): StoredEntry =>
  message(sequence, { by: null, kind: 'consultation.waiting', clientMessageId: null });

export const participants = (...names: readonly string[]): NewConsultation['participants'] =>
  names.map((name, index) => ({
    personId: person(name),
    role: (['patient', 'doctor'] as const satisfies ParticipantRole[])[index] ?? 'doctor',
  }));

/** What the store sees of a state in which nothing happens. */
export const stateIndex = (change: Partial<StateIndex> = {}): StateIndex => ({
  phase: 'requested',
  inCall: false,
  waitingSince: null,
  activeSince: null,
  endedAt: null,
  dueAt: null,
  ...change,
});

export const newConsultation = (number: number, change: Partial<NewConsultation> = {}): NewConsultation => ({
  consultationId: consultationId(number),
  createdAt: 1_000,
  wrappedKey: sealed(`key ${number}`),
  sealedState: sealed(`state ${number}`),
  index: stateIndex(),
  participants: participants('ann', 'bob'),
  idempotencyKey: null,
  sealedRequest: sealed(`request ${number}`),
  entries: [fact(1)],
  ...change,
});

export const newAttachment = (number: number, change: Partial<AttachmentRecord> = {}): AttachmentRecord => ({
  attachmentId: attachmentId(number),
  consultationId: consultationId(1),
  uploadedBy: person('ann'),
  kind: 'image',
  createdAt: 1_000,
  byteSize: 100,
  receivedBytes: 0,
  parts: 0,
  status: 'receiving',
  withdrawn: false,
  sealed: sealed(`facts ${number}`),
  ...change,
});

/** A store may answer bytes as any kind of Uint8Array; compared are the bytes. */
export const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Uint8Array ? Buffer.from(inner).toString('latin1') : inner,
    ),
  );

export const sequences = (entries: readonly StoredEntry[]): number[] =>
  entries.map(({ sequence }) => sequence);
