import { z } from 'zod';
import { type ErrorCode, errorCatalogue } from './errors.ts';
import { CallId, ConsultationId } from './ids.ts';
import { ConsumerOffer } from './media.ts';
import { CallView, ConsultationView, Entry } from './model.ts';

export interface FactDefinition {
  readonly summary: string;
  readonly payload: z.ZodType;
}

const define = <const T extends Record<string, FactDefinition>>(table: T): T => table;
const seat = { consultationId: ConsultationId, callId: CallId };

/**
 * What the server tells clients unasked; never acknowledged. `entry.added` carries the durable thread. All
 * other facts are the present state of something and may be missed without loss: a snapshot repeats them.
 */
export const facts = define({
  'entry.added': {
    summary: 'The next entry of a watched thread, in sequence.',
    payload: Entry,
  },
  'consultation.changed': {
    summary: 'The present state of a consultation; goes to every device of every participant.',
    payload: ConsultationView,
  },
  'call.changed': {
    summary:
      'The present state of a call; goes to every device of every participant, so that all of them ring.',
    payload: CallView,
  },
  'seat.consumerAdded': {
    summary: 'Another seat began to send a track to this device.',
    payload: z.strictObject({ ...seat, consumer: ConsumerOffer }),
  },
  'seat.consumerRemoved': {
    summary: 'A track ended.',
    payload: z.strictObject({ ...seat, consumerId: z.string() }),
  },
  'seat.consumerPaused': {
    summary: 'The sender muted or unmuted a track.',
    payload: z.strictObject({ ...seat, consumerId: z.string(), paused: z.boolean() }),
  },
  'seat.mediaLost': {
    summary: 'The media of this seat is gone (a worker died); join the seat again.',
    payload: z.strictObject(seat),
  },
  'seat.moved': {
    summary: 'Another device of this person took the seat; this one is out of the call.',
    payload: z.strictObject(seat),
  },
  'request.refused': {
    summary: 'A request came without an acknowledgement to answer; this is what was wrong with it.',
    payload: z.strictObject({
      event: z.string(),
      error: z.strictObject({
        code: z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]),
        message: z.string(),
        retryable: z.boolean(),
        requestId: z.string(),
        detail: z.string().optional(),
      }),
    }),
  },
  'session.ending': {
    summary: 'The server is about to close this connection.',
    payload: z.strictObject({ reason: z.enum(['shutting_down', 'token_expired', 'replaced']) }),
  },
});

export type FactName = keyof typeof facts;
export type FactPayload<N extends FactName> = z.output<(typeof facts)[N]['payload']>;
