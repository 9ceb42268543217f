import {
  type ConsumerOffer,
  type PhoneSeat,
  type PhoneSeatOptions,
  type SeatEvent,
  type Sfu,
  SfuError,
  type SfuRoom,
} from '@teleconsult/media';
import {
  AppError,
  type CallId,
  type DeviceId,
  type MediaSource,
  type PersonId,
  type RequestPayload,
  type RequestResult,
  type SeatViewMode,
} from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { TurnCredentials } from '../turn/turn-credentials.ts';
import { guarded } from './media-errors.ts';
import { MediaSeat, type SeatAddress } from './media-seat.ts';
import type { Log, Publisher } from './ports.ts';

export type { SeatAddress } from './media-seat.ts';

interface CallRoom {
  readonly room: Promise<SfuRoom>;
  /** The room once it is open. */
  opened: SfuRoom | null;
  readonly seats: Map<PersonId, MediaSeat>;
  /** Who takes part by telephone, or did. Their seats are closed by whoever opened them, or with the room. */
  readonly phones: Set<PersonId>;
  speaker: PersonId | null;
}

export interface MediaRoomsParts {
  readonly sfu: Sfu;
  readonly publisher: Publisher;
  readonly log: Log;
  readonly turn: Pick<TurnCredentials, 'forPerson'>;
  /** The media path of a seat broke or came back. */
  readonly onPath: (address: SeatAddress, path: 'lost' | 'found') => void;
  /** A track of the call began, was muted or ended, or the room is gone with all of them. */
  readonly onTracks?: (callId: CallId) => void;
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

  /** The open room of a call; null while there is none. */
  roomOf(callId: CallId): SfuRoom | null {
    return this.#rooms.get(callId)?.opened ?? null;
  }

  async join(
    address: SeatAddress,
    capabilities: RequestPayload<'seat.join'>['rtpCapabilities'],
  ): Promise<Omit<RequestResult<'seat.join'>, 'call' | 'resumeTicket'>> {
    return guarded(async () => {
      const held = this.#roomOf(address.callId);
      const room = await held.room;
      const sfu = await room.openSeat({
        seatId: address.personId,
        // Nothing happens to a seat before its opening is answered.
        onEvent: (event) => this.#onSeatEvent(held, seat, event),
      });
      const seat = new MediaSeat(address, sfu);
      const former = held.seats.get(address.personId);
      held.seats.set(address.personId, seat);
      const consumers = await this.#firstOffers(held, seat, capabilities).catch((error: unknown) => {
        // Another device of the person lost its media to a join that came to nothing, and may have it back.
        if (former !== undefined && former.address.deviceId !== address.deviceId)
          this.#tellLost(former.address);
        throw error;
      });
      return {
        routerRtpCapabilities: this.#parts.sfu.capabilities,
        send: sfu.send,
        receive: sfu.receive,
        consumers,
        iceServers: this.#parts.turn.forPerson(address.personId),
      };
    });
  }

  /**
   * A person takes part by telephone. A device of theirs that came meanwhile has no media any more, and is told so: whether it
   * may come again is for whoever decides who sits where. Whoever opens it closes it; a call that ends ends it (`ended`,
   * `room_closed`).
   * Like a device's join it may open the room of a call that has just ended: then it is for the caller to `closeCall`.
   * @throws AppError MEDIA_UNAVAILABLE, INVALID
   */
  async joinPhone(
    { callId, personId }: Pick<SeatAddress, 'callId' | 'personId'>,
    options: Omit<PhoneSeatOptions, 'seatId'>,
  ): Promise<PhoneSeat> {
    return guarded(async () => {
      const held = this.#roomOf(callId);
      const room = await held.room;
      const phone = await room.openPhoneSeat({ ...options, seatId: personId });
      const former = held.seats.get(personId);
      held.seats.delete(personId);
      held.phones.add(personId);
      if (former !== undefined) this.#tellLost(former.address);
      return phone;
    });
  }

  connectTransport(address: SeatAddress, payload: RequestPayload<'seat.connectTransport'>): Promise<void> {
    return this.#withSeat(address, ({ sfu }) =>
      sfu.connectTransport(payload.direction, payload.dtlsParameters),
    );
  }

  async setCapabilities(
    address: SeatAddress,
    payload: RequestPayload<'seat.setCapabilities'>,
  ): Promise<RequestResult<'seat.setCapabilities'>> {
    return this.#withSeat(address, async (seat) => {
      const consumers = await seat.sfu.setCapabilities(payload.rtpCapabilities);
      await seat.offered(consumers);
      return { consumers: [...consumers] };
    });
  }

  produce(
    address: SeatAddress,
    payload: RequestPayload<'seat.produce'>,
  ): Promise<RequestResult<'seat.produce'>> {
    const { source, kind, rtpParameters, paused } = payload;
    return this.#withSeat(address, ({ sfu }) => sfu.produce({ source, kind, rtpParameters, paused }));
  }

  /** Muting is a wish first and media second: a seat without media is no error. */
  async setSource(address: SeatAddress, source: MediaSource, on: boolean): Promise<void> {
    const seat = this.#held(address);
    if (seat !== null) await guarded(() => seat.sfu.setSourcePaused(source, !on));
  }

  /** No seat of the call sends its camera any more, until it is switched on anew. */
  pauseCameras(callId: CallId): void {
    for (const { sfu } of this.#rooms.get(callId)?.seats.values() ?? [])
      this.#unlessGone(callId, sfu.setSourcePaused('camera', true));
  }

  /**
   * How the person's device shows the call now: in the background and with sound alone it is sent no video, in a
   * floating window the smallest layer. A person without media here is no error.
   */
  applyView(callId: CallId, personId: PersonId, view: SeatViewMode): void {
    const seat = this.#rooms.get(callId)?.seats.get(personId);
    if (seat !== undefined) this.#unlessGone(callId, seat.setView(view));
  }

  resumeConsumer(address: SeatAddress, consumerId: string): Promise<void> {
    return this.#withSeat(address, (seat) => seat.resume(consumerId));
  }

  pauseConsumer(address: SeatAddress, consumerId: string): Promise<void> {
    return this.#withSeat(address, (seat) => seat.pause(consumerId));
  }

  setLayers(
    address: SeatAddress,
    { consumerId, spatialLayer }: Pick<RequestPayload<'seat.setLayers'>, 'consumerId' | 'spatialLayer'>,
  ): Promise<void> {
    return this.#withSeat(address, (seat) => seat.setLayer(consumerId, spatialLayer));
  }

  async restartIce(
    address: SeatAddress,
    payload: RequestPayload<'seat.restartIce'>,
  ): Promise<RequestResult<'seat.restartIce'>> {
    return {
      iceParameters: await this.#withSeat(address, ({ sfu }) => sfu.restartIce(payload.direction)),
    };
  }

  /** Tells a device that is back who speaks, or when its seat has no media here, that it must join again. */
  ensureHeld(address: SeatAddress): void {
    if (this.#held(address) === null) this.#tellLost(address);
    else this.#repeatSpeaker(address);
  }

  /** Takes the seat from this device; a seat that another device holds by now stays. */
  release(callId: CallId, personId: PersonId, deviceId: DeviceId): void {
    const held = this.#rooms.get(callId)?.seats.get(personId);
    if (held === undefined || held.address.deviceId !== deviceId) return;
    this.#rooms.get(callId)?.seats.delete(personId);
    held.sfu.close();
  }

  closeCall(callId: CallId): void {
    const held = this.#rooms.get(callId);
    if (held === undefined) return;
    this.#rooms.delete(callId);
    // A room that never opened has nothing to close.
    held.room.then((room) => room.close()).catch(() => undefined);
  }

  #roomOf(callId: CallId): CallRoom {
    const running = this.#rooms.get(callId);
    if (running !== undefined) return running;
    const held: CallRoom = {
      room: this.#parts.sfu.openRoom({
        onClosed: (reason) => this.#onRoomClosed(callId, held, reason),
        onSpeaker: (seatId) => this.#onSpeaker(held, seatId),
        onTrack: () => this.#parts.onTracks?.(callId),
      }),
      opened: null,
      seats: new Map(),
      phones: new Set(),
      speaker: null,
    };
    this.#rooms.set(callId, held);
    held.room.then(
      (room) => {
        held.opened = room;
      },
      () => {
        if (this.#rooms.get(callId) === held) this.#rooms.delete(callId);
      },
    );
    return held;
  }

  /** What the others send already. A seat whose device cannot say what it receives is given up. */
  async #firstOffers(
    held: CallRoom,
    seat: MediaSeat,
    capabilities: RequestPayload<'seat.join'>['rtpCapabilities'],
  ): Promise<ConsumerOffer[]> {
    if (capabilities === undefined) return [];
    try {
      const consumers = await seat.sfu.setCapabilities(capabilities);
      await seat.offered(consumers);
      return consumers;
    } catch (error) {
      const { personId } = seat.address;
      if (held.seats.get(personId) === seat) held.seats.delete(personId);
      seat.sfu.close();
      throw error;
    }
  }

  #onRoomClosed(callId: CallId, held: CallRoom, reason: 'closed' | 'worker_died'): void {
    if (this.#rooms.get(callId) === held) this.#rooms.delete(callId);
    this.#parts.onTracks?.(callId);
    if (reason !== 'worker_died') return;
    this.#parts.log.warn('media.lost', { call: callId, count: held.seats.size });
    for (const { address } of held.seats.values()) this.#tellLost(address);
  }

  #tellLost({ consultationId, callId, personId, deviceId }: SeatAddress): void {
    this.#parts.publisher.toDevice(personId, deviceId, 'seat.mediaLost', { consultationId, callId });
  }

  #onSpeaker(held: CallRoom, seatId: string | null): void {
    const people = [...held.seats.keys(), ...held.phones];
    const speaker = people.find((personId) => personId === seatId) ?? null;
    if (speaker === held.speaker) return;
    held.speaker = speaker;
    for (const { address } of held.seats.values()) this.#tellSpeaker(address, speaker);
  }

  #tellSpeaker({ consultationId, callId, personId, deviceId }: SeatAddress, speaker: PersonId | null): void {
    this.#parts.publisher.toDevice(personId, deviceId, 'call.activeSpeaker', {
      consultationId,
      callId,
      personId: speaker,
    });
  }

  /** Who comes while somebody speaks would otherwise learn it when somebody else does. */
  #repeatSpeaker(address: SeatAddress): void {
    const speaker = this.#rooms.get(address.callId)?.speaker ?? null;
    if (speaker !== null) this.#tellSpeaker(address, speaker);
  }

  #onSeatEvent(held: CallRoom, seat: MediaSeat, event: SeatEvent): void {
    const { address } = seat;
    const { consultationId, callId, personId, deviceId } = address;
    const call = { consultationId, callId };
    const { publisher, onPath } = this.#parts;
    switch (event.type) {
      case 'consumerAdded':
        this.#unlessGone(callId, seat.offered([event.consumer]));
        publisher.toDevice(personId, deviceId, 'seat.consumerAdded', {
          ...call,
          consumer: event.consumer,
        });
        return;
      case 'consumerRemoved':
        seat.removed(event.consumerId);
        publisher.toDevice(personId, deviceId, 'seat.consumerRemoved', {
          ...call,
          consumerId: event.consumerId,
        });
        return;
      case 'consumerPaused': {
        const { consumerId, paused } = event;
        publisher.toDevice(personId, deviceId, 'seat.consumerPaused', { ...call, consumerId, paused });
        return;
      }
      case 'g711Wanted': {
        const { wanted, codec } = event;
        publisher.toDevice(personId, deviceId, 'seat.g711Wanted', { ...call, wanted, codec });
        return;
      }
      case 'transportChanged':
        if (event.direction === 'receive' && event.state === 'connected') this.#repeatSpeaker(address);
        onPath(address, event.state === 'connected' ? 'found' : 'lost');
        return;
      default:
        unreachable(event);
    }
  }

  #held(address: SeatAddress): MediaSeat | null {
    const seat = this.#rooms.get(address.callId)?.seats.get(address.personId);
    const isTheSame =
      seat?.address.deviceId === address.deviceId && seat.address.consultationId === address.consultationId;
    return isTheSame ? seat : null;
  }

  async #withSeat<T>(address: SeatAddress, use: (seat: MediaSeat) => Promise<T>): Promise<T> {
    const seat = this.#held(address);
    if (seat === null) throw new AppError('NOT_FOUND', { detail: 'this device holds no seat in the call' });
    return guarded(() => use(seat));
  }

  /** What is done to media without anybody waiting for it. A seat or track that closed meanwhile is no failure. */
  #unlessGone(callId: CallId, done: Promise<void>): void {
    done.catch((error: unknown) => {
      if (!(error instanceof SfuError)) this.#parts.log.error('media.failed', { call: callId, error });
    });
  }
}
