/**
 * What the host needs of the outside. Each port has one contract suite, run on every adapter (test/contract).
 */
import type {
  AttachmentId,
  AttachmentKind,
  CallId,
  CheckId,
  ClientMessageId,
  ConsultationId,
  ConsultationPhase,
  DeviceId,
  EntryKind,
  FactName,
  FactPayload,
  FileId,
  FollowUpId,
  InvitationCode,
  InvitationId,
  MessageId,
  NoteId,
  ParticipantRole,
  PersonId,
  PhoneBindingId,
  PhoneCallId,
  RecordingId,
  ResumeTicket,
} from '@teleconsult/protocol';
import type { ConsultationKey } from '../vault/consultation-key.ts';

/** Milliseconds since 1970. A port, so that tests can move time. */
export type Clock = () => number;

export interface IdGenerator {
  consultationId(): ConsultationId;
  messageId(): MessageId;
  callId(): CallId;
  attachmentId(): AttachmentId;
  invitationId(): InvitationId;
  invitationCode(): InvitationCode;
  checkId(): CheckId;
  resumeTicket(): ResumeTicket;
  recordingId(): RecordingId;
  fileId(): FileId;
  noteId(): NoteId;
  followUpId(): FollowUpId;
  phoneBindingId(): PhoneBindingId;
  phoneCallId(): PhoneCallId;
}

/** An entry as it lies in the store: who, when and what kind in clear, everything said sealed. */
export interface StoredEntry {
  readonly sequence: number;
  readonly at: number;
  readonly by: PersonId | null;
  readonly kind: EntryKind;
  readonly clientMessageId: ClientMessageId | null;
  readonly sealed: Uint8Array;
}

/** An entry as it is read back: a withdrawn message keeps its sealed original, and is served as a tombstone. */
export interface ReadEntry extends StoredEntry {
  readonly withdrawn: 'recalled' | 'removed' | null;
  /** The sequence of the entry that withdrew it. */
  readonly withdrawnBy: number | null;
}

/** Part of a commit: the message of this sequence is withdrawn, and its attachments are served to nobody. */
export interface Withdrawal {
  readonly sequence: number;
  readonly how: 'recalled' | 'removed';
  /** The sequence of the entry that withdraws it. */
  readonly by: number;
  readonly attachmentIds: readonly AttachmentId[];
}

export interface StoredConsultation {
  readonly consultationId: ConsultationId;
  readonly createdAt: number;
  readonly wrappedKey: Uint8Array;
  readonly sealedState: Uint8Array;
  readonly lastSequence: number;
  readonly lastAt: number;
  /** What it was created from; null where nobody can ask for it again. */
  readonly sealedRequest: Uint8Array | null;
}

/** What of a state the store may see, to find consultations by. */
export interface StateIndex {
  readonly phase: ConsultationPhase;
  readonly inCall: boolean;
  /** Since when the patient waits; null unless the phase is `waiting`. */
  readonly waitingSince: number | null;
  /** When the doctor began it, and when it ended after that: waiting times are estimated from these. */
  readonly activeSince: number | null;
  readonly endedAt: number | null;
  /** When time will next change it; null for never. */
  readonly dueAt: number | null;
}

export interface StoredParticipant {
  readonly personId: PersonId;
  readonly role: ParticipantRole;
}

export interface NewConsultation {
  readonly consultationId: ConsultationId;
  readonly createdAt: number;
  /** The doctor whose health channel it is; left out or null: it is none. A doctor has one that has not ended. */
  readonly channelOf?: PersonId | null;
  readonly wrappedKey: Uint8Array;
  readonly sealedState: Uint8Array;
  readonly index: StateIndex;
  /** Who finds it in their list. Nobody finds a health channel there. */
  readonly participants: readonly StoredParticipant[];
  readonly idempotencyKey: string | null;
  /** What was asked for, to compare a repetition with: participants and subject may change later. */
  readonly sealedRequest: Uint8Array | null;
  readonly entries: readonly StoredEntry[];
}

export interface Commit {
  readonly consultationId: ConsultationId;
  readonly entries: readonly StoredEntry[];
  /** Left out when only entries are added: a message rewrites nothing. */
  readonly state: { readonly sealed: Uint8Array; readonly index: StateIndex } | null;
  readonly withdrawals?: readonly Withdrawal[];
  /** People who joined or left with this commit: who finds the consultation in their list. */
  readonly joined?: readonly StoredParticipant[];
  readonly left?: readonly PersonId[];
}

export type AppendResult =
  | 'committed'
  /** A clientMessageId of the commit exists already; nothing was written. */
  | 'duplicate_message'
  /** A sequence of the commit exists already: another writer owns the consultation; nothing was written. */
  | 'stale';

export type CreateResult =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists'; readonly consultationId: ConsultationId };

/**
 * The store of record. A resolved write is on disk and survives a power cut; a rejected one
 * (`STORAGE_FULL`, `STORAGE_UNAVAILABLE`) left nothing behind and may be repeated.
 */
export interface ConsultationStore {
  /**
   * Writes it whole, or answers the consultation that has this idempotency key already, or the health channel that this
   * doctor has open. Of many at once one is written.
   */
  create(consultation: NewConsultation): Promise<CreateResult>;
  /** The doctor's health channel that has not ended; null: there is none. */
  openChannelOf(personId: PersonId): Promise<ConsultationId | null>;
  load(consultationId: ConsultationId): Promise<StoredConsultation | null>;
  /** All or nothing. Commits of many consultations may share one transaction. */
  append(commit: Commit): Promise<AppendResult>;
  /** Ascending entries: the first `limit` after a sequence, or the last `limit` before one. */
  page(
    consultationId: ConsultationId,
    range:
      | { readonly after: number; readonly limit: number }
      | { readonly before: number; readonly limit: number },
  ): Promise<readonly ReadEntry[]>;
  findMessage(
    consultationId: ConsultationId,
    by: PersonId,
    clientMessageId: ClientMessageId,
  ): Promise<ReadEntry | null>;
  /** Everybody's marks in a consultation; who never marked anything is left out. */
  marks(consultationId: ConsultationId): Promise<readonly StoredMarks[]>;
  /** Raises a person's marks to these, never lowers them; answers what they are now. */
  raiseMarks(consultationId: ConsultationId, marks: StoredMarks): Promise<StoredMarks>;
  /** Messages of others after a sequence, and up to another where one is given, that are not withdrawn. */
  countUnread(
    consultationId: ConsultationId,
    personId: PersonId,
    after: number,
    upTo?: number,
  ): Promise<number>;
  /** A doctor's waiting patients, longest waiting first (of one moment: by id). */
  waitingFor(doctorId: PersonId): Promise<readonly WaitingPatient[]>;
  /** How long the doctor’s last visits with patients lasted in milliseconds, the one asked for last first. */
  visitDurations(doctorId: PersonId, limit: number): Promise<readonly number[]>;
  /** Consultations whose entries reach further than they were notified of (`notify/`), at most `limit`. */
  behind(limit: number): Promise<readonly ConsultationId[]>;
  notifiedUpTo(consultationId: ConsultationId): Promise<number>;
  /** Everything up to this sequence was handed on; never lowers. */
  markNotified(consultationId: ConsultationId, upTo: number): Promise<void>;
  /** Newest first. */
  listFor(
    personId: PersonId,
    page: { readonly limit: number; readonly createdBefore: number | null },
  ): Promise<readonly ConsultationId[]>;
  /** Consultations that time has caught up with, oldest first. */
  due(now: number, limit: number): Promise<readonly ConsultationId[]>;
  /** Consultations in which a call was running when they were last written. */
  inCall(): Promise<readonly ConsultationId[]>;
}

export interface StoredMarks {
  readonly personId: PersonId;
  readonly delivered: number;
  readonly read: number;
}

export interface WaitingPatient {
  readonly consultationId: ConsultationId;
  readonly patientId: PersonId;
  readonly since: number;
}

export type AttachmentRecordStatus = 'receiving' | 'ready' | 'refused';

/** An upload and what became of it. Facts of the finished attachment are sealed like everything said. */
export interface AttachmentRecord {
  readonly attachmentId: AttachmentId;
  readonly consultationId: ConsultationId;
  readonly uploadedBy: PersonId;
  readonly kind: AttachmentKind;
  readonly createdAt: number;
  /** Announced size in bytes, and how many of them are sealed and on disk, in how many parts. */
  readonly byteSize: number;
  readonly receivedBytes: number;
  readonly parts: number;
  readonly status: AttachmentRecordStatus;
  /** True once the message it was sent with was withdrawn: nobody reads it any more. */
  readonly withdrawn: boolean;
  readonly sealed: Uint8Array;
}

export interface AttachmentStore {
  createAttachment(record: AttachmentRecord): Promise<void>;
  loadAttachment(attachmentId: AttachmentId): Promise<AttachmentRecord | null>;
  /** Moves the upload on by one part. False when `fromBytes` is not where it stands (another request was faster). */
  addPart(attachmentId: AttachmentId, fromBytes: number, toBytes: number): Promise<boolean>;
  /** From `receiving` to its end; false when it had ended already. */
  finishAttachment(
    attachmentId: AttachmentId,
    status: Exclude<AttachmentRecordStatus, 'receiving'>,
    sealed: Uint8Array,
  ): Promise<boolean>;
  /** Uploads begun before this moment and never finished. */
  staleAttachments(createdBefore: number, limit: number): Promise<readonly AttachmentRecord[]>;
  /** Forgets an upload that never ended and stands where the caller saw it; false when it has moved on or ended. */
  removeAttachment(attachmentId: AttachmentId, receivedBytes: number): Promise<boolean>;
  /** How many uploads a person has begun and not ended, and how many bytes they announced together. */
  openUploads(uploadedBy: PersonId): Promise<{ readonly count: number; readonly byteSize: number }>;
}

/** Carries facts to connected devices. Delivery is not promised: a snapshot or a page repeats what was missed. */
export interface Publisher {
  toWatchers<N extends FactName>(consultationId: ConsultationId, name: N, payload: FactPayload<N>): void;
  toPerson<N extends FactName>(personId: PersonId, name: N, payload: FactPayload<N>): void;
  toDevice<N extends FactName>(
    personId: PersonId,
    deviceId: DeviceId,
    name: N,
    payload: FactPayload<N>,
  ): void;
  /** Whether a device of the person is there whose token reaches this consultation. */
  isConnected(personId: PersonId, deviceId: DeviceId, consultationId: ConsultationId): boolean;
  isWatched(consultationId: ConsultationId): boolean;
  /** Whether any device of the person is there that hears of this consultation. */
  isOnline(personId: PersonId, consultationId: ConsultationId): boolean;
  /** Watching devices of others than this person. */
  toOtherWatchers<N extends FactName>(
    consultationId: ConsultationId,
    except: PersonId,
    name: N,
    payload: FactPayload<N>,
  ): void;
  /** The person's devices watch the consultation no longer. */
  stopWatching(personId: PersonId, consultationId: ConsultationId): void;
}

/** Makes and opens the key of a consultation. The vault is the one that does. */
export interface ConsultationKeys {
  createConsultationKey(
    consultationId: ConsultationId,
  ): Promise<{ wrapped: Uint8Array; key: ConsultationKey }>;
  openConsultationKey(consultationId: ConsultationId, wrapped: Uint8Array): Promise<ConsultationKey>;
}

/** Structured log of lifecycle steps. Content, names, numbers and tokens have no field to go in. */
export interface LogFields {
  readonly consultation?: string;
  readonly call?: string;
  readonly attachment?: string;
  readonly recording?: string;
  readonly file?: string;
  readonly person?: string;
  readonly device?: string;
  readonly requestId?: string;
  readonly event?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly count?: number;
  readonly ms?: number;
  readonly error?: unknown;
}

export interface Log {
  info(step: string, fields?: LogFields): void;
  warn(step: string, fields?: LogFields): void;
  error(step: string, fields?: LogFields): void;
}
