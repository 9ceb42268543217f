import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { AppError, ConsultationId, DeviceId, FileId, PersonId, RecordingId } from '@teleconsult/protocol';
import { z } from 'zod';

/** What a link is good for, and for whom. */
const Grant = z.strictObject({
  personId: PersonId,
  deviceId: DeviceId,
  consultationId: ConsultationId,
  recordingId: RecordingId,
  fileId: FileId,
  right: z.enum(['play', 'download']),
  /** Whether the file is served with the index that was made of it: all ranges of a link are of the same bytes. */
  seekable: z.boolean(),
  expiresAt: z.int(),
});
export type Grant = z.infer<typeof Grant>;

/** Long enough for a player to begin and short enough to be worth little: a player asks for the next one by itself. */
export const LINK_MS = 5 * 60_000;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A grant is below 400 bytes; what is longer is not opened. */
const MAX_TICKET_LENGTH = 1_024;

/**
 * Makes and reads the tickets of links: a grant under AES-256-GCM with a key that lives in this process alone. Nobody can
 * make one or learn from one whom it is for, and none outlives the server. A random nonce of 96 bits serves 2^32 tickets.
 */
export class LinkTickets {
  readonly #key = new Uint8Array(hkdfSync('sha512', randomBytes(32), '', 'teleconsult recording link 1', 32));

  seal(grant: Grant): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(grant), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** @throws AppError NOT_FOUND for what was never given out, EXPIRED for what was good once */
  open(ticket: string, now: number): Grant {
    const grant = this.#decrypt(ticket);
    if (grant === null) throw new AppError('NOT_FOUND');
    if (grant.expiresAt <= now) throw new AppError('EXPIRED');
    return grant;
  }

  #decrypt(ticket: string): Grant | null {
    if (ticket.length > MAX_TICKET_LENGTH) return null;
    const bytes = Buffer.from(ticket, 'base64url');
    // The decoder reads over what is no base64url; a ticket is what was given out and no other spelling of it.
    if (bytes.byteLength < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== ticket) return null;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]);
      return Grant.parse(JSON.parse(text.toString('utf8')));
    } catch {
      return null;
    }
  }
}
