/**
 * What every room can forward. RTX, NACK, PLI, FIR, transport-cc and the header extensions are added by
 * mediasoup for each codec that has them, so they are not written here.
 */
import { ortc, type types } from 'mediasoup';
import type { RtpCapabilities } from '../rtp.ts';
import type { G711Codec } from '../sfu.ts';
import { portCapabilities } from './native.ts';

const MEDIA_CODECS: readonly types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    clockRate: 48_000,
    channels: 2,
    // Forward error correction hides single losses; DTX sends almost nothing in silence, and one of two
    // people is silent most of the time.
    parameters: { useinbandfec: 1, usedtx: 1, minptime: 10 },
  },
  // What telephones speak. Behind Opus: a device sends what comes first, unless it is asked for another.
  { kind: 'audio', mimeType: 'audio/PCMA', preferredPayloadType: 8, clockRate: 8_000 },
  { kind: 'audio', mimeType: 'audio/PCMU', preferredPayloadType: 0, clockRate: 8_000 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  {
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90_000,
    // Constrained baseline 3.1: the profile every phone encodes in hardware (RFC 7742 §6.2 asks for it).
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
];

/** A fresh copy: mediasoup fills in defaults where it finds none. */
export function mediaCodecs(): types.RouterRtpCodecCapability[] {
  return structuredClone([...MEDIA_CODECS]);
}

/** The payload type of G.711 by its name, or null for any other codec. */
export function g711Codec(mimeType: string | undefined): G711Codec | null {
  switch (mimeType?.toLowerCase()) {
    case 'audio/pcma':
      return 8;
    case 'audio/pcmu':
      return 0;
    default:
      return null;
  }
}

/** The capabilities of every router opened with these codecs: mediasoup computes them without a worker. */
export function forwardableCapabilities(): RtpCapabilities {
  return portCapabilities(ortc.generateRouterRtpCapabilities(mediaCodecs()));
}
