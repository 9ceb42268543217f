/**
 * What devices are expected to send, in bits a second. The SDK sets these limits on its encoders; the server
 * asks each device to keep the sum within `SEAT_BITRATE` (REMB or transport-cc).
 */
import type { MediaSource } from './sfu.ts';

export const TRACK_BITRATES: Readonly<Record<MediaSource, number>> = {
  /** Opus speech with forward error correction; a browser stays below 40 k. */
  microphone: 64_000,
  /** Three simulcast layers: 150 k, 500 k and 1.5 M. */
  camera: 2_150_000,
  /** One layer, at most 1920 × 1080: text is sharp at 5 pictures a second, scrolling takes the rest. */
  screen: 2_500_000,
};

/** All three together and a quarter more for retransmissions, probing and headers. */
export const SEAT_BITRATE = 6_000_000;
