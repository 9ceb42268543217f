import type { Effect } from '../consultation/state.ts';
import { viewCall, viewConsultation } from '../consultation/view.ts';
import type { Stepped } from './batch.ts';
import type { BusyRegister } from './busy.ts';
import type { MediaRooms } from './media-rooms.ts';
import type { Log, Publisher } from './ports.ts';

export interface AnnouncerParts {
  readonly publisher: Publisher;
  readonly log: Log;
  readonly busy: BusyRegister;
  readonly media: MediaRooms;
}

/** Tells what an event made true and carries out its effects. It is on disk already. */
export class Announcer {
  readonly #parts: AnnouncerParts;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  announce({ before, after, entries, effects }: Stepped): void {
    const { publisher, log, busy } = this.#parts;
    const people = after.participants.map(({ personId }) => personId);
    for (const entry of entries) publisher.toWatchers(after.id, 'entry.added', entry);
    if (before.phase !== after.phase) {
      log.info(`consultation.${after.phase.name}`, { consultation: after.id });
      const view = viewConsultation(after);
      for (const person of people) publisher.toPerson(person, 'consultation.changed', view);
    }
    for (const effect of effects) this.#carryOut(effect, after);
    if (after.call !== null && after.callRevision !== before.callRevision) {
      const { callId } = after.call;
      if (before.call?.callId !== callId) {
        log.info('call.started', { consultation: after.id, call: callId });
        busy.reserve(people, { consultationId: after.id, callId });
      }
      const view = viewCall(after, after.call);
      for (const person of people) publisher.toPerson(person, 'call.changed', view);
    }
  }

  #carryOut(effect: Effect, after: Stepped['after']): void {
    const { publisher, log, busy, media } = this.#parts;
    const people = after.participants.map(({ personId }) => personId);
    switch (effect.type) {
      case 'callEnded': {
        const { call, reason } = effect;
        log.info('call.ended', { consultation: after.id, call: call.callId, reason });
        busy.release(people, call.callId);
        media.closeCall(call.callId);
        const view = viewCall(after, call, reason);
        for (const person of people) publisher.toPerson(person, 'call.changed', view);
        return;
      }
      case 'camerasOff':
        media.pauseCameras(effect.callId);
        return;
      case 'seatReleased': {
        const { callId, personId, deviceId, why } = effect;
        media.release(callId, personId, deviceId);
        if (why === 'moved')
          publisher.toDevice(personId, deviceId, 'seat.moved', { consultationId: after.id, callId });
      }
    }
  }
}
