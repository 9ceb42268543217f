import type { ConsultationId } from '@teleconsult/protocol';
import type { PhoneEffect } from '../consultation/phone-state.ts';

/**
 * Who rings telephones for calls of consultations. Told of each effect after it is on disk, in order, and answers with
 * `CallDesk.phone`: always, also when a telephone could not be rung (`phone.seatLeft` with `lost`).
 */
export interface PhoneLegs {
  /**
   * Returns at once and never throws; a telephone that is gone meanwhile is done. After a restart it is asked to hang up
   * what it does not know.
   */
  carryOut(consultationId: ConsultationId, effect: PhoneEffect): void;
}
