/**
 * An SFU in memory for tests of everything above it: no worker, no sockets, no WebRTC. It keeps the port's
 * contract, judges parameters with mediasoup's own rules, and its offers satisfy mediasoup-client.
 */
import { forwardableCapabilities } from '../mediasoup/codecs.ts';
import {
  type RoomListeners,
  type Sfu,
  SfuError,
  type SfuErrorReason,
  type SfuHealth,
  type SfuRoom,
  type TransportDirection,
} from '../sfu.ts';
import { FakeRoom } from './fake-room.ts';
import { type FakeOperation, FakeScript } from './fake-script.ts';
import type { FakeSeat, PathState } from './fake-seat.ts';

export type { FakeOperation } from './fake-script.ts';

export interface FakeSfuOptions {
  /** 1 unless given. */
  readonly workers?: number;
  /** False: a transport becomes `connected` only by `connect`. True unless given. */
  readonly connectsByItself?: boolean;
}

export interface FakeSfu extends Sfu {
  /** All rooms open now, with their seats, tracks and subscriptions. */
  readonly rooms: readonly FakeRoom[];
  /** What listeners of rooms and seats threw: a real SFU writes it to its log. */
  readonly listenerErrors: readonly unknown[];
  /** The next call of `operation`, on whatever room or seat, throws this reason. Calls queue up. */
  failNext(operation: FakeOperation, reason: SfuErrorReason): void;
  /** Closes the worker's rooms with `worker_died`; a new worker stands in its place at once. */
  killWorker(index?: number): void;
  /** This seat speaks over its microphone now; null: nobody does. Throws when the seat sends no sound. */
  speak(room: SfuRoom, seatId: string | null): void;
  /** The path of a seat's transport becomes `connected`. Throws when no such seat is open. */
  connect(seatId: string, direction: TransportDirection): void;
  /** The path of a seat's transport changes in any way. Throws when no such seat is open. */
  changePath(seatId: string, direction: TransportDirection, state: PathState): void;
}

export function createFakeSfu(options: FakeSfuOptions = {}): FakeSfu {
  return new FakeSfuAdapter(options);
}

class FakeSfuAdapter implements FakeSfu {
  readonly capabilities = forwardableCapabilities();
  readonly listenerErrors: unknown[] = [];
  readonly #script = new FakeScript();
  readonly #connectsByItself: boolean;
  /** The rooms of each worker. */
  readonly #workers: readonly Set<FakeRoom>[];
  #workerDeaths = 0;
  #closed = false;

  constructor({ workers = 1, connectsByItself = true }: FakeSfuOptions) {
    this.#workers = Array.from({ length: workers }, () => new Set<FakeRoom>());
    this.#connectsByItself = connectsByItself;
  }

  get rooms(): readonly FakeRoom[] {
    return this.#workers.flatMap((rooms) => [...rooms]);
  }

  async openRoom({ onClosed, onSpeaker, onTrack }: RoomListeners): Promise<SfuRoom> {
    this.#script.step('openRoom');
    const worker = this.#leastLoaded();
    if (this.#closed || worker === undefined) throw new SfuError('no_worker');
    const room = new FakeRoom({
      script: this.#script,
      connectsByItself: this.#connectsByItself,
      call: (listener) => this.#call(listener),
      ...(onSpeaker === undefined ? {} : { onSpeaker }),
      ...(onTrack === undefined ? {} : { onTrack }),
      onClosed: (reason) => {
        worker.delete(room);
        this.#call(() => onClosed(reason));
      },
    });
    worker.add(room);
    return room;
  }

  health(): SfuHealth {
    const rooms = this.rooms;
    return {
      workers: this.#workers.length,
      aliveWorkers: this.#closed ? 0 : this.#workers.length,
      rooms: rooms.length,
      seats: rooms.reduce((seats, room) => seats + room.seats.size + room.phones.size, 0),
      workerDeaths: this.#workerDeaths,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const room of this.rooms) room.close();
  }

  failNext(operation: FakeOperation, reason: SfuErrorReason): void {
    this.#script.failNext(operation, reason);
  }

  killWorker(index = 0): void {
    const worker = this.#workers[index];
    if (worker === undefined) throw new RangeError(`the fake has no worker ${index}`);
    this.#workerDeaths += 1;
    for (const room of worker) room.workerDied();
  }

  speak(room: SfuRoom, seatId: string | null): void {
    const open = this.rooms.find((one) => one === room);
    if (open === undefined) throw new RangeError('the fake has no such open room');
    const seat = seatId === null ? undefined : (open.seats.get(seatId) ?? open.phones.get(seatId));
    const microphone = seat?.tracks.get('microphone');
    if (seatId !== null && (microphone === undefined || microphone.paused))
      throw new RangeError('the seat sends no sound');
    open.speak(seatId);
  }

  connect(seatId: string, direction: TransportDirection): void {
    this.changePath(seatId, direction, 'connected');
  }

  changePath(seatId: string, direction: TransportDirection, state: PathState): void {
    this.#seat(seatId).changePath(direction, state);
  }

  #seat(seatId: string): FakeSeat {
    for (const room of this.rooms) {
      const seat = room.seats.get(seatId);
      if (seat) return seat;
    }
    throw new RangeError('the fake has no open seat of this id');
  }

  #leastLoaded(): Set<FakeRoom> | undefined {
    return [...this.#workers].sort((one, other) => one.size - other.size)[0];
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.listenerErrors.push(error);
    }
  }
}
