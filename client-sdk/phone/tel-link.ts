import { AppError } from '@teleconsult/protocol/errors';

/** E.164: a plus sign and up to fifteen digits. */
const E164 = /^\+[1-9]\d{6,14}$/;

/**
 * A link that calls the number, of a global number without separators (RFC 3966 §5.1.4). Throws `INVALID` for anything else,
 * whose text is not repeated.
 */
export function telLink(number: string): string {
  if (!E164.test(number)) throw new AppError('INVALID', { detail: 'number: E.164' });
  return `tel:${number}`;
}
