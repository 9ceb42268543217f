import { SfuError } from '@teleconsult/media';
import { AppError } from '@teleconsult/protocol';

/** Says a media failure in the words of the catalogue. */
export async function guarded<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (!(cause instanceof SfuError)) throw cause;
    switch (cause.reason) {
      case 'no_worker':
      case 'room_closed':
      case 'seat_closed':
        throw new AppError('MEDIA_UNAVAILABLE', { cause });
      case 'not_found':
        throw new AppError('NOT_FOUND', { cause });
      case 'invalid_parameters':
        throw new AppError('INVALID', { detail: 'the media parameters are not usable', cause });
    }
  }
}
