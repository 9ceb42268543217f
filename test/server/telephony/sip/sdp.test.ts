import { expect, test } from 'vitest';
import {
  commonCodec,
  mirrored,
  type OwnAudio,
  parseSdp,
  writeAnswer,
  writeOffer,
} from '../../../../server/telephony/sip/sdp.ts';

const own: OwnAudio = {
  host: '192.0.2.7',
  port: 40_000,
  codecs: [8],
  telephoneEvent: 101,
  direction: 'both',
  session: { id: 12, version: 3 },
};
const description = (lines: readonly string[]): string =>
  `${['v=0', 'o=13800001111 1 1 IN IP4 192.0.2.1', 's=Zhang San', ...lines].join('\r\n')}\r\n`;

test('[SIP6] an offer of a leaky phone is read: address, codecs in their order, events, direction, ptime', () => {
  const offer = parseSdp(
    description([
      'i=13800001111',
      'e=13800001111@carrier.example',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'a=tool:13800001111',
      'm=audio 6000 RTP/AVP 18 0 8 101',
      'a=rtpmap:18 G729/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ssrc:1 cname:13800001111@phone',
      'a=ptime:30',
      'a=sendonly',
    ]),
  );
  expect(offer).toMatchObject({
    host: '192.0.2.1',
    port: 6000,
    codecs: [0, 8],
    telephoneEvent: 101,
    direction: 'send',
    ptime: 30,
    audioLine: 0,
  });
  expect(offer === null ? null : commonCodec(offer)).toBe(0);
  expect(offer === null ? null : commonCodec(offer, [8])).toBe(8);
});

test('[SIP6] what we write holds nothing of what we read', () => {
  const offer = parseSdp(
    description([
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 6000 RTP/AVP 8',
      'a=ssrc:1 cname:13800001111@phone',
    ]),
  );
  if (offer === null) throw new Error('not read');
  expect(writeAnswer(offer, own)).toBe(
    'v=0\r\no=- 12 3 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n',
  );
  expect(writeOffer({ ...own, host: '2001:db8::7', telephoneEvent: null, direction: 'none' })).toContain(
    'o=- 12 3 IN IP6 2001:db8::7\r\n',
  );
});

test('[SIP7] every other media line is answered with port 0, in its place', () => {
  const offer = parseSdp(
    description([
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=video 7000 RTP/AVP 96',
      'm=audio 0 RTP/AVP 8',
      'm=audio 6000/2 RTP/AVPF 8',
      'm=audio 6002 RTP/SAVP 8',
      'm=image 6004 udptl t38',
    ]),
  );
  if (offer === null) throw new Error('not read');
  expect(offer.audioLine).toBe(2);
  const answered = writeAnswer(offer, own);
  expect(answered.split('\r\n').filter((line) => line.startsWith('m='))).toEqual([
    'm=video 0 RTP/AVP 96',
    'm=audio 0 RTP/AVP 8',
    'm=audio 40000 RTP/AVPF 8 101',
    'm=audio 0 RTP/SAVP 8',
    'm=image 0 udptl t38',
  ]);
});

test('[SIP7] an offer without audio for us is read, and has no answer', () => {
  const offer = parseSdp(description(['c=IN IP4 192.0.2.1', 't=0 0', 'm=video 7000 RTP/AVP 96']));
  expect(offer).toMatchObject({ audioLine: null, codecs: [], host: null });
  expect(() => offer !== null && writeAnswer(offer, own)).toThrow(RangeError);
});

test('[SIP8] hold, the new way and the old, and what may be answered to it', () => {
  const read = (...lines: string[]) =>
    parseSdp(description(['c=IN IP4 192.0.2.1', 't=0 0', 'm=audio 6000 RTP/AVP 8', ...lines]));
  expect(read('a=inactive')?.direction).toBe('none');
  expect(read('a=recvonly')?.direction).toBe('receive');
  expect(read()?.direction).toBe('both');
  expect(read('c=IN IP4 0.0.0.0')).toMatchObject({ host: null, direction: 'send' });
  expect(read('c=IN IP4 192.0.2.99')?.host).toBe('192.0.2.99');
  expect(
    parseSdp(description(['c=IN IP4 192.0.2.1', 'a=sendonly', 't=0 0', 'm=audio 6000 RTP/AVP 8']))?.direction,
  ).toBe('send');
  expect((['both', 'send', 'receive', 'none'] as const).map(mirrored)).toEqual([
    'both',
    'receive',
    'send',
    'none',
  ]);
});

test('[SIP8] a host name is not looked up, and numbers with another meaning are not taken', () => {
  const offer = parseSdp(
    description([
      'c=IN IP4 evil.example',
      't=0 0',
      'm=audio 6000 RTP/AVP 8 0 97 101',
      'a=rtpmap:8 opus/48000',
      'a=rtpmap:97 telephone-event/48000',
      'a=rtpmap:101 telephone-event/8000',
    ]),
  );
  expect(offer).toMatchObject({ host: null, codecs: [0], telephoneEvent: 101 });
});

test.each([
  ['nothing', ''],
  ['another version', 'v=1\r\n'],
  ['a media line that is none', description(['m=audio x RTP/AVP 8'])],
  ['a port out of range', description(['m=audio 70000 RTP/AVP 8'])],
  ['no formats', description(['m=audio 6000 RTP/AVP'])],
  ['too many media', description(Array.from({ length: 17 }, () => 'm=audio 6000 RTP/AVP 8'))],
  ['too many lines', description(Array.from({ length: 500 }, () => 'a=x'))],
  ['too much', description([`a=${'x'.repeat(20_000)}`])],
])('[SIP9] %s is no session description', (_name, text) => {
  expect(parseSdp(text)).toBeNull();
});
