import type { types } from 'mediasoup';
import type { PhoneMixer } from '../phone-mixer/phone-mixer.ts';
import type { PhoneSeat, PhoneSeatOptions } from '../phone-seat.ts';
import {
  type G711Codec,
  type MediaSource,
  type RoomCloseReason,
  type RoomListeners,
  type SeatEvent,
  type SentTrack,
  SfuError,
  type SfuRoom,
  type SfuSeat,
  type TapEvent,
  type TapTarget,
  type TrackEvent,
  type TrackTap,
} from '../sfu.ts';
import { explained } from './errors.ts';
import type { Track } from './incoming-tracks.ts';
import { MediasoupPhoneSeat } from './phone-seat.ts';
import { MediasoupSeat, type PhoneEars, type RoomSeat, type SeatRoom } from './seat.ts';
import { SeatTransport } from './seat-transport.ts';
import { SerialQueue } from './serial-queue.ts';
import type { MediasoupSfuOptions } from './settings.ts';
import { SpeakerFloor } from './speaker-floor.ts';
import { MediasoupTap, sentTrack } from './tap.ts';

export interface MediasoupRoomOptions extends RoomListeners {
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  readonly settings: MediasoupSfuOptions;
  /** The SFU's, which closes it. */
  readonly mixer: PhoneMixer;
}

/**
 * One router and its seats. What opens seats, tracks or consumers goes through one queue, so that no two of
 * them ever see each other half done; closing never waits in it.
 */
export class MediasoupRoom implements SfuRoom, SeatRoom {
  readonly router: types.Router;
  readonly settings: MediasoupSfuOptions;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #listeners: RoomListeners;
  readonly #mixer: PhoneMixer;
  /** By id, whether a device or a telephone sits there. */
  readonly #seats = new Map<string, RoomSeat>();
  readonly #taps = new Set<MediasoupTap>();
  readonly #queue = new SerialQueue();
  #floor: SpeakerFloor | undefined;
  #closed = false;

  constructor({ router, webRtcServer, settings, mixer, ...listeners }: MediasoupRoomOptions) {
    this.router = router;
    this.settings = settings;
    this.#webRtcServer = webRtcServer;
    this.#mixer = mixer;
    this.#listeners = listeners;
    router.once('workerclose', () => this.#workerClosed());
    settings.logger.info('room.opened', { room: router.id });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get floor(): SpeakerFloor | undefined {
    return this.#floor;
  }

  /** Before the first seat is opened: begins to listen to who speaks, if the owner asked for it. */
  async listen(): Promise<void> {
    const { onSpeaker } = this.#listeners;
    if (onSpeaker === undefined) return;
    this.#floor = await SpeakerFloor.open(this.router, (seatId) => this.#tell(() => onSpeaker(seatId)));
  }

  get seatCount(): number {
    return this.#seats.size;
  }

  openSeat(options: { seatId: string; onEvent: (event: SeatEvent) => void }): Promise<SfuSeat> {
    return this.serially(async () => {
      // First what may fail: then the former seat goes on.
      const { send, receive } = await this.#openTransports();
      this.#leaveSeat(options.seatId);
      const seat = new MediasoupSeat({ ...options, room: this, send, receive });
      this.#seats.set(options.seatId, seat);
      return seat;
    });
  }

  /** For tests and for whoever looks into a call that sounds bad. */
  seatOf(seatId: string): RoomSeat | undefined {
    return this.#seats.get(seatId);
  }

  openPhoneSeat(options: PhoneSeatOptions): Promise<PhoneSeat> {
    return this.serially(async () => {
      const opening = await MediasoupPhoneSeat.open({ ...options, room: this, mixer: this.#mixer });
      // What carries its sound, or the room, may have broken meanwhile.
      if (this.#closed) opening.close();
      this.#assertOpening(opening);
      this.#leaveSeat(options.seatId);
      this.#seats.set(options.seatId, opening);
      await opening.join();
      this.#assertOpening(opening);
      return opening;
    });
  }

  tracks(): readonly SentTrack[] {
    return [...this.#seats.values()].flatMap((seat) => seat.sentTracks.map(sentTrack));
  }

  openTap(options: {
    readonly seatId: string;
    readonly source: MediaSource;
    readonly target: TapTarget;
    readonly onEvent: (event: TapEvent) => void;
  }): Promise<TrackTap> {
    const { seatId, source, target, onEvent } = options;
    return this.serially(async () => {
      const track = this.#seats.get(seatId)?.sentTrack(source);
      if (track === undefined) throw new SfuError('not_found');
      try {
        const tap = await MediasoupTap.open({
          router: this.router,
          track,
          target,
          onEvent: (event) => this.#tell(() => onEvent(event)),
          onClosed: (closed) => this.#taps.delete(closed),
        });
        this.#taps.add(tap);
        if (!track.closed && !this.#closed) return tap;
        tap.close();
      } catch (error) {
        // A seat may close at any time, also while the worker is being asked.
        if (!track.closed) throw error;
      }
      throw new SfuError('not_found');
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#floor?.close();
    this.#endTaps();
    // The seats first: once they know, nothing that mediasoup tells them on the way down is passed on.
    for (const seat of this.#seats.values()) seat.roomClosed('closed');
    this.#seats.clear();
    this.router.close();
    this.#ended('closed');
  }

  get phoneCodec(): G711Codec | null {
    return this.#phones[0]?.codec ?? null;
  }

  get phoneEars(): readonly PhoneEars[] {
    return this.#phones.map(({ ears }) => ears);
  }

  seatsBut(seat: RoomSeat): readonly RoomSeat[] {
    return [...this.#seats.values()].filter((other) => other !== seat);
  }

  seatClosed(seat: RoomSeat): void {
    // A newer seat of this id may be there already.
    if (this.#seats.get(seat.seatId) === seat) this.#seats.delete(seat.seatId);
    this.voicesChanged();
  }

  voicesChanged(): void {
    if (this.#closed) return;
    for (const seat of this.#seats.values()) if (seat instanceof MediasoupSeat) seat.followPhones();
    for (const phone of this.#phones) phone.lookForUnheard();
  }

  trackBegan(track: Track): void {
    this.#tellTrack({ type: 'trackBegan', track: sentTrack(track) });
  }

  trackPaused(track: Track): void {
    this.#tellTrack({ type: 'trackPaused', track: sentTrack(track) });
  }

  trackEnded(track: Track): void {
    for (const tap of this.#taps) if (tap.producerId === track.id) tap.trackEnded();
    this.#tellTrack({ type: 'trackEnded', track: sentTrack(track) });
  }

  serially<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#closed) throw new SfuError('room_closed');
      try {
        return await task();
      } catch (error) {
        throw explained(error, { roomClosed: this.#closed, seatClosed: false });
      }
    });
  }

  get #phones(): readonly MediasoupPhoneSeat[] {
    return [...this.#seats.values()].filter((seat) => seat instanceof MediasoupPhoneSeat);
  }

  #assertOpening(seat: MediasoupPhoneSeat): void {
    if (this.#closed) throw new SfuError('room_closed');
    if (seat.closed) throw new SfuError('no_worker');
  }

  /** A newer seat takes the place of this one. */
  #leaveSeat(seatId: string): void {
    const former = this.#seats.get(seatId);
    if (former instanceof MediasoupPhoneSeat) former.replaced();
    else former?.close();
  }

  #endTaps(): void {
    for (const tap of this.#taps) tap.roomClosed();
  }

  #tellTrack(event: TrackEvent): void {
    const { onTrack } = this.#listeners;
    if (onTrack !== undefined && !this.#closed) this.#tell(() => onTrack(event));
  }

  /** mediasoup has closed the router and all below it. */
  #workerClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#floor?.close();
    this.#endTaps();
    for (const seat of this.#seats.values()) seat.roomClosed('worker_died');
    this.#seats.clear();
    this.#ended('worker_died');
  }

  #ended(reason: RoomCloseReason): void {
    this.settings.logger.info('room.closed', { room: this.router.id, reason });
    this.#tell(() => this.#listeners.onClosed(reason));
  }

  /** A listener's fault is not the room's. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.settings.logger.error('listener.failed', { room: this.router.id, cause: String(error) });
    }
  }

  async #openTransports(): Promise<{ send: SeatTransport; receive: SeatTransport }> {
    const { router, settings } = this;
    const webRtcServer = this.#webRtcServer;
    const send = await SeatTransport.open({ router, webRtcServer, settings, direction: 'send' });
    try {
      const receive = await SeatTransport.open({ router, webRtcServer, settings, direction: 'receive' });
      if (!this.#closed) return { send, receive };
      receive.close();
    } catch (error) {
      send.close();
      throw error;
    }
    send.close();
    throw new SfuError('room_closed');
  }
}
