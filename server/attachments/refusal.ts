import { AppError } from '@teleconsult/protocol';

/**
 * A file that is not accepted.
 * @param reason a sentence for the person who sent it. It never holds a part of the file or its name.
 */
export const refuse = (reason: string): AppError => new AppError('UNSUPPORTED_MEDIA', { detail: reason });

/** A file that is larger or longer than allowed. */
export const refuseSize = (reason: string): AppError => new AppError('TOO_LARGE', { detail: reason });
