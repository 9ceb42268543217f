import { AppError } from '@teleconsult/protocol';
import type { WriteFailure } from './writer-protocol.ts';

/** SQLite result codes (https://sqlite.org/rescode.html); the low byte of an extended code is its primary one. */
const BUSY = 5;
const LOCKED = 6;
const NO_MEMORY = 7;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const PROTOCOL = 15;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;

const ioError = (kind: number): number => IO_ERROR | (kind << 8);

/** The index of the log could not be made longer, which only happens where there is no space left. */
const IO_ERROR_SHM_SIZE = ioError(19);
/**
 * I/O errors after which the disk is not in doubt: a refused `write` (a quota, for one), memory, and the index of
 * the log, which is rebuilt from the log. All others, a failed flush above all, are.
 */
const HARMLESS_IO_ERRORS: readonly number[] = [3, 12, 18, 20, 21].map(ioError);

const PASSING: readonly number[] = [BUSY, LOCKED, NO_MEMORY, READ_ONLY, CANNOT_OPEN, PROTOCOL];
const BREAKING: readonly number[] = [IO_ERROR, CORRUPT, NOT_A_DATABASE];

/** What an error thrown by `node:sqlite` means for what was to be written. */
export function toWriteFailure(error: unknown): WriteFailure {
  const message = error instanceof Error ? error.message : 'unknown';
  const errcode = errcodeOf(error);
  if (errcode === null) return { kind: 'bug', message };
  if (errcode === IO_ERROR_SHM_SIZE) return { kind: 'full' };
  if (HARMLESS_IO_ERRORS.includes(errcode)) return { kind: 'unavailable', errcode };
  const primary = errcode & 0xff;
  if (primary === FULL) return { kind: 'full' };
  if (BREAKING.includes(primary)) return { kind: 'broken', errcode };
  if (PASSING.includes(primary)) return { kind: 'unavailable', errcode };
  if (primary === CONSTRAINT && message.startsWith('UNIQUE')) return { kind: 'unique', constraint: message };
  return { kind: 'bug', message };
}

/** Runs a read: a database that cannot be read, or is closed, is `STORAGE_UNAVAILABLE`. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (errcodeOf(error) === null && !isClosed(error)) throw error;
    throw new AppError('STORAGE_UNAVAILABLE', { cause: error });
  }
}

const errcodeOf = (error: unknown): number | null =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : null;

const isClosed = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
