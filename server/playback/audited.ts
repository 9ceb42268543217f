import {
  AppError,
  type ConsultationId,
  type DeviceId,
  type ErrorCode,
  type PersonId,
} from '@teleconsult/protocol';
import type { AuditRecord, AuditTrail } from '../audit/ports.ts';
import type { Clock, Log } from '../host/ports.ts';

/** What is done with recordings, as the audit trail calls it. */
export type RecordingAction =
  | 'recording.list'
  | 'recording.link'
  | 'recording.play'
  | 'recording.download'
  | 'recording.waveform'
  | 'recording.compose'
  | 'recording.delete'
  | 'clip.list'
  | 'clip.read'
  | 'clip.download'
  | 'clip.withdraw';

export interface Doing {
  readonly who: AuditRecord['who'];
  readonly deviceId: DeviceId | null;
  readonly action: RecordingAction;
  readonly consultationId: ConsultationId;
  readonly object: string | null;
}

/** What a person is told when they may not, or not now. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_FOUND',
  'FORBIDDEN',
  'WRONG_STATE',
  'EXPIRED',
]);

export const hostDoing = (doing: Omit<Doing, 'who' | 'deviceId'>): Doing => ({
  ...doing,
  who: 'host',
  deviceId: null,
});

export const personDoing = (
  { by, deviceId }: { readonly by: PersonId; readonly deviceId: DeviceId },
  doing: Omit<Doing, 'who' | 'deviceId'>,
): Doing => ({ ...doing, who: by, deviceId });

/** Records what is done with recordings: before it is done, or it is not done. */
export class Audited {
  readonly #parts: { readonly audit: AuditTrail; readonly clock: Clock; readonly log: Log };

  constructor(parts: { readonly audit: AuditTrail; readonly clock: Clock; readonly log: Log }) {
    this.#parts = parts;
  }

  /** @throws AppError STORAGE_UNAVAILABLE, STORAGE_FULL: then it must not be done */
  granted(doing: Doing): Promise<void> {
    return this.#parts.audit.append(this.#record(doing, 'granted'));
  }

  /** Nothing is done, so it does not matter to the person whether that could be recorded. */
  async refused(doing: Doing, result: 'refused' | 'failed' = 'refused'): Promise<void> {
    try {
      await this.#parts.audit.append(this.#record(doing, result));
    } catch (error) {
      this.#parts.log.error('audit.failed', { consultation: doing.consultationId, error });
    }
  }

  /** Does it, or finds out whether it may be done; that it was refused, or failed, is recorded, too. */
  async judging<T>(doing: Doing, look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      const isRefusal = error instanceof AppError && REFUSALS.has(error.code);
      await this.refused(doing, isRefusal ? 'refused' : 'failed');
      throw error;
    }
  }

  #record(doing: Doing, result: AuditRecord['result']): AuditRecord {
    return { at: this.#parts.clock(), ...doing, result };
  }
}
