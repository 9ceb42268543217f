import { AppError, type PersonId } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { isHeld, isOnDevice, seatOf } from '../consultation/seats.ts';
import type { CallRecord, Effect } from '../consultation/state.ts';
import { viewBoard, viewCall, viewConsultation } from '../consultation/view.ts';
import type { Stepped } from './batch.ts';
import type { BusyRegister } from './busy.ts';
import { followSources } from './call-sources.ts';
import type { MediaRooms } from './media-rooms.ts';
import type { PhoneLegs } from './phone-legs.ts';
import type { Log, Publisher } from './ports.ts';

export interface AnnouncerParts {
  readonly publisher: Publisher;
  readonly log: Log;
  readonly busy: BusyRegister;
  readonly media: MediaRooms;
  /** null: no telephones here, and none is asked to be rung. */
  readonly phones?: PhoneLegs | null | undefined;
}

/** Tells what an event made true and carries out its effects. It is on disk already. */
export class Announcer {
  readonly #parts: AnnouncerParts;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  announce(change: Stepped): void {
    const { before, after, entries, effects } = change;
    const { publisher, log } = this.#parts;
    for (const entry of entries) publisher.toWatchers(after.id, 'entry.added', entry);
    if (before.phase !== after.phase)
      log.info(`consultation.${after.phase.name}`, { consultation: after.id });
    const isOther =
      before.phase !== after.phase ||
      before.participants !== after.participants ||
      before.subject !== after.subject;
    if (isOther) {
      const view = viewConsultation(after);
      for (const { personId } of after.participants)
        publisher.toPerson(personId, 'consultation.changed', view);
    }
    if (before.followUps !== after.followUps || before.contactRefusedSince !== after.contactRefusedSince)
      publisher.toWatchers(after.id, 'followUps.changed', {
        consultationId: after.id,
        board: viewBoard(after),
      });
    this.#followBusy(change);
    for (const effect of effects) this.#carryOut(effect, change);
    if (after.call !== null && after.callRevision !== before.callRevision) {
      if (before.call?.callId !== after.call.callId)
        log.info('call.started', { consultation: after.id, call: after.call.callId });
      this.#followViews(before.call, after.call);
      const view = viewCall(after, after.call);
      for (const person of concerned(change)) publisher.toPerson(person, 'call.changed', view);
    }
    // Last, so that a person who was taken out has heard how the call went on without them.
    for (const effect of effects)
      if (effect.type === 'participantLeft') this.#bidFarewell(effect.personId, change);
  }

  /** Who is busy is what the calls say. */
  #followBusy(change: Stepped): void {
    const { before, after } = change;
    if (before.callRevision === after.callRevision) return;
    const people = [...concerned(change)];
    for (const call of [before.call, after.call])
      if (call !== null)
        this.#parts.busy.follow(people, { consultationId: after.id, callId: call.callId }, after.call);
  }

  #carryOut(effect: Effect, change: Stepped): void {
    const { publisher, log, media, phones } = this.#parts;
    const { after } = change;
    switch (effect.type) {
      case 'callEnded': {
        const { call, reason } = effect;
        log.info('call.ended', { consultation: after.id, call: call.callId, reason });
        media.closeCall(call.callId);
        const view = viewCall(after, call, reason);
        for (const person of concerned(change)) publisher.toPerson(person, 'call.changed', view);
        return;
      }
      case 'camerasOff':
        media.pauseCameras(effect.callId);
        return;
      case 'sourcesChanged':
        if (after.call?.callId === effect.callId) this.#followSources(after.id, after.call, effect.personId);
        return;
      case 'seatReleased': {
        const { callId, personId, deviceId, why } = effect;
        media.release(callId, personId, deviceId);
        if (why === 'moved')
          publisher.toDevice(personId, deviceId, 'seat.moved', { consultationId: after.id, callId });
        return;
      }
      case 'participantLeft':
        return;
      case 'phone.ring':
      case 'phone.hangUp':
      case 'phone.setMuted':
      case 'phone.askConsent':
        phones?.carryOut(after.id, effect);
        return;
      default:
        unreachable(effect);
    }
  }

  /** Who shows the call otherwise than before receives other layers. */
  #followViews(before: CallRecord | null, after: CallRecord): void {
    if (before?.callId !== after.callId) return;
    for (const seat of after.seats) {
      const former = seatOf(before, seat.personId);
      if (isHeld(seat) && former !== undefined && former.view !== seat.view)
        this.#parts.media.applyView(after.callId, seat.personId, seat.view);
    }
  }

  #followSources(consultationId: Stepped['after']['id'], call: CallRecord, personId: PersonId): void {
    const { media, log } = this.#parts;
    const seat = seatOf(call, personId);
    if (seat === undefined || !isOnDevice(seat)) return;
    const { callId } = call;
    followSources(media, { consultationId, callId }, seat).catch((error: unknown) => {
      // A seat that closed meanwhile sends nothing either.
      const isGone = error instanceof AppError && error.code === 'MEDIA_UNAVAILABLE';
      if (!isGone) log.error('media.failed', { call: callId, error });
    });
  }

  #bidFarewell(personId: PersonId, { after }: Stepped): void {
    const { publisher } = this.#parts;
    publisher.stopWatching(personId, after.id);
    publisher.toPerson(personId, 'consultation.left', { consultationId: after.id });
  }
}

/** Whoever takes part, and whoever did until now. */
const concerned = ({ before, after }: Stepped): Set<PersonId> =>
  new Set([...before.participants, ...after.participants].map(({ personId }) => personId));
