import { describe, expect, test } from 'vitest';
import { StreamFraming } from '../../../../server/telephony/sip/framing.ts';
import { writeRequest } from '../../../../server/telephony/sip/message.ts';
import { type Malformed, parseMessage } from '../../../../server/telephony/sip/parse.ts';
import {
  formatNameAddress,
  parseNameAddress,
  parseUri,
  sipUri,
} from '../../../../server/telephony/sip/uri.ts';
import { sip } from './helpers/raw-peer.ts';

const parse = (text: string) => parseMessage(Buffer.from(text, 'latin1'));
const why = (text: string): Malformed | 'fine' => {
  const parsed = parse(text);
  return parsed.ok ? 'fine' : parsed.why;
};

const PLAIN = [
  'Via: SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bKa;rport',
  'From: "A" <sip:a@192.0.2.1>;tag=f',
  'To: <sip:b@192.0.2.2>',
  'Call-ID: c@192.0.2.1',
  'CSeq: 1 INVITE',
];
/** The plain request with lines added, or put in place of the one with the same name. */
function invite(lines: readonly string[] = [], body = ''): string {
  const names = new Set(lines.map((line) => line.split(':', 1)[0]?.toLowerCase()));
  const kept = PLAIN.filter((line) => !names.has(line.split(':', 1)[0]?.toLowerCase()));
  return sip(['INVITE sip:b@192.0.2.2 SIP/2.0', ...kept, ...lines], body);
}

describe('[SIP1] what is tortuous and right is read (after RFC 4475 §3.1.1)', () => {
  test('[SIP1] a short tortuous INVITE: folded lines, odd case, compact forms, escapes, empty names', () => {
    const parsed = parse(
      [
        'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
        'TO :',
        ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
        '  ;',
        '  tag = 98asjd8',
        'MaX-fOrWaRdS: 0068',
        'Call-ID: wsinv.ndaksdj@192.0.2.1',
        'cseq: 0009',
        '  INVITE',
        'Via  : SIP  /   2.0',
        ' /UDP',
        '    192.0.2.2;branch=390skdjuw',
        's :',
        'NewFangledHeader:   newfangled value',
        ' continued newfangled value',
        'UnknownHeaderWithUnusualValue: ;;,,;;,;',
        'Content-Type: application/sdp',
        'Route:',
        ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
        '  branch  =   z9hG4bK9ikj8  ,',
        ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
        ' z9hG4bK30239',
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
        '      newvalue ;',
        '  secondparam ; q = 0.33',
        '',
        '',
      ].join('\r\n'),
    );
    if (!parsed.ok) throw new Error(parsed.why);
    const { message } = parsed;
    expect(message).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      fromTag: '98asjd8',
      toTag: '1918181833n',
      callId: 'wsinv.ndaksdj@192.0.2.1',
      cseq: { number: 9, method: 'INVITE' },
    });
    expect(message.from.display).toBe('J Rosenberg \\"');
    expect(message.headers.all('via')).toHaveLength(3);
    expect(message.headers.get('NEWFANGLEDHEADER')).toBe('newfangled value continued newfangled value');
    expect(parseNameAddress(message.headers.get('contact') ?? '')?.parameters.get('q')).toBe('0.33');
  });

  test('[SIP1] any token is a method, and headers hold any character that is not a control', () => {
    expect(
      parse(
        sip([
          "!interesting-Method0123456789_*+`.%indeed'~ sip:a@x.example SIP/2.0",
          ...PLAIN.slice(0, 4),
          "CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~",
        ]),
      ).ok,
    ).toBe(false);
    expect(
      parse(
        sip([
          "!odd-Method_*+`.%'~ sip:a@x.example SIP/2.0",
          ...PLAIN.slice(0, 4),
          "CSeq: 1 !odd-Method_*+`.%'~",
        ]),
      ).ok,
    ).toBe(true);
    expect(why(invite(['Subject: \u00e4\u00ff\t"']))).toBe('fine');
  });

  test('[SIP1] a null byte, escaped, is a character of the user; a body keeps every byte', () => {
    const parsed = parse(
      invite(['To: <sip:null-%00-null@example.com>', 'Content-Type: x/y'], '\0\u0001\u00ff\r\n\r\n'),
    );
    if (!parsed.ok) throw new Error(parsed.why);
    expect(parsed.message.to.uri.user).toBe('null-\0-null');
    expect([...parsed.message.body]).toEqual([0, 1, 255, 13, 10, 13, 10]);
  });

  test('[SIP1] bytes after Content-Length are not the body, and a datagram without one ends with it', () => {
    const extra = parse(invite([], 'abc') + 'garbage');
    expect(extra.ok && extra.message.body.toString()).toBe('abc');
    const open = parse(`${invite().replace('Content-Length: 0\r\n', '')}abc`);
    expect(open.ok && open.message.body.toString()).toBe('abc');
  });

  test('[SIP1] a response with a long or no reason, and a status of six hundred', () => {
    const answer = (start: string) => parse(sip([start, ...PLAIN]));
    expect(answer('SIP/2.0 200 = 2**3 * 5**2 \u043d').ok).toBe(true);
    const bare = answer('SIP/2.0 603');
    expect(bare.ok && bare.message.kind === 'response' && bare.message.status).toBe(603);
  });
});

describe('[SIP2] what is wrong is refused with its reason', () => {
  test.each<[string, string, Malformed]>([
    ['nothing', '', 'no_end'],
    ['no empty line', 'INVITE sip:a@b SIP/2.0\r\nVia: x', 'no_end'],
    ['an unknown version', invite().replace('SIP/2.0\r\n', 'SIP/7.0\r\n'), 'version'],
    ['spaces within the Request-URI', invite().replace('sip:b@', 'sip:b ;c@'), 'start_line'],
    ['a Request-URI in brackets', invite().replace('sip:b@192.0.2.2 ', '<sip:b@192.0.2.2> '), 'start_line'],
    ['two spaces in the start line', invite().replace('INVITE sip', 'INVITE  sip'), 'start_line'],
    ['a status beyond', sip(['SIP/2.0 4294967301 better not', ...PLAIN]), 'start_line'],
    ['no From', invite().replace(/From:.*\r\n/, ''), 'missing'],
    ['two Call-IDs', invite(['Call-ID: a', 'i: b']), 'repeated'],
    ['two lengths', invite(['Content-Length: 0', 'l: 3']), 'repeated'],
    ['a CSeq too great', invite(['CSeq: 36893488147419103232 INVITE']), 'cseq'],
    ['a CSeq of another method', invite(['CSeq: 1 OPTIONS']), 'cseq'],
    ['a negative length', invite().replace('Content-Length: 0', 'Content-Length: -999'), 'content_length'],
    [
      'a length beyond the datagram',
      invite().replace('Content-Length: 0', 'Content-Length: 9999'),
      'content_length',
    ],
    ['an open quote', invite(['To: "Mr J. User <sip:j@example.com>']), 'address'],
    ['a Via without a host', invite(['Via: SIP/2.0/UDP ;branch=z9hG4bKx']), 'via'],
    ['a Via port out of range', invite(['Via: SIP/2.0/UDP 192.0.2.1:99999;branch=z9hG4bKx']), 'via'],
    ['a control character', invite(['Subject: a\u0007b']), 'header'],
    ['a bare line feed', invite(['Subject: a\nX-B: c']), 'header'],
    ['a header without a colon', invite(['Subject']), 'header'],
    ['a header that is too long', invite([`Subject: ${'a'.repeat(5000)}`]), 'header_length'],
    ['too many headers', invite(Array.from({ length: 200 }, (_, n) => `X-${n}: 1`)), 'header_count'],
    ['too many items in one', invite([`Contact: ${'<sip:a@b>,'.repeat(200)}<sip:a@b>`]), 'header_count'],
    ['too much', invite([], 'a'.repeat(40_000)), 'too_large'],
  ])('[SIP2] %s', (_name, text, reason) => {
    expect(why(text)).toBe(reason);
  });

  test('[SIP2] names of properties are names like others', () => {
    const parsed = parse(invite(['__proto__: 1', 'constructor: 2', 'To: <sip:b@x;__proto__=1>;__proto__=2']));
    expect(parsed.ok && parsed.message.headers.get('__proto__')).toBe('1');
    expect(parsed.ok && parsed.message.to.parameters.get('__proto__')).toBe('2');
  });
});

describe('[SIP3] URIs and names', () => {
  test.each([
    [
      'sip:+8613800001111@192.0.2.1:5070;user=phone;transport=TCP?h=1',
      { scheme: 'sip', user: '+8613800001111', host: '192.0.2.1', port: 5070 },
    ],
    [
      'sips:a%40b:secret@[2001:db8::1]:5061',
      { scheme: 'sips', user: 'a@b', host: '2001:db8::1', port: 5061 },
    ],
    ['SIP:192.0.2.9', { scheme: 'sip', user: null, host: '192.0.2.9', port: null }],
    ['sip:sip%3Auser%40example.com@company.com;other', { user: 'sip:user@example.com', host: 'company.com' }],
    ['sip:a;b=c;d@example.com', { user: 'a;b=c;d', host: 'example.com' }],
    ['tel:+86-138-0000-1111;phone-context=+86', { scheme: 'tel', user: '+86-138-0000-1111', host: '' }],
    ['http://example.com', { scheme: 'other' }],
  ])('[SIP3] %s', (text, parts) => {
    expect(parseUri(text)).toMatchObject({ ...parts, text });
  });

  test.each([
    '',
    'sip:',
    'sip:@x',
    'sip:a@',
    'sip:a@x:0',
    'sip:a@x:70000',
    'sip:a@[zz]',
    'sip:a@[1]',
    'sip:%zz@x',
    'tel:',
    'tel:abc-xyz',
    'sip:a@b c',
    `sip:${'a'.repeat(2000)}@x`,
    'nothing',
  ])('[SIP3] %s is none', (text) => {
    expect(parseUri(text)).toBeNull();
  });

  test('[SIP3] parameters after a bare URI are the header’s, within brackets the URI’s; quotes hide both', () => {
    expect(parseNameAddress('sip:a@x;tag=1')?.parameters.get('tag')).toBe('1');
    expect(parseNameAddress('<sip:a@x;tag=1>;tag=2')).toMatchObject({ display: null });
    expect(parseNameAddress('<sip:a@x;tag=1>;tag=2')?.parameters.get('tag')).toBe('2');
    expect(parseNameAddress('"<sip:evil@y>;tag=3" <sip:a@x>')?.uri.user).toBe('a');
    expect(parseNameAddress('"a" sip:b@x')).toBeNull();
    expect(formatNameAddress({ display: 'a "b"\\', uri: 'sip:c@x' })).toBe('"a \\"b\\"\\\\" <sip:c@x>');
    expect(sipUri({ user: 'a@b;c', host: '::1', port: 5060 })).toBe('sip:a%40b;c@[::1]:5060');
    expect(() => sipUri({ host: 'a b' })).toThrow(TypeError);
  });
});

test('[SIP4] nothing that is built holds a line end of somebody else', () => {
  const build = (name: string, value: string) =>
    writeRequest({ method: 'BYE', uri: 'sip:a@x', headers: [[name, value]], body: Buffer.alloc(0) });
  expect(() => build('X-A', 'a\r\nX-B: c')).toThrow(TypeError);
  expect(() => build('X-A', 'a\0')).toThrow(TypeError);
  expect(() => build('X A', 'a')).toThrow(TypeError);
  expect(build('X-A', 'a').toString()).toBe('BYE sip:a@x SIP/2.0\r\nX-A: a\r\nContent-Length: 0\r\n\r\n');
});

describe('[SIP5] a stream is cut into its messages', () => {
  const one = invite([], 'first');
  const two = invite(['Content-Type: x/y'], 'second');

  test('[SIP5] wherever it is torn, and whatever keep-alives are between', () => {
    const stream = Buffer.from(`\r\n\r\n${one}\r\n${two}\r\n\r\n`, 'latin1');
    for (let size = 1; size < 40; size++) {
      const framing = new StreamFraming(10_000);
      const cut: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        const { messages, broken } = framing.push(stream.subarray(at, at + size));
        expect(broken).toBe(false);
        cut.push(...messages.map((message) => message.toString('latin1')));
      }
      expect(cut).toEqual([one, two]);
      expect(framing.partial && size > 3).toBe(false);
    }
  });

  test('[SIP5] a ping of two line ends is to be answered', () => {
    expect(new StreamFraming(1000).push(Buffer.from('\r\n\r\n'))).toMatchObject({ pings: 1, broken: false });
  });

  test.each([
    ['no length', one.replace(/Content-Length: \d+\r\n/, '')],
    ['two lengths', one.replace('Content-Length', 'l: 0\r\nContent-Length')],
    ['a length that is none', one.replace(/Content-Length: \d+/, 'Content-Length: 5x')],
    ['a length beyond all bounds', one.replace(/Content-Length: \d+/, 'Content-Length: 99999')],
    ['a head without an end', `X: ${'a'.repeat(20_000)}`],
  ])('[SIP5] %s breaks it', (_name, text) => {
    expect(new StreamFraming(10_000).push(Buffer.from(text)).broken).toBe(true);
  });
});
