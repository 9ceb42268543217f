import {
  AppError,
  type AttachmentId,
  type ClientMessageId,
  type ConsultationId,
  type PersonId,
} from '@teleconsult/protocol';
import type {
  AppendResult,
  AttachmentRecord,
  AttachmentRecordStatus,
  AttachmentStore,
  Commit,
  ConsultationStore,
  CreateResult,
  NewConsultation,
  ReadEntry,
  StoredConsultation,
  StoredEntry,
  StoredMarks,
  WaitingPatient,
} from '../../host/ports.ts';

/** What a write can be told to fail with. */
export type MemoryStoreFailure = 'full' | 'unavailable';

const failures = {
  full: 'STORAGE_FULL',
  unavailable: 'STORAGE_UNAVAILABLE',
} as const satisfies Record<MemoryStoreFailure, string>;

type Kept = Omit<NewConsultation, 'entries'> & { readonly notifiedUpTo: number };

/** Both stores in memory, gone with the process: for tests and for trying things out. */
export class MemoryStore implements ConsultationStore, AttachmentStore {
  readonly #consultations = new Map<ConsultationId, Kept>();
  readonly #entries = new Map<ConsultationId, readonly ReadEntry[]>();
  readonly #marks = new Map<ConsultationId, ReadonlyMap<PersonId, StoredMarks>>();
  readonly #attachments = new Map<AttachmentId, AttachmentRecord>();
  #next: MemoryStoreFailure | null = null;
  #closed = false;

  /** Makes the next write fail, and only that. */
  nextCall(failure: MemoryStoreFailure): void {
    this.#next = failure;
  }

  /** May be called twice. Nothing is read or written afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  async create({ entries, ...consultation }: NewConsultation): Promise<CreateResult> {
    this.#beginWrite();
    const { consultationId, idempotencyKey, channelOf = null } = consultation;
    const earlier =
      idempotencyKey === null ? undefined : this.#all().find((one) => one.idempotencyKey === idempotencyKey);
    const existing = earlier?.consultationId ?? (channelOf === null ? null : this.#openChannel(channelOf));
    if (existing !== null) return { kind: 'exists', consultationId: existing };
    if (this.#consultations.has(consultationId)) throw new Error('There is a consultation of this id.');
    this.#consultations.set(consultationId, structuredClone({ ...consultation, notifiedUpTo: 0 }));
    this.#entries.set(consultationId, entries.map(asRead));
    return { kind: 'created' };
  }

  async openChannelOf(personId: PersonId): Promise<ConsultationId | null> {
    this.#beginRead();
    return this.#openChannel(personId);
  }

  async load(consultationId: ConsultationId): Promise<StoredConsultation | null> {
    this.#beginRead();
    const kept = this.#consultations.get(consultationId);
    if (kept === undefined) return null;
    const { createdAt, wrappedKey, sealedState, sealedRequest } = structuredClone(kept);
    const last = this.#thread(consultationId).at(-1);
    return {
      consultationId,
      createdAt,
      wrappedKey,
      sealedState,
      sealedRequest,
      lastSequence: last?.sequence ?? 0,
      lastAt: last?.at ?? 0,
    };
  }

  async append(commit: Commit): Promise<AppendResult> {
    this.#beginWrite();
    const { consultationId, entries, state, withdrawals = [] } = commit;
    const kept = this.#consultations.get(consultationId);
    if (kept === undefined) throw new Error('There is no such consultation.');
    let thread = [...this.#thread(consultationId)];
    for (const entry of entries) {
      if (thread.some(({ sequence }) => sequence === entry.sequence)) return 'stale';
      if (entry.clientMessageId !== null && thread.some((one) => isSameMessage(one, entry)))
        return 'duplicate_message';
      thread.push(asRead(entry));
    }
    for (const { sequence, how, by, attachmentIds } of withdrawals) {
      thread = thread.map((entry) =>
        entry.sequence === sequence && entry.withdrawn === null
          ? { ...entry, withdrawn: how, withdrawnBy: by }
          : entry,
      );
      for (const attachmentId of attachmentIds) {
        const record = this.#attachments.get(attachmentId);
        if (record?.consultationId === consultationId)
          this.#attachments.set(attachmentId, { ...record, withdrawn: true });
      }
    }
    this.#entries.set(
      consultationId,
      thread.toSorted((one, other) => one.sequence - other.sequence),
    );
    const { sealed: sealedState = kept.sealedState, index = kept.index } = structuredClone(state) ?? {};
    this.#consultations.set(consultationId, {
      ...kept,
      sealedState,
      index,
      participants: participantsAfter(kept.participants, commit),
    });
    return 'committed';
  }

  async page(
    consultationId: ConsultationId,
    range:
      | { readonly after: number; readonly limit: number }
      | { readonly before: number; readonly limit: number },
  ): Promise<readonly ReadEntry[]> {
    this.#beginRead();
    const thread = this.#thread(consultationId);
    if ('after' in range)
      return structuredClone(thread.filter(({ sequence }) => sequence > range.after).slice(0, range.limit));
    return structuredClone(thread.filter(({ sequence }) => sequence < range.before).slice(-range.limit));
  }

  async findMessage(
    consultationId: ConsultationId,
    by: PersonId,
    clientMessageId: ClientMessageId,
  ): Promise<ReadEntry | null> {
    this.#beginRead();
    const found = this.#thread(consultationId).find((one) => isSameMessage(one, { by, clientMessageId }));
    return structuredClone(found ?? null);
  }

  async marks(consultationId: ConsultationId): Promise<readonly StoredMarks[]> {
    this.#beginRead();
    return structuredClone([...(this.#marks.get(consultationId)?.values() ?? [])]);
  }

  async raiseMarks(consultationId: ConsultationId, marks: StoredMarks): Promise<StoredMarks> {
    this.#beginWrite();
    if (!this.#consultations.has(consultationId)) throw new Error('There is no such consultation.');
    const { personId, delivered, read } = marks;
    const before = this.#marks.get(consultationId) ?? new Map<PersonId, StoredMarks>();
    const held = before.get(personId);
    const raised = {
      personId,
      delivered: Math.max(delivered, held?.delivered ?? 0),
      read: Math.max(read, held?.read ?? 0),
    };
    this.#marks.set(consultationId, new Map(before).set(personId, raised));
    return { ...raised };
  }

  async countUnread(
    consultationId: ConsultationId,
    personId: PersonId,
    after: number,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<number> {
    this.#beginRead();
    return this.#thread(consultationId).filter(
      ({ sequence, kind, by, withdrawn }) =>
        sequence > after &&
        sequence <= upTo &&
        kind === 'message.sent' &&
        by !== personId &&
        withdrawn === null,
    ).length;
  }

  async waitingFor(doctorId: PersonId): Promise<readonly WaitingPatient[]> {
    this.#beginRead();
    return this.#all()
      .flatMap(({ consultationId, index: { waitingSince: since }, participants }) => {
        const isDoctors = participants.some(
          ({ personId, role }) => personId === doctorId && role === 'doctor',
        );
        const patient = participants.find(({ role }) => role === 'patient');
        return since === null || !isDoctors || patient === undefined
          ? []
          : [{ consultationId, patientId: patient.personId, since }];
      })
      .toSorted(
        (one, other) => one.since - other.since || (one.consultationId < other.consultationId ? -1 : 1),
      );
  }

  async visitDurations(doctorId: PersonId, limit: number): Promise<readonly number[]> {
    this.#beginRead();
    return this.#all()
      .filter(
        ({ participants }) =>
          participants.some(({ personId, role }) => personId === doctorId && role === 'doctor') &&
          participants.some(({ role }) => role === 'patient'),
      )
      .toSorted(
        (one, other) =>
          other.createdAt - one.createdAt || (one.consultationId > other.consultationId ? -1 : 1),
      )
      .flatMap(({ index: { activeSince, endedAt } }) =>
        activeSince === null || endedAt === null ? [] : [endedAt - activeSince],
      )
      .slice(0, limit);
  }

  async behind(limit: number): Promise<readonly ConsultationId[]> {
    this.#beginRead();
    return this.#all()
      .filter(
        ({ consultationId, notifiedUpTo }) =>
          (this.#thread(consultationId).at(-1)?.sequence ?? 0) > notifiedUpTo,
      )
      .slice(0, limit)
      .map(({ consultationId }) => consultationId);
  }

  async notifiedUpTo(consultationId: ConsultationId): Promise<number> {
    this.#beginRead();
    return this.#consultations.get(consultationId)?.notifiedUpTo ?? 0;
  }

  async markNotified(consultationId: ConsultationId, upTo: number): Promise<void> {
    this.#beginWrite();
    const kept = this.#consultations.get(consultationId);
    if (kept !== undefined)
      this.#consultations.set(consultationId, { ...kept, notifiedUpTo: Math.max(kept.notifiedUpTo, upTo) });
  }

  async listFor(
    personId: PersonId,
    page: { readonly limit: number; readonly createdBefore: number | null },
  ): Promise<readonly ConsultationId[]> {
    this.#beginRead();
    const mine = this.#all()
      .filter(({ participants }) => participants.some((participant) => participant.personId === personId))
      .filter(({ createdAt }) => createdAt < (page.createdBefore ?? Infinity))
      .toSorted(newestFirst);
    // A page ends where a moment does.
    const lastMoment = mine.slice(0, page.limit).at(-1)?.createdAt ?? Infinity;
    return mine
      .filter(({ createdAt }) => createdAt >= lastMoment)
      .map(({ consultationId }) => consultationId);
  }

  async due(now: number, limit: number): Promise<readonly ConsultationId[]> {
    this.#beginRead();
    return this.#all()
      .flatMap(({ consultationId, index: { dueAt } }) => (dueAt === null ? [] : [{ consultationId, dueAt }]))
      .filter(({ dueAt }) => dueAt <= now)
      .toSorted((one, other) => one.dueAt - other.dueAt)
      .slice(0, limit)
      .map(({ consultationId }) => consultationId);
  }

  async inCall(): Promise<readonly ConsultationId[]> {
    this.#beginRead();
    return this.#all()
      .filter(({ index }) => index.inCall)
      .map(({ consultationId }) => consultationId);
  }

  async createAttachment(record: AttachmentRecord): Promise<void> {
    this.#beginWrite();
    if (this.#attachments.has(record.attachmentId)) throw new Error('There is an attachment of this id.');
    if (!this.#consultations.has(record.consultationId)) throw new Error('There is no such consultation.');
    this.#attachments.set(record.attachmentId, structuredClone(record));
  }

  async loadAttachment(attachmentId: AttachmentId): Promise<AttachmentRecord | null> {
    this.#beginRead();
    return structuredClone(this.#attachments.get(attachmentId) ?? null);
  }

  async addPart(attachmentId: AttachmentId, fromBytes: number, toBytes: number): Promise<boolean> {
    return this.#moveOn(attachmentId, (record) =>
      record.receivedBytes === fromBytes
        ? { ...record, receivedBytes: toBytes, parts: record.parts + 1 }
        : null,
    );
  }

  async finishAttachment(
    attachmentId: AttachmentId,
    status: Exclude<AttachmentRecordStatus, 'receiving'>,
    sealed: Uint8Array,
  ): Promise<boolean> {
    return this.#moveOn(attachmentId, (record) => ({ ...record, status, sealed: sealed.slice() }));
  }

  async staleAttachments(createdBefore: number, limit: number): Promise<readonly AttachmentRecord[]> {
    this.#beginRead();
    const stale = [...this.#attachments.values()]
      .filter(({ status, createdAt }) => status === 'receiving' && createdAt < createdBefore)
      .toSorted((one, other) => one.createdAt - other.createdAt);
    return structuredClone(stale.slice(0, limit));
  }

  async removeAttachment(attachmentId: AttachmentId, receivedBytes: number): Promise<boolean> {
    this.#beginWrite();
    const record = this.#attachments.get(attachmentId);
    if (record?.status !== 'receiving' || record.receivedBytes !== receivedBytes) return false;
    return this.#attachments.delete(attachmentId);
  }

  async openUploads(uploadedBy: PersonId): Promise<{ count: number; byteSize: number }> {
    const open = [...this.#attachments.values()].filter(
      (record) => record.uploadedBy === uploadedBy && record.status === 'receiving',
    );
    return { count: open.length, byteSize: open.reduce((sum, record) => sum + record.byteSize, 0) };
  }

  #moveOn(attachmentId: AttachmentId, next: (record: AttachmentRecord) => AttachmentRecord | null): boolean {
    this.#beginWrite();
    const record = this.#attachments.get(attachmentId);
    const moved = record?.status === 'receiving' ? next(record) : null;
    if (moved === null) return false;
    this.#attachments.set(attachmentId, moved);
    return true;
  }

  #all(): readonly Kept[] {
    return [...this.#consultations.values()];
  }

  #thread(consultationId: ConsultationId): readonly ReadEntry[] {
    return this.#entries.get(consultationId) ?? [];
  }

  #openChannel(personId: PersonId): ConsultationId | null {
    const open = this.#all().find(
      ({ channelOf, index }) => channelOf === personId && index.phase !== 'ended',
    );
    return open?.consultationId ?? null;
  }

  #beginRead(): void {
    if (this.#closed) throw new AppError('STORAGE_UNAVAILABLE');
  }

  #beginWrite(): void {
    this.#beginRead();
    const failure = this.#next;
    this.#next = null;
    if (failure !== null) throw new AppError(failures[failure]);
  }
}

const asRead = (entry: StoredEntry): ReadEntry => ({
  ...structuredClone(entry),
  withdrawn: null,
  withdrawnBy: null,
});

function participantsAfter(before: Kept['participants'], { joined = [], left = [] }: Commit) {
  const gone = new Set([...left, ...joined.map(({ personId }) => personId)]);
  return [...before.filter(({ personId }) => !gone.has(personId)), ...structuredClone(joined)];
}

type MessageName = Pick<StoredEntry, 'by' | 'clientMessageId'>;

const isSameMessage = (one: MessageName, other: MessageName): boolean =>
  one.by === other.by && one.clientMessageId === other.clientMessageId;

const newestFirst = (one: Kept, other: Kept): number =>
  other.createdAt - one.createdAt || (one.consultationId < other.consultationId ? -1 : 1);
