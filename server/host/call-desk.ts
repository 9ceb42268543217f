import {
  AppError,
  type CallId,
  type CallMedia,
  type CallView,
  type ConsultationId,
  type DeviceId,
  type PersonId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import { seatOf } from '../consultation/call.ts';
import type { ParticipantCommand } from '../consultation/commands.ts';
import type { Seat, Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { viewCall } from '../consultation/view.ts';
import type { Committed } from './actor.ts';
import type { BusyRegister } from './busy.ts';
import type { HeldConsultations } from './held-consultations.ts';
import type { MediaRooms, SeatAddress } from './media-rooms.ts';
import type { Clock, IdGenerator, Publisher } from './ports.ts';

export interface CallDeskParts {
  readonly held: HeldConsultations;
  readonly submit: (id: ConsultationId, event: ParticipantCommand | PresenceEvent) => Promise<Committed>;
  readonly busy: BusyRegister;
  readonly media: MediaRooms;
  readonly publisher: Publisher;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
}

interface PresenceEvent {
  readonly type: 'device.lost' | 'device.returned';
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

/** Calls where the domain, the media and who is busy meet. */
export class CallDesk {
  readonly #parts: CallDeskParts;

  constructor(parts: CallDeskParts) {
    this.#parts = parts;
  }

  async start(
    id: ConsultationId,
    command: { by: PersonId; deviceId: DeviceId; media: CallMedia },
  ): Promise<CallView> {
    const { held, busy, ids, submit } = this.#parts;
    const { actor } = await held.visible(id, command.by);
    const callId = ids.callId();
    const people = actor.state.participants.map(({ personId }) => personId);
    if (!busy.reserve(people, { consultationId: id, callId: actor.state.call?.callId ?? callId }))
      throw new AppError('BUSY');
    try {
      const { state } = await submit(id, { type: 'call.start', callId, ...command });
      if (state.call === null) throw new AppError('WRONG_STATE');
      return viewCall(state, state.call);
    } finally {
      if (actor.state.call?.callId !== callId) busy.release(people, callId);
      await this.#noticeGone(id, command);
    }
  }

  async command(id: ConsultationId, command: ParticipantCommand & { callId: CallId }): Promise<CallView> {
    const { state, effects } = await this.#parts.submit(id, command);
    const ended = effects.find((effect) => effect.type === 'callEnded');
    if (ended !== undefined) return viewCall(state, ended.call, ended.reason);
    if (state.call === null) throw new AppError('NOT_FOUND', { detail: 'there is no such running call' });
    if ('deviceId' in command) await this.#noticeGone(id, command);
    return viewCall(state, state.call);
  }

  /** Opens the seat's media first and takes the seat then: who is present can be seen and heard. */
  async join(
    address: SeatAddress,
    capabilities: RequestPayload<'seat.join'>['rtpCapabilities'],
  ): Promise<RequestResult<'seat.join'>> {
    const { held, media, clock, timings } = this.#parts;
    const { consultationId, callId, personId: by, deviceId } = address;
    const { actor } = await held.visible(consultationId, by);
    const command = { type: 'seat.join', by, deviceId, callId } as const;
    const foreseen = step(actor.state, command, { now: clock(), timings });
    if (foreseen.kind === 'refused') throw new AppError(foreseen.code, { detail: foreseen.detail });
    const opened = await media.join(address, capabilities);
    try {
      return { call: await this.command(consultationId, command), ...opened };
    } catch (error) {
      media.release(callId, by, deviceId);
      if (actor.state.call?.callId !== callId) media.closeCall(callId);
      throw error;
    }
  }

  /** What a person has switched off stays off, whatever the device says when it begins to send. */
  async produce(
    address: SeatAddress,
    payload: RequestPayload<'seat.produce'>,
  ): Promise<RequestResult<'seat.produce'>> {
    const { actor } = await this.#parts.held.visible(address.consultationId, address.personId);
    const { call } = actor.state;
    const seat = call?.callId === address.callId ? seatOf(call, address.personId) : undefined;
    if (!call || !seat) throw new AppError('NOT_FOUND', { detail: 'there is no such running call' });
    if (payload.source === 'camera' && call.media === 'voice')
      throw new AppError('WRONG_STATE', { detail: 'a voice call has no cameras; switch it to video first' });
    const produced = await this.#parts.media.produce(address, {
      ...payload,
      paused: payload.paused || !isOn(seat, payload.source),
    });
    await this.#followWish(address, payload.source);
    return produced;
  }

  async setSource(address: SeatAddress, payload: RequestPayload<'seat.setSource'>): Promise<CallView> {
    const { consultationId, callId, personId: by, deviceId } = address;
    const { source, on } = payload;
    const call = await this.command(consultationId, {
      type: 'seat.setSource',
      by,
      deviceId,
      callId,
      source,
      on,
    });
    await this.#followWish(address, source);
    return call;
  }

  /**
   * A device's socket or media path was lost or came back: its seat waits or goes on. `within` is set for a device
   * whose token is good for one consultation: it says nothing of the person's calls elsewhere.
   */
  async presence(event: PresenceEvent, within: ConsultationId | null): Promise<void> {
    const { personId, deviceId } = event;
    const engagement = this.#parts.busy.of(personId);
    if (engagement === null || ![null, engagement.consultationId].includes(within)) return;
    const { consultationId, callId } = engagement;
    const { state } = await this.#parts.submit(consultationId, event);
    const seat = state.call === null ? undefined : seatOf(state.call, personId);
    // The seat outlives its media: after a restart of the server the device has to join it anew.
    if (event.type === 'device.returned' && seat?.state === 'present' && seat.deviceId === deviceId)
      this.#parts.media.ensureHeld({ consultationId, callId, personId, deviceId });
  }

  /** The media does what the state says now, in whichever order wishes and tracks came. */
  async #followWish(address: SeatAddress, source: 'microphone' | 'camera'): Promise<void> {
    const { actor } = await this.#parts.held.hold(address.consultationId);
    const { call } = actor.state;
    const seat = call?.callId === address.callId ? seatOf(call, address.personId) : undefined;
    if (seat !== undefined) await this.#parts.media.setSource(address, source, isOn(seat, source));
  }

  /** A device that was lost while its own request was under way has no seat yet when that is noticed; so look again. */
  async #noticeGone(
    id: ConsultationId,
    { by, deviceId }: { by: PersonId; deviceId: DeviceId },
  ): Promise<void> {
    if (!this.#parts.publisher.isConnected(by, deviceId, id))
      await this.#parts.submit(id, { type: 'device.lost', personId: by, deviceId });
  }
}

const isOn = (seat: Seat, source: 'microphone' | 'camera'): boolean =>
  source === 'microphone' ? seat.microphoneOn : seat.cameraOn;
