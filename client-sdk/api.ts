/**
 * The public interface of the SDK. Apps program against these types; the classes behind them are not exported.
 * Every promise rejects with an `AppError` whose `code` is in the catalogue; an aborted signal rejects with `ABORTED`.
 */
import type {
  AppError,
  Attachment,
  AttachmentId,
  CallMedia,
  CallView,
  ClientMessageId,
  ConsultationId,
  ConsultationView,
  Entry,
  MediaSource,
  MessageDraft,
  PersonId,
} from '@teleconsult/protocol';

export interface CallOptions {
  /** Aborts the wait. What was already sent to the server may still take effect. */
  readonly signal?: AbortSignal;
}

/** Subscribes to an event; the returned function unsubscribes. */
export type Subscribe<Events> = <K extends keyof Events & string>(
  event: K,
  listener: (payload: Events[K]) => void,
) => () => void;

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
  /** Replaces the waiting times between reconnection attempts. */
  readonly reconnect?: ReconnectPolicy;
}

/** Pure: the number of the attempt (1, 2, …) to a delay in milliseconds. */
export type ReconnectPolicy = (attempt: number) => number;

export interface MediaEnvironment {
  /** As `navigator.mediaDevices.getUserMedia`. */
  getUserMedia(constraints: { audio?: boolean; video?: boolean }): Promise<MediaStream>;
  /** Name or factory of a mediasoup-client handler; left out, it is detected. */
  readonly handlerFactory?: unknown;
}

/** The connection: `connecting` covers every attempt after a loss, too. `closed` is final. */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'closed';

export interface ClientEvents {
  connection: { readonly state: ConnectionState; readonly error: AppError | null };
  /** A consultation of this person began or changed its phase. */
  consultation: ConsultationView;
  /**
   * A call of this person changed; `ringing` with somebody else as `startedBy` means: ring, until it changes or
   * `ringUntil` has passed. Told for consultations that are not open, too; then it is missed while disconnected.
   */
  call: CallView;
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
  listConsultations(
    options?: CallOptions & { limit?: number; createdBefore?: number },
  ): Promise<{ consultations: ConsultationView[]; hasMore: boolean }>;
  /**
   * Follows a consultation, and resolves when its newest entries are held. The same id answers the same object until
   * it is closed. Waits out a lost connection. Rejects with `NOT_FOUND` or `FORBIDDEN`, or `DISCONNECTED` when
   * `connect` was not called.
   */
  open(consultationId: string, options?: CallOptions): Promise<Consultation>;
  /** Leaves calls and closes the connection. May be called twice. */
  close(): Promise<void>;
}

/**
 * A message of this device on its way. `attempts` counts sends; `progress` is the upload's share, 0 to 1. It leaves
 * the outbox when its entry is held, so that at any time it is in the outbox or in `entries`, never in both.
 */
export interface OutgoingMessage {
  readonly clientMessageId: ClientMessageId;
  readonly state: 'uploading' | 'sending' | 'sent' | 'failed';
  readonly draft: OutgoingDraft;
  readonly progress: number;
  readonly attempts: number;
  readonly error: AppError | null;
  readonly queuedAt: number;
}

/** What the app hands in; attachments are uploaded by the SDK. */
export type OutgoingDraft =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: Blob; readonly caption?: string }
  | { readonly type: 'voice'; readonly data: Blob }
  | { readonly type: 'file'; readonly data: Blob; readonly fileName: string; readonly caption?: string };

export interface ConsultationEvents {
  /** The consultation's phase or participants changed. */
  changed: ConsultationView;
  /** Entries in ascending order, without gaps and without repeats, live or caught up. */
  entries: readonly Entry[];
  /** The outbox changed: queued, progressing, sent (then also in `entries`) or failed. */
  outbox: readonly OutgoingMessage[];
  /** A call began, changed or ended; null when there is none any more. */
  call: Call | null;
}

export interface Consultation {
  readonly id: ConsultationId;
  readonly view: ConsultationView;
  /** The entries held so far: a gapless run up to the newest. */
  readonly entries: readonly Entry[];
  /** True while older entries than the first held can be loaded. */
  readonly hasOlder: boolean;
  readonly outbox: readonly OutgoingMessage[];
  readonly call: Call | null;
  readonly on: Subscribe<ConsultationEvents>;
  /** Puts a page of older entries before those held and resolves with it. They are not repeated by `entries`. */
  loadOlder(options?: CallOptions & { limit?: number }): Promise<readonly Entry[]>;

  enter(options?: CallOptions): Promise<ConsultationView>;
  accept(options?: CallOptions): Promise<ConsultationView>;
  decline(options?: CallOptions & { note?: string }): Promise<ConsultationView>;
  cancel(options?: CallOptions): Promise<ConsultationView>;
  end(options?: CallOptions & { note?: string }): Promise<ConsultationView>;

  /**
   * Queues a message and resolves when the server has committed it. The outbox keeps the order of calls and
   * goes on by itself after a lost connection; a message the server refuses becomes `failed` and lets the next pass.
   * Rejects with why it failed; with `ABORTED` when the signal aborts, which takes the message out unless it was
   * already sent once; with `RATE_LIMITED` when 500 messages wait. The outbox lives in memory.
   */
  send(draft: OutgoingDraft, options?: CallOptions): Promise<{ sequence: number; messageId: string }>;
  /** Sends a failed message again, without uploading again what has arrived. */
  retry(clientMessageId: string): Promise<{ sequence: number; messageId: string }>;
  /** Takes a failed message out of the outbox. */
  discard(clientMessageId: string): void;
  /** The bytes of an attachment. */
  fetchAttachment(
    attachment: Attachment | AttachmentId,
    options?: CallOptions & { variant?: 'original' | 'thumbnail' },
  ): Promise<Blob>;

  /**
   * Rings the others. Resolves when the server has answered; microphone and camera are asked for meanwhile, and what
   * cannot be had is a `problem` of the call. Rejects with `UNSUPPORTED_BROWSER` where there is no WebRTC. While this
   * device is in a call already, answers that one. Aborting hangs up what was begun.
   */
  startCall(media: CallMedia, options?: CallOptions): Promise<Call>;
  /** Stops following, and hangs up a call held here. The consultation goes on; messages not yet sent are dropped. */
  close(): Promise<void>;
}

export interface RemoteTrack {
  readonly personId: PersonId;
  readonly source: MediaSource;
  readonly track: MediaStreamTrack;
  /** True while the sender has muted it. */
  readonly paused: boolean;
}

export interface CallEvents {
  /** State, seats or media changed. */
  changed: CallView;
  /** The other side's tracks came, went, were muted or unmuted. */
  remoteTracks: readonly RemoteTrack[];
  /** This device's own tracks came or went (null: off). */
  localTracks: { readonly microphone: MediaStreamTrack | null; readonly camera: MediaStreamTrack | null };
  /** A device or the media path failed; the call goes on without it. */
  problem: AppError;
  /** How this device's media path is doing. */
  path: { readonly state: 'connecting' | 'connected' | 'interrupted' };
}

export interface Call {
  readonly id: string;
  readonly view: CallView;
  /** `incoming` until this person answers, `elsewhere` when another device of the person holds the seat. */
  readonly role: 'caller' | 'incoming' | 'answered' | 'elsewhere';
  readonly remoteTracks: readonly RemoteTrack[];
  /** The tracks this device sends; null while off, or while the device is still being asked for. */
  readonly localTracks: CallEvents['localTracks'];
  readonly path: CallEvents['path']['state'];
  /** What is wanted, which is also what happens unless `problem` tells otherwise: a refused device is off. */
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly on: Subscribe<CallEvents>;
  /**
   * Answers on this device and sends microphone (and camera in a video call, unless `camera: false`). Resolves when
   * the seat is joined. While another device of this person holds the seat (`elsewhere`), takes it over.
   */
  accept(options?: CallOptions & { camera?: boolean }): Promise<void>;
  decline(options?: CallOptions): Promise<void>;
  /** Ends the call. Media stops at once; without a connection the server is told as soon as there is one. */
  hangUp(options?: CallOptions): Promise<void>;
  /**
   * Off takes effect before this returns, and lasts through every reconnect until it is switched on again. On rejects
   * with `PERMISSION_DENIED` or `DEVICE_UNAVAILABLE`, and leaves it off.
   */
  setMicrophone(on: boolean, options?: CallOptions): Promise<void>;
  /** As `setMicrophone`; off also stops the camera, so that its light goes out. On needs a video call. */
  setCamera(on: boolean, options?: CallOptions): Promise<void>;
  /** Voice to video and back. Becoming video switches nobody's camera on; becoming voice switches this one off. */
  setMedia(media: CallMedia, options?: CallOptions): Promise<void>;
  /** WebRTC statistics of both directions, as the browser reports them. */
  stats(): Promise<{ send: RTCStatsReport | null; receive: RTCStatsReport | null }>;
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
