import { AppError, type ConsultationId, type DeviceId, type PersonId } from '@teleconsult/protocol';
import { isOnDevice } from '../consultation/seats.ts';
import type { Committed } from './actor.ts';
import type { HeldConsultations } from './held-consultations.ts';
import type { Publisher } from './ports.ts';

export interface PresenceEvent {
  readonly type: 'device.lost' | 'device.returned';
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

export interface MissedPresenceParts {
  readonly held: Pick<HeldConsultations, 'hold'>;
  readonly publisher: Pick<Publisher, 'isConnected'>;
  readonly submit: (id: ConsultationId, event: PresenceEvent) => Promise<Committed>;
  /** Writes that a device came or went, and tells whom it concerns. */
  readonly tell: (id: ConsultationId, event: PresenceEvent) => Promise<void>;
}

/**
 * Devices come and go whether or not the store can be written. What it could not take is not forgotten: a seat whose
 * device is gone would be a ghost for as long as the call lasts, and its person busy for every other. It remembers no
 * more than consultations whose calls run.
 */
export class MissedPresence {
  readonly #parts: MissedPresenceParts;
  readonly #missed = new Set<ConsultationId>();

  constructor(parts: MissedPresenceParts) {
    this.#parts = parts;
  }

  /** Writes the event; fails as the store does, and then it is made up for later. */
  async noting(id: ConsultationId, event: PresenceEvent): Promise<Committed> {
    try {
      return await this.#parts.submit(id, event);
    } catch (error) {
      if (isPassing(error)) this.#missed.add(id);
      throw error;
    }
  }

  /** Tries again. What still cannot be written waits for the next time, and keeps no other from being written. */
  async makeUp(): Promise<void> {
    const missed = [...this.#missed];
    this.#missed.clear();
    await Promise.allSettled(missed.map((id) => this.compare(id)));
  }

  /** Brings the seats of the running call to what their devices are now: there or not. */
  async compare(id: ConsultationId): Promise<void> {
    const { held, publisher, tell } = this.#parts;
    try {
      const { actor } = await held.hold(id);
      for (const seat of actor.state.call?.seats ?? []) {
        if (!isOnDevice(seat)) continue;
        const { personId, deviceId } = seat;
        const isThere = publisher.isConnected(personId, deviceId, id);
        if (isThere !== (seat.state === 'reconnecting')) continue;
        await tell(id, { type: isThere ? 'device.returned' : 'device.lost', personId, deviceId });
      }
    } catch (error) {
      if (isPassing(error)) this.#missed.add(id);
      throw error;
    }
  }
}

/** Whether it may be different next time. What is no answer of the catalogue is a bug, or a store that failed oddly. */
const isPassing = (error: unknown): boolean => !(error instanceof AppError) || error.retryable;
