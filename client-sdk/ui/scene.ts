import type { CallRecording, PersonId, SeatView } from '@teleconsult/protocol';
import type { AwaitedSource, Call, CallOutcome, RemoteTrack } from '../api.ts';

/** What a person should know of the call right now, most urgent first. */
export type Situation =
  | { readonly kind: 'ringing' }
  | { readonly kind: 'connecting' }
  /** This page found the call again, or took it over, and is not back in it yet. */
  | { readonly kind: 'restoring' }
  /** This side lost its connection. */
  | { readonly kind: 'reconnecting' }
  | { readonly kind: 'otherReconnecting' }
  /** `until`: Unix milliseconds. */
  | { readonly kind: 'otherLost'; readonly until: number }
  | { readonly kind: 'otherInterrupted' }
  | { readonly kind: 'interrupted' }
  /** `since`: when the call became live, by this device's clock. */
  | { readonly kind: 'live'; readonly since: number };

/** Something that is said for some seconds. */
export type Hint =
  | { readonly kind: 'speaksMuted' }
  | { readonly kind: 'refused' | 'unavailable'; readonly source: AwaitedSource };

/** This person's way back, when no device holds their seat. */
export interface OwnLoss {
  /** Unix milliseconds; null: not known. */
  readonly until: number | null;
}

/** How a call ended here: `left` while it goes on for others, `closed` because this page was cut off for good. */
export type Ending = CallOutcome | 'left' | 'closed';

/** What waits for a tap. */
export interface Awaited {
  readonly sources: readonly AwaitedSource[];
  readonly sound: boolean;
}

export interface RunningScene {
  readonly kind: 'call';
  readonly call: Call;
  readonly situation: Situation;
  readonly personId: PersonId | null;
  /** Null while the app does not tell names. */
  readonly name: string | null;
  /** How many others are in the call beside the one shown. */
  readonly moreCount: number;
  readonly picture: RemoteTrack | null;
  /** The one shown takes part by telephone, which has no picture. */
  readonly isByPhone: boolean;
  /** The picture is the last one that came. */
  readonly isFrozen: boolean;
  readonly ownPicture: MediaStreamTrack | null;
  readonly isVideo: boolean;
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  /** Who muted this person; null when nobody or they themselves did. */
  readonly mutedByName: string | null;
  readonly awaited: Awaited | null;
  readonly hint: Hint | null;
  /** Where the recording of the call stands; null: nobody asked for one. */
  readonly recording: CallRecording['phase'] | null;
  /** Hanging up ends the call for all, or only this person's part in it. */
  readonly endsFor: 'all' | 'me';
}

/** What is to be seen of the call, wherever it is shown. */
export type Scene =
  | { readonly kind: 'none' }
  | { readonly kind: 'restoring' }
  | RunningScene
  /** `loss`: it is on no device of the person; null: another one holds it, or their telephone does (`isByPhone`). */
  | {
      readonly kind: 'elsewhere';
      readonly call: Call;
      readonly name: string | null;
      readonly loss: OwnLoss | null;
      readonly isByPhone: boolean;
    }
  | { readonly kind: 'ended'; readonly ending: Ending | null; readonly name: string | null };

/** What the follower of a call remembers beside what the call itself tells. */
export interface Memory {
  readonly call: Call;
  readonly selfId: PersonId | null;
  readonly nameOf: (personId: PersonId) => string | null;
  readonly liveSince: number | null;
  readonly wasConnected: boolean;
  /** It was elsewhere, and the person goes on here. */
  readonly returns: boolean;
  readonly lastSpeaker: PersonId | null;
  readonly soundBlocked: boolean;
  readonly hint: Hint | null;
}

/** Meanwhile no picture comes, and the last one stays. */
const FROZEN: readonly Situation['kind'][] = ['reconnecting', 'otherReconnecting', 'otherLost'];

/** `isRefused`: the server did not let this device go on with its seat. */
export function ownLoss(
  seat: SeatView | undefined,
  { deviceId, isRefused }: { readonly deviceId: string; readonly isRefused: boolean },
): OwnLoss | null {
  const isNowhere = seat?.state === 'left' || (isRefused && seat?.deviceId === deviceId);
  return isNowhere ? { until: seat?.returnUntil ?? null } : null;
}

export function runningScene(memory: Memory): RunningScene {
  const { call, selfId, nameOf } = memory;
  const own = call.view.seats.find(({ personId }) => personId === selfId);
  const others = call.view.seats.filter((seat) => seat.personId !== selfId && isInIt(seat));
  const shown = mainSeat(others, memory.lastSpeaker);
  const situation = situationOf(memory, own, shown);
  const isByPhone = holdsByPhone(shown);
  const awaits = (source: AwaitedSource): boolean => call.awaiting.includes(source);
  const mutedBy = own?.mutedBy ?? null;
  const microphoneOn = call.microphoneOn && !awaits('microphone');
  return {
    kind: 'call',
    call,
    situation,
    personId: shown?.personId ?? null,
    name: shown === undefined ? null : nameOf(shown.personId),
    moreCount: Math.max(0, others.length - 1),
    picture: shown === undefined || isByPhone ? null : pictureOf(call, shown.personId),
    isByPhone,
    isFrozen: FROZEN.includes(situation.kind),
    ownPicture: awaits('camera') ? null : call.localTracks.camera,
    isVideo: call.view.media === 'video',
    microphoneOn,
    cameraOn: call.cameraOn && !awaits('camera'),
    mutedByName: microphoneOn || mutedBy === null || mutedBy === selfId ? null : nameOf(mutedBy),
    awaited:
      call.awaiting.length === 0 && !memory.soundBlocked
        ? null
        : { sources: call.awaiting, sound: memory.soundBlocked },
    hint: memory.hint,
    recording: call.view.recording?.phase ?? null,
    endsFor: others.length > 1 ? 'me' : 'all',
  };
}

/** A telephone has this seat; one that only rings has none yet. */
export const holdsByPhone = (seat: SeatView | undefined): boolean =>
  seat?.phone === true && seat.state !== 'invited';

/** In the call, being called into it, or lost and able to come back. */
const isInIt = ({ state, returnUntil }: SeatView): boolean => state !== 'left' || returnUntil !== null;

/** Who is shown: who spoke last, else the first who is there, else whoever may come back. */
function mainSeat(others: readonly SeatView[], lastSpeaker: PersonId | null): SeatView | undefined {
  const there = others.filter(({ state }) => state === 'present' || state === 'reconnecting');
  return there.find(({ personId }) => personId === lastSpeaker) ?? there[0] ?? others[0];
}

/** The camera; a shared screen only in its place, for its text cannot be read this small. */
function pictureOf({ remoteTracks }: Call, of: PersonId): RemoteTrack | null {
  const sent = remoteTracks.filter(({ personId, paused }) => personId === of && !paused);
  return (
    sent.find(({ source }) => source === 'camera') ?? sent.find(({ source }) => source === 'screen') ?? null
  );
}

function situationOf(
  { call, liveSince, wasConnected, returns }: Memory,
  own: SeatView | undefined,
  other: SeatView | undefined,
): Situation {
  if (call.view.state === 'ringing') return { kind: 'ringing' };
  if (call.path !== 'connected') {
    if (wasConnected || call.path === 'interrupted') return { kind: 'reconnecting' };
    return { kind: call.isRestored || returns ? 'restoring' : 'connecting' };
  }
  if (own?.interrupted === true) return { kind: 'interrupted' };
  if (other?.state === 'reconnecting') return { kind: 'otherReconnecting' };
  if (other?.state === 'left' && other.returnUntil !== null)
    return { kind: 'otherLost', until: other.returnUntil };
  if (other?.interrupted === true) return { kind: 'otherInterrupted' };
  if (call.view.state === 'connecting' || liveSince === null) return { kind: 'connecting' };
  return { kind: 'live', since: liveSince };
}
