import { setTimeout as wait } from 'node:timers/promises';
import {
  AppError,
  type CallId,
  type ConsultationId,
  type PersonId,
  type PhoneCallId,
} from '@teleconsult/protocol';
import type { PhoneSeatEvent } from '../../consultation/commands.ts';
import type { Log } from '../../host/ports.ts';
import type { PartyCalls } from './ports.ts';

/** Whose telephone it is, and for which call. */
export interface PhonePlace {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  readonly personId: PersonId;
  readonly phoneCallId: PhoneCallId;
}

export type LeftReason = Extract<PhoneSeatEvent, { type: 'phone.seatLeft' }>['reason'];
type WithoutPlace<Event> = Event extends unknown ? Omit<Event, keyof PhonePlace> : never;
/** What a telephone tells, without whose it is. */
export type PartyNews = WithoutPlace<PhoneSeatEvent>;

/** A store that is away: what became of a telephone is told again until it is kept. */
const TELL_AGAIN_MS = [250, 1_000, 5_000, 30_000];

/** What one telephone tells its call. */
export class SeatNews {
  readonly #parts: {
    readonly place: PhonePlace;
    readonly calls: Pick<PartyCalls, 'tell'>;
    readonly log: Log;
  };

  constructor(parts: {
    readonly place: PhonePlace;
    readonly calls: Pick<PartyCalls, 'tell'>;
    readonly log: Log;
  }) {
    this.#parts = parts;
  }

  /** @throws AppError NOT_FOUND when the call does not know the telephone any more */
  tell(news: PartyNews): Promise<void> {
    const { calls, place } = this.#parts;
    const { consultationId, callId, personId, phoneCallId } = place;
    return calls.tell(consultationId, { callId, personId, phoneCallId, ...news });
  }

  /** @throws AppError NOT_FOUND, and what it failed with last when nobody waits for it any more */
  async tellUntilKept(news: PartyNews, stop: AbortSignal): Promise<void> {
    for (let times = 0; ; times += 1) {
      try {
        await this.tell(news);
        return;
      } catch (error) {
        if (stop.aborted || isGone(error)) throw error;
        this.#notTold(error);
        const pauseMs = TELL_AGAIN_MS[Math.min(times, TELL_AGAIN_MS.length - 1)] ?? 0;
        await wait(pauseMs, undefined, { signal: stop }).catch(() => undefined);
        if (stop.aborted) throw error;
      }
    }
  }

  /** A seat whose telephone is gone does not stay: it is told until it is kept, or the server stops. Never rejects. */
  async tellLeft(reason: LeftReason, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    try {
      await this.tellUntilKept({ type: 'phone.seatLeft', reason }, stop);
    } catch (error) {
      if (!isGone(error)) this.#notTold(error);
    }
  }

  /** What need not be kept is told once. */
  async tellOnce(news: PartyNews): Promise<void> {
    try {
      await this.tell(news);
    } catch (error) {
      this.#notTold(error);
    }
  }

  #notTold(error: unknown): void {
    this.#parts.log.warn('phone.notTold', { call: this.#parts.place.callId, error });
  }
}

/** The call does not know the telephone any more. */
export const isGone = (error: unknown): boolean => error instanceof AppError && error.code === 'NOT_FOUND';
