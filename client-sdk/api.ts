/**
 * The public interface of the SDK. Apps program against these types; the classes behind them are not exported.
 * Every promise rejects with an `AppError` whose `code` is in the catalogue; an aborted signal rejects with `ABORTED`.
 */
import type {
  AppError,
  CallView,
  ConsultationId,
  ConsultationView,
  GuestRole,
  MessageDraft,
  PersonId,
  Preferences,
  QualityReport,
  QueuePlace,
  Unread,
} from '@teleconsult/protocol';
import type { Call, CallOptions, InputDevice, Subscribe } from './call-api.ts';
import type { Consultation, Invitation } from './consultation-api.ts';
import type { ActiveCallEvents, CallToRestore, ReconnectPolicy, SimulatedFailure } from './resume-api.ts';

export type * from './call-api.ts';
export type * from './consultation-api.ts';
export type * from './resume-api.ts';

export interface ClientOptions {
  /** Origin of the server, such as `https://visit.example.org`. */
  readonly url: string;
  /** A token, or a function asked for a fresh one at each connection. */
  readonly token: string | (() => string | Promise<string>);
  /** This installation. Left out, one is made and kept in `localStorage` (in Node: made anew). */
  readonly deviceId?: string;
  /** How long a request waits for its answer, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Replaces the browser's WebRTC and devices, for tests and for hosts that have their own. */
  readonly media?: MediaEnvironment;
  /** Replaces waiting times of recoveries; what is left out stays. A function replaces `connectionDelayMs` alone. */
  readonly reconnect?: Partial<ReconnectPolicy> | ((attempt: number) => number);
  /**
   * Where messages not yet sent, drafts, half-done uploads, dictations and the call to restore are kept: `durable`
   * (default) in IndexedDB, or in memory where there is none; `memory` for shared machines; or a store of the host's own.
   * Each person of each server has a part of their own, and nothing is kept longer than 30 days but dictations, which are
   * kept until the server has them. With `durable` the ids of the call to restore are in `localStorage`, too, where they
   * are read before the page is drawn.
   */
  readonly storage?: 'durable' | 'memory' | ClientStorage;
}

/**
 * A small durable key-value store. Values are structured-cloneable and may hold Blobs. What it rejects with is told by
 * `storageFailed`; an error named `QuotaExceededError` as `STORAGE_FULL`. Keys begin with the server and the person.
 */
export interface ClientStorage {
  get(key: string): Promise<unknown>;
  /** Ascending by key. */
  entries(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]>;
  /** Resolved means kept. */
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Forgets everything. Of a store that the host hands in, the SDK deletes the person's keys one by one instead. */
  clear(): Promise<void>;
}

export interface MediaEnvironment {
  /** As `navigator.mediaDevices.getUserMedia`. */
  getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream>;
  /** As `navigator.mediaDevices.getDisplayMedia`; left out, screens cannot be shared. */
  getDisplayMedia?(constraints: DisplayMediaStreamOptions): Promise<MediaStream>;
  /** As `navigator.mediaDevices.enumerateDevices`. */
  enumerateDevices?(): Promise<readonly MediaDeviceInfo[]>;
  /** Calls the listener when devices were plugged in or out; the result stops it. */
  onDeviceChange?(listener: () => void): () => void;
  /** As `navigator.permissions.query`; left out, devices may be asked for at any time. */
  queryPermission?(kind: 'microphone' | 'camera'): Promise<PermissionState>;
  /** Name or factory of a mediasoup-client handler; left out, it is detected. */
  readonly handlerFactory?: unknown;
}

/** The connection: `connecting` covers every attempt after a loss, too. `closed` is final. */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'closed';

export interface ClientEvents extends ActiveCallEvents {
  connection: { readonly state: ConnectionState; readonly error: AppError | null };
  /** A consultation of this person began or changed its phase. */
  consultation: ConsultationView;
  /**
   * A call of this person changed; `ringing` with somebody else as `startedBy` means: ring, until it changes or
   * `ringUntil` has passed. Told for consultations that are not open, too; a ring that is still on is told
   * again at each connect, so subscribe before `connect`.
   */
  call: CallView;
  /** What is unread in a consultation changed, on whichever device. Told for consultations that are not open, too. */
  unread: Unread;
  /** The place of a waiting patient changed. */
  queue: QueuePlace;
  preferences: Preferences;
  /** This person takes no part in a consultation any more: they left it or were removed. */
  left: { readonly consultationId: ConsultationId };
  /**
   * What is to be kept on this device could not be: `STORAGE_FULL` or `STORAGE_UNAVAILABLE`. Everything goes on in
   * memory, and what is not sent is lost with the page. Told once, and again when it had worked in between.
   */
  storageFailed: AppError;
}

/** What the network check found, and what to tell the person. */
export interface NetworkReport {
  readonly verdict: 'good' | 'fair' | 'poor' | 'failed';
  /** How media travelled; null when it did not. */
  readonly path: QualityReport['path'] | null;
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  readonly lossPercent: number | null;
  /** What could be sent and received at once, in kbit/s. */
  readonly sendKbps: number | null;
  readonly receiveKbps: number | null;
  /** What to advise, most important first; empty when all is well. */
  readonly advice: readonly NetworkAdvice[];
}

export type NetworkAdvice =
  | 'no_connection'
  | 'media_blocked'
  | 'move_closer_to_wifi'
  | 'close_other_downloads'
  | 'use_voice_only'
  | 'slow_route';

/** A microphone or camera opened before a call, to look and listen. */
export interface DeviceCheck {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
  /** Why one of them is not there: `PERMISSION_DENIED`, `DEVICE_UNAVAILABLE`, or null. */
  readonly problems: { readonly microphone: AppError | null; readonly camera: AppError | null };
  /** Loudness at the microphone now, 0 to 1. */
  readonly level: number;
  /** Plays a short rising tone on the speaker; resolves when it is over. */
  playTone(options?: CallOptions): Promise<void>;
  /** Frees the devices. May be called twice. */
  close(): void;
}

export interface Colleague {
  readonly personId: PersonId;
  readonly displayName: string;
  readonly withinKm: number;
}

export interface TeleconsultClient {
  readonly deviceId: string;
  /** Whom the token speaks for (its `sub`); null before the first connection, or when the token is not a JWT. */
  readonly personId: PersonId | null;
  readonly connection: ConnectionState;
  readonly on: Subscribe<ClientEvents>;
  /**
   * Connects and resolves when the server has accepted the token; tries again by itself, now and after every loss.
   * Rejects when the server refuses for good (`UNAUTHENTICATED`, `FORBIDDEN`, `PROTOCOL_UNSUPPORTED`, or
   * `TOKEN_EXPIRED` with a fixed token), which also closes the client. The `connection` event tells of every step.
   */
  connect(options?: CallOptions): Promise<void>;
  /** The app knows that the network is back: try now, without waiting out the back-off. */
  reconnectHint(): void;
  listConsultations(options?: CallOptions & { limit?: number; createdBefore?: number }): Promise<{
    consultations: ConsultationView[];
    unread: Unread[];
    queue: QueuePlace[];
    hasMore: boolean;
  }>;
  /** What this person has chosen; the same on all devices. */
  preferences(options?: CallOptions): Promise<Preferences>;
  setPreferences(
    change: { readReceipts?: boolean; push?: Partial<Preferences['push']> },
    options?: CallOptions,
  ): Promise<Preferences>;
  /**
   * Lets news reach this device while its pages are closed (Web Push). Asks the browser's permission, so call it from a
   * click; `registration` is that of the app's service worker. Repeat it at each start while the permission lasts: a
   * subscription that the browser or the server has replaced is renewed. Rejects with `PERMISSION_DENIED`,
   * `UNSUPPORTED_BROWSER` or `NOT_CONFIGURED`, and with `DISCONNECTED` when the browser does not reach its push service
   * within 20 seconds.
   */
  enablePush(registration: ServiceWorkerRegistration, options?: CallOptions): Promise<void>;
  disablePush(registration: ServiceWorkerRegistration, options?: CallOptions): Promise<void>;
  /** Sends and receives through the media server for some seconds. `onProgress` is told shares from 0 to 1. */
  checkNetwork(options?: CallOptions & { onProgress?: (share: number) => void }): Promise<NetworkReport>;
  /** Opens microphone and camera to be looked at; a refused one is a problem of the result, not a rejection. */
  openDeviceCheck(options?: CallOptions & { camera?: boolean }): Promise<DeviceCheck>;
  listDevices(): Promise<readonly InputDevice[]>;
  /** Invites a colleague to a thread of doctors. */
  inviteColleague(options?: CallOptions & { validForMs?: number }): Promise<Invitation>;
  previewInvitation(
    code: string,
    options?: CallOptions,
  ): Promise<{
    purpose: 'participant' | 'colleague';
    invitedBy: string;
    role: GuestRole | null;
    expiresAt: number;
  }>;
  /** Rejects with `EXPIRED` when it was used or its time has passed, `FORBIDDEN` when it is not for this person. */
  redeemInvitation(code: string, options?: CallOptions): Promise<ConsultationView>;
  revokeInvitation(invitationId: string, options?: CallOptions): Promise<void>;
  /** Lets doctors near by see this doctor for ten minutes. Ask for consent first: the call says that it was given. */
  showNearby(
    position: { latitude: number; longitude: number },
    options?: CallOptions,
  ): Promise<{ until: number }>;
  hideNearby(options?: CallOptions): Promise<void>;
  listNearby(options?: CallOptions): Promise<readonly Colleague[]>;
  requestColleague(personId: string, options?: CallOptions): Promise<ConsultationView>;
  /**
   * Forgets what this device keeps of the person: unsent messages (their promises reject with `ABORTED`), drafts,
   * uploads, the call to restore, dictations that are not on the server. For signing out, before or after `close`. Rejects with `STORAGE_UNAVAILABLE` when it
   * could not be wiped, or `DISCONNECTED` when the token that says whose it is cannot be had.
   */
  forget(): Promise<void>;
  /**
   * Follows a consultation, and resolves when its newest entries are held. The same id answers the same object until
   * it is closed. Waits out a lost connection. Rejects with `NOT_FOUND` or `FORBIDDEN`, or `DISCONNECTED` when
   * `connect` was not called.
   */
  open(consultationId: string, options?: CallOptions): Promise<Consultation>;
  /** The call that this device takes part in, of whichever consultation. */
  readonly activeCall: Call | null;
  /** The call that is being restored. */
  readonly restoring: CallToRestore | null;
  /**
   * Goes on with the call that this device was in before its page was loaded anew: the same seat, with what was on
   * then. Call it first of all at each start of the page; it connects by itself. Resolves with the call once its seat is
   * held again, or null when there is none or it is over. Rejects as `connect` does.
   */
  restoreCall(options?: CallOptions): Promise<Call | null>;
  /** For an app's own tests: breaks something, and resolves when all is as it was before. Rejects with `WRONG_STATE` when there is nothing to break. */
  simulate(failure: SimulatedFailure, options?: CallOptions & { durationMs?: number }): Promise<void>;
  /** Leaves calls and closes the connection. May be called twice. */
  close(): Promise<void>;
}

export interface VoiceRecorderOptions extends CallOptions {
  /** Replaces the browser's microphone, for tests and for hosts that have their own. */
  readonly media?: Pick<MediaEnvironment, 'getUserMedia'>;
}

/** Records a voice message from the microphone, up to the protocol's longest (ten minutes), then stops by itself. */
export interface VoiceRecorder {
  readonly state: 'recording' | 'stopped';
  /** Milliseconds recorded so far. */
  readonly durationMs: number;
  /** Loudness now, 0 to 1, for a level meter. */
  readonly level: number;
  /** Ends the recording and answers it; again answers the same. Rejects with `ABORTED` after `cancel`. */
  stop(): Promise<Blob>;
  /** Throws the recording away and frees the microphone. */
  cancel(): void;
}

export type { MessageDraft };
