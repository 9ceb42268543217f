/** Who dials the relay number of a visit while the other is in its call takes part in that call, and no telephone rings. */
import type { CallId, ConsultationId, PersonId, PhoneBindingId } from '@teleconsult/protocol';
import type { IncomingPhoneCall, PromptId } from '../ports.ts';
import type { LegWish, PhoneLegCall } from './phone-leg-call.ts';

/** Somebody who belongs into a call that runs. */
export interface DialIn {
  /** Whose number was dialled: what came by it ends with it. */
  readonly bindingId: PhoneBindingId;
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  readonly personId: PersonId;
  readonly wish: LegWish;
}

/** The calls of consultations, for whoever dials in. */
export interface DialIns {
  /**
   * The call they belong into; null: none, and the bindings decide whom they reach.
   * @throws Error when that cannot be known: they reach nobody then
   */
  find(call: IncomingPhoneCall): Promise<DialIn | null>;
  /**
   * Takes their telephone, which is answered, into the call. Resolves when that is settled: with null, or with what to tell
   * them when there is no place for them. Never rejects.
   */
  join(dialIn: DialIn, telephone: PhoneLegCall): Promise<PromptId | null>;
}
