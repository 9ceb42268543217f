import type { ConsultationId, DeviceId, PersonId } from '@teleconsult/protocol';

/** One connected device of a person, as handlers see it. */
export interface Session {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
  readonly onlyConsultation: ConsultationId | null;
  /** Lets the facts of a consultation flow to this device. The caller has checked that it may. */
  watch(consultationId: ConsultationId): void;
  unwatch(consultationId: ConsultationId): void;
}

/** Names of Socket.IO rooms. Brackets cannot occur in ids, so no id can pose as another room. */
export const roomOf = {
  watchers: (consultationId: ConsultationId) => `watchers[${consultationId}]`,
  person: (personId: PersonId) => `person[${personId}]`,
  device: (personId: PersonId, deviceId: DeviceId) => `device[${personId}][${deviceId}]`,
};
