import type {
  Call,
  Consultation,
  ConsultationEvents,
  OutgoingDraft,
  OutgoingMessage,
} from '@teleconsult/client-sdk/api';
import type {
  CallMedia,
  ConsultationView,
  DeclineReason,
  Entry,
  GuestRole,
  MessageContent,
  Participant,
  ParticipantRole,
  PersonId,
  QueuePlace,
  SubjectDraft,
  ThreadMarks,
  TypingActivity,
  Unread,
} from '@teleconsult/protocol';
import { AppError, type ErrorCode } from '@teleconsult/protocol/errors';
import { MockCall } from './mock-call.ts';
import { MockEvents } from './mock-events.ts';
import * as ids from './mock-ids.ts';
import type { MockAttachments, MockThread } from './mock-thread.ts';

interface MockVisitOptions {
  readonly view: ConsultationView;
  readonly thread: MockThread;
  readonly attachments: MockAttachments;
  readonly role: ParticipantRole;
  readonly onView: (view: ConsultationView) => void;
  readonly onUnread?: (unread: Unread) => void;
  /** The call that this device takes part in began, or is over. */
  readonly onActive?: (call: Call | null) => void;
  /** What `transcribe` answers. */
  readonly transcript?: string;
}

/** An invitation that lasts a day. */
export const MOCK_INVITATION = () => ({
  invitationId: 'inv_0000000000000000000001',
  code: 'Mock0Invitation0Code0000000000AB',
  expiresAt: Date.now() + 24 * 3_600_000,
});

/** A consultation in memory. What is sent arrives after a moment. */
export class MockVisit implements Consultation {
  readonly #options: MockVisitOptions;
  readonly #events = new MockEvents<ConsultationEvents>();
  readonly on = this.#events.on;
  /** How many entries at the beginning are held back, to be loaded as older ones. */
  older: number;
  view: ConsultationView;
  outbox: readonly OutgoingMessage[] = [];
  call: MockCall | null = null;
  marks: readonly ThreadMarks[] = [];
  queue: QueuePlace | null = null;
  typing: ConsultationEvents['typing'] = [];
  online: readonly PersonId[] = [];
  draft = '';
  #read: number;
  #active: MockCall | null = null;

  constructor(options: MockVisitOptions, older = 0) {
    this.#options = options;
    this.view = options.view;
    this.older = older;
    this.#read = options.view.lastSequence;
  }

  get id() {
    return this.view.consultationId;
  }

  get entries(): readonly Entry[] {
    return this.#options.thread.entries.slice(this.older);
  }

  get unread(): Unread {
    const unread = this.#options.thread.entries.filter(
      ({ kind, by, sequence }) => kind === 'message.sent' && by !== this.#self && sequence > this.#read,
    ).length;
    return { consultationId: this.id, unread, read: this.#read };
  }

  /** As if everything after this were not read. */
  unreadAfter(sequence: number): void {
    this.#read = sequence;
  }

  markRead(upTo: number): void {
    if (upTo <= this.#read) return;
    this.#read = upTo;
    this.#events.emit('unread', this.unread);
    this.#options.onUnread?.(this.unread);
  }

  setTyping(_activity: TypingActivity): void {}

  setDraft(text: string): void {
    this.draft = text;
  }

  /** Somebody types or records. */
  types(typing: ConsultationEvents['typing']): void {
    this.typing = typing;
    this.#events.emit('typing', typing);
  }

  become(change: { marks?: readonly ThreadMarks[]; queue?: QueuePlace; online?: readonly PersonId[] }): void {
    if (change.marks !== undefined) {
      this.marks = change.marks;
      this.#events.emit('marks', this.marks);
    }
    if (change.queue !== undefined) {
      this.queue = change.queue;
      this.#events.emit('queue', this.queue);
    }
    if (change.online !== undefined) {
      this.online = change.online;
      this.#events.emit('online', this.online);
    }
  }

  async page(
    range: { after: number } | { before: number },
    { limit = 50 }: { limit?: number } = {},
  ): Promise<{ entries: readonly Entry[]; hasMore: boolean }> {
    await new Promise((resolve) => setTimeout(resolve, 40));
    const { entries } = this.#options.thread;
    if ('after' in range) {
      const found = entries.slice(range.after, range.after + limit);
      return { entries: found, hasMore: range.after + limit < entries.length };
    }
    const from = Math.max(0, range.before - 1 - limit);
    return { entries: entries.slice(from, Math.max(0, range.before - 1)), hasMore: from > 0 };
  }

  async search(query: string): Promise<{ matches: readonly Entry[]; nextBefore: number | null }> {
    const wanted = query.toLowerCase();
    const matches = this.#options.thread.entries.filter(
      (entry) =>
        entry.kind === 'message.sent' && JSON.stringify(entry.content).toLowerCase().includes(wanted),
    );
    return { matches: matches.reverse().slice(0, 20), nextBefore: matches.length > 20 ? 1 : null };
  }

  async recall(sequence: number): Promise<void> {
    const withdrawn = this.#options.thread.withdraw(sequence, 'recalled');
    this.#events.emit('updated', [withdrawn]);
    const messageId = 'messageId' in withdrawn ? withdrawn.messageId : ids.messageId();
    this.#add(
      this.#options.thread.add({ kind: 'message.recalled', target: sequence, messageId }, this.#self, 1000),
    );
  }

  async transcribe(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return this.#options.transcript ?? '';
  }

  async setSubject(subject: SubjectDraft | null): Promise<ConsultationView> {
    const declared = subject === null ? null : { ...subject, authorisedAt: Date.now() };
    this.view = { ...this.view, subject: declared };
    this.#add(
      this.#options.thread.add({ kind: 'consultation.subjectSet', subject: declared }, this.#self, 1000),
    );
    return this.#phase(this.view.phase);
  }

  async invite(_role: GuestRole): Promise<{ invitationId: string; code: string; expiresAt: number }> {
    return MOCK_INVITATION();
  }

  async leave(): Promise<void> {
    await this.removeParticipant(this.#self);
  }

  async removeParticipant(personId: string): Promise<ConsultationView> {
    const participants = this.view.participants.filter((person) => person.personId !== personId);
    this.view = { ...this.view, participants };
    return this.#phase(this.view.phase);
  }

  join(person: Participant): void {
    this.view = { ...this.view, participants: [...this.view.participants, person] };
    this.#add(this.#options.thread.add({ kind: 'participant.joined', ...person }, person.personId, 1000));
    this.#phase(this.view.phase);
  }

  get hasOlder(): boolean {
    return this.older > 0;
  }

  async loadOlder(): Promise<readonly Entry[]> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const from = Math.max(0, this.older - 30);
    const loaded = this.#options.thread.entries.slice(from, this.older);
    this.older = from;
    return loaded;
  }

  enter = async () => this.#phase('waiting');
  accept = async () => {
    this.#add(this.#options.thread.add({ kind: 'consultation.accepted' }, this.#self, 1000));
    return this.#phase('active');
  };
  decline = async ({ reason }: { reason?: DeclineReason } = {}) => this.#end('declined', reason);
  cancel = async () => this.#end('cancelled');
  end = async () => this.#end('completed');

  async send(
    draft: OutgoingDraft,
    { replyTo }: { replyTo?: number } = {},
  ): Promise<{ sequence: number; messageId: string }> {
    const clientMessageId = ids.clientMessageId();
    this.enqueue({
      clientMessageId,
      state: 'sending',
      draft,
      progress: 0,
      attempts: 1,
      error: null,
      queuedAt: Date.now(),
      replyTo: replyTo ?? null,
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    this.#setOutbox(this.outbox.filter((message) => message.clientMessageId !== clientMessageId));
    return this.receive(await this.#content(draft), this.#self, replyTo);
  }

  /** Puts a message into the outbox in a given state, to look at it. */
  enqueue(message: OutgoingMessage): void {
    this.#setOutbox([...this.outbox, message]);
  }

  fail(draft: OutgoingDraft, code: ErrorCode): void {
    this.enqueue({
      clientMessageId: ids.clientMessageId(),
      state: 'failed',
      draft,
      progress: 0,
      attempts: 3,
      error: new AppError(code, { requestId: 'req_7Kq2mZ' }),
      queuedAt: Date.now(),
      replyTo: null,
    });
  }

  receive(
    content: MessageContent,
    by = this.other,
    replyTo?: number,
  ): { sequence: number; messageId: string } {
    const entry = this.#options.thread.say(content, by, 1000, replyTo);
    this.#add(entry);
    return { sequence: entry.sequence, messageId: 'messageId' in entry ? entry.messageId : '' };
  }

  /** A line of the thread that is no message. */
  tells(fact: Parameters<MockThread['add']>[0], by: PersonId | null): void {
    this.#add(this.#options.thread.add(fact, by, 1000));
  }

  async retry(clientMessageId: string): Promise<{ sequence: number; messageId: string }> {
    const message = this.outbox.find((outgoing) => outgoing.clientMessageId === clientMessageId);
    this.discard(clientMessageId);
    if (message === undefined) throw new AppError('NOT_FOUND');
    return this.send(message.draft);
  }

  discard(clientMessageId: string): void {
    this.#setOutbox(this.outbox.filter((message) => message.clientMessageId !== clientMessageId));
  }

  async fetchAttachment(
    attachment: { attachmentId: string } | string,
    { variant = 'original' }: { variant?: 'original' | 'thumbnail' } = {},
  ): Promise<Blob> {
    const id = typeof attachment === 'string' ? attachment : attachment.attachmentId;
    return this.#options.attachments.get(id, variant);
  }

  async startCall(media: CallMedia): Promise<Call> {
    const call = this.ring(media, 'caller');
    setTimeout(() => call.goLive(), 2500);
    return call;
  }

  /** `isRestored`: as found again by a page that was loaded anew. */
  ring(media: CallMedia, role: Call['role'], isRestored = false): MockCall {
    const call = new MockCall({
      consultation: this.view,
      self: this.#self,
      other: this.other,
      media,
      role,
      onEnd: (ended, reason) => {
        this.#add(
          this.#options.thread.add(
            { kind: 'call.ended', callId: ended.id, reason, durationMs: 0 },
            this.other,
            500,
          ),
        );
        this.call = null;
        this.#tellActive();
        this.#events.emit('call', null);
      },
    });
    this.call = call;
    call.isRestored = isRestored;
    call.on('changed', () => this.#tellActive());
    this.#tellActive();
    this.#events.emit('call', call);
    return call;
  }

  #tellActive(): void {
    const { call } = this;
    const isHere = call?.role === 'caller' || call?.role === 'answered';
    const active = call !== null && isHere && call.outcome === null ? call : null;
    if (active === this.#active) return;
    this.#active = active;
    this.#options.onActive?.(active);
  }

  async close(): Promise<void> {}

  get other() {
    return this.#person((role) => role !== this.#options.role);
  }

  get #self() {
    return this.#person((role) => role === this.#options.role);
  }

  #person(matches: (role: ParticipantRole) => boolean) {
    const person = this.view.participants.find(({ role }) => matches(role));
    if (person === undefined) throw new Error('no such participant');
    return person.personId;
  }

  async #content(draft: OutgoingDraft): Promise<MessageContent> {
    const { attachments } = this.#options;
    if (draft.type === 'text') return draft;
    const caption = 'caption' in draft && draft.caption !== undefined ? { caption: draft.caption } : {};
    if (draft.type === 'image') return { type: 'image', attachment: await attachments.picture(), ...caption };
    if (draft.type === 'voice') return { type: 'voice', attachment: attachments.voice(7) };
    if (draft.type === 'form') {
      const shown = draft.attachments.map(async ({ purpose, data, fileName }) => ({
        purpose,
        attachment:
          fileName === undefined ? await attachments.picture() : attachments.file(fileName, data.size),
      }));
      return { type: 'form', form: { ...draft.form, attachments: await Promise.all(shown) } };
    }
    return { type: 'file', attachment: attachments.file(draft.fileName, draft.data.size), ...caption };
  }

  #add(entry: Entry): void {
    this.#events.emit('entries', [entry]);
  }

  #setOutbox(outbox: readonly OutgoingMessage[]): void {
    this.outbox = outbox;
    this.#events.emit('outbox', outbox);
  }

  #phase(phase: ConsultationView['phase']): ConsultationView {
    this.view = { ...this.view, phase };
    this.#events.emit('changed', this.view);
    this.#options.onView(this.view);
    return this.view;
  }

  #end(reason: 'completed' | 'declined' | 'cancelled', declineReason?: DeclineReason): ConsultationView {
    this.view = { ...this.view, endReason: reason, declineReason: declineReason ?? null };
    const why = declineReason === undefined ? {} : { declineReason };
    this.#add(this.#options.thread.add({ kind: 'consultation.ended', reason, ...why }, this.#self, 1000));
    return this.#phase('ended');
  }
}
