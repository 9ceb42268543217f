import { setTimeout as wait } from 'node:timers/promises';
import type { PhoneSeat, PhoneSeatEvent } from '@teleconsult/media';
import { AppError, type CallId, type PersonId } from '@teleconsult/protocol';
import type { Log } from '../../host/ports.ts';
import type { PartyRooms, Telephone } from './ports.ts';

/** A room whose worker died is there again by then, or nobody talks in it. The telephone stays connected meanwhile. */
const OPEN_WITHIN_MS = 5_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** A-law: what phones outside North America speak; the sound of others is changed into it on the relay's thread. */
const CODEC = 8;

type EndReason = Extract<PhoneSeatEvent, { type: 'ended' }>['reason'];

export interface RoomSoundParts {
  readonly rooms: PartyRooms;
  readonly address: { readonly callId: CallId; readonly personId: PersonId };
  readonly telephone: Pick<Telephone, 'sound' | 'connect' | 'bridge'>;
  readonly log: Log;
  /** The room could not be opened again. */
  readonly onLost: () => void;
  /** Another has the seat, or the room was closed: whoever decides that tells the telephone, too. Else it is opened again. */
  readonly onGone: () => void;
  readonly openWithinMs?: number;
}

/** The way between one telephone and the room of its call. It is built anew when what carried it breaks. */
export class RoomSound {
  readonly #parts: RoomSoundParts;
  readonly #stop = new AbortController();
  #seat: PhoneSeat | null = null;
  #isPaused = false;
  /** Counts openings: what is told of a former one is over. */
  #turn = 0;
  /** What became of a seat before it was taken into use. */
  #early: EndReason | null = null;

  constructor(parts: RoomSoundParts) {
    this.#parts = parts;
  }

  /** @throws AppError MEDIA_UNAVAILABLE when there is no room in time */
  async open(): Promise<void> {
    const until = performance.now() + (this.#parts.openWithinMs ?? OPEN_WITHIN_MS);
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isClosed; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        if (await this.#opened()) return;
      } catch (error) {
        const mayCome = error instanceof AppError && error.code === 'MEDIA_UNAVAILABLE';
        if (!mayCome || performance.now() + pauseMs > until) throw error;
      }
      await wait(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** Whether the others do not hear the telephone. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    void this.#followPaused(this.#seat);
  }

  /** May be called twice. */
  close(): void {
    this.#stop.abort();
    this.#parts.telephone.bridge(false);
    this.#seat?.close();
    this.#seat = null;
  }

  get #isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** What had it is gone, and the call wants the telephone all the same. */
  async openAgain(): Promise<void> {
    const { log, onLost, address } = this.#parts;
    log.warn('phone.roomLost', { call: address.callId });
    try {
      await this.open();
    } catch (error) {
      log.error('phone.roomNotOpened', { call: address.callId, error });
      onLost();
    }
  }

  /** False: it broke again before it was used. */
  async #opened(): Promise<boolean> {
    const { rooms, address, telephone } = this.#parts;
    const { host, port, ssrc } = telephone.sound;
    this.#turn += 1;
    const turn = this.#turn;
    const isPaused = this.#isPaused;
    this.#early = null;
    const seat = await rooms.joinPhone(address, {
      codec: CODEC,
      remote: { host, port },
      ssrc,
      paused: isPaused,
      onEvent: (event) => {
        if (turn === this.#turn) this.#told(event);
      },
    });
    if (this.#isClosed) {
      seat.close();
      return false;
    }
    if (seat.closed) {
      if (this.#early === 'failed' || this.#early === null) return false;
      this.#parts.onGone();
      return true;
    }
    this.#seat = seat;
    telephone.connect({ host: seat.local.host, port: seat.local.port, codec: CODEC });
    // Muted meanwhile, they are heard by nobody, not even for a moment.
    if (this.#isPaused !== isPaused) await this.#followPaused(seat);
    if (this.#seat === seat) telephone.bridge(true);
    return true;
  }

  #told(event: PhoneSeatEvent): void {
    if (event.type !== 'ended' || this.#isClosed) return;
    const { telephone, onGone } = this.#parts;
    if (this.#seat === null) {
      this.#early = event.reason;
      return;
    }
    this.#seat = null;
    telephone.bridge(false);
    switch (event.reason) {
      case 'failed':
        void this.openAgain();
        return;
      case 'replaced':
      case 'room_closed':
        onGone();
        return;
      default: {
        const unreachable: never = event.reason;
        return unreachable;
      }
    }
  }

  /** A seat that is gone meanwhile is paused anew when it is opened again, and so is one that cannot be paused. */
  async #followPaused(seat: PhoneSeat | null): Promise<void> {
    try {
      await seat?.setSourcePaused('microphone', this.#isPaused);
    } catch (error) {
      const { log, address, telephone } = this.#parts;
      if (seat === null || seat.closed || this.#isClosed || this.#seat !== seat) return;
      log.error('media.failed', { call: address.callId, error });
      // Nobody is heard, and perhaps recorded, who is to be silent.
      telephone.bridge(false);
      this.#seat = null;
      seat.close();
      void this.openAgain();
    }
  }
}
