import { errors } from 'mediasoup';
import { SfuError } from '../sfu.ts';

export interface Closedness {
  readonly roomClosed: boolean;
  readonly seatClosed: boolean;
}

/**
 * What to throw for an error that came out of mediasoup. A closed owner explains every error of what it owned;
 * what remains unexplained is a bug and stays as it is.
 */
export function explained(error: unknown, { roomClosed, seatClosed }: Closedness): Error {
  if (roomClosed) return new SfuError('room_closed', { cause: error });
  if (seatClosed) return new SfuError('seat_closed', { cause: error });
  if (error instanceof SfuError) return error;
  // The worker is gone; the room hears of it in the same turn.
  if (error instanceof errors.WorkerClosedError) return new SfuError('room_closed', { cause: error });
  if (error instanceof TypeError || error instanceof errors.UnsupportedError) {
    return new SfuError('invalid_parameters', { cause: error });
  }
  return error instanceof Error ? error : new Error('mediasoup threw no error object', { cause: error });
}
