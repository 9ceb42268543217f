/** What can happen to a consultation. Ids are made by the host; the domain only places them. */
import type {
  CallId,
  CallMedia,
  ClientMessageId,
  ConsultationEndReason,
  DeviceId,
  MediaSource,
  MessageContent,
  MessageId,
  PersonId,
} from '@teleconsult/protocol';

/** A participant's wish, checked against the rights table before it is stepped. */
export type ParticipantCommand =
  | { readonly type: 'enter'; readonly by: PersonId }
  | { readonly type: 'accept'; readonly by: PersonId }
  | { readonly type: 'decline'; readonly by: PersonId; readonly note?: string | undefined }
  | { readonly type: 'cancel'; readonly by: PersonId }
  | { readonly type: 'end'; readonly by: PersonId; readonly note?: string | undefined }
  | {
      readonly type: 'send';
      readonly by: PersonId;
      readonly messageId: MessageId;
      readonly clientMessageId: ClientMessageId;
      readonly content: MessageContent;
    }
  | {
      readonly type: 'call.start';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly media: CallMedia;
    }
  | {
      readonly type: 'call.accept';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
    }
  | { readonly type: 'call.decline'; readonly by: PersonId; readonly callId: CallId }
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
    }
  | {
      readonly type: 'seat.setSource';
      readonly by: PersonId;
      readonly deviceId: DeviceId;
      readonly callId: CallId;
      readonly source: MediaSource;
      readonly on: boolean;
    };

/** What happens without anybody asking: the host application, lost and found devices, time. */
export type SystemEvent =
  | {
      readonly type: 'host.end';
      readonly reason: Extract<ConsultationEndReason, 'completed' | 'cancelled' | 'expired'>;
      readonly note?: string | undefined;
    }
  | { readonly type: 'device.lost'; readonly personId: PersonId; readonly deviceId: DeviceId }
  | { readonly type: 'device.returned'; readonly personId: PersonId; readonly deviceId: DeviceId }
  /** The server was started again: every device of a running call has yet to come back. */
  | { readonly type: 'restarted' }
  | { readonly type: 'tick' };

export type ConsultationEvent = ParticipantCommand | SystemEvent;
export type CommandType = ParticipantCommand['type'];
