import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import type { PhoneLimits } from '../bindings/settings.ts';

const DAY_MS = 24 * 3_600_000;

type Whose = Pick<Spent, 'consultationId' | 'personId'>;

/** A telephone that was rung, or has dialled in. */
export interface Spent {
  readonly personId: PersonId;
  readonly consultationId: ConsultationId;
  readonly at: number;
  /** How long it may talk: the least that is left of a limit. */
  readonly maxTalkMs: number;
  /** Set when it has hung up. */
  talkMs: number;
  isOver: boolean;
}

/**
 * How often and how long telephones are rung for calls of consultations, against whoever would ring somebody all night. The
 * limits are those of masked calls, counted apart from them and in memory: after a restart they begin anew.
 */
export class RingBudget {
  readonly #limits: Pick<PhoneLimits, 'person' | 'consultation' | 'server' | 'atOnce' | 'shortestTalkMs'>;
  readonly #clock: () => number;
  /** Oldest first; at most as many as the server may ring in a day. */
  #spent: Spent[] = [];

  constructor(
    limits: Pick<PhoneLimits, 'person' | 'consultation' | 'server' | 'atOnce' | 'shortestTalkMs'>,
    clock: () => number,
  ) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Whether there is room for one more now. */
  mayTake(who: Whose, maxTalkMs: number): boolean {
    return this.#left(who, maxTalkMs) !== null;
  }

  /** null: a limit is reached. */
  take(who: Whose, maxTalkMs: number): Spent | null {
    const left = this.#left(who, maxTalkMs);
    if (left === null) return null;
    const { consultationId, personId } = who;
    const at = this.#clock();
    const taken: Spent = { consultationId, personId, at, maxTalkMs: left, talkMs: 0, isOver: false };
    this.#spent.push(taken);
    return taken;
  }

  /** How long one more may talk; null: not at all. */
  #left(who: Whose, maxTalkMs: number): number | null {
    const at = this.#clock();
    this.#spent = this.#spent.filter((one) => !one.isOver || at - one.at < DAY_MS);
    const { person, consultation, server, atOnce, shortestTalkMs } = this.#limits;
    if (this.#spent.filter(({ isOver }) => !isOver).length >= atOnce) return null;
    let left = maxTalkMs;
    for (const [limit, spent] of [
      [server, this.#spent],
      [consultation, this.#spent.filter(({ consultationId }) => consultationId === who.consultationId)],
      [person, this.#spent.filter(({ personId }) => personId === who.personId)],
    ] as const) {
      if (spent.length >= limit.calls) return null;
      left = Math.min(left, limit.talkMs - spent.reduce((sum, { talkMs }) => sum + talkMs, 0));
    }
    return left < Math.min(shortestTalkMs, maxTalkMs) ? null : left;
  }
}
