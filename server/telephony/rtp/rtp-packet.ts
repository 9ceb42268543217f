/** RTP packets as they arrive and leave (RFC 3550 §5.1). What arrives is read strictly; what leaves is always built anew. */

const HEADER_BYTES = 12;
/** No Ethernet carries more, and no telephone sends it. */
const MOST_BYTES = 1_500;

export interface RtpPacket {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Without contributing sources, extension and padding; never empty. A view of the datagram. */
  readonly payload: Uint8Array;
}

/** Control packets may share the port of the sound (RFC 5761 §4); types 192 to 223 are theirs. */
export const isRtcp = (datagram: Uint8Array): boolean => {
  const type = datagram[1] ?? 0;
  return type >= 192 && type <= 223;
};

/** The packet in a datagram; null for anything whose lengths do not add up. */
export function readRtp(datagram: Buffer): RtpPacket | null {
  const length = datagram.length;
  if (length <= HEADER_BYTES || length > MOST_BYTES) return null;
  const first = datagram.readUInt8(0);
  if (first >> 6 !== 2) return null;
  let start = HEADER_BYTES + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (start + 4 > length) return null;
    start += 4 + 4 * datagram.readUInt16BE(start + 2);
  }
  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = datagram.readUInt8(length - 1);
    if (padding === 0) return null;
    end -= padding;
  }
  if (start >= end) return null;
  const second = datagram.readUInt8(1);
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  };
}

export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** A packet with this header and room for so much payload, which begins at byte 12. */
export function startRtp(header: RtpHeader, payloadBytes: number): Buffer {
  const packet = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes);
  packet[0] = 0x80;
  packet[1] = header.payloadType | (header.marker ? 0x80 : 0);
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp, 4);
  packet.writeUInt32BE(header.ssrc, 8);
  return packet;
}

/** Where the payload begins in what `startRtp` made. */
export const PAYLOAD_AT = HEADER_BYTES;
