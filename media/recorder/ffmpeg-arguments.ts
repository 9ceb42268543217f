import type { MediaFormat } from './media-format.ts';

/**
 * A cluster is what reaches the pipe in one piece, and what is lost of a file that is cut. It ends with the first packet
 * beyond this, so that bytes come within about a quarter of a second of their sound.
 */
const CLUSTER_MS = 200;

/** How long a missing packet is waited for: most retransmissions of a device arrive within one round trip of 200 ms. */
const REORDER_WAIT_US = 200_000;

/** Packets that may be waiting behind a missing one: 200 ms at 3 Mbit/s are 70. */
const REORDER_PACKETS = 256;

/**
 * What the kernel keeps while ffmpeg is not at its turn: 2 s at 3 Mbit/s, where the system allows so much. It grants no more
 * than net.core.rmem_max, by default 208 KiB: half a second of a large picture, a minute of sound.
 */
const SOCKET_BUFFER_BYTES = 1_000_000;

/**
 * What telephones say, as Opus: speech with 8,000 samples a second, for which 24 kbit/s are more than enough. In frames of
 * 20 ms, as they come; nobody waits for a larger one.
 */
const SPEECH_CODEC = [
  '-c',
  'libopus',
  '-b:a',
  '24k',
  '-ac',
  '1',
  '-application',
  'voip',
  '-frame_duration',
  '20',
];

/** From a session description on standard input to a file on standard output. Only the sound of telephones is encoded. */
export function ffmpegArguments({ muxer, isTranscoded }: MediaFormat): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
    // The only ways in and out that ffmpeg opens for us; without `-localaddr` its ports would be open to every network.
    ...['-protocol_whitelist', 'pipe,udp,rtp', '-localaddr', '127.0.0.1', '-sdp_flags', 'rtcp_to_source'],
    ...['-buffer_size', String(SOCKET_BUFFER_BYTES)],
    ...['-reorder_queue_size', String(REORDER_PACKETS), '-max_delay', String(REORDER_WAIT_US)],
    // The first packets say what is needed to know. Looking for a frame rate would hold the file back for seconds.
    ...['-fpsprobesize', '0', '-analyzeduration', '1'],
    // By itself it gives up 10 s after the last packet, and a patient who listens is muted for longer.
    ...['-listen_timeout', '-1'],
    ...['-f', 'sdp', '-i', 'pipe:0'],
    ...['-map', '0:0', ...(isTranscoded ? SPEECH_CODEC : ['-c', 'copy'])],
    ...['-map_metadata', '-1', '-fflags', '+bitexact'],
    ...[
      '-f',
      muxer,
      '-live',
      '1',
      '-cluster_time_limit',
      String(CLUSTER_MS),
      '-flush_packets',
      '1',
      'pipe:1',
    ],
  ];
}
