import { SerialQueue } from '../mediasoup/serial-queue.ts';
import {
  type RoomCloseReason,
  type RoomListeners,
  type SeatEvent,
  SfuError,
  type SfuRoom,
  type SfuSeat,
} from '../sfu.ts';
import type { FakeScript } from './fake-script.ts';
import { FakeSeat, type FakeSeatRoom } from './fake-seat.ts';

export interface FakeRoomOptions extends RoomListeners {
  readonly script: FakeScript;
  readonly connectsByItself: boolean;
  /** Calls a listener and keeps what it throws to itself. */
  readonly call: (listener: () => void) => void;
}

/** Every operation is one synchronous step, taken in its turn, as in the real room. */
export class FakeRoom implements SfuRoom, FakeSeatRoom {
  readonly seats = new Map<string, FakeSeat>();
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
      this.seats.get(options.seatId)?.close();
      const seat = new FakeSeat({ ...options, room: this });
      this.seats.set(options.seatId, seat);
      return seat;
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

  seatsBut(seat: FakeSeat): readonly FakeSeat[] {
    return [...this.seats.values()].filter((other) => other !== seat);
  }

  seatClosed(seat: FakeSeat): void {
    this.seats.delete(seat.seatId);
  }

  serially<T>(step: () => T): Promise<T> {
    return this.#queue.run(async () => step());
  }

  #end(reason: RoomCloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const seat of this.seats.values()) seat.roomClosed();
    this.seats.clear();
    this.#listeners.onClosed(reason);
  }
}
