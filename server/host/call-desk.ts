import {
  AppError,
  type CallId,
  type CallMedia,
  type CallView,
  type ConsultationId,
  type DeviceId,
  type MediaSource,
  type PersonId,
  type QualityReport,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ParticipantCommand } from '../consultation/commands.ts';
import { isHeld, isHeldBy, isInvited, runningCall, seatOf } from '../consultation/seats.ts';
import type { ConsultationState, Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { viewCall } from '../consultation/view.ts';
import type { Committed, ConsultationActor } from './actor.ts';
import type { BusyRegister } from './busy.ts';
import { CallQuality } from './call-quality.ts';
import { isForwarded } from './call-sources.ts';
import { engagedOf } from './engaged.ts';
import type { HeldConsultations } from './held-consultations.ts';
import type { MediaRooms, SeatAddress } from './media-rooms.ts';
import { MissedPresence, type PresenceEvent } from './missed-presence.ts';
import type { Clock, IdGenerator, Publisher } from './ports.ts';
import { hashOfTicket } from './resume-tickets.ts';
import { SeatTurns } from './seat-turns.ts';
import { viewOf } from './view-of.ts';

export interface CallDeskParts {
  readonly held: HeldConsultations;
  readonly submit: (id: ConsultationId, event: ParticipantCommand | PresenceEvent) => Promise<Committed>;
  readonly busy: BusyRegister;
  readonly media: MediaRooms;
  readonly publisher: Publisher;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
  /** Whether doctors who are in a call are rung for a second one. */
  readonly callWaiting: boolean;
  readonly onQuality: (report: QualityReport) => void;
  /** @throws AppError NOT_CONFIGURED, OVERLOADED when no recording can begin now */
  readonly checkRecorder?: () => void;
}

type CallCommand = Extract<ParticipantCommand, { readonly callId: CallId }>;
type JoinCommand = Extract<ParticipantCommand, { readonly type: 'seat.join' }>;
type JoinWish = Pick<RequestPayload<'seat.join'>, 'rtpCapabilities' | 'resumeTicket' | 'takeOver'>;

interface ByDevice {
  readonly by: PersonId;
  readonly deviceId: DeviceId;
}

/** Calls where the domain, the media and who is busy meet. */
export class CallDesk {
  readonly #parts: CallDeskParts;
  readonly #quality: CallQuality;
  readonly #turns = new SeatTurns();
  readonly #missed: MissedPresence;

  constructor(parts: CallDeskParts) {
    this.#parts = parts;
    this.#quality = new CallQuality(parts.publisher);
    this.#missed = new MissedPresence({ ...parts, tell: (id, event) => this.#tellPresence(id, event) });
  }

  /** Answers the call that runs then; one that ended with `busy` when everybody called is in another call. */
  async start(
    id: ConsultationId,
    command: ByDevice & { media: CallMedia; people?: readonly PersonId[] | undefined },
  ): Promise<CallView> {
    const { held, busy, ids, submit } = this.#parts;
    const { by } = command;
    const { actor } = await held.visible(id, by);
    const call = { consultationId: id, callId: ids.callId() };
    if (busy.elsewhere(by, id) !== 'free')
      throw new AppError('BUSY', { detail: 'you are in another call or rung for one' });
    const everybody = actor.state.participants.map(({ personId }) => personId);
    const called = (command.people ?? everybody).filter((person) => person !== by);
    const engaged = engagedOf(this.#parts, actor.state, called);
    // From here to the submission nothing waits, so of two calls for one person the second finds them engaged.
    busy.claim(by, call);
    busy.reserve(
      called.filter((person) => everybody.includes(person) && engaged.get(person) !== 'busy'),
      call,
    );
    try {
      return viewOf(await submit(id, { type: 'call.start', callId: call.callId, engaged, ...command }));
    } finally {
      busy.unclaim(by, call);
      busy.follow([by, ...called], call, actor.state.call);
      await this.#noticeGone(id, command);
    }
  }

  /**
   * Answers on this device. Who holds a seat in another call leaves that one first when they say so: it is on disk
   * before the answer is, so a crash in between leaves them in neither.
   */
  async accept(
    id: ConsultationId,
    { by, deviceId, callId, leaveOther }: ByDevice & { callId: CallId; leaveOther: boolean },
  ): Promise<CallView> {
    const { held, submit } = this.#parts;
    const { actor } = await held.visible(id, by);
    const command = { type: 'call.accept', by, deviceId, callId } as const;
    // Nobody leaves a call for one that cannot be answered.
    this.#foresee(actor.state, command);
    if (leaveOther) await this.#leaveElsewhere(by, id, deviceId);
    return this.#claiming({ personId: by, consultationId: id, callId }, async () => {
      const view = viewOf(await submit(id, command));
      await this.#noticeGone(id, command);
      return view;
    });
  }

  async invite(
    id: ConsultationId,
    { by, deviceId, callId, personId }: ByDevice & { callId: CallId; personId: PersonId },
  ): Promise<CallView> {
    const { held, busy, submit } = this.#parts;
    const { actor } = await held.visible(id, by);
    const call = { consultationId: id, callId };
    const engaged = engagedOf(this.#parts, actor.state, [personId]).get(personId);
    const isPossible =
      engaged !== 'busy' &&
      runningCall(actor.state, callId) !== null &&
      actor.state.participants.some((participant) => participant.personId === personId);
    if (isPossible) busy.reserve([personId], call);
    try {
      return viewOf(await submit(id, { type: 'call.invite', by, deviceId, callId, personId, engaged }));
    } finally {
      busy.follow([personId], call, actor.state.call);
    }
  }

  /** Asks for the recording of a call, or answers the one that is asked for or runs. */
  async startRecording(id: ConsultationId, wish: ByDevice & { callId: CallId }): Promise<CallView> {
    const { held, ids, checkRecorder } = this.#parts;
    const { state } = (await held.visible(id, wish.by)).actor;
    const command = { type: 'recording.start', recordingId: ids.recordingId(), ...wish } as const;
    // Who may not ask learns nothing of the recorder, and what is asked for or runs is answered however busy it is.
    this.#foresee(state, command);
    if (state.call?.recording === null) checkRecorder?.();
    return this.command(id, command);
  }

  async command(id: ConsultationId, command: CallCommand): Promise<CallView> {
    const view = viewOf(await this.#parts.submit(id, command));
    if (view.state !== 'ended') await this.#noticeGone(id, command);
    return view;
  }

  /**
   * Opens the seat's media first and takes the seat then: who is present can be seen and heard. What would be refused
   * is refused before that, so that it takes nothing from the device in the seat.
   */
  async join(address: SeatAddress, wish: JoinWish): Promise<RequestResult<'seat.join'>> {
    return this.#turns.take(address, async () => {
      const { consultationId, callId, personId: by, deviceId } = address;
      const { actor } = await this.#parts.held.visible(consultationId, by);
      const resumeTicket = this.#parts.ids.resumeTicket();
      const command: JoinCommand = {
        type: 'seat.join',
        by,
        deviceId,
        callId,
        ticket: wish.resumeTicket === undefined ? null : hashOfTicket(wish.resumeTicket),
        nextTicket: hashOfTicket(resumeTicket),
        takeOver: wish.takeOver,
      };
      this.#foresee(actor.state, command);
      return this.#claiming(address, async () => {
        const opened = await this.#parts.media.join(address, wish.rtpCapabilities);
        return { call: await this.#takeSeat(actor, address, command), resumeTicket, ...opened };
      });
    });
  }

  /** What a person has switched off stays off, whatever the device says when it begins to send. */
  async produce(
    address: SeatAddress,
    payload: RequestPayload<'seat.produce'>,
  ): Promise<RequestResult<'seat.produce'>> {
    const { actor } = await this.#parts.held.visible(address.consultationId, address.personId);
    const call = runningCall(actor.state, address.callId);
    const seat = call && seatOf(call, address.personId);
    if (!call || !seat) throw noCall();
    const isSound = payload.source === 'microphone' || payload.source === 'microphone_g711';
    if (!isSound && call.media === 'voice')
      throw new AppError('WRONG_STATE', { detail: 'a voice call has no pictures; switch it to video first' });
    const produced = await this.#parts.media.produce(address, {
      ...payload,
      paused: payload.paused || !isForwarded(seat, payload.source),
    });
    // The microphone a second time, for telephones, is muted with the first.
    await this.#followWish(address, payload.source === 'microphone_g711' ? 'microphone' : payload.source);
    return produced;
  }

  async setSource(address: SeatAddress, payload: RequestPayload<'seat.setSource'>): Promise<CallView> {
    const { consultationId, callId, personId: by, deviceId } = address;
    const { source, on } = payload;
    const type = 'seat.setSource';
    const call = await this.command(consultationId, { type, by, deviceId, callId, source, on });
    await this.#followWish(address, source);
    return call;
  }

  /** What a device that holds a seat has measured: for the operator without a name, for the others in the call as a level. */
  async reportQuality(address: SeatAddress, report: QualityReport): Promise<void> {
    const { consultationId, callId, personId: by, deviceId } = address;
    const { actor } = await this.#parts.held.visible(consultationId, by);
    const call = runningCall(actor.state, callId);
    const seat = call && seatOf(call, by);
    if (!call || !seat || !isHeldBy(seat, deviceId)) throw noCall();
    this.#parts.onQuality(report);
    this.#quality.report(actor, consultationId, call, { by, level: report.level });
  }

  /**
   * A device's socket came or went: its seat goes on or waits. `within` is set for a device whose token is good for
   * one consultation: it says nothing of the person's calls elsewhere. Two pages of one browser are one device, each
   * with a token of its own: as long as one of them reaches a call, its seat is not lost.
   */
  async connection(event: PresenceEvent, within: ConsultationId | null): Promise<void> {
    const { publisher } = this.#parts;
    const { type, personId, deviceId } = event;
    await this.#tell(event, async (id) => {
      if (![null, id].includes(within)) return;
      if (type === 'device.lost' && publisher.isConnected(personId, deviceId, id)) return;
      await this.#tellPresence(id, event);
      if (type === 'device.returned') await this.#repeatQuality(id, event);
    });
  }

  /** Whether the person sits in a running call, or is rung. */
  isEngaged(personId: PersonId): boolean {
    return this.#parts.busy.of(personId).length > 0;
  }

  /** Makes up for the comings and goings of devices that could not be written. Called with each tick. */
  async catchUp(): Promise<void> {
    await this.#missed.makeUp();
  }

  /** The devices of a call that was taken up may have been here before it was. */
  async takenUp(id: ConsultationId): Promise<void> {
    await this.#missed.compare(id);
  }

  /** A device's media path was lost or came back. */
  async path(event: PresenceEvent): Promise<void> {
    await this.#tell(event, (id) => this.#tellPresence(id, event));
  }

  async #tell({ personId }: PresenceEvent, tell: (id: ConsultationId) => Promise<void>): Promise<void> {
    const told = this.#parts.busy.of(personId).map(({ consultationId }) => tell(consultationId));
    const failed = (await Promise.allSettled(told)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async #tellPresence(consultationId: ConsultationId, event: PresenceEvent): Promise<void> {
    const { personId, deviceId } = event;
    const { state } = await this.#missed.noting(consultationId, event);
    const seat = state.call === null ? undefined : seatOf(state.call, personId);
    if (state.call === null || seat === undefined) return;
    // The ring began while this device was away, and it may show another consultation.
    if (event.type === 'device.returned' && isInvited(seat))
      this.#parts.publisher.toDevice(personId, deviceId, 'call.changed', viewCall(state, state.call));
    if (seat.state !== 'present' || seat.deviceId !== deviceId) return;
    // The seat outlives its media: after a restart of the server the device has to join it anew.
    if (event.type === 'device.returned')
      this.#parts.media.ensureHeld({ consultationId, callId: state.call.callId, personId, deviceId });
  }

  /** What the others' connections became while this device heard nothing, it hears now. */
  async #repeatQuality(id: ConsultationId, { personId, deviceId }: PresenceEvent): Promise<void> {
    const { actor } = await this.#parts.held.hold(id);
    const { call } = actor.state;
    const seat = call && seatOf(call, personId);
    if (call && seat?.state === 'present' && seat.deviceId === deviceId)
      this.#quality.repeat(actor, id, call, personId);
  }

  /** The device's media is open; what was opened for a join that fails after all is closed again. */
  async #takeSeat(
    actor: ConsultationActor,
    { consultationId, callId, personId, deviceId }: SeatAddress,
    command: JoinCommand,
  ): Promise<CallView> {
    const { media } = this.#parts;
    const seatNow = () => {
      const call = runningCall(actor.state, callId);
      return { call, seat: call === null ? undefined : seatOf(call, personId) };
    };
    try {
      const view = await this.command(consultationId, command);
      const { call, seat } = seatNow();
      if (call && seat) {
        media.applyView(callId, personId, seat.view);
        this.#quality.repeat(actor, consultationId, call, personId);
      }
      return view;
    } catch (error) {
      media.release(callId, personId, deviceId);
      const { call, seat } = seatNow();
      if (call === null) media.closeCall(callId);
      // The device in the seat lost its media to a take-over that came to nothing, and may have it back.
      else if (seat?.state === 'present' && seat.deviceId !== null && seat.deviceId !== deviceId)
        media.ensureHeld({ consultationId, callId, personId, deviceId: seat.deviceId });
      throw error;
    }
  }

  /** Does what gives the person a seat, unless they hold one in another consultation. */
  async #claiming<T>(
    { personId, consultationId, callId }: Omit<SeatAddress, 'deviceId'>,
    take: () => Promise<T>,
  ): Promise<T> {
    const { busy } = this.#parts;
    const call = { consultationId, callId };
    if (!busy.claim(personId, call)) throw new AppError('BUSY', { detail: 'you are in another call' });
    try {
      return await take();
    } finally {
      busy.unclaim(personId, call);
    }
  }

  async #leaveElsewhere(by: PersonId, id: ConsultationId, answering: DeviceId): Promise<void> {
    const { busy, held, submit } = this.#parts;
    for (const { consultationId } of busy.of(by)) {
      if (consultationId === id) continue;
      const { call } = (await held.hold(consultationId)).actor.state;
      const seat = call && seatOf(call, by);
      if (!call || !seat || !isHeld(seat)) continue;
      // A telephone is hung up by whichever device answers.
      const deviceId = seat.deviceId ?? answering;
      try {
        await submit(consultationId, { type: 'call.leave', by, deviceId, callId: call.callId });
      } catch (error) {
        // It ended, or another device took the seat; whether the person is free is decided by the claim.
        const isGone = error instanceof AppError && ['NOT_FOUND', 'WRONG_STATE'].includes(error.code);
        if (!isGone) throw error;
      }
    }
  }

  /** Throws what the command would be refused with as things stand. */
  #foresee(state: ConsultationState, command: ParticipantCommand): void {
    const { clock, timings } = this.#parts;
    const foreseen = step(state, command, { now: clock(), timings });
    if (foreseen.kind === 'refused') throw new AppError(foreseen.code, { detail: foreseen.detail });
  }

  /** The media does what the state says now, in whichever order wishes and tracks came. */
  async #followWish(address: SeatAddress, source: MediaSource): Promise<void> {
    const { actor } = await this.#parts.held.hold(address.consultationId);
    const call = runningCall(actor.state, address.callId);
    const seat = call && seatOf(call, address.personId);
    if (seat) await this.#parts.media.setSource(address, source, isForwarded(seat, source));
  }

  /** A device that was lost while its own request was under way has no seat yet when that is noticed; so look again. */
  async #noticeGone(id: ConsultationId, { by, deviceId }: ByDevice): Promise<void> {
    if (!this.#parts.publisher.isConnected(by, deviceId, id))
      await this.#missed.noting(id, { type: 'device.lost', personId: by, deviceId });
  }
}

const noCall = (): AppError => new AppError('NOT_FOUND', { detail: 'there is no such running call' });
