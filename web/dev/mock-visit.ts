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
  Entry,
  MessageContent,
  ParticipantRole,
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
}

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

  constructor(options: MockVisitOptions, older = 0) {
    this.#options = options;
    this.view = options.view;
    this.older = older;
  }

  get id() {
    return this.view.consultationId;
  }

  get entries(): readonly Entry[] {
    return this.#options.thread.entries.slice(this.older);
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
  decline = async () => this.#end('declined');
  cancel = async () => this.#end('cancelled');
  end = async () => this.#end('completed');

  async send(draft: OutgoingDraft): Promise<{ sequence: number; messageId: string }> {
    const clientMessageId = ids.clientMessageId();
    this.queue({
      clientMessageId,
      state: 'sending',
      draft,
      progress: 0,
      attempts: 1,
      error: null,
      queuedAt: Date.now(),
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    this.#setOutbox(this.outbox.filter((message) => message.clientMessageId !== clientMessageId));
    return this.receive(await this.#content(draft), this.#self);
  }

  /** Puts a message into the outbox in a given state, to look at it. */
  queue(message: OutgoingMessage): void {
    this.#setOutbox([...this.outbox, message]);
  }

  fail(draft: OutgoingDraft, code: ErrorCode): void {
    this.queue({
      clientMessageId: ids.clientMessageId(),
      state: 'failed',
      draft,
      progress: 0,
      attempts: 3,
      error: new AppError(code, { requestId: 'req_7Kq2mZ' }),
      queuedAt: Date.now(),
    });
  }

  receive(content: MessageContent, by = this.other): { sequence: number; messageId: string } {
    const entry = this.#options.thread.say(content, by, 1000);
    this.#add(entry);
    return { sequence: entry.sequence, messageId: 'messageId' in entry ? entry.messageId : '' };
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

  ring(media: CallMedia, role: Call['role']): MockCall {
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
        this.#events.emit('call', null);
      },
    });
    this.call = call;
    this.#events.emit('call', call);
    return call;
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

  #end(reason: 'completed' | 'declined' | 'cancelled'): ConsultationView {
    this.view = { ...this.view, endReason: reason };
    this.#add(this.#options.thread.add({ kind: 'consultation.ended', reason }, this.#self, 1000));
    return this.#phase('ended');
  }
}
