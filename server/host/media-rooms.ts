import { type SeatEvent, type Sfu, SfuError, type SfuRoom, type SfuSeat } from '@teleconsult/media';
import {
  AppError,
  type CallId,
  type ConsultationId,
  type DeviceId,
  type PersonId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { Log, Publisher } from './ports.ts';

export interface SeatAddress {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

interface HeldSeat {
  readonly address: SeatAddress;
  readonly seat: SfuSeat;
}

interface CallRoom {
  readonly room: Promise<SfuRoom>;
  readonly seats: Map<PersonId, HeldSeat>;
}

export interface MediaRoomsParts {
  readonly sfu: Sfu;
  readonly publisher: Publisher;
  readonly log: Log;
  /** The media path of a seat broke or came back. */
  readonly onPath: (address: SeatAddress, path: 'lost' | 'found') => void;
}

/**
 * The media of running calls: one room a call, opened by the first seat that joins, one seat a person. A seat
 * is reached only by the device that holds it, so ids that leak are worth nothing to anybody else.
 */
export class MediaRooms {
  readonly #parts: MediaRoomsParts;
  readonly #rooms = new Map<CallId, CallRoom>();

  constructor(parts: MediaRoomsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#rooms.size;
  }

  async join(
    address: SeatAddress,
    capabilities: RequestPayload<'seat.join'>['rtpCapabilities'],
  ): Promise<Omit<RequestResult<'seat.join'>, 'call'>> {
    return guarded(async () => {
      const held = this.#roomOf(address);
      const room = await held.room;
      const seat = await room.openSeat({
        seatId: address.personId,
        onEvent: (event) => this.#onSeatEvent(address, event),
      });
      held.seats.set(address.personId, { address, seat });
      const consumers = capabilities === undefined ? [] : await seat.setCapabilities(capabilities);
      return {
        routerRtpCapabilities: this.#parts.sfu.capabilities,
        send: offer(seat.send),
        receive: offer(seat.receive),
        consumers: [...consumers],
      };
    });
  }

  connectTransport(address: SeatAddress, payload: RequestPayload<'seat.connectTransport'>): Promise<void> {
    return this.#withSeat(address, (seat) =>
      seat.connectTransport(payload.direction, payload.dtlsParameters),
    );
  }

  async setCapabilities(
    address: SeatAddress,
    payload: RequestPayload<'seat.setCapabilities'>,
  ): Promise<RequestResult<'seat.setCapabilities'>> {
    const consumers = await this.#withSeat(address, (seat) => seat.setCapabilities(payload.rtpCapabilities));
    return { consumers: [...consumers] };
  }

  produce(
    address: SeatAddress,
    payload: RequestPayload<'seat.produce'>,
  ): Promise<RequestResult<'seat.produce'>> {
    const { source, kind, rtpParameters, paused } = payload;
    return this.#withSeat(address, (seat) => seat.produce({ source, kind, rtpParameters, paused }));
  }

  /** Muting is a wish first and media second: a seat without media is no error. */
  async setSource(address: SeatAddress, source: 'microphone' | 'camera', on: boolean): Promise<void> {
    const held = this.#held(address);
    if (held !== null) await guarded(() => held.seat.setSourcePaused(source, !on));
  }

  /** No seat of the call sends its camera any more, until it is switched on anew. */
  pauseCameras(callId: CallId): void {
    for (const { seat } of this.#rooms.get(callId)?.seats.values() ?? [])
      seat.setSourcePaused('camera', true).catch((error: unknown) => {
        // A seat that closed meanwhile sends nothing either.
        if (!(error instanceof SfuError)) this.#parts.log.error('media.failed', { call: callId, error });
      });
  }

  resumeConsumer(address: SeatAddress, consumerId: string): Promise<void> {
    return this.#withSeat(address, (seat) => seat.resumeConsumer(consumerId));
  }

  async restartIce(
    address: SeatAddress,
    payload: RequestPayload<'seat.restartIce'>,
  ): Promise<RequestResult<'seat.restartIce'>> {
    return {
      iceParameters: await this.#withSeat(address, (seat) => seat.restartIce(payload.direction)),
    };
  }

  /** Tells a device whose seat has no media here that it must join again. */
  ensureHeld(address: SeatAddress): void {
    if (this.#held(address) === null) this.#tellLost(address);
  }

  /** Takes the seat from this device; a seat that another device holds by now stays. */
  release(callId: CallId, personId: PersonId, deviceId: DeviceId): void {
    const held = this.#rooms.get(callId)?.seats.get(personId);
    if (held === undefined || held.address.deviceId !== deviceId) return;
    this.#rooms.get(callId)?.seats.delete(personId);
    held.seat.close();
  }

  closeCall(callId: CallId): void {
    const held = this.#rooms.get(callId);
    if (held === undefined) return;
    this.#rooms.delete(callId);
    // A room that never opened has nothing to close.
    held.room.then((room) => room.close()).catch(() => undefined);
  }

  #roomOf(address: SeatAddress): CallRoom {
    const { callId } = address;
    const running = this.#rooms.get(callId);
    if (running !== undefined) return running;
    const held: CallRoom = {
      room: this.#parts.sfu.openRoom({ onClosed: (reason) => this.#onRoomClosed(callId, held, reason) }),
      seats: new Map(),
    };
    this.#rooms.set(callId, held);
    held.room.catch(() => {
      if (this.#rooms.get(callId) === held) this.#rooms.delete(callId);
    });
    return held;
  }

  #onRoomClosed(callId: CallId, held: CallRoom, reason: 'closed' | 'worker_died'): void {
    if (this.#rooms.get(callId) === held) this.#rooms.delete(callId);
    if (reason !== 'worker_died') return;
    this.#parts.log.warn('media.lost', { call: callId, count: held.seats.size });
    for (const { address } of held.seats.values()) this.#tellLost(address);
  }

  #tellLost({ consultationId, callId, personId, deviceId }: SeatAddress): void {
    this.#parts.publisher.toDevice(personId, deviceId, 'seat.mediaLost', { consultationId, callId });
  }

  #onSeatEvent(address: SeatAddress, event: SeatEvent): void {
    const { consultationId, callId, personId, deviceId } = address;
    const seat = { consultationId, callId };
    const { publisher, onPath } = this.#parts;
    switch (event.type) {
      case 'consumerAdded':
        publisher.toDevice(personId, deviceId, 'seat.consumerAdded', {
          ...seat,
          consumer: event.consumer,
        });
        return;
      case 'consumerRemoved':
        publisher.toDevice(personId, deviceId, 'seat.consumerRemoved', {
          ...seat,
          consumerId: event.consumerId,
        });
        return;
      case 'consumerPaused': {
        const { consumerId, paused } = event;
        publisher.toDevice(personId, deviceId, 'seat.consumerPaused', { ...seat, consumerId, paused });
        return;
      }
      case 'transportChanged':
        onPath(address, event.state === 'connected' ? 'found' : 'lost');
    }
  }

  #held(address: SeatAddress): HeldSeat | null {
    const held = this.#rooms.get(address.callId)?.seats.get(address.personId);
    const isTheSame =
      held?.address.deviceId === address.deviceId && held.address.consultationId === address.consultationId;
    return isTheSame ? held : null;
  }

  async #withSeat<T>(address: SeatAddress, use: (seat: SfuSeat) => Promise<T>): Promise<T> {
    const held = this.#held(address);
    if (held === null) throw new AppError('NOT_FOUND', { detail: 'this device holds no seat in the call' });
    return guarded(() => use(held.seat));
  }
}

const offer = ({ transportId, iceParameters, iceCandidates, dtlsParameters }: SfuSeat['send']) => ({
  transportId,
  iceParameters,
  iceCandidates: [...iceCandidates],
  dtlsParameters,
});

/** Says a media failure in the words of the catalogue. */
async function guarded<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (!(cause instanceof SfuError)) throw cause;
    switch (cause.reason) {
      case 'no_worker':
      case 'room_closed':
      case 'seat_closed':
        throw new AppError('MEDIA_UNAVAILABLE', { cause });
      case 'not_found':
        throw new AppError('NOT_FOUND', { cause });
      case 'invalid_parameters':
        throw new AppError('INVALID', { detail: 'the media parameters are not usable', cause });
    }
  }
}
