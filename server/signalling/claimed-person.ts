import { PersonId } from '@teleconsult/protocol';
import { z } from 'zod';

/** Longer tokens are looked at when they are verified, not before. */
const MAX_TOKEN_LENGTH = 4_096;
const Claim = z.object({ sub: PersonId });

/**
 * Whom a token says it speaks for (RFC 7519 §4.1.2), before anybody has verified it: good enough to decide who is looked
 * at first, and for nothing else. Null when it cannot be read.
 */
export function claimedPerson(token: unknown): PersonId | null {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) return null;
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return Claim.parse(payload).sub;
  } catch {
    return null;
  }
}
