import { z } from 'zod';
import { type ErrorCode, errorCatalogue } from './errors.ts';
import { FollowUpBoard } from './follow-up.ts';
import { CallId, ConsultationId, PersonId, RecordingId } from './ids.ts';
import { ConsumerOffer, G711Codec, QualityLevel } from './media.ts';
import {
  CallView,
  ConsultationView,
  Entry,
  Preferences,
  QueuePlace,
  ThreadMarks,
  TypingActivity,
  Unread,
} from './model.ts';

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
  'consultation.left': {
    summary: 'This person takes no part in the consultation any more.',
    payload: z.strictObject({ consultationId: ConsultationId }),
  },
  'queue.changed': {
    summary: 'The place of a waiting patient; goes to the patient’s and the doctor’s devices.',
    payload: QueuePlace,
  },
  'marks.changed': {
    summary: 'A participant has received or read more of a watched thread.',
    payload: z.strictObject({ consultationId: ConsultationId, ...ThreadMarks.shape }),
  },
  'unread.changed': {
    summary: 'What this person has not read; goes to all their devices.',
    payload: Unread,
  },
  'typing.changed': {
    summary: 'A participant of a watched thread types or records; over after six seconds unless renewed.',
    payload: z.strictObject({
      consultationId: ConsultationId,
      personId: PersonId,
      activity: TypingActivity,
    }),
  },
  'presence.changed': {
    summary: 'A participant of a watched consultation has a connected device, or has none any more.',
    payload: z.strictObject({ consultationId: ConsultationId, personId: PersonId, online: z.boolean() }),
  },
  'preferences.changed': {
    summary: 'This person changed their choices on some device.',
    payload: Preferences,
  },
  'call.changed': {
    summary:
      'The present state of a call; goes to every device of every participant, so that all of them ring.',
    payload: CallView,
  },
  'recording.changed': {
    summary:
      'A recording of a watched consultation began, grew a file, ended, was composed or erased: `recording.list` says how it is now.',
    payload: z.strictObject({ consultationId: ConsultationId, recordingId: RecordingId }),
  },
  'note.changed': {
    summary:
      'Notes of a consultation changed on another device of their author; `note.list` says how they are now.',
    payload: z.strictObject({ consultationId: ConsultationId }),
  },
  'followUps.changed': {
    summary: 'The present state of the follow-ups of a watched consultation.',
    payload: z.strictObject({ consultationId: ConsultationId, board: FollowUpBoard }),
  },
  'phone.changed': {
    summary:
      'The masked calls of a consultation changed; goes to its patient’s and doctor’s devices: `phone.get` says how it is now.',
    payload: z.strictObject({ consultationId: ConsultationId }),
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
  'seat.g711Wanted': {
    summary:
      'A telephone takes part in the call, which hears no other codec than G.711: while wanted, this device sends its microphone a second time (`seat.produce` of `microphone_g711`, anew each time this says so). Who does not is not heard on the telephone.',
    payload: z.strictObject({ ...seat, wanted: z.boolean(), codec: G711Codec }),
  },
  'call.activeSpeaker': {
    summary: 'Who speaks now; null: nobody. Goes to the devices in the call.',
    payload: z.strictObject({ ...seat, personId: PersonId.nullable() }),
  },
  'seat.qualityChanged': {
    summary: 'How good another participant’s connection is. Goes to the devices in the call.',
    payload: z.strictObject({ ...seat, personId: PersonId, level: QualityLevel }),
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
