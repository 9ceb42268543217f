/**
 * Opens a sealed object with nothing but node:crypto, step by step as docs/VAULT-FORMAT.md says. It proves the
 * document, and that what is stored can be read without this product and without the AWS Encryption SDK.
 */
import { createDecipheriv, hkdfSync } from 'node:crypto';

const GCM_TAG = 16;
const SUITE = Buffer.from([0x04, 0x78]);

export interface OpenedByHand {
  readonly plain: Buffer;
  readonly context: Record<string, string>;
  readonly wrappingKey: string;
  /** Every use of a key: the wrapping key for the data key, the derived key for the header and each frame. */
  readonly uses: string[];
}

/** @param wrappingKeyOf the key of a name, 32 bytes */
export function openByHand(sealed: Buffer, wrappingKeyOf: (name: string) => Buffer): OpenedByHand {
  let at = 0;
  const take = (length: number) => sealed.subarray(at, (at += length));
  const short = () => take(2).readUInt16BE();

  // 1. The header.
  if (take(1)[0] !== 2 || !take(2).equals(SUITE)) throw new Error('Another format.');
  const messageId = take(32);
  const contextBytes = take(short());
  const context = parseContext(contextBytes);
  if (short() !== 1) throw new Error('More than one wrapped key.');
  take(short());
  const information = take(short());
  const wrapped = take(short());
  if (take(1)[0] !== 2) throw new Error('Not in frames.');
  const frameLength = take(4).readUInt32BE();
  const commitment = take(32);
  const header = sealed.subarray(0, at);
  const headerTag = take(GCM_TAG);

  // 2. The data key: "<name><tag length in bits><nonce length><nonce>".
  const nonceAt = information.byteLength - 12;
  const wrappingKey = information.toString('utf8', 0, nonceAt - 8);
  const wrapNonce = information.subarray(nonceAt);
  const dataKey = gcm(wrappingKeyOf(wrappingKey), wrapNonce, contextBytes, wrapped);

  // 3. The two keys that follow from it.
  const derive = (label: Buffer) => Buffer.from(hkdfSync('sha512', dataKey, messageId, label, 32));
  const key = derive(Buffer.concat([SUITE, Buffer.from('DERIVEKEY')]));
  if (!derive(Buffer.from('COMMITKEY')).equals(commitment)) throw new Error('Another key.');
  const uses = [`${wrappingKey} ${wrapNonce.toString('hex')}`, `${key.toString('hex')} ${'00'.repeat(12)}`];

  // 4. The header's own tag, with nonce 0 over nothing.
  gcm(key, Buffer.alloc(12), header, headerTag);

  // 5. The frames.
  const plain: Buffer[] = [];
  for (let number = 1; ; number += 1) {
    const mark = take(4).readUInt32BE();
    const isLast = mark === 0xffff_ffff;
    if ((isLast ? take(4).readUInt32BE() : mark) !== number) throw new Error('Another frame.');
    const nonce = take(12);
    const length = isLast ? take(4).readUInt32BE() : frameLength;
    const associated = Buffer.concat([
      messageId,
      Buffer.from(isLast ? 'AWSKMSEncryptionClient Final Frame' : 'AWSKMSEncryptionClient Frame'),
      numberBytes(number, 4),
      numberBytes(length, 8),
    ]);
    plain.push(gcm(key, nonce, associated, take(length + GCM_TAG)));
    uses.push(`${key.toString('hex')} ${nonce.toString('hex')}`);
    if (isLast) break;
  }
  if (at !== sealed.byteLength) throw new Error('Something follows.');
  return { plain: Buffer.concat(plain), context, wrappingKey, uses };
}

function gcm(key: Buffer, nonce: Buffer, associated: Buffer, ciphertextAndTag: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG });
  decipher.setAAD(associated);
  decipher.setAuthTag(ciphertextAndTag.subarray(-GCM_TAG));
  return Buffer.concat([decipher.update(ciphertextAndTag.subarray(0, -GCM_TAG)), decipher.final()]);
}

function parseContext(bytes: Buffer): Record<string, string> {
  const context: Record<string, string> = {};
  let at = 2;
  const text = () => {
    const length = bytes.readUInt16BE(at);
    at += 2 + length;
    return bytes.toString('utf8', at - length, at);
  };
  for (let left = bytes.readUInt16BE(0); left > 0; left -= 1) {
    const name = text();
    context[name] = text();
  }
  return context;
}

function numberBytes(value: number, length: 4 | 8): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(value, length - 4);
  return bytes;
}
