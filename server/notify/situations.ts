import type { CallId, ConsultationId, Entry, PersonId } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { seatOf } from '../consultation/seats.ts';
import type { CallRecord } from '../consultation/state.ts';
import type { Stepped } from '../host/batch.ts';
import type { FollowUpDesk } from '../host/follow-up-desk.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, ConsultationStore } from '../host/ports.ts';
import { BoundedMap } from './bounded-map.ts';
import type { EndedCall, Situation } from './notices.ts';

/** Most ended calls that are remembered until everybody was told; of older ones the thread is asked. */
const REMEMBERED_CALLS = 10_000;
/** How far back in a thread the beginning of a call is looked for. */
const LOOK_BACK = 100;

/** What is asked of the host to tell whom an entry concerns. */
export type ToldHost = Pick<ConsultationHost, 'view' | 'thread' | 'snapshot'> & {
  readonly followUps: Pick<FollowUpDesk, 'board'>;
};

export interface SituationsParts {
  readonly host: ToldHost;
  readonly store: Pick<ConsultationStore, 'marks'>;
  readonly clock: Clock;
}

/** Finds out whom an entry concerns: from the present state, and for calls that are over from what they left behind. */
export class Situations {
  readonly #parts: SituationsParts;
  /** The seats of a call are no longer part of the state once it has ended. */
  readonly #ended = new BoundedMap<CallId, EndedCall>(REMEMBERED_CALLS);

  constructor(parts: SituationsParts) {
    this.#parts = parts;
  }

  /** Keeps who was rung by calls that end with this change. Who had left them before was told of it then. */
  handleChange({ before, effects }: Stepped): void {
    for (const effect of effects) {
      if (effect.type !== 'callEnded') continue;
      const { callId, startedBy, seats } = effect.call;
      this.#ended.set(callId, {
        startedBy,
        seats: seats
          .filter(({ personId }) => before.call === null || !hasLeft(before.call, personId))
          .map((seat) => ({
            personId: seat.personId,
            state: seat.state,
            leftReason: seat.state === 'left' ? seat.reason : null,
          })),
      });
    }
  }

  /** Everybody whom an entry may concern. */
  async peopleOf(entry: Entry): Promise<readonly PersonId[]> {
    const { participants } = await this.#parts.host.view(entry.consultationId, null);
    const people = participants.map(({ personId }) => personId);
    return 'personId' in entry ? [...people, entry.personId] : people;
  }

  async of(entry: Entry): Promise<Situation> {
    const { host, clock } = this.#parts;
    const { consultationId: id } = entry;
    const view = await host.view(id, null);
    const common = {
      view,
      call: null,
      ended: null,
      read: new Map<PersonId, number>(),
      board: null,
      now: clock(),
    };
    switch (entry.kind) {
      case 'message.sent':
        return { ...common, read: await this.#readBy(id) };
      case 'call.started':
      case 'call.invited':
        return { ...common, call: await this.#runningCall(id, view) };
      case 'call.ended':
        return { ...common, ended: this.#ended.get(entry.callId) ?? (await this.#fromThread(entry, view)) };
      case 'followUp.due':
        return { ...common, board: await host.followUps.board(id, null) };
      case 'recording.asked':
      case 'recording.agreed':
      case 'recording.started':
      case 'recording.paused':
      case 'recording.resumed':
      case 'recording.stopped':
      case 'note.signed':
      case 'note.added':
      case 'followUp.planned':
      case 'followUp.changed':
      case 'followUp.cancelled':
      case 'followUp.begun':
      case 'followUp.completed':
      case 'contact.changed':
      case 'phone.bound':
      case 'phone.unbound':
      case 'phone.callStarted':
      case 'phone.callAnswered':
      case 'phone.callEnded':
      case 'phone.refused':
      case 'consultation.requested':
      case 'consultation.waiting':
      case 'consultation.accepted':
      case 'consultation.ended':
      case 'consultation.subjectSet':
      case 'participant.joined':
      case 'participant.left':
      case 'message.recalled':
      case 'message.removed':
      case 'call.answered':
      case 'call.left':
      case 'call.mediaChanged':
        return common;
      default:
        return unreachable(entry);
    }
  }

  async #readBy(id: ConsultationId): Promise<ReadonlyMap<PersonId, number>> {
    const marks = await this.#parts.store.marks(id);
    return new Map(marks.map(({ personId, read }) => [personId, read]));
  }

  async #runningCall(id: ConsultationId, view: Situation['view']): Promise<Situation['call']> {
    // The first is one of those who hold the consultation and cannot leave it.
    const [holder] = view.participants;
    if (holder === undefined) return null;
    const range = { afterSequence: view.lastSequence, limit: 1 };
    return (await this.#parts.host.snapshot(id, holder.personId, range)).call;
  }

  /** After a restart nobody knows the seats any more. Of a call that nobody answered everybody was rung. */
  async #fromThread(
    entry: Extract<Entry, { kind: 'call.ended' }>,
    view: Situation['view'],
  ): Promise<EndedCall | null> {
    const { entries } = await this.#parts.host.thread(entry.consultationId, null, {
      beforeSequence: entry.sequence,
      limit: LOOK_BACK,
    });
    const call = entries.filter((other) => 'callId' in other && other.callId === entry.callId);
    const startedBy = call.find(({ kind }) => kind === 'call.started')?.by;
    if (startedBy === undefined || startedBy === null) return null;
    if (call.some(({ kind }) => kind === 'call.answered')) return null;
    const seats = view.participants.map(({ personId }) => ({
      personId,
      state: 'invited' as const,
      leftReason: null,
    }));
    return { startedBy, seats };
  }
}

const hasLeft = (call: CallRecord, personId: PersonId): boolean => seatOf(call, personId)?.state === 'left';
