import {
  AppError,
  type CallId,
  type CallView,
  type ConsultationId,
  type ConsultationView,
  type DeviceId,
  type PersonId,
} from '@teleconsult/protocol';
import type {
  ParticipantCommand,
  PhoneQuestion,
  PhoneSeatEvent,
  SystemEvent,
} from '../consultation/commands.ts';
import { runningCall } from '../consultation/seats.ts';
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
   * What became of a telephone that was asked to ring.
   * @throws AppError NOT_FOUND when the call does not know it any more: it is to be hung up
   */
  async tell(id: ConsultationId, event: PhoneSeatEvent): Promise<void> {
    await this.#parts.submit(id, event);
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
