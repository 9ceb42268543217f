import type { RequestInput, RequestResult, ResumeTicket } from '@teleconsult/protocol';
import { type Signalling, toAppError } from '../requests.ts';
import type { CallRecord } from './kept-call.ts';

/** By what right this device joins its person's seat; what that is changes with each answer. */
export class SeatClaim {
  #ticket: ResumeTicket | null;
  #takesOver: boolean;
  #looking: Promise<CallRecord | null> = Promise.resolve(null);

  private constructor(ticket: ResumeTicket | null, takesOver: boolean) {
    this.#ticket = ticket;
    this.#takesOver = takesOver;
  }

  /** This device has answered the call, or begun it. */
  static answered(): SeatClaim {
    return new SeatClaim(null, false);
  }

  /** It has joined before; null when the answer never came. */
  static joinedBefore(ticket: ResumeTicket | null): SeatClaim {
    return new SeatClaim(ticket, false);
  }

  /** The person wants to go on here, wherever they were. */
  static takingOver(): SeatClaim {
    return new SeatClaim(null, true);
  }

  /** What the next join needs; null before the first was answered. */
  get ticket(): ResumeTicket | null {
    return this.#ticket;
  }

  /**
   * There is a new connection. Another page of this device may have had the seat while this one slept: answers what it
   * kept, and the next join brings its ticket.
   */
  lookAgain(looking: Promise<CallRecord | null>): Promise<CallRecord | null> {
    this.#looking = looking.then((newer) => {
      if (newer !== null) this.#ticket = newer.ticket;
      return newer;
    });
    return this.#looking;
  }

  /** Asks once. `isHere`: whether the seat is shown as this device's. */
  async join(
    signalling: Signalling,
    seat: RequestInput<'seat.join'>,
    isHere: () => boolean,
  ): Promise<RequestResult<'seat.join'>> {
    await this.#looking;
    const ask = () => {
      const right = this.#takesOver ? { takeOver: true } : this.#ticket && { resumeTicket: this.#ticket };
      return signalling.request('seat.join', { ...seat, ...right });
    };
    const answer = await ask().catch((thrown: unknown) => {
      // The answer to the first join was lost, and the only ticket with it. What this device holds it may take over.
      const lostTicket = this.#ticket === null && !this.#takesOver && isHere();
      if (!lostTicket || toAppError(thrown).code !== 'RESUME_REFUSED') throw thrown;
      this.#takesOver = true;
      return ask();
    });
    this.#ticket = answer.resumeTicket;
    this.#takesOver = false;
    return answer;
  }
}
