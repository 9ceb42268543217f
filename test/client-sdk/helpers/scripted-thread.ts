import {
  AppError,
  type CallView,
  type ConsultationId,
  type ConsultationView,
  type Entry,
  type MessageDraft,
  type MessageEntry,
  PersonId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import { consultationView, doctor, minted, textEntry } from './samples.ts';
import type { Device, ScriptedServer } from './scripted-server.ts';

/** One consultation on a scripted server: keeps its thread and answers for it as the real one does. */
export class ScriptedThread {
  readonly #server: ScriptedServer;
  readonly entries: Entry[] = [];
  readonly #sent = new Map<string, { content: string; result: RequestResult<'message.send'> }>();
  view: ConsultationView;
  /** The call that a snapshot shows. */
  call: () => CallView | null = () => null;
  /** What else a snapshot holds beside thread and call. */
  state: Pick<RequestResult<'consultation.watch'>, 'queue' | 'marks' | 'unread' | 'online'>;

  constructor(server: ScriptedServer, changes: Partial<ConsultationView> = {}) {
    this.#server = server;
    this.view = consultationView(changes);
    const { consultationId, participants } = this.view;
    this.state = {
      queue: null,
      marks: participants.map(({ personId }) => ({ personId, delivered: 0, read: 0 })),
      unread: { consultationId, unread: 0, read: 0 },
      online: participants.map(({ personId }) => personId),
    };
    server.on('consultation.watch', (asked) => this.snapshot(asked));
    server.on('thread.page', (page) => this.page(page));
    server.on('message.send', (payload, from) => this.receive(payload, from));
  }

  get id(): ConsultationId {
    return this.view.consultationId;
  }

  get lastSequence(): number {
    return this.entries.length;
  }

  get current(): ConsultationView {
    return { ...this.view, lastSequence: this.lastSequence };
  }

  snapshot({
    afterSequence,
    limit = 50,
  }: {
    afterSequence?: number | undefined;
    limit?: number;
  } = {}): RequestResult<'consultation.watch'> {
    const page = this.page({ afterSequence, limit });
    const hasMore = afterSequence !== undefined && page.hasMore;
    return { consultation: this.current, call: this.call(), ...this.state, entries: page.entries, hasMore };
  }

  page({
    afterSequence,
    beforeSequence,
    limit,
  }: {
    afterSequence?: number | undefined;
    beforeSequence?: number | undefined;
    limit: number;
  }): { entries: Entry[]; hasMore: boolean; lastSequence: number } {
    const { lastSequence } = this;
    if (afterSequence !== undefined) {
      const after = this.entries.filter(({ sequence }) => sequence > afterSequence);
      return { entries: after.slice(0, limit), hasMore: after.length > limit, lastSequence };
    }
    const before = this.entries.filter(({ sequence }) => sequence < (beforeSequence ?? Infinity));
    return { entries: before.slice(-limit), hasMore: before.length > limit, lastSequence };
  }

  /** What the real server does with a message: the same id is one message, and other content a conflict. */
  receive(
    { clientMessageId, content }: RequestPayload<'message.send'>,
    { handshake }: Device,
    { silently = false } = {},
  ): RequestResult<'message.send'> {
    const before = this.#sent.get(clientMessageId);
    if (before !== undefined) {
      if (before.content !== JSON.stringify(content)) throw new AppError('CONFLICT');
      return before.result;
    }
    const text = textOf(content);
    const entry = this.#commit({ by: subjectOf(handshake.token), text, clientMessageId });
    if (!silently) this.#server.tell('entry.added', entry);
    const result = { messageId: entry.messageId, sequence: entry.sequence, at: 1 };
    this.#sent.set(clientMessageId, { content: JSON.stringify(content), result });
    return result;
  }

  /** Commits that a message was taken back, and shows its tombstone from now on, as the real server does. */
  withdraw(target: number, how: 'recalled' | 'removed' = 'recalled', { silently = false } = {}): Entry {
    const index = target - 1;
    const message = this.entries[index];
    if (message?.kind !== 'message.sent') throw new AppError('NOT_FOUND');
    this.entries[index] = { ...message, content: { type: 'withdrawn', how } };
    const entry: Entry = {
      kind: how === 'recalled' ? 'message.recalled' : 'message.removed',
      consultationId: this.id,
      sequence: this.lastSequence + 1,
      at: 1,
      by: how === 'recalled' ? message.by : null,
      target,
      messageId: message.messageId,
    };
    this.entries.push(entry);
    if (!silently) this.#server.tell('entry.added', entry);
    return entry;
  }

  /** Commits entries that nobody is told of. */
  addSilently(count: number): void {
    for (let n = 0; n < count; n += 1) this.#commit({});
  }

  /** Commits an entry that is no message, silently. */
  append(entry: Entry): void {
    this.entries.push(entry);
  }

  /** Commits an entry and tells the devices. */
  add(options: { by?: PersonId; text?: string; clientMessageId?: string } = {}): MessageEntry {
    const entry = this.#commit(options);
    this.#server.tell('entry.added', entry);
    return entry;
  }

  #commit(options: { by?: PersonId; text?: string; clientMessageId?: string }): MessageEntry {
    const entry = textEntry(this.lastSequence + 1, {
      consultationId: this.id,
      by: doctor,
      clientMessageId: minted('msg'),
      ...options,
    });
    this.entries.push(entry);
    return entry;
  }
}

/** Scripted threads hold texts only; of anything else they show what was attached. */
function textOf(content: MessageDraft): string {
  if (content.type === 'text') return content.text;
  if (content.type !== 'form') return content.attachmentId;
  return content.form.attachments.map(({ attachmentId }) => attachmentId).join(' ');
}

function subjectOf(token: string): PersonId {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return PersonId.parse(typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : null);
}
