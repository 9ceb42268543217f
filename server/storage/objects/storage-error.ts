import { AppError } from '@teleconsult/protocol';

/** Full is full, whether it is the disk, a quota or the size that one file may have. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** What an error of the operating system means to a caller. */
export function toStorageError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  if (code !== undefined && FULL.has(code)) return new AppError('STORAGE_FULL', { cause: error });
  return new AppError('STORAGE_UNAVAILABLE', { cause: error });
}

export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';
