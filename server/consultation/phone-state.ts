/** What a consultation knows of telephones. Numbers are not among it. */
import type { CallId, PersonId, PhoneCallId, RecordingId } from '@teleconsult/protocol';

/** A telephone of a person in a call of the consultation. */
export type PhoneLeg =
  | {
      readonly state: 'ringing';
      readonly phoneCallId: PhoneCallId;
      readonly until: number;
      /** Whether the seat was rung for the telephone's sake: it is left when the telephone does not answer. */
      readonly alone: boolean;
    }
  | { readonly state: 'talking'; readonly phoneCallId: PhoneCallId };

export interface PhoneMemory {
  /** Who does not want to be phoned. */
  readonly refusedBy: readonly PersonId[];
  /** Newest last: which facts of masked calls are in the thread, so that a fact told again is not written again. */
  readonly told: readonly string[];
}

export const NO_PHONE_MEMORY: PhoneMemory = { refusedBy: [], told: [] };

/** Why a telephone is hung up by us. */
export type PhoneHangUpReason =
  /** A device of the person answered or took the seat. */
  | 'answered_elsewhere'
  | 'no_answer'
  | 'call_ended'
  /** The person declined on a device, left, was taken out or does not want to be phoned. */
  | 'left';

interface OfPhone {
  readonly callId: CallId;
  readonly personId: PersonId;
  readonly phoneCallId: PhoneCallId;
}

/** What whoever runs telephones does, once the transition is on disk. A telephone that is gone meanwhile is done. */
export type PhoneEffect =
  /** Ring it until then; `phone.seatAnswered` or `phone.seatLeft` follows. */
  | (OfPhone & { readonly type: 'phone.ring'; readonly until: number })
  | (OfPhone & { readonly type: 'phone.hangUp'; readonly why: PhoneHangUpReason })
  /** Whether the others hear it. */
  | (OfPhone & { readonly type: 'phone.setMuted'; readonly muted: boolean })
  /** Ask whether they agree to be recorded; `phone.consent` follows. */
  | (OfPhone & { readonly type: 'phone.askConsent'; readonly recordingId: RecordingId });
