import type { ConsultationId, DeviceId, PersonId } from '@teleconsult/protocol';

/** Who did what to whose, when and with which result; never content, names or numbers. */
export interface AuditRecord {
  readonly at: number;
  /** `host`: the host application. `server`: by itself, such as a retention that has run out. */
  readonly who: PersonId | 'host' | 'server';
  readonly deviceId: DeviceId | null;
  /** Such as `recording.play`. */
  readonly action: string;
  readonly consultationId: ConsultationId | null;
  /** The id of what it was done to. */
  readonly object: string | null;
  readonly result: 'granted' | 'refused' | 'failed';
}

/** Append-only. What must not happen unseen is recorded before it happens, and does not happen when that fails. */
export interface AuditTrail {
  /** On disk when it resolves. @throws AppError STORAGE_UNAVAILABLE, STORAGE_FULL */
  append(record: AuditRecord): Promise<void>;
}
