import type { CallId, ConsultationId, PersonId, QualityLevel } from '@teleconsult/protocol';
import { isHeld, isOnDevice } from '../consultation/seats.ts';
import type { CallRecord } from '../consultation/state.ts';
import type { Publisher } from './ports.ts';

interface Levels {
  readonly callId: CallId;
  readonly of: Map<PersonId, QualityLevel>;
}

/**
 * How good everybody's connection is, told to the others of a call when it changes. Levels belong to the consultation
 * that is held in memory and go with it; those of a call go when the next one begins.
 */
export class CallQuality {
  readonly #publisher: Publisher;
  readonly #levels = new WeakMap<object, Levels>();

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** `held` is what lives as long as the consultation is held. */
  report(
    held: object,
    id: ConsultationId,
    call: CallRecord,
    report: { by: PersonId; level: QualityLevel },
  ): void {
    const { by, level } = report;
    const { of: levels } = this.#of(held, call);
    if (levels.get(by) === level) return;
    levels.set(by, level);
    for (const seat of call.seats)
      if (isOnDevice(seat) && seat.personId !== by)
        this.#publisher.toDevice(seat.personId, seat.deviceId, 'seat.qualityChanged', {
          consultationId: id,
          callId: call.callId,
          personId: by,
          level,
        });
  }

  /** Tells a device that has just joined what the others in the call have. They hear of it anew: it may have been away. */
  repeat(held: object, id: ConsultationId, call: CallRecord, to: PersonId): void {
    const seat = call.seats.find(({ personId }) => personId === to);
    if (seat === undefined || !isOnDevice(seat)) return;
    this.#of(held, call).of.delete(to);
    for (const [personId, level] of this.#of(held, call).of) {
      const isThere = call.seats.some((other) => other.personId === personId && isHeld(other));
      if (personId !== to && isThere)
        this.#publisher.toDevice(to, seat.deviceId, 'seat.qualityChanged', {
          consultationId: id,
          callId: call.callId,
          personId,
          level,
        });
    }
  }

  #of(held: object, { callId }: CallRecord): Levels {
    const known = this.#levels.get(held);
    if (known?.callId === callId) return known;
    const levels: Levels = { callId, of: new Map() };
    this.#levels.set(held, levels);
    return levels;
  }
}
