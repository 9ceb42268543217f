import { SerialQueue } from '../mediasoup/serial-queue.ts';
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
import { FakePhoneSeat } from './fake-phone-seat.ts';
import type { FakeScript } from './fake-script.ts';
import { FakeSeat, type FakeSeatRoom, type FakeTrack, type TrackSender } from './fake-seat.ts';
import { FakeTap, sentTrack } from './fake-tap.ts';

export interface FakeRoomOptions extends RoomListeners {
  readonly script: FakeScript;
  readonly connectsByItself: boolean;
  /** Calls a listener and keeps what it throws to itself. */
  readonly call: (listener: () => void) => void;
}

/** Every operation is one synchronous step, taken in its turn, as in the real room. */
export class FakeRoom implements SfuRoom, FakeSeatRoom {
  readonly seats = new Map<string, FakeSeat>();
  /** Telephones, by seat id. */
  readonly phones = new Map<string, FakePhoneSeat>();
  /** Taps open now. */
  readonly taps = new Set<FakeTap>();
  readonly script: FakeScript;
  readonly connectsByItself: boolean;
  readonly call: (listener: () => void) => void;
  readonly #listeners: RoomListeners;
  readonly #queue = new SerialQueue();
  #speaker: string | null = null;
  #closed = false;

  constructor({ script, connectsByItself, call, ...listeners }: FakeRoomOptions) {
    this.script = script;
    this.connectsByItself = connectsByItself;
    this.call = call;
    this.#listeners = listeners;
  }

  get closed(): boolean {
    return this.#closed;
  }

  openSeat(options: { seatId: string; onEvent: (event: SeatEvent) => void }): Promise<SfuSeat> {
    return this.serially(() => {
      if (this.#closed) throw new SfuError('room_closed');
      this.script.step('openSeat');
      this.#leaveSeat(options.seatId);
      const seat = new FakeSeat({ ...options, room: this });
      this.seats.set(options.seatId, seat);
      return seat;
    });
  }

  openPhoneSeat(options: PhoneSeatOptions): Promise<PhoneSeat> {
    return this.serially(() => {
      if (this.#closed) throw new SfuError('room_closed');
      this.script.step('openPhoneSeat');
      const phone = new FakePhoneSeat(options, this);
      this.#leaveSeat(options.seatId);
      this.phones.set(options.seatId, phone);
      this.trackBegan(phone.track);
      for (const seat of this.seatsBut(phone)) seat.trackBegan(phone.track);
      this.voicesChanged();
      return phone;
    });
  }

  tracks(): readonly SentTrack[] {
    return this.#senders.flatMap((seat) => [...seat.tracks.values()].map(sentTrack));
  }

  openTap(options: {
    readonly seatId: string;
    readonly source: MediaSource;
    readonly target: TapTarget;
    readonly onEvent: (event: TapEvent) => void;
  }): Promise<TrackTap> {
    const { seatId, source, target, onEvent } = options;
    return this.serially(() => {
      if (this.#closed) throw new SfuError('room_closed');
      this.script.step('openTap');
      const track = (this.seats.get(seatId) ?? this.phones.get(seatId))?.tracks.get(source);
      if (track === undefined) throw new SfuError('not_found');
      const tap = new FakeTap({
        track,
        target,
        onEvent: (event) => this.call(() => onEvent(event)),
        onClosed: (closed) => this.taps.delete(closed),
      });
      this.taps.add(tap);
      return tap;
    });
  }

  close(): void {
    this.#end('closed');
  }

  /** Called by `fake.killWorker`. */
  workerDied(): void {
    this.#end('worker_died');
  }

  /** Called by `fake.speak`, and when a microphone ends. */
  speak(seatId: string | null): void {
    if (this.#closed || this.#speaker === seatId) return;
    this.#speaker = seatId;
    this.call(() => this.#listeners.onSpeaker?.(seatId));
  }

  microphoneEnded(seatId: string): void {
    if (this.#speaker === seatId) this.speak(null);
  }

  get phoneCodec(): G711Codec | null {
    const [first] = this.phones.values();
    return first?.codec ?? null;
  }

  seatsBut(seat: TrackSender): readonly FakeSeat[] {
    return [...this.seats.values()].filter((other) => other !== seat);
  }

  tracksBut(seat: TrackSender): readonly FakeTrack[] {
    return this.#senders.filter((other) => other !== seat).flatMap(({ tracks }) => [...tracks.values()]);
  }

  voicesChanged(): void {
    if (this.#closed) return;
    for (const seat of this.seats.values()) seat.followPhones();
    for (const phone of this.phones.values()) phone.lookForUnheard();
  }

  trackBegan(track: FakeTrack): void {
    this.#tellTrack({ type: 'trackBegan', track: sentTrack(track) });
  }

  trackPaused(track: FakeTrack): void {
    for (const tap of this.taps) tap.trackPaused(track);
    this.#tellTrack({ type: 'trackPaused', track: sentTrack(track) });
  }

  trackEnded(track: FakeTrack): void {
    for (const tap of this.taps) tap.trackEnded(track);
    this.#tellTrack({ type: 'trackEnded', track: sentTrack(track) });
  }

  seatClosed(seat: FakeSeat): void {
    if (this.seats.get(seat.seatId) === seat) this.seats.delete(seat.seatId);
    this.voicesChanged();
  }

  phoneClosed(phone: FakePhoneSeat): void {
    if (this.phones.get(phone.seatId) === phone) this.phones.delete(phone.seatId);
    this.voicesChanged();
  }

  serially<T>(step: () => T): Promise<T> {
    return this.#queue.run(async () => step());
  }

  get #senders(): readonly TrackSender[] {
    return [...this.seats.values(), ...this.phones.values()];
  }

  /** A newer seat takes the place of this one. */
  #leaveSeat(seatId: string): void {
    this.seats.get(seatId)?.close();
    this.phones.get(seatId)?.replaced();
  }

  #tellTrack(event: TrackEvent): void {
    if (!this.#closed) this.call(() => this.#listeners.onTrack?.(event));
  }

  #end(reason: RoomCloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const tap of this.taps) tap.roomClosed();
    for (const seat of this.seats.values()) seat.roomClosed();
    this.seats.clear();
    for (const phone of this.phones.values()) phone.roomClosed(reason);
    this.phones.clear();
    this.#listeners.onClosed(reason);
  }
}
