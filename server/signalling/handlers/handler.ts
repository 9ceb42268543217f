import type { ConsultationId, RequestName, RequestPayload, RequestResult } from '@teleconsult/protocol';
import type { NetworkChecks } from '../../checks/network-checks.ts';
import type { ConsultationHost } from '../../host/host.ts';
import type { SeatAddress } from '../../host/media-rooms.ts';
import type { Invitations } from '../../invitations/invitations.ts';
import type { NearbyColleagues } from '../../invitations/nearby-colleagues.ts';
import type { People } from '../../people/people.ts';
import type { Transcripts } from '../../speech/transcripts.ts';
import type { PhoneDesk } from '../../telephony/phone-desk.ts';
import type { Presence } from '../../waiting/presence.ts';
import type { WaitingRooms } from '../../waiting/waiting-rooms.ts';
import type { Session } from '../session.ts';
import type { NoteRequests } from './note-port.ts';
import type { AskedBy, RecordingRequests } from './recording-port.ts';

export type Handler<N extends RequestName> = (
  payload: RequestPayload<N>,
  session: Session,
) => Promise<RequestResult<N>>;

export type Handlers = { readonly [N in RequestName]: Handler<N> };

/** The handlers of some requests: those whose name begins with one of these nouns. */
export type HandlersOf<Noun extends string> = {
  readonly [N in Extract<RequestName, `${Noun}.${string}`>]: Handler<N>;
};

/** What requests are about. */
export interface Services {
  readonly host: ConsultationHost;
  readonly people: People;
  readonly waiting: WaitingRooms;
  readonly presence: Presence;
  readonly invitations: Invitations;
  readonly nearby: NearbyColleagues;
  readonly checks: NetworkChecks;
  readonly transcripts: Transcripts;
  readonly recordings: RecordingRequests;
  readonly notes: NoteRequests;
  readonly phones: PhoneDesk;
  /** The server's time. */
  readonly now: () => number;
}

export const addressOf = (
  { consultationId, callId }: Pick<SeatAddress, 'consultationId' | 'callId'>,
  { personId, deviceId }: Session,
): SeatAddress => ({ consultationId, callId, personId, deviceId });

export const askedBy = ({ personId: by, deviceId, onlyConsultation }: Session): AskedBy => ({
  by,
  deviceId,
  onlyConsultation,
});

/** The consultation a payload is about, if any. */
export const consultationOf = (payload: object): ConsultationId | null =>
  'consultationId' in payload ? (payload.consultationId as ConsultationId) : null;
