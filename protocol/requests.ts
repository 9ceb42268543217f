import { z } from 'zod';
import { DisplayName } from './attachment.ts';
import { healthChannelRequests } from './clip.ts';
import { followUpRequests } from './follow-up.ts';
import { SubjectDraft } from './form.ts';
import {
  CallId,
  ClientMessageId,
  ConsultationId,
  InvitationCode,
  InvitationId,
  MessageId,
  Moment,
  PersonId,
  Sequence,
} from './ids.ts';
import {
  DEFAULT_INVITATION_MS,
  DEFAULT_PAGE_SIZE,
  MAX_CAPTION_LENGTH,
  MAX_INVITATION_MS,
  MAX_PAGE_SIZE,
  MAX_PARTICIPANTS,
  MAX_QUERY_LENGTH,
} from './limits.ts';
import {
  CallMedia,
  CallView,
  ConsultationView,
  DeclineReason,
  Entry,
  GuestRole,
  MessageDraft,
  Preferences,
  QueuePlace,
  ThreadMarks,
  TypingActivity,
  Unread,
} from './model.ts';
import { noteRequests } from './note.ts';
import { phoneRequests } from './phone.ts';
import { recordingRequests } from './recording.ts';
import { recordingControlRequests } from './recording-controls.ts';
import { define } from './request-definition.ts';
import { seatRequests } from './seat-requests.ts';

const consultation = { consultationId: ConsultationId };
const call = { ...consultation, callId: CallId };
const empty = z.strictObject({});
const PageSize = z.int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE);
const ConsultationResult = z.strictObject({ consultation: ConsultationView });
const CallResult = z.strictObject({ call: CallView });
/** Degrees, WGS 84. The SDK rounds before it sends, the server rounds again before it keeps. */
const Position = { latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) };
const InvitationPreview = z.strictObject({
  purpose: z.enum(['participant', 'colleague']),
  /** Who invites. */
  invitedBy: DisplayName,
  role: GuestRole.nullable(),
  expiresAt: Moment,
});

/**
 * Every request a client may send, by Socket.IO event name. Each is acknowledged with one envelope
 * `{ok: true, data} | {ok: false, error}`. The server's handler table, the SDK's signatures and
 * docs/PROTOCOL.md come from this table.
 */
export const requests = define({
  'session.ping': {
    summary: 'Asks whether the connection is alive; answers the server’s time.',
    payload: empty,
    result: z.strictObject({ at: Moment }),
  },
  'preferences.get': {
    summary: 'What this person has chosen, for all devices.',
    payload: empty,
    result: z.strictObject({ preferences: Preferences }),
  },
  'preferences.set': {
    summary: 'Change some choices; what is left out stays.',
    payload: z.strictObject({
      readReceipts: z.boolean().optional(),
      push: Preferences.shape.push.partial().optional(),
    }),
    result: z.strictObject({ preferences: Preferences }),
  },
  'push.key': {
    summary: 'The server’s VAPID public key (RFC 8292), base64url, for `PushManager.subscribe`.',
    payload: empty,
    result: z.strictObject({ publicKey: z.string() }),
  },
  'push.subscribe': {
    summary:
      'Push news to this device while its app is closed. A new subscription replaces the device’s former.',
    payload: z.strictObject({
      /** `PushSubscription.toJSON()` (Push API). */
      subscription: z.strictObject({
        endpoint: z.url().max(1024),
        expirationTime: z.number().nullable().optional(),
        keys: z.strictObject({ p256dh: z.string().min(80).max(100), auth: z.string().min(16).max(32) }),
      }),
    }),
    result: empty,
  },
  'push.unsubscribe': {
    summary: 'Push nothing to this device any more.',
    payload: empty,
    result: empty,
  },
  'consultation.list': {
    summary: 'The consultations this person takes part in, newest first. Health channels are not among them.',
    payload: z.strictObject({
      limit: z.int().min(1).max(100).default(50),
      /** Only consultations created before this moment: the next page. */
      createdBefore: Moment.optional(),
    }),
    result: z.strictObject({
      consultations: z.array(ConsultationView),
      /** One for each of the consultations. */
      unread: z.array(Unread),
      /** Of those that wait: this person's place, or for a doctor the places of the patients. */
      queue: z.array(QueuePlace),
      hasMore: z.boolean(),
    }),
  },
  'consultation.watch': {
    summary:
      'Follow a consultation: answers a snapshot and the entries after `afterSequence` (or the latest page), then every further fact is pushed.',
    payload: z.strictObject({ ...consultation, afterSequence: Sequence.optional(), limit: PageSize }),
    result: z.strictObject({
      consultation: ConsultationView,
      call: CallView.nullable(),
      /** While it waits. */
      queue: QueuePlace.nullable(),
      /** One for each participant. */
      marks: z.array(ThreadMarks),
      unread: Unread,
      /** Who has a connected device now. */
      online: z.array(PersonId),
      entries: z.array(Entry),
      /** True when entries between `afterSequence` and the first fact pushed live are still to be fetched. */
      hasMore: z.boolean(),
    }),
  },
  'consultation.unwatch': {
    summary: 'Stop following a consultation on this device.',
    payload: z.strictObject(consultation),
    result: empty,
  },
  'consultation.enter': {
    summary: 'The patient enters the waiting room. Entering again changes nothing.',
    payload: z.strictObject(consultation),
    result: ConsultationResult,
  },
  'consultation.accept': {
    summary: 'The doctor begins the consultation.',
    payload: z.strictObject(consultation),
    result: ConsultationResult,
  },
  'consultation.decline': {
    summary:
      'The doctor declines a consultation that has not begun, with a reason; a colleague declines a thread.',
    payload: z.strictObject({
      ...consultation,
      reason: DeclineReason.optional(),
      note: z.string().trim().min(1).max(MAX_CAPTION_LENGTH).optional(),
    }),
    result: ConsultationResult,
  },
  'consultation.cancel': {
    summary: 'The patient withdraws a consultation that has not begun.',
    payload: z.strictObject(consultation),
    result: ConsultationResult,
  },
  'consultation.end': {
    summary: 'The doctor ends a consultation that has begun. A running call ends with it.',
    payload: z.strictObject({
      ...consultation,
      note: z.string().trim().min(1).max(MAX_CAPTION_LENGTH).optional(),
    }),
    result: ConsultationResult,
  },
  'consultation.setSubject': {
    summary:
      'The patient says for whom they consult and by what authorisation, before the visit begins; null: for themselves.',
    payload: z.strictObject({ ...consultation, subject: SubjectDraft.nullable() }),
    result: ConsultationResult,
  },
  'participant.leave': {
    summary: 'A relative, interpreter or colleague leaves the consultation.',
    payload: z.strictObject(consultation),
    result: empty,
  },
  'participant.remove': {
    summary: 'The doctor removes a relative, interpreter or colleague.',
    payload: z.strictObject({ ...consultation, personId: PersonId }),
    result: ConsultationResult,
  },
  'invitation.create': {
    summary:
      'Invite a third person into a consultation (patient: a relative or interpreter; doctor: anybody), or a colleague to a thread of doctors. The code works once.',
    payload: z.discriminatedUnion('purpose', [
      z.strictObject({
        purpose: z.literal('participant'),
        ...consultation,
        role: GuestRole,
        validForMs: z.int().min(60_000).max(MAX_INVITATION_MS).default(DEFAULT_INVITATION_MS),
      }),
      z.strictObject({
        purpose: z.literal('colleague'),
        validForMs: z.int().min(60_000).max(MAX_INVITATION_MS).default(DEFAULT_INVITATION_MS),
      }),
    ]),
    result: z.strictObject({ invitationId: InvitationId, code: InvitationCode, expiresAt: Moment }),
  },
  'invitation.preview': {
    summary: 'What an invitation is for, before it is accepted.',
    payload: z.strictObject({ code: InvitationCode }),
    result: InvitationPreview,
  },
  'invitation.redeem': {
    summary:
      'Accept an invitation. Works once; the same person asking again gets the same answer. The token must hold a name, and a doctor’s the profession.',
    payload: z.strictObject({ code: InvitationCode }),
    result: ConsultationResult,
  },
  'invitation.revoke': {
    summary: 'Take back an invitation of one’s own that nobody has accepted.',
    payload: z.strictObject({ invitationId: InvitationId }),
    result: empty,
  },
  'nearby.show': {
    summary:
      'A doctor lets other doctors near by see them for ten minutes. The place is rounded to about a kilometre, kept in memory only, and needs consent each time.',
    payload: z.strictObject({ ...Position, consent: z.literal(true) }),
    result: z.strictObject({ until: Moment }),
  },
  'nearby.hide': {
    summary: 'Be seen by nobody any more; the place is forgotten.',
    payload: empty,
    result: empty,
  },
  'nearby.list': {
    summary: 'Doctors near by who let themselves be seen; only for one who does, too.',
    payload: empty,
    result: z.strictObject({
      colleagues: z
        .array(
          z.strictObject({
            personId: PersonId,
            displayName: DisplayName,
            /** Upper bound of the distance in kilometres; never exact. */
            withinKm: z.union([z.literal(2), z.literal(5), z.literal(10)]),
          }),
        )
        .max(50),
    }),
  },
  'colleague.request': {
    summary: 'Ask a doctor near by for a thread; they accept or decline it like a consultation.',
    payload: z.strictObject({ personId: PersonId }),
    result: ConsultationResult,
  },
  'message.send': {
    summary:
      'Add a message to the thread. Acknowledged only after it is on disk; the same clientMessageId with the same content is one message.',
    payload: z.strictObject({
      ...consultation,
      clientMessageId: ClientMessageId,
      content: MessageDraft,
      /** The message this one answers. */
      replyTo: Sequence.optional(),
    }),
    result: z.strictObject({ messageId: MessageId, sequence: Sequence, at: Moment }),
  },
  'message.recall': {
    summary:
      'Take back a message of one’s own within the recall time (two minutes). Everybody reads a tombstone in its place; asking again answers the same.',
    payload: z.strictObject({ ...consultation, sequence: Sequence }),
    result: z.strictObject({ sequence: Sequence, at: Moment }),
  },
  'message.transcribe': {
    summary: 'The words of a voice message, by the speech service of this server.',
    payload: z.strictObject({
      ...consultation,
      sequence: Sequence,
      language: z.enum(['zh', 'en']).optional(),
    }),
    result: z.strictObject({ text: z.string() }),
  },
  'thread.mark': {
    summary:
      'This person has received or read the thread up to a sequence. Marks only rise; acknowledged when on disk.',
    payload: z.strictObject({
      ...consultation,
      delivered: Sequence.optional(),
      read: Sequence.optional(),
    }),
    result: Unread,
  },
  'thread.search': {
    summary:
      'Messages that hold a text (letters of any case and width), newest first. `nextBefore` goes on where this answer stopped looking.',
    payload: z.strictObject({
      ...consultation,
      query: z
        .string()
        .min(1)
        .max(MAX_QUERY_LENGTH)
        .refine((text) => text.trim() !== '', 'is blank'),
      beforeSequence: Sequence.optional(),
      limit: z.int().min(1).max(50).default(20),
    }),
    result: z.strictObject({ matches: z.array(Entry), nextBefore: Sequence.nullable() }),
  },
  'typing.set': {
    summary: 'This person is typing or recording now, or has stopped. Not kept; over after six seconds.',
    payload: z.strictObject({ ...consultation, activity: TypingActivity }),
    result: empty,
  },
  'thread.page': {
    summary:
      'Entries of the thread by sequence: after a number (ascending) or before one (the page just below it, ascending).',
    payload: z
      .strictObject({
        ...consultation,
        afterSequence: Sequence.optional(),
        beforeSequence: Sequence.optional(),
        limit: PageSize,
      })
      .refine(
        (page) => page.afterSequence === undefined || page.beforeSequence === undefined,
        'afterSequence and beforeSequence exclude each other',
      ),
    result: z.strictObject({ entries: z.array(Entry), hasMore: z.boolean(), lastSequence: Sequence }),
  },
  'call.start': {
    summary:
      'Call the other participants, or those named. All their devices ring. If they are calling too, both become one call. When all of them are busy the answer is a call that ended with `busy`.',
    payload: z.strictObject({
      ...consultation,
      media: CallMedia,
      people: z.array(PersonId).min(1).max(MAX_PARTICIPANTS).optional(),
    }),
    result: CallResult,
  },
  'call.accept': {
    summary:
      'Answer a ringing call on this device. The person’s other devices stop ringing. With `leaveOther` the call they are in elsewhere is left first (call waiting); without it that is `BUSY`.',
    payload: z.strictObject({ ...call, leaveOther: z.boolean().default(false) }),
    result: CallResult,
  },
  'call.decline': {
    summary:
      'Decline a ringing call on all devices of this person. It goes on for the others, if there are any.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'call.hangUp': {
    summary:
      'End the call for all; while it still rings, the caller cancels it. With more than two in it: the caller and the doctor only, others leave.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'call.leave': {
    summary: 'Leave the call without ending it for the others. It ends when fewer than two are left.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'call.invite': {
    summary: 'Ring one more participant of the consultation in a running call, or one who left it again.',
    payload: z.strictObject({ ...call, personId: PersonId }),
    result: CallResult,
  },
  'call.setMedia': {
    summary: 'Turn a voice call into a video call or back, without a new call.',
    payload: z.strictObject({ ...call, media: CallMedia }),
    result: CallResult,
  },
  ...recordingControlRequests,
  ...recordingRequests,
  ...noteRequests,
  ...followUpRequests,
  ...healthChannelRequests,
  ...phoneRequests,
  ...seatRequests,
});

export type { RequestDefinition } from './request-definition.ts';

export type RequestName = keyof typeof requests;
export const requestNames = Object.keys(requests) as readonly RequestName[];

/** What a caller passes (defaults may be left out). */
export type RequestInput<N extends RequestName> = z.input<(typeof requests)[N]['payload']>;
/** What a handler receives after parsing. */
export type RequestPayload<N extends RequestName> = z.output<(typeof requests)[N]['payload']>;
export type RequestResult<N extends RequestName> = z.output<(typeof requests)[N]['result']>;
