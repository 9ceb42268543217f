import type { ConsultationId } from '@teleconsult/protocol';
import type { CallOptions } from '../api.ts';
import type { Lifetime } from '../lifetime.ts';
import { persist, type Signalling } from '../requests.ts';

/** What the parts of one consultation's records share. */
export interface RecordParts {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly life: Lifetime;
}

/** For what may arrive twice: waits for the connection, and asks until there is an answer that time will not change. */
export function askUntilAnswered<T>(
  { signalling, life }: RecordParts,
  ask: () => Promise<T>,
  { signal }: CallOptions = {},
): Promise<T> {
  return persist({ signalling, life }, ask, { signal });
}

/** For what may not, or would come too late: without a connection it is not asked. */
export function askOnce<T>(
  { life }: RecordParts,
  asking: Promise<T>,
  { signal }: CallOptions = {},
): Promise<T> {
  return life.within(asking, signal);
}
