/**
 * STUN messages as bytes (RFC 8489), enough to speak to a TURN server and to an ICE lite agent: attributes,
 * MESSAGE-INTEGRITY with SHA-1, FINGERPRINT and XOR addresses.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { crc32 } from 'node:zlib';

const MAGIC_COOKIE = 0x2112_a442;
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 24;
const FINGERPRINT_BYTES = 8;

export const METHODS = { binding: 0x0001, allocate: 0x0003, createPermission: 0x0008 } as const;
export const ATTRIBUTES = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  xorPeerAddress: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  requestedAddressFamily: 0x0017,
  requestedTransport: 0x0019,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlling: 0x802a,
} as const;

/** Addresses of IPv6 are masked with the transaction's id, so a value may need it. */
type Value = Uint8Array | ((transactionId: Buffer) => Uint8Array);
export type Attribute = readonly [type: number, value: Value];

export interface StunAnswer {
  readonly transaction: string;
  readonly succeeded: boolean;
  /** 0 for a success. */
  readonly errorCode: number;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

export interface StunRequest {
  readonly method: keyof typeof METHODS;
  readonly attributes: readonly Attribute[];
  /** The key of MESSAGE-INTEGRITY; without it the message is not signed. */
  readonly key?: Uint8Array | string | undefined;
}

export function encodeRequest({ method, attributes, key }: StunRequest): {
  bytes: Buffer;
  transaction: string;
} {
  const id = randomBytes(12);
  const body = attributes.map(([type, value]) =>
    attribute(type, typeof value === 'function' ? value(id) : value),
  );
  const header = (length: number): Buffer => {
    const bytes = Buffer.alloc(HEADER_BYTES);
    bytes.writeUInt16BE(METHODS[method], 0);
    bytes.writeUInt16BE(length, 2);
    bytes.writeUInt32BE(MAGIC_COOKIE, 4);
    id.copy(bytes, 8);
    return bytes;
  };
  let message = Buffer.concat(body);
  if (key !== undefined) {
    const signed = Buffer.concat([header(message.length + INTEGRITY_BYTES), message]);
    const signature = createHmac('sha1', key).update(signed).digest();
    message = Buffer.concat([message, attribute(ATTRIBUTES.messageIntegrity, signature)]);
  }
  const covered = Buffer.concat([header(message.length + FINGERPRINT_BYTES), message]);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(covered) ^ 0x5354_554e) >>> 0);
  const bytes = Buffer.concat([covered, attribute(ATTRIBUTES.fingerprint, fingerprint)]);
  return { bytes, transaction: id.toString('hex') };
}

export function decodeAnswer(bytes: Buffer): StunAnswer {
  const attributes = new Map<number, Buffer>();
  for (let at = HEADER_BYTES; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  const error = attributes.get(ATTRIBUTES.errorCode);
  const errorCode = error === undefined ? 0 : (error[2] ?? 0) * 100 + (error[3] ?? 0);
  return {
    transaction: bytes.subarray(8, HEADER_BYTES).toString('hex'),
    succeeded: (bytes.readUInt16BE(0) & 0x0110) === 0x0100,
    errorCode,
    attributes,
  };
}

/** The value of XOR-PEER-ADDRESS. */
export function xorAddress(address: string, port: number): (transactionId: Buffer) => Buffer {
  const raw = addressBytes(address);
  return (transactionId) => {
    const mask = Buffer.alloc(4);
    mask.writeUInt32BE(MAGIC_COOKIE);
    const pad = Buffer.concat([mask, transactionId]);
    const head = Buffer.from([0, raw.length === 4 ? 1 : 2, 0, 0]);
    head.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
    return Buffer.concat([head, Buffer.from(raw.map((byte, index) => byte ^ (pad[index] ?? 0)))]);
  };
}

export function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes every IPv6 address in one way: groups without leading zeros, the longest gap as "::".
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before = '', after] = plain.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const words = [...head, ...gap, ...tail].map((group) => Number.parseInt(group, 16));
  const bytes = Buffer.alloc(16);
  for (const [index, word] of words.entries()) bytes.writeUInt16BE(word, index * 2);
  return bytes;
}

function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}
