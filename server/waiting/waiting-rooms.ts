import type { ConsultationView, PersonId, QueuePlace } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { ConsultationStore, Log, Publisher } from '../host/ports.ts';

export interface WaitingRoomsParts {
  readonly store: ConsultationStore;
  readonly publisher: Publisher;
  readonly log: Log;
}

/** Each doctor's queue of waiting patients, with places and estimates. */
export class WaitingRooms {
  readonly #parts: WaitingRoomsParts;

  constructor(parts: WaitingRoomsParts) {
    this.#parts = parts;
  }

  /** The places in those of the consultations that wait. */
  async placesOf(
    _consultations: readonly ConsultationView[],
    _personId: PersonId,
  ): Promise<readonly QueuePlace[]> {
    return [];
  }

  /** A consultation changed: when its phase did, the places of its doctor's queue are told. */
  handleChange(_change: Stepped): void {}
}
