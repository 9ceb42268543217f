import type { Sfu } from '@teleconsult/media';
import {
  AppError,
  type Attachment,
  type AttachmentId,
  type CallId,
  type CallView,
  type ClientMessageId,
  type ConsultationId,
  type ConsultationView,
  type Entry,
  type MessageDraft,
  type MessageEntry,
  type Participant,
  type PersonId,
  type QualityReport,
  type RecordingId,
  type RequestResult,
  type SubjectDraft,
  type Unread,
} from '@teleconsult/protocol';
import type { ParticipantCommand } from '../consultation/commands.ts';
import { openHealthChannel, requestConsultation } from '../consultation/lifecycle.ts';
import type { Timings } from '../consultation/state.ts';
import { viewCall, viewConsultation } from '../consultation/view.ts';
import type { TurnCredentials } from '../turn/turn-credentials.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { Committed } from './actor.ts';
import { Announcer } from './announcer.ts';
import type { Stepped, Submission } from './batch.ts';
import { BusyRegister } from './busy.ts';
import { CallDesk } from './call-desk.ts';
import { canonical, type EntryCodec } from './entry-codec.ts';
import { FollowUpDesk } from './follow-up-desk.ts';
import { type Held, HeldConsultations } from './held-consultations.ts';
import { MediaRooms } from './media-rooms.ts';
import { Openings } from './openings.ts';
import { PhoneCalls } from './phone-calls.ts';
import type { PhoneLegs } from './phone-legs.ts';
import type { Clock, ConsultationKeys, ConsultationStore, IdGenerator, Log, Publisher } from './ports.ts';
import { type PageRange, ThreadDesk } from './thread-desk.ts';
import type { SearchWish } from './thread-search.ts';
import { MessageSender } from './thread-sending.ts';
import { Timekeeper } from './timekeeper.ts';

/** Calls that are taken up at the same time after a start. */
const RESUMED_ABREAST = 64;

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
  /** Who rings telephones for calls; null: nobody. */
  readonly phones?: PhoneLegs | null | undefined;
  /** A track of a call began, was muted or ended, or its room is gone. */
  readonly onTracks?: (callId: CallId) => void;
  /** @throws AppError NOT_CONFIGURED, OVERLOADED when no recording can begin now */
  readonly checkRecorder?: () => void;
  /** Facts of a finished attachment, if this person may send it in this consultation. */
  readonly attachmentContent: (
    consultationId: ConsultationId,
    by: PersonId,
    attachmentId: AttachmentId,
  ) => Promise<Attachment>;
}

/** What a consultation is asked for with. */
export interface NewConsultationRequest {
  readonly participants: readonly Participant[];
  /** The doctor who asks a colleague for a thread; left out or null: a visit. */
  readonly requestedBy?: PersonId | null | undefined;
  /** For whom the patient consults; the authorisation counts from now, by the server's clock. */
  readonly subject?: SubjectDraft | null | undefined;
}

/**
 * The only stateful place: consultations behind their queues, their calls, and time. Methods that name a person
 * check that the person takes part; a consultation of others looks like none.
 */
export class ConsultationHost {
  readonly calls: CallDesk;
  readonly followUps: FollowUpDesk;
  readonly phones: PhoneCalls;
  readonly media: MediaRooms;
  readonly #parts: HostParts;
  readonly #held: HeldConsultations;
  readonly #time: Timekeeper;
  readonly #desk: ThreadDesk;
  readonly #openings: Openings;
  readonly #sender: MessageSender;
  /** Consultations whose calls have not been told yet that the server was started again. */
  readonly #interrupted = new Set<ConsultationId>();

  constructor(parts: HostParts) {
    this.#parts = parts;
    const busy = new BusyRegister();
    const submit = (id: ConsultationId, event: Submission) => this.submit(id, event);
    this.media = new MediaRooms({
      ...parts,
      onPath: ({ personId, deviceId }, path) => {
        const type = path === 'lost' ? 'device.lost' : 'device.returned';
        this.calls.path({ type, personId, deviceId }).catch((error: unknown) => {
          parts.log.error('presence.failed', { error });
        });
      },
    });
    const announcer = new Announcer({ ...parts, busy, media: this.media });
    this.#held = new HeldConsultations({
      ...parts,
      onChange: (change) => {
        announcer.announce(change);
        this.#desk.handleChange(change);
        this.#observe(change);
      },
      onLoaded: ({ actor: { state } }) => {
        const people = state.participants.map(({ personId }) => personId);
        if (state.call !== null)
          busy.follow(people, { consultationId: state.id, callId: state.call.callId }, state.call);
      },
    });
    this.#openings = new Openings(parts);
    this.#desk = new ThreadDesk({ ...parts, held: this.#held });
    this.#sender = new MessageSender({ ...parts, held: this.#held, submit });
    this.calls = new CallDesk({ ...parts, held: this.#held, submit, busy, media: this.media });
    this.followUps = new FollowUpDesk({ ...parts, held: this.#held, submit });
    this.phones = new PhoneCalls({ ...parts, held: this.#held, submit, busy });
    this.#time = new Timekeeper({
      ...parts,
      pass: async (id) => void (await this.submit(id, { type: 'tick' })),
      onTick: async () => {
        await this.#resumeCalls();
        await this.calls.catchUp();
        this.#held.evict((id) => parts.publisher.isWatched(id));
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
    this.#desk.close();
    await this.#held.settled();
  }

  /**
   * Makes a consultation; the same key with the same request answers the one it made before.
   * @throws AppError CONFLICT when the key was used with another request, INVALID when a person is named twice
   */
  async create(
    request: NewConsultationRequest,
    idempotencyKey: string | null,
  ): Promise<{ view: ConsultationView; created: boolean }> {
    const { publisher } = this.#parts;
    const { participants, requestedBy = null, subject = null } = request;
    if (new Set(participants.map(({ personId }) => personId)).size < participants.length)
      throw new AppError('INVALID', { detail: 'a person takes part once' });
    const asked = { participants, requestedBy, subject };
    const opened = await this.#openings.open({
      begin: (id, now) => {
        const authorised = subject === null ? null : { ...subject, authorisedAt: now };
        return requestConsultation(id, { participants, requestedBy, subject: authorised }, now);
      },
      ...(idempotencyKey !== null && { once: { idempotencyKey, asked } }),
    });
    if (opened.kind === 'exists') {
      const held = await this.#held.hold(opened.consultationId);
      if (!isSameRequest(held, asked)) throw new AppError('CONFLICT');
      return { view: viewConsultation(held.actor.state), created: false };
    }
    const view = viewConsultation(opened.change.after);
    for (const { personId } of participants) publisher.toPerson(personId, 'consultation.changed', view);
    this.#observe(opened.change);
    return { view, created: true };
  }

  /** The health channel of this doctor that has not ended, made when there is none. It is in nobody's list. */
  async openHealthChannel(doctor: Participant): Promise<ConsultationView> {
    const { personId: channelOf } = doctor;
    // Looked up first: a key is made for each that may become one.
    const known = await this.#parts.store.openChannelOf(channelOf);
    if (known !== null) return this.view(known, channelOf);
    const begin = (id: ConsultationId, now: number) => openHealthChannel(id, doctor, now);
    const opened = await this.#openings.open({ begin, channelOf });
    if (opened.kind === 'exists') return this.view(opened.consultationId, channelOf);
    this.#observe(opened.change);
    return viewConsultation(opened.change.after);
  }

  /**
   * Takes a consultation out of memory before and after it is erased (`vault/shred.ts`).
   * @throws AppError WRONG_STATE while a call runs in it
   */
  letGo(id: ConsultationId): Promise<void> {
    return this.#held.letGo(id);
  }

  /** Draws a person in, on behalf of the host application or of an invitation. Again changes nothing. */
  async addParticipant(id: ConsultationId, participant: Participant): Promise<ConsultationView> {
    return viewConsultation((await this.submit(id, { type: 'participant.add', participant })).state);
  }

  /** Takes a person out, on behalf of the host application. */
  async removeParticipant(id: ConsultationId, personId: PersonId): Promise<ConsultationView> {
    return viewConsultation((await this.submit(id, { type: 'host.removeParticipant', personId })).state);
  }

  /** `by` null reads as the host application, which sees everything. */
  async view(id: ConsultationId, by: PersonId | null): Promise<ConsultationView> {
    return viewConsultation((await this.#held.visible(id, by)).actor.state);
  }

  /** The call that runs in the consultation; null: none. `by` null reads as the host application. */
  async callOf(id: ConsultationId, by: PersonId | null): Promise<CallView | null> {
    const { state } = (await this.#held.visible(id, by)).actor;
    return state.call === null ? null : viewCall(state, state.call);
  }

  /** The recording of the call that runs now; null: none is asked for or runs. */
  async recordingOf(id: ConsultationId): Promise<RecordingId | null> {
    return (await this.#held.hold(id)).actor.state.call?.recording?.recordingId ?? null;
  }

  snapshot(
    id: ConsultationId,
    by: PersonId,
    range: PageRange,
  ): Promise<Omit<RequestResult<'consultation.watch'>, 'queue' | 'online'>> {
    return this.#desk.snapshot(id, by, range);
  }

  /** `by` null reads as the host application. */
  thread(id: ConsultationId, by: PersonId | null, range: PageRange): Promise<RequestResult<'thread.page'>> {
    return this.#desk.thread(id, by, range);
  }

  /** `only` is the one consultation a token is good for; null: all. */
  list(
    personId: PersonId,
    page: { limit: number; createdBefore?: number | undefined },
    only: ConsultationId | null,
  ): Promise<Omit<RequestResult<'consultation.list'>, 'queue'>> {
    return this.#desk.list(personId, page, only);
  }

  /** Raises how far a person has received and read; what was read was received. Answers when it is on disk. */
  mark(
    id: ConsultationId,
    mark: { by: PersonId; delivered?: number | undefined; read?: number | undefined },
  ): Promise<Unread> {
    return this.#desk.mark(id, mark);
  }

  /** Messages that hold a text, newest first. */
  search(id: ConsultationId, personId: PersonId, wish: SearchWish): Promise<RequestResult<'thread.search'>> {
    return this.#desk.search(id, personId, wish);
  }

  /** Steps an event and answers once it is on disk. */
  async submit(id: ConsultationId, event: Submission): Promise<Committed> {
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
    message: {
      by: PersonId;
      clientMessageId: ClientMessageId;
      draft: MessageDraft;
      replyTo?: number | undefined;
    },
  ): Promise<MessageEntry> {
    return this.#sender.send(id, message);
  }

  /**
   * The sender takes a message back; answers where the thread says so, also when that was before.
   * @throws AppError NOT_FOUND, FORBIDDEN (another's message), EXPIRED (too late), WRONG_STATE (after the end)
   */
  async recall(
    id: ConsultationId,
    { by, sequence }: { by: PersonId; sequence: number },
  ): Promise<{ sequence: number; at: number }> {
    const entry = await this.#withdrawing(id, { type: 'message.recall', by, sequence });
    return { sequence: entry.sequence, at: entry.at };
  }

  /** The host application takes a message out (moderation), also after the end; answers the entry that says so. */
  async removeMessage(id: ConsultationId, sequence: number, reason?: string): Promise<Entry> {
    return this.#withdrawing(id, { type: 'message.remove', sequence, reason });
  }

  /** The key and codec of a consultation this person takes part in, for what is sealed beside the thread. */
  async sealing(
    id: ConsultationId,
    by: PersonId | null,
  ): Promise<{ key: ConsultationKey; codec: EntryCodec }> {
    const { key, codec } = await this.#held.visible(id, by);
    return { key, codec };
  }

  /** Side by side, so that thousands share the syncs of the disk and nobody's grace is over before they may connect. */
  async #resumeCalls(): Promise<void> {
    const waiting = this.#interrupted.values();
    const resumeNext = async (): Promise<void> => {
      for (const id of waiting) await this.#resumeCall(id);
    };
    await Promise.all(Array.from({ length: RESUMED_ABREAST }, resumeNext));
  }

  /** A consultation that cannot be opened or written now keeps neither the others nor the server from going on. */
  async #resumeCall(id: ConsultationId): Promise<void> {
    try {
      await this.submit(id, { type: 'restarted' });
      this.#interrupted.delete(id);
      await this.calls.takenUp(id);
    } catch (error) {
      this.#parts.log.error('call.notResumed', { consultation: id, error });
      if (!(error instanceof AppError && error.retryable)) this.#interrupted.delete(id);
    }
  }

  /** What is on disk and announced stays so, whatever becomes of those who look on. */
  #observe(change: Stepped): void {
    for (const observe of this.#parts.observers)
      try {
        observe(change);
      } catch (error) {
        this.#parts.log.error('observer.failed', { consultation: change.after.id, error });
      }
  }

  async #withdrawing(id: ConsultationId, wish: Submission): Promise<Entry> {
    const { entries } = await this.submit(id, wish);
    const [entry] = entries;
    if (entry === undefined) throw new AppError('INTERNAL');
    return entry;
  }
}

/** One that an older version made kept no request: it had a patient and a doctor, who stay as long as it does. */
function isSameRequest({ codec, sealedRequest, actor }: Held, asked: object): boolean {
  if (sealedRequest !== null) return codec.isRequest(sealedRequest, asked);
  const participants = actor.state.participants.filter(({ role }) => role === 'patient' || role === 'doctor');
  return canonical({ participants, requestedBy: null, subject: null }) === canonical(asked);
}
