import { createHmac } from 'node:crypto';

/** Secrets that libraries for Standard Webhooks write have this before their base64. */
const PREFIX = 'whsec_';

const keyOf = (secret: string): Buffer =>
  secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');

/**
 * The `webhook-signature` header (https://www.standardwebhooks.com): HMAC-SHA256 over id, moment and body, so that
 * none of the three can be changed and an old request cannot be sent again as a new one.
 * @param timestamp seconds since 1970
 */
export function webhookSignature(
  secret: string,
  signed: { readonly id: string; readonly timestamp: number; readonly body: string },
): string {
  const { id, timestamp, body } = signed;
  const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return `v1,${mac}`;
}
