/** The part of the public interface that is about calls, and what all parts share. Exported by api.ts. */

import type {
  AppError,
  CallEndReason,
  CallMedia,
  CallView,
  MediaSource,
  PersonId,
  QualityLevel,
  QualityReport,
  SeatViewMode,
} from '@teleconsult/protocol';
import type { AwaitedSource } from './resume-api.ts';

export interface CallOptions {
  /** Aborts the wait. What was already sent to the server may still take effect. */
  readonly signal?: AbortSignal;
}

/** Subscribes to an event; the returned function unsubscribes. */
export type Subscribe<Events> = <K extends keyof Events & string>(
  event: K,
  listener: (payload: Events[K]) => void,
) => () => void;

export interface InputDevice {
  readonly deviceId: string;
  readonly kind: 'microphone' | 'camera' | 'speaker';
  /** Empty until the person has allowed the use of one. */
  readonly label: string;
}

export interface RemoteTrack {
  readonly personId: PersonId;
  readonly source: MediaSource;
  readonly track: MediaStreamTrack;
  /** True while the sender has muted it. */
  readonly paused: boolean;
  /**
   * How large a video is shown, in CSS pixels; null: not at all. The server sends no more than that needs. Without it
   * the best is sent.
   */
  setViewport(size: { readonly width: number; readonly height: number } | null): void;
}

/** How a call ended for this device: another device of the person may have answered or declined it. */
export type CallOutcome = CallEndReason | 'answered_elsewhere' | 'declined_elsewhere';

/** One measurement of a running call, every two seconds. */
export interface QualitySample extends QualityReport {
  readonly at: number;
  /** What holds the sent video back, as the browser says. */
  readonly limitedBy: 'none' | 'network' | 'processor' | 'other';
}

export interface CallEvents {
  /** State, seats or media changed. */
  changed: CallView;
  /** The other side's tracks came, went, were muted or unmuted. */
  remoteTracks: readonly RemoteTrack[];
  /** This device's own tracks came or went (null: off). */
  localTracks: {
    readonly microphone: MediaStreamTrack | null;
    readonly camera: MediaStreamTrack | null;
    readonly screen: MediaStreamTrack | null;
  };
  quality: QualitySample;
  /** How good the others' connections are, as they report. */
  peerQuality: ReadonlyMap<PersonId, QualityLevel>;
  activeSpeaker: PersonId | null;
  /** Video was given up for the sake of sound, or came back. */
  audioOnly: { readonly on: boolean; readonly reason: 'network' | 'chosen' | null };
  /** The person speaks while muted: show a hint. At most every ten seconds. */
  mutedSpeaking: null;
  /** Microphones, cameras or speakers were plugged in or out. */
  devices: readonly InputDevice[];
  /** A device or the media path failed; the call goes on without it. */
  problem: AppError;
  /** What was on before a restore and waits for a tap. */
  awaiting: readonly AwaitedSource[];
  /** How this device's media path is doing. */
  path: { readonly state: 'connecting' | 'connected' | 'interrupted' };
}

export interface Call {
  readonly id: string;
  readonly view: CallView;
  /**
   * `incoming` until this person answers; `elsewhere` when another device of the person or their telephone holds the seat, or
   * this one held it and cannot go on by itself: offer to continue here (`accept`).
   */
  readonly role: 'caller' | 'incoming' | 'answered' | 'elsewhere';
  readonly remoteTracks: readonly RemoteTrack[];
  /** The tracks this device sends; null while off, or while the device is still being asked for. */
  readonly localTracks: CallEvents['localTracks'];
  readonly path: CallEvents['path']['state'];
  /** What is wanted, which is also what happens unless `problem` tells otherwise: a refused device is off. */
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly screenOn: boolean;
  /** Set once the call is over for this device. */
  readonly outcome: CallOutcome | null;
  /** Samples of the last two minutes, oldest first. */
  readonly quality: readonly QualitySample[];
  readonly peerQuality: ReadonlyMap<PersonId, QualityLevel>;
  readonly activeSpeaker: PersonId | null;
  readonly audioOnly: CallEvents['audioOnly'];
  /** This page found the call again, after the one before it was gone: show it in the floating window. */
  readonly isRestored: boolean;
  /** What was on before a restore and waits for a tap; empty when nothing does. */
  readonly awaiting: readonly AwaitedSource[];
  readonly on: Subscribe<CallEvents>;
  /**
   * Switches on again what waits for it. Call it from a click: the browser may ask for its permission. Rejects as
   * `setMicrophone` does; what was refused is off then, and waits no more.
   */
  continueSources(options?: CallOptions): Promise<void>;
  /**
   * Answers on this device and sends microphone (and camera in a video call, unless `camera: false`). Resolves when
   * the seat is joined. While it is `elsewhere`, takes the seat over, and what is off there stays off. In another call,
   * rejects with `BUSY` unless `leaveOther`, which leaves that one first.
   */
  accept(options?: CallOptions & { camera?: boolean; leaveOther?: boolean }): Promise<void>;
  decline(options?: CallOptions): Promise<void>;
  /** Ends the call. Media stops at once; without a connection the server is told as soon as there is one. */
  hangUp(options?: CallOptions): Promise<void>;
  /** Leaves without ending the call for the others; with two people in it that is the same as `hangUp`. */
  leave(options?: CallOptions): Promise<void>;
  /** Rings one more participant of the consultation. */
  invite(personId: string, options?: CallOptions): Promise<void>;
  /** The doctor mutes another's microphone. */
  mute(personId: string, options?: CallOptions): Promise<void>;
  /**
   * Off takes effect before this returns, and lasts through every reconnect until it is switched on again. On rejects
   * with `PERMISSION_DENIED` or `DEVICE_UNAVAILABLE`, and leaves it off.
   */
  setMicrophone(on: boolean, options?: CallOptions): Promise<void>;
  /** As `setMicrophone`; off also stops the camera, so that its light goes out. On needs a video call. */
  setCamera(on: boolean, options?: CallOptions): Promise<void>;
  /** Shares the screen, or stops. Asks the browser, so call it from a click. One person shares at a time. */
  setScreen(on: boolean, options?: CallOptions): Promise<void>;
  /** Gives up all video, sent and received, or takes it back. */
  setAudioOnly(on: boolean, options?: CallOptions): Promise<void>;
  /** How the call is shown; `floating` and `background` receive less. */
  setView(view: SeatViewMode, options?: CallOptions): Promise<void>;
  /** The host tells that a phone call took the microphone, or gave it back. On the web the SDK notices by itself. */
  setInterrupted(interrupted: boolean, options?: CallOptions): Promise<void>;
  /** Goes on with another microphone, camera or speaker, without a new negotiation. */
  selectDevice(device: Pick<InputDevice, 'kind' | 'deviceId'>): Promise<void>;
  /**
   * Blurs what is behind the person, where browser and camera can do it themselves. Rejects with `UNSUPPORTED_BROWSER`
   * elsewhere.
   */
  setBackgroundBlur(on: boolean): Promise<void>;
  /** Voice to video and back. Becoming video switches nobody's camera on; becoming voice switches this one off. */
  setMedia(media: CallMedia, options?: CallOptions): Promise<void>;
  /** WebRTC statistics of both directions, as the browser reports them. */
  stats(): Promise<{ send: RTCStatsReport | null; receive: RTCStatsReport | null }>;
}
