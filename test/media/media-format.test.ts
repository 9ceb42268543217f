import { expect, test } from 'vitest';
import { RecorderError, type RtpCodecParameters, type RtpParameters } from '../../media/index.ts';
import { ffmpegArguments } from '../../media/recorder/ffmpeg-arguments.ts';
import { mediaFormat, sessionDescription } from '../../media/recorder/media-format.ts';

const PORTS = { rtpPort: 30_000, rtcpPort: 30_001 };

const trackOf = (codec: Partial<RtpCodecParameters>): RtpParameters => ({
  codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, ...codec }],
});

test('[RECD26] what a device calls its parameters never becomes a line of the session description', () => {
  const evil = '1\r\nc=IN IP4 203.0.113.9\r\nm=audio 9 RTP/AVP 0';
  for (const mimeType of ['audio/opus', 'video/VP8', 'video/H264']) {
    const parameters = {
      'packetization-mode': evil,
      useinbandfec: evil,
      [evil]: 1,
      'sprop-parameter-sets': evil,
    };
    const lines = sessionDescription(mediaFormat(trackOf({ mimeType, parameters })), PORTS).split('\r\n');
    expect(lines.filter((line) => line.startsWith('m='))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('c='))).toEqual(['c=IN IP4 127.0.0.1']);
    expect(lines.join()).not.toContain('203.0.113.9');
  }
});

test('[RECD26] each codec of a call has its file, and any other is refused', () => {
  expect(mediaFormat(trackOf({})).contentType).toBe('audio/webm;codecs=opus');
  expect(mediaFormat(trackOf({ mimeType: 'video/vp8' })).muxer).toBe('webm');
  const h264 = mediaFormat(trackOf({ mimeType: 'video/H264', parameters: { 'packetization-mode': 1 } }));
  expect(h264.contentType).toBe('video/x-matroska;codecs=avc1');
  expect(sessionDescription(h264, PORTS)).toContain('a=fmtp:100 packetization-mode=1\r\n');
  for (const codecs of [[], trackOf({ mimeType: 'audio/G722' }).codecs]) {
    expect(() => mediaFormat({ codecs })).toThrow(RecorderError);
  }
});

test('[RECD17] the recording process is given pipes and the loopback, and never a file', () => {
  const told = ffmpegArguments(mediaFormat(trackOf({})));
  expect(told[told.indexOf('-protocol_whitelist') + 1]).toBe('pipe,udp,rtp');
  expect(told[told.indexOf('-localaddr') + 1]).toBe('127.0.0.1');
  expect(told[told.indexOf('-i') + 1]).toBe('pipe:0');
  expect(told.at(-1)).toBe('pipe:1');
  // Copied, never encoded.
  expect(told[told.indexOf('-c') + 1]).toBe('copy');
});

test('[PHS10] what telephones say becomes Opus in a file like any other, and nothing else is encoded', () => {
  for (const [mimeType, payloadType, encoding] of [
    ['audio/PCMA', 8, 'PCMA/8000'],
    ['audio/PCMU', 0, 'PCMU/8000'],
  ] as const) {
    const codec = { mimeType, payloadType, clockRate: 8_000 };
    const format = mediaFormat({ codecs: [codec] });
    expect(format.contentType).toBe('audio/webm;codecs=opus');
    expect(sessionDescription(format, PORTS)).toContain(`a=rtpmap:${payloadType} ${encoding}\r\n`);
    const told = ffmpegArguments(format);
    expect(told[told.indexOf('-c') + 1]).toBe('libopus');
    expect(told[told.indexOf('-b:a') + 1]).toBe('24k');
    expect(told[told.indexOf('-protocol_whitelist') + 1]).toBe('pipe,udp,rtp');
  }
});
