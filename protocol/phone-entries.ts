import { z } from 'zod';
import { entryBase } from './entry-base.ts';
import { Moment, PersonId, PhoneBindingId, PhoneCallId } from './ids.ts';

/** Why a masked number was given back. */
export const PhoneUnboundReason = z.enum([
  'consultation_ended',
  'expired',
  /** One of the two gave it back. */
  'released',
  /** One of the two does not want to be phoned. */
  'refused',
  'failed',
]);
export type PhoneUnboundReason = z.infer<typeof PhoneUnboundReason>;

export const PhoneCallEndReason = z.enum([
  'completed',
  'cancelled',
  'busy',
  'no_answer',
  'declined',
  'failed',
  'unbound',
  'time_over',
  'lost',
]);
export type PhoneCallEndReason = z.infer<typeof PhoneCallEndReason>;

/** Why a call that was to be recorded is not, or not whole. */
export const PhoneNotRecordedReason = z.enum([
  /** One of the two did not hear that it is recorded. */
  'not_told',
  /** There was no room, or no store. */
  'no_tape',
  /** What was recorded until then is kept. */
  'tape_failed',
]);
export type PhoneNotRecordedReason = z.infer<typeof PhoneNotRecordedReason>;

/** What the thread tells of masked calls. None of it holds a number. */
export const phoneEntries = [
  /** Patient and doctor can phone each other through a relay number; which, `phone.get` says and no entry does. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('phone.bound'),
    bindingId: PhoneBindingId,
    expiresAt: Moment,
  }),
  /** The relay number was given back. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('phone.unbound'),
    bindingId: PhoneBindingId,
    reason: PhoneUnboundReason,
  }),
  /** `by` phones the other through the relay number. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('phone.callStarted'),
    bindingId: PhoneBindingId,
    phoneCallId: PhoneCallId,
  }),
  z.strictObject({ ...entryBase, kind: z.literal('phone.callAnswered'), phoneCallId: PhoneCallId }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('phone.callEnded'),
    phoneCallId: PhoneCallId,
    reason: PhoneCallEndReason,
    /** Time from answer to end in milliseconds; 0 when nobody answered. */
    talkMs: z.int().min(0),
    /** Left out: it is recorded, or was not to be. */
    notRecorded: PhoneNotRecordedReason.optional(),
  }),
  /** A person does not want to be phoned, or does so again. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('phone.refused'),
    personId: PersonId,
    refused: z.boolean(),
  }),
] as const;
