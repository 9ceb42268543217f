/**
 * The port to a Selective Forwarding Unit. It knows rooms and seats and nothing of consultations: whatever a
 * seat sends is offered to every other seat of its room.
 */
import type { PhoneSeat, PhoneSeatOptions } from './phone-seat.ts';
import type { DtlsParameters, IceCandidate, IceParameters, RtpCapabilities, RtpParameters } from './rtp.ts';

export type MediaKind = 'audio' | 'video';
/** Where a track comes from. A seat sends at most one of each; the screen's is video. */
export type MediaSource = 'microphone' | 'camera' | 'screen';
/**
 * What a seat may send. `microphone_g711` is its microphone a second time, for telephones in the room (`g711Wanted`): no
 * other seat is offered it, no tap has it, and it is paused with the microphone.
 */
export type SentSource = MediaSource | 'microphone_g711';
/** RTP payload types of G.711 (RFC 3551 §6): 0 is PCMU, 8 is PCMA. */
export type G711Codec = 0 | 8;
/** Seen from the device: `send` carries its tracks to the server, `receive` the others' tracks to it. */
export type TransportDirection = 'send' | 'receive';

export interface TransportOffer {
  readonly transportId: string;
  readonly iceParameters: IceParameters;
  readonly iceCandidates: IceCandidate[];
  readonly dtlsParameters: DtlsParameters;
}

export interface ConsumerOffer {
  readonly consumerId: string;
  readonly producerId: string;
  /** The sending seat's id. */
  readonly from: string;
  readonly source: MediaSource;
  readonly kind: MediaKind;
  readonly rtpParameters: RtpParameters;
  readonly producerPaused: boolean;
}

/** How a consumer stands, for tests and for whoever looks into a call that looks bad. */
export interface ConsumerState {
  /** This seat does not want it now; it is paused until `resumeConsumer`. */
  readonly paused: boolean;
  /** The sender has muted it. */
  readonly producerPaused: boolean;
  /** The largest simulcast layer this seat has use for; null for tracks without layers. */
  readonly preferredLayer: number | null;
  /** The layer that is forwarded now; null while nothing is, and for tracks without layers. */
  readonly currentLayer: number | null;
  /** How well the track arrives, from 0 (not at all) to 10. */
  readonly score: number;
}

/** Facts a seat must pass on to its device. They come in the order in which they happened. */
export type SeatEvent =
  | { readonly type: 'consumerAdded'; readonly consumer: ConsumerOffer }
  | { readonly type: 'consumerRemoved'; readonly consumerId: string }
  | { readonly type: 'consumerPaused'; readonly consumerId: string; readonly paused: boolean }
  /**
   * A telephone is in the room, which hears no other codec than G.711, and this seat's microphone has another: while
   * wanted, the device is to produce `microphone_g711` (`codec` is what costs least; either is taken). Told anew, it
   * produces anew. No longer wanted, the track was ended already. A device that does not is not heard on the phone.
   */
  | { readonly type: 'g711Wanted'; readonly wanted: boolean; readonly codec: G711Codec }
  /** The path of a transport as ICE/DTLS see it. `connected` may follow `disconnected`. */
  | {
      readonly type: 'transportChanged';
      readonly direction: TransportDirection;
      readonly state: 'connected' | 'disconnected' | 'failed';
    };

/** What a room tells about the tracks its seats send, for whoever records them. */
export type TrackEvent =
  /** Also for a track that takes the place of another of its source, after that one's `trackEnded`. */
  | { readonly type: 'trackBegan'; readonly track: SentTrack }
  | { readonly type: 'trackPaused'; readonly track: SentTrack }
  | { readonly type: 'trackEnded'; readonly track: SentTrack };

/** A track that a seat sends now. */
export interface SentTrack {
  readonly seatId: string;
  readonly source: MediaSource;
  readonly kind: MediaKind;
  readonly producerId: string;
  /** The sender has muted it: nothing flows. */
  readonly paused: boolean;
}

/** Where a tap sends a track: two UDP ports of this machine's loopback, on which somebody listens already. */
export interface TapTarget {
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

export type TapEvent =
  /** The first packet left for the target. `at`: milliseconds since 1970 by this machine's clock. */
  | { readonly type: 'firstPacket'; readonly at: number }
  | { readonly type: 'paused'; readonly paused: boolean }
  /**
   * The clock of the track's time stamps and this machine's clock have drifted apart by more than a lost packet explains
   * (a sender that stopped its clock while muted): what follows belongs into a new segment.
   */
  | { readonly type: 'clockJumped' }
  /** The track, its seat, its room or its worker is gone. Nothing follows. */
  | { readonly type: 'ended'; readonly reason: 'track_ended' | 'room_closed' };

/** A copy of one track, as plain RTP to a port of the loopback. It begins when it is started. */
export interface TrackTap {
  readonly track: SentTrack;
  /** What the target receives: payload types, clock rates, codec parameters, SSRCs. */
  readonly rtpParameters: RtpParameters;
  /** Lets it flow; video begins with a key frame, in the largest size there is. */
  start(): Promise<void>;
  /** Asks the sender for a key frame. Nothing happens for sound. */
  requestKeyFrame(): Promise<void>;
  /** Packets that left for the target since the start. */
  packetsSent(): Promise<number>;
  readonly closed: boolean;
  /** Emits nothing afterwards. May be called twice. */
  close(): void;
}

export type RoomCloseReason = 'closed' | 'worker_died';

export type SfuErrorReason = 'no_worker' | 'room_closed' | 'seat_closed' | 'not_found' | 'invalid_parameters';

/**
 * What the caller can act on; anything else thrown by an adapter is a bug. Every call on a room or seat that
 * closes meanwhile (by its owner, by a newer seat of the same id, by the death of its worker) ends with
 * `room_closed` or `seat_closed`; none is left hanging.
 */
export class SfuError extends Error {
  override readonly name = 'SfuError';
  readonly reason: SfuErrorReason;
  constructor(reason: SfuErrorReason, options?: { cause?: unknown }) {
    super(`media: ${reason}`, options);
    this.reason = reason;
  }
}

export interface SfuHealth {
  readonly workers: number;
  readonly aliveWorkers: number;
  readonly rooms: number;
  readonly seats: number;
  /** Workers that died and were replaced since the start. */
  readonly workerDeaths: number;
}

/** What a room tells its owner. */
export interface RoomListeners {
  readonly onClosed: (reason: RoomCloseReason) => void;
  /**
   * Who speaks now: the seat that is loudest for a while, null once all microphones have been silent for a
   * moment. Called on changes only, and not after the room is closed. Without it nobody listens.
   */
  readonly onSpeaker?: (seatId: string | null) => void;
  /**
   * Tracks of seats as they begin, are muted and end, in order. What it throws is logged and harms nobody. A room that
   * closes says `onClosed` and nothing of its tracks.
   */
  readonly onTrack?: (event: TrackEvent) => void;
}

export interface Sfu {
  /** What every room of this SFU can forward. It does not change while the SFU lives. */
  readonly capabilities: RtpCapabilities;
  /**
   * Opens a room on the least loaded worker. When none is alive it waits about 2 s for the replacement, then
   * throws `no_worker`; so it does after `close()`. `onClosed` is called once, whoever closes the room: within
   * `room.close()`, as its last step, or when its worker died. What a listener throws is logged and harms
   * nobody; that holds for `onEvent` and `onSpeaker` too.
   */
  openRoom(options: RoomListeners): Promise<SfuRoom>;
  health(): SfuHealth;
  /** Closes all rooms and ends all workers; resolves when no process is left. May be called twice. */
  close(): Promise<void>;
}

export interface SfuRoom {
  /**
   * Opens a seat with its two transports. A seat id is held once a room: opening it again closes the former
   * seat first, so that a person who returns never meets a ghost of themselves. One that cannot be opened leaves
   * the former as it was.
   */
  openSeat(options: { seatId: string; onEvent: (event: SeatEvent) => void }): Promise<SfuSeat>;
  /**
   * Opens a seat for a telephone leg. Its sound is the seat's `microphone`; the voices of all others come to it as one
   * stream. For its id the same holds as for `openSeat`.
   * @throws SfuError `invalid_parameters` for an address outside of the loopback; `no_worker` when no telephone can be
   * joined now; `room_closed`
   */
  openPhoneSeat(options: PhoneSeatOptions): Promise<PhoneSeat>;
  /** What the seats send now. */
  tracks(): readonly SentTrack[];
  /**
   * Copies a track that a seat sends now to a port of the loopback. The seat and its device notice nothing of it.
   * @throws SfuError `not_found` when the seat does not send this source; `room_closed`
   */
  openTap(options: {
    readonly seatId: string;
    readonly source: MediaSource;
    readonly target: TapTarget;
    readonly onEvent: (event: TapEvent) => void;
  }): Promise<TrackTap>;
  readonly closed: boolean;
  /** Closes all seats, without an event to any of them. May be called twice. */
  close(): void;
}

export interface SfuSeat {
  readonly seatId: string;
  /** What the device needs to open its end. After an ICE restart it holds the new credentials. */
  readonly send: TransportOffer;
  readonly receive: TransportOffer;
  readonly closed: boolean;
  /** May be repeated with the same parameters (a lost answer); others throw `invalid_parameters`. */
  connectTransport(direction: TransportDirection, dtlsParameters: DtlsParameters): Promise<void>;
  /** New ICE credentials for a transport; its tracks go on once the device has used them. */
  restartIce(direction: TransportDirection): Promise<IceParameters>;
  /**
   * Says what the device can receive. Answers one offer for each track the other seats send now; later ones
   * arrive as `consumerAdded`. A track is in exactly one of the two. Calling it again answers the same consumers.
   * A track the device has no codec for is left out. Consumers are paused until `resumeConsumer`.
   */
  setCapabilities(capabilities: RtpCapabilities): Promise<ConsumerOffer[]>;
  /**
   * Begins to send a track: the microphone's is audio, the camera's and the screen's video. A second `produce` of the same source
   * replaces the first: `consumerRemoved`, then `consumerAdded`. Parameters no room can forward are refused
   * with `invalid_parameters` and leave the first in place. `microphone_g711` is refused with `not_found` while it is not
   * wanted.
   */
  produce(options: {
    source: SentSource;
    kind: MediaKind;
    rtpParameters: RtpParameters;
    paused: boolean;
  }): Promise<{ producerId: string }>;
  /** Pauses or resumes a source; the others get `consumerPaused`. A source that is not sent is not an error. */
  setSourcePaused(source: MediaSource, paused: boolean): Promise<void>;
  /** Lets a consumer of this seat flow. Video begins with a key frame. Throws `not_found` for any other id. */
  resumeConsumer(consumerId: string): Promise<void>;
  /** Stops a consumer of this seat until it is resumed. Throws `not_found` for any other id. */
  pauseConsumer(consumerId: string): Promise<void>;
  /**
   * The largest simulcast layer this seat has use for, 0 being the smallest, which comes with half of its pictures
   * where the sender codes them so (two or three temporal layers); remembered while the consumer is paused. A layer
   * the sender does not have means its largest. A step up begins with a key frame. Nothing happens to a track without
   * layers. Throws `not_found` for an id that is not this seat's.
   */
  setPreferredLayer(consumerId: string, spatialLayer: number): Promise<void>;
  /** Undefined for an id that is not this seat's. */
  consumer(consumerId: string): ConsumerState | undefined;
  /** Ends its tracks everywhere; afterwards the seat emits nothing. May be called twice. */
  close(): void;
}
