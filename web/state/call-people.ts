import type { Call, RemoteTrack } from '@teleconsult/client-sdk/api';
import type { ParticipantRole, PersonId, QualityLevel, SeatView } from '@teleconsult/protocol';
import { type PhonePart, phonePart } from './phone-seat.ts';

/** How somebody takes part in the call right now, as it is to be read on their tile. */
export type Presence = 'ringing' | 'connecting' | 'present' | 'interrupted' | 'reconnecting' | 'lost';

/** One tile of the call. */
export interface CallPerson {
  readonly personId: PersonId;
  readonly name: string;
  readonly role: ParticipantRole | null;
  readonly isSelf: boolean;
  readonly presence: Presence;
  readonly phone: PhonePart;
  /** Until when somebody who is `lost` can come back, in Unix milliseconds; null for everybody else. */
  readonly returnUntil: number | null;
  readonly isMuted: boolean;
  readonly isCameraOff: boolean;
  readonly isSpeaking: boolean;
  /** How good their connection is, as they report it; null: not known, or one's own. */
  readonly quality: QualityLevel | null;
  /** The camera of somebody else; null while it is off, paused or not there yet. */
  readonly camera: RemoteTrack | null;
  /** One's own camera. */
  readonly ownCamera: MediaStreamTrack | null;
}

/** A screen that is shared: somebody else's comes as a track that reports its size. */
export interface SharedScreen {
  readonly personId: PersonId;
  readonly isSelf: boolean;
  readonly remote: RemoteTrack | null;
  readonly own: MediaStreamTrack | null;
}

export interface CallPeopleOptions {
  readonly call: Call;
  readonly self: PersonId;
  readonly nameOf: (personId: PersonId) => string;
  readonly roleOf: (personId: PersonId) => ParticipantRole | null;
}

/** In the call, being called, or lost and able to come back. */
export const isIn = ({ state, returnUntil }: SeatView): boolean => state !== 'left' || returnUntil !== null;

/** Who is in the call or is being called, the others first, each in the order in which they came. */
export function callPeople({ call, self, nameOf, roleOf }: CallPeopleOptions): readonly CallPerson[] {
  const inIt = call.view.seats.filter(isIn);
  const others = inIt.filter(({ personId }) => personId !== self);
  const own = inIt.filter(({ personId }) => personId === self);
  return [...others, ...own].map((seat) => {
    const isSelf = seat.personId === self;
    const camera = isSelf ? null : videoOf(call, seat.personId, 'camera');
    const ownCamera = isSelf && call.cameraOn ? call.localTracks.camera : null;
    const presence = isSelf ? 'present' : presenceOf(seat);
    // What somebody's devices do says nothing before they have answered, or after they were lost.
    const isThere = presence !== 'ringing' && presence !== 'lost';
    const phone = phonePart(seat);
    const isVideo = call.view.media === 'video' && phone !== 'holds';
    return {
      personId: seat.personId,
      name: nameOf(seat.personId),
      role: roleOf(seat.personId),
      isSelf,
      presence,
      phone,
      returnUntil: isSelf ? null : seat.returnUntil,
      isMuted: isSelf ? !call.microphoneOn : isThere && !seat.microphoneOn,
      isCameraOff: isVideo && isThere && (isSelf ? ownCamera : camera) === null,
      isSpeaking: call.activeSpeaker === seat.personId,
      quality: isSelf || presence === 'lost' ? null : (call.peerQuality.get(seat.personId) ?? null),
      camera,
      ownCamera,
    };
  });
}

/** At most one screen is shared at a time. */
export function sharedScreen(call: Call, self: PersonId): SharedScreen | null {
  const sharer = call.view.seats.find(({ screenOn, state }) => screenOn && state !== 'left');
  if (call.screenOn) return { personId: self, isSelf: true, remote: null, own: call.localTracks.screen };
  if (sharer === undefined || sharer.personId === self) return null;
  const remote = videoOf(call, sharer.personId, 'screen');
  return { personId: sharer.personId, isSelf: false, remote, own: null };
}

function videoOf(call: Call, personId: PersonId, source: 'camera' | 'screen'): RemoteTrack | null {
  if (call.view.media === 'voice') return null;
  const found = call.remoteTracks.find((track) => track.personId === personId && track.source === source);
  return found === undefined || found.paused ? null : found;
}

function presenceOf({ state, interrupted }: SeatView): Presence {
  if (state === 'invited') return 'ringing';
  if (state === 'connecting') return 'connecting';
  if (state === 'reconnecting') return 'reconnecting';
  if (state === 'left') return 'lost';
  return interrupted ? 'interrupted' : 'present';
}
