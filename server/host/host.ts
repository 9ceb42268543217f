import type { Sfu } from '@teleconsult/media';
import {
  AppError,
  type AttachmentId,
  type ClientMessageId,
  type ConsultationId,
  type ConsultationView,
  type Entry,
  type MessageContent,
  type MessageDraft,
  type Participant,
  type PersonId,
  type QualityReport,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ConsultationEvent, ParticipantCommand } from '../consultation/commands.ts';
import { requestConsultation } from '../consultation/lifecycle.ts';
import type { Timings } from '../consultation/state.ts';
import { viewCall, viewConsultation } from '../consultation/view.ts';
import type { TurnCredentials } from '../turn/turn-credentials.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { type Committed, indexOf } from './actor.ts';
import { Announcer } from './announcer.ts';
import type { Stepped } from './batch.ts';
import { BusyRegister } from './busy.ts';
import { CallDesk } from './call-desk.ts';
import { EntryCodec } from './entry-codec.ts';
import { type Held, HeldConsultations } from './held-consultations.ts';
import { MediaRooms } from './media-rooms.ts';
import type { Clock, ConsultationKeys, ConsultationStore, IdGenerator, Log, Publisher } from './ports.ts';
import { Timekeeper } from './timekeeper.ts';

export interface HostParts {
  readonly store: ConsultationStore;
  readonly keys: ConsultationKeys;
  readonly publisher: Publisher;
  readonly sfu: Sfu;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly log: Log;
  readonly callWaiting: boolean;
  readonly turn: TurnCredentials;
  /** Whether others may see what this person has read. */
  readonly showsRead: (personId: PersonId) => Promise<boolean>;
  /** Told of each change after it is on disk and announced, in order. */
  readonly observers: readonly ((change: Stepped) => void)[];
  /** What devices measure, without anybody's name. */
  readonly onQuality: (report: QualityReport) => void;
  /** Facts of a finished attachment, if this person may send it in this consultation. */
  readonly attachmentContent: (
    consultationId: ConsultationId,
    by: PersonId,
    attachmentId: AttachmentId,
  ) => Promise<Extract<MessageContent, { attachment: unknown }>['attachment']>;
}

interface PageRange {
  readonly afterSequence?: number | undefined;
  readonly beforeSequence?: number | undefined;
  readonly limit: number;
}

/**
 * The only stateful place: consultations behind their queues, their calls, and time. Methods that name a person
 * check that the person takes part; a consultation of others looks like none.
 */
export class ConsultationHost {
  readonly calls: CallDesk;
  readonly media: MediaRooms;
  readonly #parts: HostParts;
  readonly #held: HeldConsultations;
  readonly #time: Timekeeper;
  /** Consultations whose calls have not been told yet that the server was started again. */
  readonly #interrupted = new Set<ConsultationId>();

  constructor(parts: HostParts) {
    this.#parts = parts;
    const busy = new BusyRegister();
    const submit = (id: ConsultationId, event: ConsultationEvent) => this.submit(id, event);
    this.media = new MediaRooms({
      ...parts,
      onPath: ({ personId, deviceId }, path) => {
        const type = path === 'lost' ? 'device.lost' : 'device.returned';
        this.calls.presence({ type, personId, deviceId }, null).catch((error: unknown) => {
          parts.log.error('presence.failed', { error });
        });
      },
    });
    const announcer = new Announcer({ ...parts, busy, media: this.media });
    this.#held = new HeldConsultations({
      ...parts,
      onChange: (change) => {
        announcer.announce(change);
        for (const observe of parts.observers) observe(change);
      },
      onLoaded: ({ actor: { state } }) => {
        const people = state.participants.map(({ personId }) => personId);
        if (state.call !== null)
          busy.reserve(people, { consultationId: state.id, callId: state.call.callId });
      },
    });
    this.calls = new CallDesk({ ...parts, held: this.#held, submit, busy, media: this.media });
    this.#time = new Timekeeper({
      ...parts,
      pass: async (id) => void (await this.submit(id, { type: 'tick' })),
      onTick: async () => {
        await this.#resumeCalls();
        await this.#held.evict((id) => parts.publisher.isWatched(id));
      },
    });
  }

  /** Takes up the calls that ran when the server last stopped, then lets time pass. */
  async start(): Promise<void> {
    for (const id of await this.#parts.store.inCall()) this.#interrupted.add(id);
    await this.#resumeCalls();
    this.#time.start();
  }

  /** Lets no more time pass and waits for what is being written. */
  async close(): Promise<void> {
    await this.#time.close();
    await this.#held.settled();
  }

  async create(
    participants: readonly Participant[],
    idempotencyKey: string | null,
  ): Promise<{ view: ConsultationView; created: boolean }> {
    const { store, keys, ids, clock, timings, log, publisher } = this.#parts;
    const id = ids.consultationId();
    const now = clock();
    const { wrapped, key } = await keys.createConsultationKey(id);
    const codec = new EntryCodec(id, key);
    const { state, facts } = requestConsultation(id, participants, now);
    const result = await store.create({
      consultationId: id,
      createdAt: now,
      wrappedKey: wrapped,
      sealedState: codec.sealState(state),
      index: indexOf(state, timings),
      participants: participants.map(({ personId, role }) => ({ personId, role })),
      idempotencyKey,
      entries: facts.map((fact, index) => codec.seal(fact, index + 1, now).stored),
    });
    if (result.kind === 'exists') {
      const { actor } = await this.#held.hold(result.consultationId);
      if (JSON.stringify(actor.state.participants) !== JSON.stringify(participants))
        throw new AppError('CONFLICT');
      return { view: viewConsultation(actor.state), created: false };
    }
    log.info('consultation.created', { consultation: id });
    const view = viewConsultation(state);
    for (const { personId } of participants) publisher.toPerson(personId, 'consultation.changed', view);
    return { view, created: true };
  }

  /** `by` null reads as the host application, which sees everything. */
  async view(id: ConsultationId, by: PersonId | null): Promise<ConsultationView> {
    return viewConsultation((await this.#held.visible(id, by)).actor.state);
  }

  async snapshot(
    id: ConsultationId,
    by: PersonId,
    range: PageRange,
  ): Promise<RequestResult<'consultation.watch'>> {
    const held = await this.#held.visible(id, by);
    const { state } = held.actor;
    const { entries, hasMore } = await this.#page(held, range);
    return {
      consultation: viewConsultation(state),
      call: state.call === null ? null : viewCall(state, state.call),
      entries,
      hasMore: range.afterSequence !== undefined && hasMore,
    };
  }

  async thread(
    id: ConsultationId,
    by: PersonId | null,
    range: PageRange,
  ): Promise<RequestResult<'thread.page'>> {
    return this.#page(await this.#held.visible(id, by), range);
  }

  /** One that cannot be read does not hide the others. */
  async list(
    personId: PersonId,
    page: { limit: number; createdBefore?: number | undefined },
  ): Promise<RequestResult<'consultation.list'>> {
    const { store, log } = this.#parts;
    const ids = await store.listFor(personId, {
      limit: page.limit,
      createdBefore: page.createdBefore ?? null,
    });
    const consultations: ConsultationView[] = [];
    for (const id of ids) {
      try {
        consultations.push(await this.view(id, personId));
      } catch (error) {
        log.error('consultation.unreadable', { consultation: id, error });
      }
    }
    const oldest = consultations.at(-1)?.createdAt;
    const older =
      oldest === undefined ? [] : await store.listFor(personId, { limit: 1, createdBefore: oldest });
    return { consultations, hasMore: older.length > 0 };
  }

  /** Steps an event and answers once it is on disk. */
  async submit(id: ConsultationId, event: ConsultationEvent): Promise<Committed> {
    const by = 'by' in event ? event.by : null;
    const { actor } = await this.#held.visible(id, by);
    try {
      return await actor.submit(event);
    } finally {
      if (actor.stale) await this.#held.forgetStale(id);
    }
  }

  async command(id: ConsultationId, command: ParticipantCommand): Promise<ConsultationView> {
    return viewConsultation((await this.submit(id, command)).state);
  }

  async send(
    id: ConsultationId,
    message: { by: PersonId; clientMessageId: ClientMessageId; draft: MessageDraft },
  ): Promise<Extract<Entry, { kind: 'message.sent' }>> {
    const { by, clientMessageId, draft } = message;
    // Who may not send here learns nothing of attachments: the consultation is looked at first.
    await this.#held.visible(id, by);
    const content = await this.#contentOf(id, by, draft);
    const messageId = this.#parts.ids.messageId();
    const { entries } = await this.submit(id, { type: 'send', by, messageId, clientMessageId, content });
    const [entry] = entries;
    if (entry?.kind !== 'message.sent') throw new AppError('INTERNAL');
    return entry;
  }

  /** The key and codec of a consultation this person takes part in, for what is sealed beside the thread. */
  async sealing(
    id: ConsultationId,
    by: PersonId | null,
  ): Promise<{ key: ConsultationKey; codec: EntryCodec }> {
    const { key, codec } = await this.#held.visible(id, by);
    return { key, codec };
  }

  /** A consultation that cannot be opened or written now keeps neither the others nor the server from going on. */
  async #resumeCalls(): Promise<void> {
    for (const id of this.#interrupted) {
      try {
        await this.submit(id, { type: 'restarted' });
        this.#interrupted.delete(id);
      } catch (error) {
        this.#parts.log.error('call.notResumed', { consultation: id, error });
        if (!(error instanceof AppError && error.retryable)) this.#interrupted.delete(id);
      }
    }
  }

  async #contentOf(id: ConsultationId, by: PersonId, draft: MessageDraft): Promise<MessageContent> {
    if (draft.type === 'text') return draft;
    const attachment = await this.#parts.attachmentContent(id, by, draft.attachmentId);
    if (attachment.kind !== draft.type)
      throw new AppError('INVALID', { detail: `the attachment is of kind ${attachment.kind}` });
    const caption = draft.type === 'voice' || draft.caption === undefined ? {} : { caption: draft.caption };
    return { type: draft.type, attachment, ...caption };
  }

  async #page(held: Held, range: PageRange): Promise<RequestResult<'thread.page'>> {
    const { store } = this.#parts;
    const { state } = held.actor;
    const limit = range.limit + 1;
    const ascending = range.afterSequence !== undefined;
    const stored = ascending
      ? await store.page(state.id, { after: range.afterSequence ?? 0, limit })
      : await store.page(state.id, { before: range.beforeSequence ?? Number.MAX_SAFE_INTEGER, limit });
    const hasMore = stored.length > range.limit;
    const kept = ascending ? stored.slice(0, range.limit) : stored.slice(-range.limit);
    const lastSequence = Math.max(state.sequence, kept.at(-1)?.sequence ?? 0);
    return { entries: kept.map((entry) => held.codec.open(entry)), hasMore, lastSequence };
  }
}
