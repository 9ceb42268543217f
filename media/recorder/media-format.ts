import type { RtpCodecParameters, RtpParameters } from '../rtp.ts';
import type { TapTarget } from '../sfu.ts';
import { RecorderError } from './recorder.ts';

/** How a track is kept: nothing is encoded again but what telephones say, so the codec of the call says it. */
export interface MediaFormat {
  readonly contentType: string;
  /** The name of ffmpeg's muxer. */
  readonly muxer: 'webm' | 'matroska';
  readonly kind: 'audio' | 'video';
  /** The codec's name in a session description, with its clock rate. */
  readonly encoding: string;
  readonly codec: RtpCodecParameters;
  /** True for G.711, which WebM cannot hold: it becomes Opus, so that a file is a file whoever speaks in it. */
  readonly isTranscoded: boolean;
}

/** @throws RecorderError `unsupported_codec` */
export function mediaFormat({ codecs }: RtpParameters): MediaFormat {
  const [codec] = codecs;
  switch (codec?.mimeType.toLowerCase()) {
    case 'audio/opus':
      // RFC 7587 §7: always 48 kHz and two channels, whatever is in it.
      return {
        contentType: 'audio/webm;codecs=opus',
        muxer: 'webm',
        kind: 'audio',
        encoding: 'opus/48000/2',
        codec,
        isTranscoded: false,
      };
    case 'audio/pcma':
    case 'audio/pcmu':
      return {
        contentType: 'audio/webm;codecs=opus',
        muxer: 'webm',
        kind: 'audio',
        encoding: codec.mimeType.toLowerCase() === 'audio/pcma' ? 'PCMA/8000' : 'PCMU/8000',
        codec,
        isTranscoded: true,
      };
    case 'video/vp8':
      return {
        contentType: 'video/webm;codecs=vp8',
        muxer: 'webm',
        kind: 'video',
        encoding: 'VP8/90000',
        codec,
        isTranscoded: false,
      };
    case 'video/h264':
      // WebM has no H.264 (its specification names VP8, VP9 and AV1); Matroska, whose subset it is, has.
      return {
        contentType: 'video/x-matroska;codecs=avc1',
        muxer: 'matroska',
        kind: 'video',
        encoding: 'H264/90000',
        codec,
        isTranscoded: false,
      };
    default:
      throw new RecorderError('unsupported_codec');
  }
}

/**
 * The track as a session description (RFC 8866). RTP/AVPF (RFC 4585) lets the receiver ask for a key frame after a loss.
 * Parameters of the codec are the device's own words, and a line break in one would be a line of ours: none of them is
 * written but the one number that tells how H.264 is cut into packets.
 */
export function sessionDescription(format: MediaFormat, { rtpPort, rtcpPort }: TapTarget): string {
  const { kind, encoding, codec } = format;
  const payloadType = Math.trunc(codec.payloadType);
  const packetization = Number(codec.parameters?.['packetization-mode']) === 1 ? 1 : 0;
  const lines = [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=${kind} ${rtpPort} RTP/AVPF ${payloadType}`,
    `a=rtcp:${rtcpPort}`,
    `a=rtpmap:${payloadType} ${encoding}`,
    ...(encoding.startsWith('H264') ? [`a=fmtp:${payloadType} packetization-mode=${packetization}`] : []),
    ...(kind === 'video' ? [`a=rtcp-fb:${payloadType} nack pli`] : []),
    'a=recvonly',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
