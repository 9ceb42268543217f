import {
  AppError,
  type CallId,
  type CallView,
  type ConsultationId,
  type ConsultationView,
  type DeviceId,
  type PersonId,
  type PhoneCallId,
} from '@teleconsult/protocol';
import type {
  ParticipantCommand,
  PhoneQuestion,
  PhoneSeatEvent,
  SystemEvent,
} from '../consultation/commands.ts';
import { isHeld, isThere, runningCall, seatOf } from '../consultation/seats.ts';
import type { Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { viewForPhones } from '../consultation/view.ts';
import type { Committed } from './actor.ts';
import type { BusyRegister } from './busy.ts';
import { engagedOf } from './engaged.ts';
import type { HeldConsultations } from './held-consultations.ts';
import type { Clock, IdGenerator } from './ports.ts';
import { viewOf } from './view-of.ts';

export interface PhoneCallsParts {
  readonly held: HeldConsultations;
  readonly submit: (id: ConsultationId, event: ParticipantCommand | SystemEvent) => Promise<Committed>;
  readonly busy: BusyRegister;
  readonly ids: Pick<IdGenerator, 'phoneCallId'>;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly callWaiting: boolean;
}

/** Telephones where the domain and who is busy meet. Who rings them is told by the effects (`PhoneLegs`). */
export class PhoneCalls {
  readonly #parts: PhoneCallsParts;

  constructor(parts: PhoneCallsParts) {
    this.#parts = parts;
  }

  /** The consultation as masked calls see it. @throws AppError NOT_FOUND */
  async view(id: ConsultationId): Promise<ConsultationView> {
    return viewForPhones((await this.#parts.held.visible(id, null)).actor.state);
  }

  /** @throws AppError what a request of masked calls is refused with: for who asks, or as things stand */
  async check(id: ConsultationId, type: PhoneQuestion, by: PersonId): Promise<void> {
    await this.#foresee(id, { type, by });
  }

  /** Rings the telephone of a participant for a running call; one that rings or talks already stays as it is. */
  async ring(
    id: ConsultationId,
    wish: { by: PersonId; deviceId: DeviceId; callId: CallId; personId: PersonId },
    isReachable: () => Promise<boolean>,
  ): Promise<CallView> {
    const { held, busy, ids, submit } = this.#parts;
    const { personId, callId } = wish;
    const command = { type: 'phone.join', phoneCallId: ids.phoneCallId(), ...wish } as const;
    // Who may not ask learns nothing of anybody's telephone.
    await this.#foresee(id, command);
    if (!(await isReachable()))
      throw new AppError('WRONG_STATE', { detail: 'no telephone of the person is known' });
    const { actor } = await held.visible(id, wish.by);
    const call = { consultationId: id, callId };
    const engaged = engagedOf(this.#parts, actor.state, [personId]).get(personId);
    if (engaged !== 'busy' && runningCall(actor.state, callId) !== null) busy.reserve([personId], call);
    try {
      return viewOf(await submit(id, { ...command, engaged }));
    } finally {
      busy.follow([personId], call, actor.state.call);
    }
  }

  /**
   * The running call that this person has a way into by dialling in: the other is in it, and no device of theirs is. null:
   * there is none. @throws AppError NOT_FOUND
   */
  async callWith(id: ConsultationId, other: PersonId, personId: PersonId): Promise<CallId | null> {
    const { call } = (await this.#parts.held.visible(id, null)).actor.state;
    if (call === null) return null;
    const [theirs, own] = [seatOf(call, other), seatOf(call, personId)];
    const isJoinable = theirs !== undefined && isHeld(theirs) && (own === undefined || !isThere(own));
    return isJoinable ? call.callId : null;
  }

  /**
   * Somebody has dialled in. Resolved: their telephone has its place in the call on disk, and `phone.ring` was told of it.
   * @throws AppError NOT_FOUND, WRONG_STATE, FORBIDDEN, BUSY when it may not, and what the store fails with
   */
  async dialIn(
    id: ConsultationId,
    wish: { readonly personId: PersonId; readonly callId: CallId; readonly phoneCallId: PhoneCallId },
  ): Promise<void> {
    await this.#claiming(id, wish, async () => {
      await this.#parts.submit(id, { type: 'phone.dialIn', ...wish });
    });
  }

  /**
   * What became of a telephone that was asked to ring. Who holds a seat elsewhere does not get a second one by telephone.
   * @throws AppError NOT_FOUND when the call does not know it any more: it is to be hung up
   */
  async tell(id: ConsultationId, event: PhoneSeatEvent): Promise<void> {
    const { submit } = this.#parts;
    if (event.type !== 'phone.seatAnswered') {
      await submit(id, event);
      return;
    }
    try {
      await this.#claiming(id, event, async () => {
        await submit(id, event);
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'BUSY') throw error;
      const { personId, callId, phoneCallId } = event;
      await submit(id, { type: 'phone.seatLeft', reason: 'busy', personId, callId, phoneCallId });
      throw new AppError('NOT_FOUND', { detail: 'the person is in another call' });
    }
  }

  /** @throws AppError BUSY */
  async #claiming(
    consultationId: ConsultationId,
    { personId, callId }: { readonly personId: PersonId; readonly callId: CallId },
    task: () => Promise<void>,
  ): Promise<void> {
    const { busy, held } = this.#parts;
    const { actor } = await held.visible(consultationId, null);
    const call = { consultationId, callId };
    if (!busy.claim(personId, call)) throw new AppError('BUSY', { detail: 'the person is in another call' });
    try {
      await task();
    } finally {
      busy.unclaim(personId, call);
      busy.follow([personId], call, actor.state.call);
    }
  }

  async #foresee(
    id: ConsultationId,
    command: Extract<ParticipantCommand, { type: `phone.${string}` }>,
  ): Promise<void> {
    const { held, clock, timings } = this.#parts;
    const { actor } = await held.visible(id, command.by);
    const foreseen = step(actor.state, command, { now: clock(), timings });
    if (foreseen.kind === 'refused') throw new AppError(foreseen.code, { detail: foreseen.detail });
  }
}
