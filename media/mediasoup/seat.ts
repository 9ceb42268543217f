import type { types } from 'mediasoup';
import type { DtlsParameters, IceParameters, RtpCapabilities } from '../rtp.ts';
import { SecondVoice } from '../second-voice.ts';
import {
  type ConsumerOffer,
  type ConsumerState,
  type G711Codec,
  type MediaSource,
  type RoomCloseReason,
  type SeatEvent,
  type SentSource,
  SfuError,
  type SfuSeat,
  type TransportDirection,
  type TransportOffer,
} from '../sfu.ts';
import { g711Codec } from './codecs.ts';
import { explained } from './errors.ts';
import { IncomingTracks, type Track } from './incoming-tracks.ts';
import { nativeParameters } from './native.ts';
import { checkedCapabilities, checkG711, checkTrack, type TrackParameters } from './parameters.ts';
import type { SeatTransport } from './seat-transport.ts';
import type { MediasoupSfuOptions } from './settings.ts';
import type { SpeakerFloor } from './speaker-floor.ts';

/** A seat as the others of its room see it, whether a device or a telephone sits there. */
export interface RoomSeat {
  readonly seatId: string;
  readonly sentTracks: readonly Track[];
  sentTrack(source: MediaSource): Track | undefined;
  /** What a telephone hears of it; null while there is nothing in a codec that it knows. */
  readonly voice: Track | null;
  readonly incoming: Pick<IncomingTracks, 'announce' | 'trackPaused' | 'trackEnded'>;
  close(): void;
  /** The room is gone and everything with it. */
  roomClosed(reason: RoomCloseReason): void;
}

/** What telephones of the room hear. */
export interface PhoneEars {
  /** A track of G.711 began. */
  announce(voice: Track): Promise<void>;
  trackEnded(voice: Track): void;
}

/** What a seat needs of its room. */
export interface SeatRoom {
  readonly router: types.Router;
  readonly settings: MediasoupSfuOptions;
  readonly closed: boolean;
  /** Undefined when nobody asked who speaks. */
  readonly floor: SpeakerFloor | undefined;
  /** Runs a task when all tasks before it are done; rejects with `room_closed` once the room is closed. */
  serially<T>(task: () => Promise<T>): Promise<T>;
  /** What the telephones that are here want of a seat that they cannot hear; null without any. */
  readonly phoneCodec: G711Codec | null;
  /** Of all telephones that are here. */
  readonly phoneEars: readonly PhoneEars[];
  seatsBut(seat: RoomSeat): readonly RoomSeat[];
  seatClosed(seat: RoomSeat): void;
  /** Whom telephones can hear is another than before. */
  voicesChanged(): void;
  trackBegan(track: Track): void;
  trackPaused(track: Track): void;
  trackEnded(track: Track): void;
}

export interface MediasoupSeatOptions {
  readonly seatId: string;
  readonly onEvent: (event: SeatEvent) => void;
  readonly room: SeatRoom;
  readonly send: SeatTransport;
  readonly receive: SeatTransport;
}

export class MediasoupSeat implements SfuSeat, RoomSeat {
  readonly seatId: string;
  /** For the other seats of the room, which tell it of their tracks. */
  readonly incoming: IncomingTracks;
  readonly #room: SeatRoom;
  readonly #onEvent: (event: SeatEvent) => void;
  readonly #transports: Readonly<Record<TransportDirection, SeatTransport>>;
  readonly #tracks = new Map<MediaSource, Track>();
  readonly #secondVoice: SecondVoice;
  /** The microphone in G.711, for telephones alone. */
  #second: Track | null = null;
  #closed = false;

  constructor({ seatId, onEvent, room, send, receive }: MediasoupSeatOptions) {
    this.seatId = seatId;
    this.#room = room;
    this.#onEvent = onEvent;
    this.#transports = { send, receive };
    this.#secondVoice = new SecondVoice((event) => this.#emit(event));
    const { router, settings } = room;
    this.incoming = new IncomingTracks({ router, receive, settings, emit: (event) => this.#emit(event) });
    for (const transport of [send, receive]) {
      const { direction } = transport;
      transport.onPathChanged((state) => this.#emit({ type: 'transportChanged', direction, state }));
    }
  }

  get send(): TransportOffer {
    return this.#transports.send.offer;
  }

  get receive(): TransportOffer {
    return this.#transports.receive.offer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get sentTracks(): readonly Track[] {
    return [...this.#tracks.values()];
  }

  sentTrack(source: MediaSource): Track | undefined {
    return this.#tracks.get(source);
  }

  get voice(): Track | null {
    const microphone = this.#tracks.get('microphone');
    if (microphone === undefined) return null;
    return isG711(microphone) ? microphone : this.#second;
  }

  /** Called by the room whenever telephones or voices came or went. */
  followPhones(): void {
    const microphone = this.#tracks.get('microphone');
    const isUnheard = microphone !== undefined && !isG711(microphone);
    const codec = isUnheard ? this.#room.phoneCodec : null;
    if (codec === null) this.#endSecond();
    this.#secondVoice.want(codec);
  }

  connectTransport(direction: TransportDirection, dtlsParameters: DtlsParameters): Promise<void> {
    return this.#whileOpen(() => this.#transports[direction].connect(dtlsParameters));
  }

  restartIce(direction: TransportDirection): Promise<IceParameters> {
    return this.#whileOpen(() => this.#transports[direction].restartIce());
  }

  setCapabilities(capabilities: RtpCapabilities): Promise<ConsumerOffer[]> {
    return this.#serially(async () => {
      this.incoming.setCapabilities(checkedCapabilities(capabilities));
      const tracks = this.#room.seatsBut(this).flatMap((seat) => seat.sentTracks);
      const offers = await this.incoming.answer(tracks);
      this.#secondVoice.repeat(this.#second !== null);
      return offers;
    });
  }

  produce({
    source,
    ...options
  }: Omit<TrackParameters, 'source'> & { source: SentSource; paused: boolean }): Promise<{
    producerId: string;
  }> {
    return this.#serially(async () => {
      if (source === 'microphone_g711') return this.#produceSecond({ ...options, source: 'microphone' });
      return this.#produce({ ...options, source });
    });
  }

  setSourcePaused(source: MediaSource, paused: boolean): Promise<void> {
    return this.#serially(async () => {
      const track = this.#tracks.get(source);
      if (track === undefined || track.paused === paused) return;
      const both = source === 'microphone' && this.#second !== null ? [track, this.#second] : [track];
      await Promise.all(both.map((one) => (paused ? one.pause() : one.resume())));
      if (paused && source === 'microphone') this.#room.floor?.ended(this.seatId);
      for (const seat of this.#room.seatsBut(this)) seat.incoming.trackPaused(track, paused);
      this.#room.trackPaused(track);
    });
  }

  resumeConsumer(consumerId: string): Promise<void> {
    return this.#whileOpen(() => this.incoming.resume(consumerId));
  }

  pauseConsumer(consumerId: string): Promise<void> {
    return this.#whileOpen(() => this.incoming.pause(consumerId));
  }

  setPreferredLayer(consumerId: string, spatialLayer: number): Promise<void> {
    return this.#whileOpen(() => this.incoming.setPreferredLayer(consumerId, spatialLayer));
  }

  consumer(consumerId: string): ConsumerState | undefined {
    return this.incoming.stateOf(consumerId);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const track of this.#tracks.values()) this.#endTrack(track);
    this.#endSecond();
    this.#room.seatClosed(this);
    this.incoming.end();
    this.#transports.send.close();
    this.#transports.receive.close();
  }

  /** The room is gone and all transports with it; nobody needs to be told seat by seat. */
  roomClosed(): void {
    this.#closed = true;
    this.#tracks.clear();
    this.#second = null;
    this.incoming.end();
  }

  async #produce(options: TrackParameters & { paused: boolean }): Promise<{ producerId: string }> {
    checkTrack(options);
    // The first goes before the second comes: on the same transport they may have the same MID or SSRCs.
    const former = this.#tracks.get(options.source);
    if (former) this.#endTrack(former);
    const track = await this.#openTrack(options);
    this.#tracks.set(options.source, track);
    this.#room.trackBegan(track);
    const others = this.#room.seatsBut(this);
    await Promise.all([this.#listenTo(track), ...others.map((seat) => seat.incoming.announce(track))]);
    this.#room.voicesChanged();
    return { producerId: track.id };
  }

  async #produceSecond(options: TrackParameters & { paused: boolean }): Promise<{ producerId: string }> {
    checkG711(options);
    const microphone = this.#tracks.get('microphone');
    if (microphone === undefined || !this.#secondVoice.isWanted) throw new SfuError('not_found');
    this.#endSecond();
    // Who is muted is muted for telephones, whatever the device knew when it asked.
    const track = await this.#openTrack({ ...options, paused: options.paused || microphone.paused });
    // The telephones may have gone while the worker was asked.
    if (!this.#secondVoice.isWanted) {
      track.close();
      throw new SfuError('not_found');
    }
    this.#second = track;
    if (microphone.paused && !track.paused) await track.pause();
    await Promise.all(this.#room.phoneEars.map((ears) => ears.announce(track)));
    this.#room.voicesChanged();
    return { producerId: track.id };
  }

  async #openTrack({ source, kind, rtpParameters, paused }: TrackParameters & { paused: boolean }) {
    const appData = { source, from: this.seatId };
    try {
      const track: Track = await this.#transports.send.transport.produce({
        kind,
        rtpParameters: nativeParameters(rtpParameters),
        paused,
        appData,
      });
      if (!this.#closed) return track;
      track.close();
    } catch (error) {
      if (this.#closed || this.#room.closed) throw error;
      // The request held nothing but the device's parameters, so they are what the worker refused
      // (an SSRC or MID in use by its other track, for one).
      throw new SfuError('invalid_parameters', { cause: error });
    }
    throw new SfuError('seat_closed');
  }

  /** Who speaks is nice to know and no reason to refuse a track. */
  async #listenTo(track: Track): Promise<void> {
    try {
      await this.#room.floor?.listen(track);
    } catch (error) {
      if (this.#closed || this.#room.closed) return;
      const room = this.#room.router.id;
      this.#room.settings.logger.warn('speaker.unheard', { room, cause: String(error) });
    }
  }

  #endTrack(track: Track): void {
    this.#tracks.delete(track.appData.source);
    if (track.appData.source === 'microphone') this.#room.floor?.ended(this.seatId);
    for (const seat of this.#room.seatsBut(this)) seat.incoming.trackEnded(track);
    this.#room.trackEnded(track);
    track.close();
  }

  #endSecond(): void {
    const second = this.#second;
    if (second === null) return;
    this.#second = null;
    for (const ears of this.#room.phoneEars) ears.trackEnded(second);
    second.close();
  }

  #emit(event: SeatEvent): void {
    if (this.#closed) return;
    try {
      this.#onEvent(event);
    } catch (error) {
      // A listener's fault must not reach the seat whose action this was.
      const room = this.#room.router.id;
      this.#room.settings.logger.error('listener.failed', { room, event: event.type, cause: String(error) });
    }
  }

  #serially<T>(task: () => Promise<T>): Promise<T> {
    return this.#room.serially(() => this.#whileOpen(task));
  }

  /** Answers only if the seat was open from the beginning to the end. */
  async #whileOpen<T>(task: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    try {
      const answer = await task();
      this.#assertOpen();
      return answer;
    } catch (error) {
      throw explained(error, { roomClosed: this.#room.closed, seatClosed: this.#closed });
    }
  }

  #assertOpen(): void {
    if (this.#room.closed) throw new SfuError('room_closed');
    if (this.#closed) throw new SfuError('seat_closed');
  }
}

function isG711({ rtpParameters }: Track): boolean {
  return g711Codec(rtpParameters.codecs[0]?.mimeType) !== null;
}
