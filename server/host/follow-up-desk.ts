import {
  AppError,
  type ConsultationId,
  type FollowUpBoard,
  type PersonId,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ParticipantCommand } from '../consultation/commands.ts';
import { plannedAs } from '../consultation/follow-ups.ts';
import type { Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { viewBoard } from '../consultation/view.ts';
import type { Committed } from './actor.ts';
import type { HeldConsultations } from './held-consultations.ts';
import type { Clock, IdGenerator } from './ports.ts';

type PlanCommand = Extract<ParticipantCommand, { type: 'followUp.plan' }>;
type FollowUpCommand = Extract<ParticipantCommand, { type: `followUp.${string}` | 'contact.set' }>;

export interface FollowUpDeskParts {
  readonly held: HeldConsultations;
  readonly submit: (id: ConsultationId, event: ParticipantCommand) => Promise<Committed>;
  readonly ids: Pick<IdGenerator, 'followUpId'>;
  readonly clock: Clock;
  readonly timings: Timings;
}

/** Follow-ups as people ask for them. Everything is on disk when it is answered. */
export class FollowUpDesk {
  readonly #parts: FollowUpDeskParts;

  constructor(parts: FollowUpDeskParts) {
    this.#parts = parts;
  }

  /** `by` null reads as the host application. */
  async board(id: ConsultationId, by: PersonId | null): Promise<FollowUpBoard> {
    return viewBoard((await this.#parts.held.visible(id, by)).actor.state);
  }

  /** The same `clientFollowUpId` of the same person is the same follow-up, as it is by now. */
  async plan(
    id: ConsultationId,
    wish: Omit<PlanCommand, 'type' | 'followUpId'>,
  ): Promise<RequestResult<'followUp.plan'>> {
    const { ids, submit } = this.#parts;
    const { state } = await submit(id, { type: 'followUp.plan', followUpId: ids.followUpId(), ...wish });
    const planned = plannedAs(state, wish);
    if (planned === undefined) throw new AppError('INTERNAL');
    return { board: viewBoard(state), followUpId: planned.followUpId };
  }

  async command(id: ConsultationId, command: FollowUpCommand): Promise<FollowUpBoard> {
    return viewBoard((await this.#parts.submit(id, command)).state);
  }

  /** @throws AppError what the command would be refused with as things stand */
  async foresee(id: ConsultationId, command: FollowUpCommand): Promise<void> {
    const { held, clock, timings } = this.#parts;
    const { actor } = await held.visible(id, command.by);
    const foreseen = step(actor.state, command, { now: clock(), timings });
    if (foreseen.kind === 'refused') throw new AppError(foreseen.code, { detail: foreseen.detail });
  }
}
