import {
  AppError,
  type AttachmentId,
  type CallId,
  type CallMedia,
  type CallView,
  type ClientMessageId,
  type ConsultationId,
  type ConsultationView,
  type DeviceId,
  type Entry,
  type MessageContent,
  type MessageDraft,
  type Participant,
  type PersonId,
} from '@teleconsult/protocol';
import type { ConsultationEvent, ParticipantCommand } from '../consultation/commands.ts';
import { requestConsultation } from '../consultation/lifecycle.ts';
import type { Timings } from '../consultation/state.ts';
import { viewCall, viewConsultation } from '../consultation/view.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { type Change, type Committed, ConsultationActor, indexOf } from './actor.ts';
import { BusyRegister } from './busy.ts';
import { EntryCodec } from './entry-codec.ts';
import { type Loaded, loadState } from './load.ts';
import type { MediaRooms } from './media-rooms.ts';
import type {
  Clock,
  ConsultationKeys,
  ConsultationStore,
  IdGenerator,
  Log,
  Publisher,
  StoredEntry,
} from './ports.ts';

/** How long an unused consultation stays in memory. */
const IDLE_MS = 5 * 60_000;
/** How often time is looked at. Deadlines are seconds, so half a second is fine enough. */
const TICK_MS = 500;
/** Most consultations whose deadlines one tick handles. */
const DUE_LIMIT = 200;

export interface HostParts {
  readonly store: ConsultationStore;
  readonly keys: ConsultationKeys;
  readonly publisher: Publisher;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly log: Log;
  /** Facts of a finished attachment, if this person may send it in this consultation. */
  readonly attachmentContent: (
    consultationId: ConsultationId,
    by: PersonId,
    attachmentId: AttachmentId,
  ) => Promise<Extract<MessageContent, { attachment: unknown }>['attachment']>;
}

interface Held extends Loaded {
  readonly actor: ConsultationActor;
  usedAt: number;
}

/** A page of the thread. */
export interface ThreadPage {
  readonly entries: Entry[];
  readonly hasMore: boolean;
  readonly lastSequence: number;
}

/**
 * The only stateful place: holds the consultations in use, each behind its serial queue, and lets time pass.
 * Methods that name a person check that the person takes part; a consultation of others looks like none.
 */
export class ConsultationHost {
  readonly #parts: HostParts;
  readonly #busy = new BusyRegister();
  readonly #held = new Map<ConsultationId, Promise<Held>>();
  #media: MediaRooms | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> = Promise.resolve();

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** The media rooms report to the host and the host commands them, so they are joined here. */
  useMedia(media: MediaRooms): void {
    this.#media = media;
  }

  /** Takes up the calls that ran when the server last stopped, then lets time pass. */
  async start(): Promise<void> {
    for (const id of await this.#parts.store.inCall()) {
      const { actor } = await this.#hold(id);
      for (const seat of actor.state.call?.seats ?? [])
        if ('deviceId' in seat)
          await actor.submit({ type: 'device.lost', personId: seat.personId, deviceId: seat.deviceId });
    }
    this.#timer = setInterval(() => {
      this.#ticking = this.#ticking
        .then(() => this.tick())
        .catch((error: unknown) => {
          this.#parts.log.error('tick.failed', { error });
        });
    }, TICK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#ticking;
  }

  /** Handles what is due now and lets go of what nobody uses. */
  async tick(): Promise<void> {
    const now = this.#parts.clock();
    for (const id of await this.#parts.store.due(now, DUE_LIMIT)) {
      try {
        await this.submit(id, { type: 'tick' });
      } catch (error) {
        this.#parts.log.error('tick.failed', { consultation: id, error });
      }
    }
    for (const [id, pending] of this.#held) {
      const held = await pending.catch(() => null);
      if (held === null || !held.actor.idle || held.actor.state.call !== null) continue;
      if (now - held.usedAt > IDLE_MS && !this.#parts.publisher.isWatched(id)) this.#held.delete(id);
    }
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
      const { actor } = await this.#hold(result.consultationId);
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
    return viewConsultation((await this.#visible(id, by)).actor.state);
  }

  async snapshot(
    id: ConsultationId,
    by: PersonId,
    page: { afterSequence?: number | undefined; limit: number },
  ): Promise<{ consultation: ConsultationView; call: CallView | null; entries: Entry[]; hasMore: boolean }> {
    const held = await this.#visible(id, by);
    const { state } = held.actor;
    const { entries, hasMore } = await this.#page(held, page);
    return {
      consultation: viewConsultation(state),
      call: state.call === null ? null : viewCall(state, state.call),
      entries,
      hasMore: page.afterSequence !== undefined && hasMore,
    };
  }

  async thread(
    id: ConsultationId,
    by: PersonId | null,
    page: { afterSequence?: number | undefined; beforeSequence?: number | undefined; limit: number },
  ): Promise<ThreadPage> {
    return this.#page(await this.#visible(id, by), page);
  }

  async list(
    personId: PersonId,
    page: { limit: number; createdBefore?: number | undefined },
  ): Promise<{ consultations: ConsultationView[]; hasMore: boolean }> {
    const ids = await this.#parts.store.listFor(personId, {
      limit: page.limit + 1,
      createdBefore: page.createdBefore ?? null,
    });
    const consultations: ConsultationView[] = [];
    for (const id of ids.slice(0, page.limit)) consultations.push(await this.view(id, personId));
    return { consultations, hasMore: ids.length > page.limit };
  }

  /** Steps an event and answers once it is on disk. */
  async submit(id: ConsultationId, event: ConsultationEvent): Promise<Committed> {
    const { actor } = 'by' in event ? await this.#visible(id, event.by) : await this.#hold(id);
    try {
      return await actor.submit(event);
    } finally {
      if (actor.stale) this.#held.delete(id);
    }
  }

  async command(id: ConsultationId, command: ParticipantCommand): Promise<ConsultationView> {
    return viewConsultation((await this.submit(id, command)).state);
  }

  async callCommand(id: ConsultationId, command: ParticipantCommand & { callId: CallId }): Promise<CallView> {
    const { state, effects } = await this.submit(id, command);
    const ended = effects.find((effect) => effect.type === 'callEnded');
    if (ended !== undefined) return viewCall(state, ended.call, ended.reason);
    if (state.call === null) throw new AppError('NOT_FOUND', { detail: 'there is no such running call' });
    return viewCall(state, state.call);
  }

  async startCall(
    id: ConsultationId,
    command: { by: PersonId; deviceId: DeviceId; media: CallMedia },
  ): Promise<CallView> {
    const { actor } = await this.#visible(id, command.by);
    const callId = this.#parts.ids.callId();
    const people = actor.state.participants.map(({ personId }) => personId);
    const ownCall = actor.state.call?.callId;
    if (people.some((person) => ![null, ownCall].includes(this.#busy.callOf(person))))
      throw new AppError('BUSY');
    if (ownCall === undefined && !this.#busy.reserve(people, callId)) throw new AppError('BUSY');
    try {
      const { state } = await this.submit(id, { type: 'call.start', callId, ...command });
      if (state.call === null) throw new AppError('WRONG_STATE');
      return viewCall(state, state.call);
    } finally {
      if (actor.state.call?.callId !== callId) this.#busy.release(people, callId);
    }
  }

  async send(
    id: ConsultationId,
    message: { by: PersonId; clientMessageId: ClientMessageId; draft: MessageDraft },
  ): Promise<Extract<Entry, { kind: 'message.sent' }>> {
    const { by, clientMessageId, draft } = message;
    // Who may not send here learns nothing of attachments: the consultation is looked at first.
    await this.#visible(id, by);
    const content = await this.#contentOf(id, by, draft);
    const messageId = this.#parts.ids.messageId();
    const { entries } = await this.submit(id, { type: 'send', by, messageId, clientMessageId, content });
    const [entry] = entries;
    if (entry?.kind !== 'message.sent') throw new AppError('INTERNAL');
    return entry;
  }

  /** A device's socket or media path was lost or came back: its seat waits or goes on. */
  async devicePresence(
    personId: PersonId,
    deviceId: DeviceId,
    type: 'device.lost' | 'device.returned',
  ): Promise<void> {
    const callId = this.#busy.callOf(personId);
    if (callId === null) return;
    for (const [id, pending] of this.#held) {
      const held = await pending.catch(() => null);
      if (held?.actor.state.call?.callId !== callId) continue;
      const { state } = await this.submit(id, { type, personId, deviceId });
      const seat = state.call?.seats.find((one) => one.personId === personId);
      const address = { consultationId: id, callId, personId, deviceId };
      // The seat outlives its media: after a restart of the server the device has to join it anew.
      if (type === 'device.returned' && seat?.state === 'present' && seat.deviceId === deviceId)
        this.#media?.ensureHeld(address);
    }
  }

  /** The key and codec of a consultation this person takes part in, for what is sealed beside the thread. */
  async sealing(
    id: ConsultationId,
    by: PersonId | null,
  ): Promise<{ key: ConsultationKey; codec: EntryCodec }> {
    const { key, codec } = await this.#visible(id, by);
    return { key, codec };
  }

  async #contentOf(id: ConsultationId, by: PersonId, draft: MessageDraft): Promise<MessageContent> {
    if (draft.type === 'text') return draft;
    const attachment = await this.#parts.attachmentContent(id, by, draft.attachmentId);
    if (attachment.kind !== draft.type)
      throw new AppError('INVALID', { detail: `the attachment is of kind ${attachment.kind}` });
    const caption = draft.type === 'voice' || draft.caption === undefined ? {} : { caption: draft.caption };
    return { type: draft.type, attachment, ...caption };
  }

  async #visible(id: ConsultationId, by: PersonId | null): Promise<Held> {
    const held = await this.#hold(id);
    if (by !== null && !held.actor.state.participants.some(({ personId }) => personId === by))
      throw new AppError('NOT_FOUND');
    return held;
  }

  #hold(id: ConsultationId): Promise<Held> {
    const pending = this.#held.get(id);
    if (pending !== undefined)
      return pending.then((held) => Object.assign(held, { usedAt: this.#parts.clock() }));
    const loading = this.#load(id);
    this.#held.set(id, loading);
    loading.catch(() => this.#held.delete(id));
    return loading;
  }

  async #load(id: ConsultationId): Promise<Held> {
    const { store, keys, clock, timings } = this.#parts;
    const loaded = await loadState(id, store, keys);
    const actor = new ConsultationActor(
      { store, clock, timings, codec: loaded.codec, onChange: (change) => this.#onChange(change) },
      loaded.state,
      loaded.lastAt,
    );
    const { call, participants } = loaded.state;
    if (call !== null)
      this.#busy.reserve(
        participants.map(({ personId }) => personId),
        call.callId,
      );
    return { ...loaded, actor, usedAt: clock() };
  }

  async #page(
    held: Held,
    page: { afterSequence?: number | undefined; beforeSequence?: number | undefined; limit: number },
  ): Promise<ThreadPage> {
    const { store } = this.#parts;
    const { state } = held.actor;
    const limit = page.limit + 1;
    const ascending = page.afterSequence !== undefined;
    const stored: readonly StoredEntry[] = ascending
      ? await store.page(state.id, { after: page.afterSequence ?? 0, limit })
      : await store.page(state.id, { before: page.beforeSequence ?? Number.MAX_SAFE_INTEGER, limit });
    const hasMore = stored.length > page.limit;
    const kept = ascending ? stored.slice(0, page.limit) : stored.slice(-page.limit);
    const lastSequence = Math.max(state.sequence, kept.at(-1)?.sequence ?? 0);
    return { entries: kept.map((entry) => held.codec.open(entry)), hasMore, lastSequence };
  }

  /** Publishes what a commit made true and carries out its effects. It is on disk already. */
  #onChange({ before, after, entries, effects }: Change): void {
    const { publisher, log } = this.#parts;
    const people = after.participants.map(({ personId }) => personId);
    for (const entry of entries) publisher.toWatchers(after.id, 'entry.added', entry);
    if (before.phase !== after.phase) {
      log.info(`consultation.${after.phase.name}`, { consultation: after.id });
      for (const person of people)
        publisher.toPerson(person, 'consultation.changed', viewConsultation(after));
    }
    if (after.call !== null && after.call !== before.call) {
      if (before.call === null) this.#busy.reserve(people, after.call.callId);
      const call = viewCall(after, after.call);
      for (const person of people) publisher.toPerson(person, 'call.changed', call);
    }
    for (const effect of effects) {
      switch (effect.type) {
        case 'callEnded': {
          const { call, reason } = effect;
          log.info('call.ended', { consultation: after.id, call: call.callId, reason });
          this.#busy.release(people, call.callId);
          this.#media?.closeCall(call.callId);
          const view = viewCall(after, call, reason);
          for (const person of people) publisher.toPerson(person, 'call.changed', view);
          break;
        }
        case 'seatReleased': {
          const { callId, personId, deviceId, why } = effect;
          this.#media?.release(callId, personId, deviceId);
          if (why === 'moved')
            publisher.toDevice(personId, deviceId, 'seat.moved', { consultationId: after.id, callId });
        }
      }
    }
  }
}
