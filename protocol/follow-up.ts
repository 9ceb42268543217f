import { z } from 'zod';
import { ConsultationId, FollowUpId, Moment, NoteId, PersonId } from './ids.ts';
import { MAX_FOLLOW_UP_REASON } from './limits.ts';

/** `due`: its date has come. `in_progress`: the doctor carries it out now, and may call. */
export const FollowUpState = z.enum(['planned', 'due', 'in_progress', 'done', 'cancelled']);
export type FollowUpState = z.infer<typeof FollowUpState>;

export const FollowUpOutcome = z.enum(['reached', 'not_reached', 'refused']);
export type FollowUpOutcome = z.infer<typeof FollowUpOutcome>;

const Reason = z.string().trim().min(1).max(MAX_FOLLOW_UP_REASON);

/** A look at how the patient is doing, after the visit (随访). It belongs to the visit it follows. */
export const FollowUp = z.strictObject({
  followUpId: FollowUpId,
  plannedBy: PersonId,
  plannedAt: Moment,
  dueAt: Moment,
  reason: z.string(),
  state: FollowUpState,
  /** When the present state began. */
  since: Moment,
  outcome: FollowUpOutcome.nullable(),
  /** The note that holds its result. */
  noteId: NoteId.nullable(),
});
export type FollowUp = z.infer<typeof FollowUp>;

/** Everything about what comes after a visit. */
export const FollowUpBoard = z.strictObject({
  followUps: z.array(FollowUp),
  /** Since when the patient does not want to be contacted; null: they may be. */
  contactRefusedSince: Moment.nullable(),
});
export type FollowUpBoard = z.infer<typeof FollowUpBoard>;

const consultation = { consultationId: ConsultationId };
const followUp = { ...consultation, followUpId: FollowUpId };
const BoardResult = z.strictObject({ board: FollowUpBoard });

export const followUpRequests = {
  'followUp.list': {
    summary: 'The follow-ups of a consultation, by date, and whether the patient may be contacted.',
    payload: z.strictObject(consultation),
    result: BoardResult,
  },
  'followUp.plan': {
    summary:
      'The doctor plans a follow-up of a visit that runs or has ended. At its date both are reminded. The same clientFollowUpId is the same follow-up.',
    payload: z.strictObject({
      ...consultation,
      clientFollowUpId: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
      dueAt: Moment,
      reason: Reason,
    }),
    result: z.strictObject({ board: FollowUpBoard, followUpId: FollowUpId }),
  },
  'followUp.change': {
    summary: 'Another date or reason, while it is planned or due.',
    payload: z.strictObject({ ...followUp, dueAt: Moment, reason: Reason }),
    result: BoardResult,
  },
  'followUp.cancel': {
    summary: 'It is not needed any more.',
    payload: z.strictObject(followUp),
    result: BoardResult,
  },
  'followUp.begin': {
    summary:
      'The doctor begins a follow-up of an ended visit: until it is completed they may call the patient in this consultation. `FORBIDDEN` while the patient refuses contact.',
    payload: z.strictObject(followUp),
    result: BoardResult,
  },
  'followUp.complete': {
    summary: 'How it went, and the note with its result. `WRONG_STATE` while a call runs.',
    payload: z.strictObject({
      ...followUp,
      outcome: z.enum(['reached', 'not_reached', 'refused']),
      noteId: NoteId.optional(),
    }),
    result: BoardResult,
  },
  'contact.set': {
    summary:
      'The patient says whether they may be contacted after the visit. No is obeyed at once: a follow-up call that rings or runs ends, and none can be made.',
    payload: z.strictObject({ ...consultation, refused: z.boolean() }),
    result: BoardResult,
  },
};
