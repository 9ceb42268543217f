/** What can happen to a consultation. Ids are made by the host; the domain only places them. */
import type {
  CallId,
  CallMedia,
  ClientMessageId,
  ConsultationEndReason,
  DeclineReason,
  DeviceId,
  DictationPurpose,
  FollowUpId,
  FollowUpOutcome,
  MediaSource,
  MessageContent,
  MessageId,
  NoteId,
  Participant,
  PersonId,
  PhoneBindingId,
  PhoneCallEndReason,
  PhoneCallId,
  PhoneNotRecordedReason,
  PhoneUnboundReason,
  RecordingId,
  SeatLeftReason,
  SeatViewMode,
  SubjectDraft,
} from '@teleconsult/protocol';
import type { TicketHash } from './tickets.ts';

/** A participant's wish, checked against the rights table before it is stepped. */
export type ParticipantCommand =
  | { readonly type: 'enter'; readonly by: PersonId }
  | { readonly type: 'accept'; readonly by: PersonId }
  | {
      readonly type: 'decline';
      readonly by: PersonId;
      readonly reason?: DeclineReason | undefined;
      readonly note?: string | undefined;
    }
  | { readonly type: 'cancel'; readonly by: PersonId }
  | { readonly type: 'end'; readonly by: PersonId; readonly note?: string | undefined }
  | {
      readonly type: 'send';
      readonly by: PersonId;
      readonly messageId: MessageId;
      readonly clientMessageId: ClientMessageId;
      readonly content: MessageContent;
      readonly replyTo?: number | undefined;
    }
  | {
      readonly type: 'recall';
      readonly by: PersonId;
      readonly target: MessageTarget;
    }
  | { readonly type: 'setSubject'; readonly by: PersonId; readonly subject: SubjectDraft | null }
  | { readonly type: 'participant.leave'; readonly by: PersonId }
  | { readonly type: 'participant.remove'; readonly by: PersonId; readonly personId: PersonId }
  | {
      readonly type: 'call.start';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly media: CallMedia;
      /** Whom to ring; left out: everybody else in the consultation. */
      readonly people?: readonly PersonId[] | undefined;
      /** Who is in another call: not rung (`busy`), or rung as a second call (`knock`). */
      readonly engaged?: ReadonlyMap<PersonId, 'busy' | 'knock'> | undefined;
    }
  | {
      readonly type: 'call.accept';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
    }
  | {
      readonly type: 'call.decline';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
    }
  | {
      readonly type: 'call.leave';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
    }
  | {
      readonly type: 'call.invite';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly personId: PersonId;
      readonly engaged?: 'busy' | 'knock' | undefined;
    }
  | {
      readonly type: 'call.hangUp';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
    }
  | {
      readonly type: 'call.setMedia';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly media: CallMedia;
    }
  | {
      readonly type: 'seat.join';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      /** The ticket that the device brings; null: none. */
      readonly ticket: TicketHash | null;
      /** The ticket that it is given when it joins, for the next time. */
      readonly nextTicket: TicketHash;
      /** Takes the seat from whichever device holds it, with no ticket needed. */
      readonly takeOver: boolean;
    }
  | {
      readonly type: 'seat.setSource';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly source: MediaSource;
      readonly on: boolean;
    }
  | {
      readonly type: 'seat.setView';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly view: SeatViewMode;
    }
  | {
      readonly type: 'seat.mute';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly personId: PersonId;
    }
  | {
      readonly type: 'seat.setInterrupted';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly interrupted: boolean;
    }
  | {
      readonly type: 'recording.start';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly recordingId: RecordingId;
    }
  | {
      readonly type: 'recording.answer';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly recordingId: RecordingId;
      readonly granted: boolean;
    }
  | {
      readonly type: 'recording.pause' | 'recording.resume' | 'recording.stop';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly recordingId: RecordingId;
    }
  | {
      readonly type: 'followUp.plan';
      readonly by: PersonId;
      readonly followUpId: FollowUpId;
      readonly clientFollowUpId: string;
      readonly dueAt: number;
      readonly reason: string;
    }
  | {
      readonly type: 'followUp.change';
      readonly by: PersonId;
      readonly followUpId: FollowUpId;
      readonly dueAt: number;
      readonly reason: string;
    }
  | {
      readonly type: 'followUp.cancel' | 'followUp.begin';
      readonly by: PersonId;
      readonly followUpId: FollowUpId;
    }
  | {
      readonly type: 'followUp.complete';
      readonly by: PersonId;
      readonly followUpId: FollowUpId;
      readonly outcome: FollowUpOutcome;
      readonly noteId?: NoteId | undefined;
    }
  | { readonly type: 'contact.set'; readonly by: PersonId; readonly refused: boolean }
  /** Whether the person may: what is bound lies beside the consultation and changes nothing of it here. */
  | { readonly type: PhoneQuestion; readonly by: PersonId }
  /** Rings a telephone to take part in the running call. */
  | {
      readonly type: 'phone.join';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly personId: PersonId;
      readonly phoneCallId: PhoneCallId;
      readonly engaged?: 'busy' | 'knock' | undefined;
    };

/** Requests of masked calls whose rights the consultation decides. */
export type PhoneQuestion = 'phone.get' | 'phone.bind' | 'phone.unbind' | 'phone.setRefused';

/** A message as it lies in the thread, looked up by the host just before the step. */
export interface MessageTarget {
  readonly sequence: number;
  readonly messageId: MessageId;
  readonly by: PersonId | null;
  readonly at: number;
  /** Withdrawn before: doing it again changes nothing. */
  readonly withdrawn: boolean;
}

/** What happens without anybody asking: the host application, lost and found devices, time. */
export type SystemEvent =
  | {
      readonly type: 'host.end';
      readonly reason: Extract<ConsultationEndReason, 'completed' | 'cancelled' | 'expired'>;
      readonly note?: string | undefined;
    }
  | { readonly type: 'host.remove'; readonly target: MessageTarget; readonly reason?: string | undefined }
  /** A person was drawn in: by the host application, or by redeeming an invitation (`by` is null for both). */
  | { readonly type: 'participant.add'; readonly participant: Participant }
  | { readonly type: 'host.removeParticipant'; readonly personId: PersonId }
  | { readonly type: 'device.lost'; readonly personId: PersonId; readonly deviceId: DeviceId }
  | { readonly type: 'device.returned'; readonly personId: PersonId; readonly deviceId: DeviceId }
  /** A doctor signed a note, or added to a signed one. Whoever keeps the notes submits each once. */
  | {
      readonly type: 'note.signed';
      readonly author: PersonId;
      readonly noteId: NoteId;
      readonly purpose: DictationPurpose;
      readonly followUpId?: FollowUpId | undefined;
    }
  | {
      readonly type: 'note.added';
      readonly author: PersonId;
      readonly noteId: NoteId;
      readonly addition: number;
    }
  /** Facts of masked calls, told by whoever keeps them; the same one again changes nothing. `person`: who did it. */
  | {
      readonly type: 'phone.bound';
      readonly bindingId: PhoneBindingId;
      readonly expiresAt: number;
      readonly person: PersonId | null;
    }
  | {
      readonly type: 'phone.unbound';
      readonly bindingId: PhoneBindingId;
      readonly reason: PhoneUnboundReason;
      readonly person: PersonId | null;
    }
  | {
      readonly type: 'phone.callStarted';
      readonly bindingId: PhoneBindingId;
      readonly phoneCallId: PhoneCallId;
      readonly person: PersonId | null;
    }
  | {
      readonly type: 'phone.callAnswered';
      readonly phoneCallId: PhoneCallId;
      readonly person: PersonId | null;
    }
  | {
      readonly type: 'phone.callEnded';
      readonly phoneCallId: PhoneCallId;
      readonly reason: PhoneCallEndReason;
      readonly talkMs: number;
      readonly notRecorded?: PhoneNotRecordedReason;
      readonly person: PersonId | null;
    }
  | {
      readonly type: 'phone.refused';
      readonly personId: PersonId;
      readonly refused: boolean;
      readonly person: PersonId | null;
    }
  | PhoneSeatEvent
  /** A participant dialled the relay number of the visit while others are in its call: their telephone is to take part in it. */
  | {
      readonly type: 'phone.dialIn';
      readonly personId: PersonId;
      readonly callId: CallId;
      readonly phoneCallId: PhoneCallId;
    }
  /** The server was started again: every device of a running call has yet to come back. */
  | { readonly type: 'restarted' }
  | { readonly type: 'tick' };

/** What became of a telephone that the consultation asked to ring. `phoneCallId` is the one it was asked with. */
export type PhoneSeatEvent = {
  readonly personId: PersonId;
  readonly callId: CallId;
  readonly phoneCallId: PhoneCallId;
} & (
  | { readonly type: 'phone.seatAnswered' }
  | {
      readonly type: 'phone.seatLeft';
      readonly reason: Exclude<SeatLeftReason, 'removed'>;
    }
  /** The person switched their own microphone by a key. */
  | { readonly type: 'phone.microphone'; readonly on: boolean }
  | {
      readonly type: 'phone.consent';
      readonly recordingId: RecordingId;
      readonly granted: boolean;
    }
);

export type ConsultationEvent = ParticipantCommand | SystemEvent;
export type CommandType = ParticipantCommand['type'];
