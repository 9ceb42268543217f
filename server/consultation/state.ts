/**
 * What a consultation is. States are unions that hold only what exists in them; a transition replaces the record.
 */
import type {
  CallEndReason,
  CallId,
  CallMedia,
  ClientMessageId,
  ConsultationEndReason,
  ConsultationId,
  ConsultationKind,
  DeclineReason,
  DeviceId,
  DictationPurpose,
  FollowUpId,
  FollowUpOutcome,
  MessageContent,
  MessageId,
  NoteId,
  Participant,
  ParticipantRole,
  PersonId,
  PhoneBindingId,
  PhoneCallEndReason,
  PhoneCallId,
  PhoneNotRecordedReason,
  PhoneUnboundReason,
  RecordingId,
  RecordingStopReason,
  SeatLeftReason,
  SeatViewMode,
  Subject,
} from '@teleconsult/protocol';
import { DEFAULT_RECALL_MS } from '@teleconsult/protocol/limits';
import type { PhoneEffect, PhoneLeg, PhoneMemory } from './phone-state.ts';
import type { SeatTickets } from './tickets.ts';

export type Phase =
  | { readonly name: 'requested'; readonly since: number }
  | { readonly name: 'waiting'; readonly since: number }
  | { readonly name: 'active'; readonly since: number }
  | {
      readonly name: 'ended';
      readonly since: number;
      readonly reason: ConsultationEndReason;
      readonly declineReason: DeclineReason | null;
      /** When the doctor began it; null when that never happened. */
      readonly activeSince: number | null;
    };

interface SeatBase {
  readonly personId: PersonId;
  readonly since: number;
  /** What the person wants, kept over every loss: a muted microphone is never un-muted by a return. */
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly screenOn: boolean;
  /** Who muted this microphone for the person. */
  readonly mutedBy: PersonId | null;
  readonly view: SeatViewMode;
  readonly interrupted: boolean;
  /** The person's telephone while it is rung or talks; null: none is. */
  readonly phone: PhoneLeg | null;
}

export type Seat =
  | (SeatBase & {
      readonly state: 'invited';
      readonly ringUntil: number;
      /** The person is in another call, and this one knocks. */
      readonly callWaiting: boolean;
    })
  | (SeatBase & { readonly state: 'connecting'; readonly deviceId: DeviceId })
  | (SeatBase & {
      readonly state: 'present';
      readonly deviceId: DeviceId;
      /** null: it was joined under a version of the server that gave none. */
      readonly tickets: SeatTickets | null;
    })
  /** A telephone holds it. */
  | (SeatBase & {
      readonly state: 'present';
      readonly deviceId: null;
      readonly tickets: null;
      readonly phone: PhoneLeg;
    })
  | (SeatBase & {
      readonly state: 'reconnecting';
      readonly deviceId: DeviceId;
      /** Whether the device had joined when it was lost: what never joined does not come back as present. */
      readonly joined: boolean;
      readonly tickets: SeatTickets | null;
    })
  | (SeatBase & {
      readonly state: 'left';
      readonly reason: SeatLeftReason;
      /** The device that declined or held the seat; null when none did. */
      readonly deviceId: DeviceId | null;
      /** Open for somebody who was lost from a live call; null for everybody else, and once its time has passed. */
      readonly wayBack: WayBack | null;
    });

/** How a person who was lost comes back into the call: within a time, and with the ticket of their device. */
export interface WayBack {
  readonly until: number;
  readonly tickets: SeatTickets | null;
}

export type CallPhase =
  /** `until`: when the last of the invited seats stops ringing. */
  | { readonly name: 'ringing'; readonly until: number }
  | { readonly name: 'connecting'; readonly answeredAt: number; readonly until: number }
  | { readonly name: 'live'; readonly answeredAt: number };

export type RecordingPhase =
  /** Nothing is recorded yet. */
  | { readonly name: 'asking'; readonly since: number; readonly answerUntil: number }
  | { readonly name: 'running'; readonly since: number }
  | { readonly name: 'paused'; readonly since: number };

/** What a person has said to being recorded. It stays with them for this recording, whatever device they come back with. */
export interface Consent {
  readonly personId: PersonId;
  readonly state: 'asked' | 'granted';
  readonly since: number;
}

/** The recording of a call while it is asked for or runs; one that stopped is entries of the thread. */
export interface RecordingRecord {
  readonly recordingId: RecordingId;
  readonly startedBy: PersonId;
  readonly phase: RecordingPhase;
  /** Of everybody who has been in the call since it was asked for. */
  readonly consents: readonly Consent[];
}

/** A running call. An ended one is an entry of the thread and no longer part of the state. */
export interface CallRecord {
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly startedBy: PersonId;
  readonly startedAt: number;
  readonly phase: CallPhase;
  readonly seats: readonly Seat[];
  /** null: nobody has asked to record it, or the recording stopped. */
  readonly recording: RecordingRecord | null;
  /** The recording that stopped last: stopping it again changes nothing. */
  readonly stoppedRecordingId: RecordingId | null;
}

interface FollowUpBase {
  readonly followUpId: FollowUpId;
  /** What the device that planned it calls it: planned again, it is the same. */
  readonly clientFollowUpId: string;
  readonly plannedBy: PersonId;
  readonly plannedAt: number;
  readonly dueAt: number;
  readonly reason: string;
  /** When its present state began. */
  readonly since: number;
}

export type FollowUpRecord =
  | (FollowUpBase & { readonly state: 'planned' | 'due' | 'in_progress' | 'cancelled' })
  | (FollowUpBase & {
      readonly state: 'done';
      readonly outcome: FollowUpOutcome;
      readonly noteId: NoteId | null;
    });

export interface ConsultationState {
  readonly id: ConsultationId;
  readonly kind: ConsultationKind;
  readonly createdAt: number;
  readonly participants: readonly Participant[];
  /** The doctor who asked a colleague for a thread, or whose health channel it is; null in a visit. */
  readonly requestedBy: PersonId | null;
  readonly subject: Subject | null;
  readonly phase: Phase;
  readonly call: CallRecord | null;
  /** Rises with every change of the call or its seats, over all calls of the consultation. */
  readonly callRevision: number;
  /** In the order in which they were planned. */
  readonly followUps: readonly FollowUpRecord[];
  /** Since when the patient does not want to be contacted after the visit; null: they may be. */
  readonly contactRefusedSince: number | null;
  readonly phone: PhoneMemory;
  /** The sequence of the newest entry. */
  readonly sequence: number;
}

/** A durable fact before it gets its sequence and moment. */
export type FactDraft =
  | { readonly kind: 'consultation.requested' }
  | { readonly kind: 'consultation.waiting' }
  | { readonly kind: 'consultation.accepted' }
  | {
      readonly kind: 'consultation.ended';
      readonly reason: ConsultationEndReason;
      readonly declineReason?: DeclineReason;
      readonly note?: string;
    }
  | { readonly kind: 'consultation.subjectSet'; readonly subject: Subject | null }
  | {
      readonly kind: 'participant.joined';
      readonly personId: PersonId;
      readonly role: ParticipantRole;
      readonly displayName: string;
    }
  | {
      readonly kind: 'participant.left';
      readonly personId: PersonId;
      readonly reason: 'left' | 'removed';
    }
  | {
      readonly kind: 'message.sent';
      readonly messageId: MessageId;
      readonly clientMessageId: ClientMessageId;
      readonly content: MessageContent;
      readonly replyTo?: number;
    }
  | { readonly kind: 'message.recalled'; readonly target: number; readonly messageId: MessageId }
  | {
      readonly kind: 'message.removed';
      readonly target: number;
      readonly messageId: MessageId;
      readonly reason?: string;
    }
  | { readonly kind: 'call.invited'; readonly callId: CallId; readonly personId: PersonId }
  | {
      readonly kind: 'call.left';
      readonly callId: CallId;
      readonly personId: PersonId;
      readonly reason: SeatLeftReason;
    }
  | { readonly kind: 'call.started'; readonly callId: CallId; readonly media: CallMedia }
  | { readonly kind: 'call.answered'; readonly callId: CallId }
  | { readonly kind: 'call.mediaChanged'; readonly callId: CallId; readonly media: CallMedia }
  | {
      readonly kind: 'call.ended';
      readonly callId: CallId;
      readonly reason: CallEndReason;
      readonly durationMs: number;
    }
  | { readonly kind: 'recording.asked'; readonly callId: CallId; readonly recordingId: RecordingId }
  | {
      readonly kind: 'recording.agreed' | 'recording.started' | 'recording.paused' | 'recording.resumed';
      readonly recordingId: RecordingId;
    }
  | {
      readonly kind: 'recording.stopped';
      readonly recordingId: RecordingId;
      readonly reason: RecordingStopReason;
    }
  | {
      readonly kind: 'note.signed';
      readonly noteId: NoteId;
      readonly purpose: DictationPurpose;
      readonly followUpId?: FollowUpId;
    }
  | { readonly kind: 'note.added'; readonly noteId: NoteId; readonly addition: number }
  | {
      readonly kind: 'followUp.planned' | 'followUp.changed';
      readonly followUpId: FollowUpId;
      readonly dueAt: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'followUp.cancelled' | 'followUp.due' | 'followUp.begun';
      readonly followUpId: FollowUpId;
    }
  | {
      readonly kind: 'followUp.completed';
      readonly followUpId: FollowUpId;
      readonly outcome: FollowUpOutcome;
      readonly noteId?: NoteId;
    }
  | { readonly kind: 'contact.changed'; readonly refused: boolean }
  | { readonly kind: 'phone.bound'; readonly bindingId: PhoneBindingId; readonly expiresAt: number }
  | {
      readonly kind: 'phone.unbound';
      readonly bindingId: PhoneBindingId;
      readonly reason: PhoneUnboundReason;
    }
  | {
      readonly kind: 'phone.callStarted';
      readonly bindingId: PhoneBindingId;
      readonly phoneCallId: PhoneCallId;
    }
  | { readonly kind: 'phone.callAnswered'; readonly phoneCallId: PhoneCallId }
  | {
      readonly kind: 'phone.callEnded';
      readonly phoneCallId: PhoneCallId;
      readonly reason: PhoneCallEndReason;
      readonly talkMs: number;
      readonly notRecorded?: PhoneNotRecordedReason;
    }
  | { readonly kind: 'phone.refused'; readonly personId: PersonId; readonly refused: boolean };

/** What must be done outside, once the transition is on disk. */
export type Effect =
  | { readonly type: 'callEnded'; readonly call: CallRecord; readonly reason: CallEndReason }
  /** No camera of the call may be on until its person switches it on. */
  | { readonly type: 'camerasOff'; readonly callId: CallId }
  /** What the seat sends is other than before by somebody's or the system's doing: the media follows. */
  | { readonly type: 'sourcesChanged'; readonly callId: CallId; readonly personId: PersonId }
  /** The seat's media must go: its person left or another device took over. */
  | {
      readonly type: 'seatReleased';
      readonly callId: CallId;
      readonly personId: PersonId;
      readonly deviceId: DeviceId;
      readonly why: 'left' | 'moved';
    }
  /** The person takes no part any more: their devices hear nothing of the consultation from now on. */
  | { readonly type: 'participantLeft'; readonly personId: PersonId }
  | PhoneEffect;

/** Times that govern a consultation, in milliseconds. */
export interface Timings {
  /** How long a person is rung before their seat is left with `no_answer`. */
  readonly ringMs: number;
  /** How long an answered call may take until two seats are present before it ends with `failed`; how long a
   * further seat may take to join a live call before it is left. */
  readonly connectMs: number;
  /** How long a lost seat is kept before it becomes `left`. */
  readonly seatGraceMs: number;
  /** How long after that the person may still come back into a live call, and those in it may wait for them. */
  readonly returnMs: number;
  /** How long a ring survives the loss of its caller. */
  readonly callerGraceMs: number;
  /** How long a consultation may wait for its doctor before it expires. */
  readonly waitingMs: number;
  /** How long after sending a message may be recalled. */
  readonly recallMs: number;
  /** How long those who are asked to be recorded may take to answer before nothing comes of it. */
  readonly recordingAnswerMs: number;
  /** How long a follow-up that was begun may take before it is due again; a call that runs then may end first. */
  readonly followUpMs: number;
}

export const DEFAULT_TIMINGS: Timings = {
  ringMs: 45_000,
  connectMs: 30_000,
  seatGraceMs: 60_000,
  returnMs: 15 * 60_000,
  callerGraceMs: 10_000,
  waitingMs: 24 * 3_600_000,
  recallMs: DEFAULT_RECALL_MS,
  recordingAnswerMs: 60_000,
  followUpMs: 24 * 3_600_000,
};
