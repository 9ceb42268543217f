import { ECDH } from 'node:crypto';
import { AppError, type RequestPayload } from '@teleconsult/protocol';
import { z } from 'zod';
import { acceptedEndpoint } from '../notify/push-endpoint.ts';

/** Where and how a device is pushed to: address, public key and secret, base64url (RFC 8291). */
export const Subscription = z.strictObject({
  endpoint: z.string(),
  p256dh: z.string(),
  auth: z.string(),
});
export type Subscription = z.infer<typeof Subscription>;

/** Browsers write base64url without padding; a padded one says the same. */
const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;
const AUTH_BYTES = 16;
/** A point of P-256, not compressed. */
const POINT_BYTES = 65;

/**
 * A subscription as it is kept.
 * @throws AppError INVALID when its address is none of a push service, or nothing could be encrypted for it
 */
export function checkedSubscription(
  { endpoint, keys }: RequestPayload<'push.subscribe'>['subscription'],
  extraOrigins: readonly string[],
): Subscription {
  const accepted = acceptedEndpoint(endpoint, extraOrigins);
  if (accepted === null)
    throw new AppError('INVALID', { detail: 'subscription.endpoint is not one of a known push service' });
  if (!isPoint(keys.p256dh))
    throw new AppError('INVALID', { detail: 'subscription.keys.p256dh is no P-256 key' });
  if (bytesOf(keys.auth)?.byteLength !== AUTH_BYTES)
    throw new AppError('INVALID', { detail: 'subscription.keys.auth is not 16 bytes long' });
  return { endpoint: accepted, p256dh: unpadded(keys.p256dh), auth: unpadded(keys.auth) };
}

function isPoint(text: string): boolean {
  const bytes = bytesOf(text);
  if (bytes?.byteLength !== POINT_BYTES) return false;
  try {
    // Throws for what lies on no curve.
    ECDH.convertKey(bytes, 'prime256v1', undefined, undefined, 'compressed');
    return true;
  } catch {
    return false;
  }
}

const bytesOf = (text: string): Buffer | null =>
  BASE64URL.test(text) ? Buffer.from(text, 'base64url') : null;

const unpadded = (text: string): string => text.replace(/=+$/, '');
