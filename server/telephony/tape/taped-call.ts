import type { ConsultationId, PersonId, PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';

export interface PhoneCallIds {
  readonly phoneCallId: PhoneCallId;
  readonly bindingId: PhoneBindingId;
}

/** Whose phone call is recorded, as the bindings know it; never by which numbers. */
export interface TapedCall {
  readonly consultationId: ConsultationId;
  readonly caller: PersonId;
  readonly callee: PersonId;
  /** When they began to talk and when it was over, in milliseconds since 1970; left out where that is not known. */
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** null: there is no such call. */
export type CallOf = (ids: PhoneCallIds) => Promise<TapedCall | null>;
