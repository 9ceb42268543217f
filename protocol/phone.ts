import { z } from 'zod';
import { CallId, ConsultationId, Moment, PersonId, PhoneBindingId, PhoneCallId } from './ids.ts';
import { PhoneNotRecordedReason, PhoneUnboundReason } from './phone-entries.ts';

export { PhoneCallEndReason, PhoneNotRecordedReason, PhoneUnboundReason } from './phone-entries.ts';

/** A relay number (E.164): belongs to the clinic, not to a person. */
export const RelayNumber = z.string().regex(/^\+[1-9]\d{6,14}$/);
export type RelayNumber = z.infer<typeof RelayNumber>;

/** Who may call whom through it. */
export const PhoneDirection = z.enum(['both', 'doctor_calls', 'patient_calls']);
export type PhoneDirection = z.infer<typeof PhoneDirection>;

/** A call through a relay number while it rings or runs. */
export const PhoneCallView = z.strictObject({
  phoneCallId: PhoneCallId,
  caller: PersonId,
  state: z.enum(['ringing', 'talking']),
  since: Moment,
  recorded: z.boolean(),
  /** Where it was to be recorded and is not, or not any more: why. */
  notRecorded: PhoneNotRecordedReason.optional(),
});
export type PhoneCallView = z.infer<typeof PhoneCallView>;

/** A relay number that belongs to a visit: doctor and patient reach each other through it, and neither sees the other's. */
export const PhoneBindingView = z.strictObject({
  bindingId: PhoneBindingId,
  people: z.array(PersonId).length(2),
  /** null until the provider has answered. */
  number: RelayNumber.nullable(),
  direction: PhoneDirection,
  state: z.enum(['binding', 'bound', 'unbinding', 'unbound']),
  createdBy: PersonId.nullable(),
  createdAt: Moment,
  expiresAt: Moment,
  unboundReason: PhoneUnboundReason.nullable(),
  recorded: z.boolean(),
  call: PhoneCallView.nullable(),
});
export type PhoneBindingView = z.infer<typeof PhoneBindingView>;

/** Whether calls through a relay number are recorded: never, where doctor or patient asks for it, or all of them. */
export const PhoneRecordingMode = z.enum(['off', 'ask', 'always']);
export type PhoneRecordingMode = z.infer<typeof PhoneRecordingMode>;

/** Everything a person sees of phone calls in a consultation. */
export const PhoneBoard = z.strictObject({
  /** Whether masked calls exist here at all. */
  available: z.boolean(),
  /** Of whom a number is known; never which. */
  reachable: z.array(PersonId),
  /** Who does not want to be phoned, and since when. */
  refused: z.array(z.strictObject({ personId: PersonId, since: Moment })),
  /** Name of the clinic, for `contactCard()`. */
  label: z.string(),
  /** What a number asked for now would be; of one that is there its own `recorded` tells. */
  recording: PhoneRecordingMode,
  /** Newest first; ended ones of the last day. */
  bindings: z.array(PhoneBindingView),
});
export type PhoneBoard = z.infer<typeof PhoneBoard>;

const consultation = { consultationId: ConsultationId };
const BoardResult = z.strictObject({ board: PhoneBoard });

export const phoneRequests = {
  'phone.get': {
    summary: 'The masked calls of a consultation.',
    payload: z.strictObject(consultation),
    result: BoardResult,
  },
  'phone.bind': {
    summary:
      'Doctor or patient asks for a relay number between the two. The same clientBindingId is the same number; while one is bound it is answered. `FORBIDDEN` while one of them refuses phone calls, `WRONG_STATE` where a number is not known.',
    payload: z.strictObject({
      ...consultation,
      clientBindingId: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
      direction: PhoneDirection.default('both'),
      recorded: z.boolean().default(false),
    }),
    result: z.strictObject({ board: PhoneBoard, bindingId: PhoneBindingId }),
  },
  'phone.unbind': {
    summary: 'Give the number back; a call through it ends. Again changes nothing.',
    payload: z.strictObject({ ...consultation, bindingId: PhoneBindingId }),
    result: BoardResult,
  },
  'phone.setRefused': {
    summary:
      '“Do not phone me”, or phone me again. Obeyed at once: a number is given back, a call ends, none is made. The other sees it.',
    payload: z.strictObject({ ...consultation, refused: z.boolean() }),
    result: BoardResult,
  },
  'phone.join': {
    summary:
      'Ring a participant’s own telephone to take part in a running call, instead of a device; shown as “phone”, without a number.',
    payload: z.strictObject({ ...consultation, callId: CallId, personId: PersonId }),
    result: z.strictObject({}),
  },
};
