import type { PhoneBindingId } from '@teleconsult/protocol';
import type { Log } from '../../host/ports.ts';
import type { PromptId } from '../ports.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import type { DialIn, DialIns } from './dial-ins.ts';
import type { Ending } from './ending.ts';
import type { PhoneLegCall } from './phone-leg-call.ts';
import type { PhoneLegs } from './phone-legs.ts';

export interface DialInParts {
  readonly dialIns: Pick<DialIns, 'join'>;
  readonly legs: Pick<PhoneLegs, 'pickUp'>;
  readonly log: Log;
  readonly dialIn: DialIn;
  readonly invite: IncomingCall;
}

/** A phone that has dialled in: answered, and taken into a call, or told why not. Nobody else is rung for it. */
export class DialInCall {
  readonly #parts: DialInParts;
  #telephone: PhoneLegCall | null = null;
  #ending: Ending | null = null;

  constructor(parts: DialInParts) {
    this.#parts = parts;
  }

  get bindingId(): PhoneBindingId {
    return this.#parts.dialIn.bindingId;
  }

  /** Resolves when it is over. Never rejects. */
  async run(): Promise<void> {
    const { legs, invite, dialIn, dialIns, log } = this.#parts;
    let telephone: PhoneLegCall;
    try {
      telephone = await legs.pickUp(invite, dialIn.wish);
    } catch {
      // Said to the log by the leg; whoever was answered already is hung up.
      invite.refuse(503);
      return;
    }
    this.#telephone = telephone;
    if (this.#ending !== null) return this.#hangUp(telephone, this.#ending);
    // Whatever goes wrong, nobody stays on a line that leads nowhere.
    const refusal = await dialIns.join(dialIn, telephone).catch((error: unknown): PromptId => {
      log.error('phone.callFailed', { error });
      return 'unavailable';
    });
    if (refusal !== null) {
      log.warn('phone.notJoined', { call: dialIn.callId, reason: refusal });
      await telephone.hangUp(refusal, 'failed');
    }
    await telephone.ended;
  }

  /** Ends it, whatever it is at. Resolves when it was hung up. Never rejects. */
  async end(ending: Ending): Promise<void> {
    this.#ending ??= ending;
    this.#parts.invite.refuse(ending.status);
    if (this.#telephone !== null) await this.#hangUp(this.#telephone, ending);
  }

  #hangUp(telephone: PhoneLegCall, { prompt, end }: Ending): Promise<void> {
    return telephone.hangUp(prompt, end);
  }
}
