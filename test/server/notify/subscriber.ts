import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes } from 'node:crypto';
import type { PushPayload } from '@teleconsult/protocol';
import jwt from 'jsonwebtoken';
import type { Received } from './endpoint.ts';

const derive = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length));

/** The browser's side of Web Push, by the letter of RFC 8291 and not by the library that the server uses. */
export class Subscriber {
  readonly #keys = createECDH('prime256v1');
  readonly #auth = randomBytes(16);
  readonly #publicKey = this.#keys.generateKeys();

  /** As `PushSubscription.toJSON()` has it. */
  subscription(endpoint: string) {
    const keys = { p256dh: this.#publicKey.toString('base64url'), auth: this.#auth.toString('base64url') };
    return { endpoint, expirationTime: null, keys };
  }

  open({ body, headers }: Received): PushPayload {
    if (headers['content-encoding'] !== 'aes128gcm') throw new Error('not aes128gcm');
    const salt = body.subarray(0, 16);
    const idLength = body.readUInt8(20);
    const server = body.subarray(21, 21 + idLength);
    const sealed = body.subarray(21 + idLength);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#publicKey, server]);
    const secret = derive(this.#keys.computeSecret(server), this.#auth, info, 32);
    const key = derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
    const nonce = derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString('utf8')) as PushPayload;
  }
}

/** The claims of the request's VAPID token, verified with the key that it names (RFC 8292). */
export function vapidOf({ headers }: Received): { claims: jwt.JwtPayload; publicKey: string } {
  const [, token = '', publicKey = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? '') ?? [];
  const point = Buffer.from(publicKey, 'base64url');
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const claims = jwt.verify(token, key, { algorithms: ['ES256'] });
  if (typeof claims === 'string') throw new Error('no claims');
  return { claims, publicKey };
}
