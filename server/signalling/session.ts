import type { ConsultationId, DeviceId, PersonId } from '@teleconsult/protocol';

/** One connected device of a person, as handlers see it. */
export interface Session {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
  readonly onlyConsultation: ConsultationId | null;
  /** What the token vouches for. */
  readonly displayName: string | null;
  readonly isDoctor: boolean;
  /** Lets the facts of a consultation flow to this device. The caller has checked that it may. */
  watch(consultationId: ConsultationId): void;
  unwatch(consultationId: ConsultationId): void;
}

/** Names of Socket.IO rooms. Brackets cannot occur in ids, so no id can pose as another room. */
export const roomOf = {
  watchers: (consultationId: ConsultationId) => `watchers[${consultationId}]`,
  /** All devices of a person but those below. */
  person: (personId: PersonId) => `person[${personId}]`,
  /** Devices of a person whose token is good for this consultation only: they hear of no other. */
  personWithin: (personId: PersonId, consultationId: ConsultationId) =>
    `person[${personId}][${consultationId}]`,
  device: (personId: PersonId, deviceId: DeviceId) => `device[${personId}][${deviceId}]`,
  deviceWithin: (personId: PersonId, deviceId: DeviceId, consultationId: ConsultationId) =>
    `device[${personId}][${deviceId}][${consultationId}]`,
};
