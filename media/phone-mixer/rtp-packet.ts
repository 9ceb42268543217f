/** RTP packets (RFC 3550 §5.1), read without trust in whoever sent them and written anew. */

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

/** Room for the audio level of RFC 6464 in a one-byte header extension (RFC 8285 §4.2). */
const LEVEL_EXTENSION_BYTES = 8;
const ONE_BYTE_PROFILE = 0xbede;
const FIXED_HEADER_BYTES = 12;

/** Whether it is RTCP that shares a port with RTP: by its second byte (RFC 5761 §4). */
export function isRtcp(datagram: Uint8Array): boolean {
  const type = datagram[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** Null for what is no RTP packet, as RTCP. */
export function readRtp(datagram: Uint8Array): RtpPacket | null {
  const { byteLength: length } = datagram;
  if (length < FIXED_HEADER_BYTES) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, length);
  const first = view.getUint8(0);
  const second = view.getUint8(1);
  if (first >> 6 !== 2 || isRtcp(datagram)) return null;
  let start = FIXED_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (start + 4 > length) return null;
    start += 4 + view.getUint16(start + 2) * 4;
  }
  const padding = (first & 0x20) === 0 ? 0 : view.getUint8(length - 1);
  const end = length - padding;
  const isPaddingSane = (first & 0x20) === 0 || padding > 0;
  if (!isPaddingSane || start >= end) return null;
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: datagram.subarray(start, end),
  };
}

/** @param level the audio level with the id of its header extension, where the receiver wants to know it */
export function writeRtp(
  packet: RtpPacket,
  level: { readonly id: number; readonly dbov: number; readonly isVoice: boolean } | null = null,
): Uint8Array {
  const start = FIXED_HEADER_BYTES + (level === null ? 0 : LEVEL_EXTENSION_BYTES);
  const datagram = new Uint8Array(start + packet.payload.byteLength);
  const view = new DataView(datagram.buffer);
  view.setUint8(0, level === null ? 0x80 : 0x90);
  view.setUint8(1, (packet.marker ? 0x80 : 0) | packet.payloadType);
  view.setUint16(2, packet.sequence & 0xffff);
  view.setUint32(4, packet.timestamp >>> 0);
  view.setUint32(8, packet.ssrc >>> 0);
  if (level !== null) {
    view.setUint16(12, ONE_BYTE_PROFILE);
    view.setUint16(14, 1);
    view.setUint8(16, level.id << 4);
    view.setUint8(17, (level.isVoice ? 0x80 : 0) | Math.min(127, Math.max(0, Math.round(-level.dbov))));
  }
  datagram.set(packet.payload, start);
  return datagram;
}
