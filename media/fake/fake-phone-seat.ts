import { randomInt, randomUUID } from 'node:crypto';
import { consumableParameters } from '../mediasoup/parameters.ts';
import {
  checkPhone,
  type PhoneSeat,
  type PhoneSeatEvent,
  type PhoneSeatOptions,
  type PhoneSeatStatistics,
} from '../phone-seat.ts';
import { type G711Codec, type MediaSource, type RoomCloseReason, SfuError } from '../sfu.ts';
import { UnheardVoices } from '../unheard-voices.ts';
import type { FakeSeat, FakeTrack, TrackSender } from './fake-seat.ts';

/** What a telephone's seat needs of its room. */
export interface FakePhoneRoom {
  readonly closed: boolean;
  readonly script: { step(operation: 'setSourcePaused'): void };
  readonly seats: ReadonlyMap<string, FakeSeat>;
  readonly phones: ReadonlyMap<string, FakePhoneSeat>;
  readonly call: (listener: () => void) => void;
  serially<T>(step: () => T): Promise<T>;
  seatsBut(seat: TrackSender): readonly FakeSeat[];
  phoneClosed(phone: FakePhoneSeat): void;
  microphoneEnded(seatId: string): void;
  trackPaused(track: FakeTrack): void;
  trackEnded(track: FakeTrack): void;
}

/** A telephone without RTP: what it hears is who is heard. */
export class FakePhoneSeat implements PhoneSeat, TrackSender {
  readonly seatId: string;
  readonly codec: G711Codec;
  readonly options: PhoneSeatOptions;
  readonly local: PhoneSeat['local'];
  readonly track: FakeTrack;
  readonly #room: FakePhoneRoom;
  readonly #unheard: UnheardVoices;
  #closed = false;

  constructor(options: PhoneSeatOptions, room: FakePhoneRoom) {
    checkPhone(options);
    this.options = options;
    this.seatId = options.seatId;
    this.codec = options.codec;
    this.#room = room;
    this.local = { host: '127.0.0.1', port: 61_000, ssrc: randomInt(1, 0xffff_ffff) };
    this.track = sound(options);
    this.#unheard = new UnheardVoices({
      current: () => this.#unheardNow(),
      onChange: (seatIds) => this.#tell({ type: 'unheard', seatIds }),
    });
  }

  get tracks(): ReadonlyMap<MediaSource, FakeTrack> {
    return new Map(this.#closed ? [] : [['microphone', this.track]]);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The ids of the seats that are heard on the phone now; those that are muted are, too. */
  get hears(): readonly string[] {
    if (this.#closed) return [];
    const devices = [...this.#room.seats.values()].filter(({ isHeardByPhones }) => isHeardByPhones);
    const phones = [...this.#room.phones.values()].filter((phone) => phone !== this);
    return [...devices, ...phones].map(({ seatId }) => seatId);
  }

  /** The first sound of the telephone arrives. */
  sounds(): void {
    this.#tell({ type: 'firstPacket' });
  }

  /** What carries its sound breaks. */
  fail(): void {
    this.#gone('failed');
  }

  setSourcePaused(source: MediaSource, paused: boolean): Promise<void> {
    return this.#room.serially(() => {
      if (this.#room.closed) throw new SfuError('room_closed');
      if (this.#closed) throw new SfuError('seat_closed');
      this.#room.script.step('setSourcePaused');
      if (source !== 'microphone' || this.track.paused === paused) return;
      this.track.paused = paused;
      if (paused) this.#room.microphoneEnded(this.seatId);
      for (const seat of this.#room.seatsBut(this)) seat.trackPaused(this.track);
      this.#room.trackPaused(this.track);
    });
  }

  async statistics(): Promise<PhoneSeatStatistics | null> {
    if (this.#closed) return null;
    return { fromPhone: 0, toPhone: 0, dropped: 0, voices: this.hears.length };
  }

  close(): void {
    if (this.#closed) return;
    this.#end();
    this.#room.microphoneEnded(this.seatId);
    for (const seat of this.#room.seatsBut(this)) seat.trackEnded(this.track);
    this.#room.trackEnded(this.track);
    this.#room.phoneClosed(this);
  }

  /** Called by the room. */
  lookForUnheard(): void {
    this.#unheard.look();
  }

  /** Called by the room. */
  replaced(): void {
    this.#gone('replaced');
  }

  /** Called by the room. */
  roomClosed(reason: RoomCloseReason): void {
    if (this.#closed) return;
    this.#end();
    this.#say({ type: 'ended', reason: reason === 'worker_died' ? 'failed' : 'room_closed' });
  }

  #gone(reason: 'failed' | 'replaced'): void {
    if (this.#closed) return;
    this.close();
    this.#say({ type: 'ended', reason });
  }

  #end(): void {
    this.#closed = true;
    this.#unheard.close();
  }

  #unheardNow(): readonly string[] {
    return [...this.#room.seats.values()]
      .filter((seat) => seat.tracks.has('microphone') && !seat.isHeardByPhones)
      .map(({ seatId }) => seatId);
  }

  #tell(event: PhoneSeatEvent): void {
    if (!this.#closed) this.#say(event);
  }

  #say(event: PhoneSeatEvent): void {
    this.#room.call(() => this.options.onEvent(event));
  }
}

function sound({ seatId, codec, ssrc, paused = false }: PhoneSeatOptions): FakeTrack {
  const mimeType = codec === 8 ? 'audio/PCMA' : 'audio/PCMU';
  const rtpParameters = {
    codecs: [{ mimeType, payloadType: codec, clockRate: 8_000 }],
    encodings: [{ ssrc }],
  };
  const consumable = consumableParameters({ source: 'microphone', kind: 'audio', rtpParameters });
  return { producerId: randomUUID(), from: seatId, source: 'microphone', kind: 'audio', consumable, paused };
}
