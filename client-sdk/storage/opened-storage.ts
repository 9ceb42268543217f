import { AppError } from '@teleconsult/protocol/errors';
import type { ClientStorage } from '../api.ts';

/** A storage that the SDK has opened and therefore closes. */
export interface OpenedStorage extends ClientStorage {
  /** May be called twice. What was begun before is finished. */
  close(): void;
}

/** What a storage threw, as the app hears of it. */
export function storageError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const isFull = thrown instanceof Error && thrown.name === 'QuotaExceededError';
  return new AppError(isFull ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', {
    detail: 'the storage of this device',
    cause: thrown,
  });
}
