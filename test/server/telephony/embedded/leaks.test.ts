/** P1: nothing that one phone writes reaches the other, in whatever field it stands. */
import { parseSdp } from '@teleconsult/server/telephony/sip/sdp';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { Telephone } from '../rtp/telephone.ts';
import { found, needlesOf } from './needles.ts';
import { ANN, BOB, endOf, tellsNoNumberOf, X } from './people.ts';
import { bodyOf, headerOf, message, RawPhone, reply } from './raw-phone.ts';
import { RELAY_HOST, type Stage, startStage } from './stage.ts';

const ANN_HOST = '127.0.71.21';
const BOB_HOST = '127.0.71.22';
const A = { digits: ANN.slice(3), host: ANN_HOST, word: 'ANNSECRET' };
const B = { digits: BOB.slice(3), host: BOB_HOST, word: 'BOBSECRET' };
type Who = typeof A;

const hex = (text: string): string => Buffer.from(text).toString('hex');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Every header of the design's list, and some more, each with the number, the address and a word of whoever writes it. */
const leaky = ({ digits, host, word }: Who): string[] => [
  `P-Preferred-Identity: "${word}" <sip:${digits}@${host}>`,
  `Remote-Party-ID: "${word}" <sip:${digits}@${host}>;party=calling;privacy=off`,
  `Diversion: <sip:${digits}@${host}>;reason=no-answer`,
  `History-Info: <sip:${digits}@${host}?Reason=SIP%3Bcause%3D302>;index=1`,
  `Reply-To: <sip:${digits}@${host}>`,
  `Referred-By: <sip:${digits}@${host}>`,
  `Call-Info: <http://${host}/${digits}.jpg>;purpose=icon`,
  `Identity: ${base64(digits)}`,
  `User-to-User: ${hex(digits)};encoding=hex`,
  `X-Ani: ${digits}`,
  `User-Agent: ${word}/${digits}`,
  `Server: ${word}/${digits}`,
  `Subject: ${digits} ${word}`,
  `Organization: ${word} ${digits}`,
  `Warning: 399 ${host} "${digits} ${word}"`,
  `Reason: SIP;cause=200;text="${digits} ${word}"`,
  `P-Charging-Vector: icid-value=${digits};orig-ioi=${host}`,
  `Geolocation: <https://${host}/${digits}>`,
  `Alert-Info: <http://${host}/${digits}>`,
  `Date: ${word}`,
  `Session-ID: ${hex(digits)}`,
];

const leakySdp = ({ digits, host, word }: Who, port: number, version = 1): string =>
  [
    'v=0',
    `o=${digits} 1 ${version} IN IP4 ${host}`,
    `s=${word} ${digits}`,
    `i=${digits}`,
    `u=http://${host}/${digits}`,
    `e=${word}@${host} (${digits})`,
    `p=+86-${digits}`,
    `c=IN IP4 ${host}`,
    't=0 0',
    `a=tool:${word} ${digits}`,
    `m=audio ${port} RTP/AVP 8 0 101`,
    `i=${word} ${digits}`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=ssrc:12345 cname:${digits}@${host}`,
    `a=rtcp:${port + 1} IN IP4 ${host}`,
    `a=candidate:1 1 UDP 2130706431 ${host} ${port} typ host`,
    `a=x-${word}:${digits}`,
    'a=sendrecv',
    '',
  ].join('\r\n');

/** Ann's phone, the relay, Bob's phone: all that the two are sent is kept. */
interface Leaky extends AsyncDisposable {
  readonly stage: Stage;
  readonly ann: RawPhone;
  readonly bob: RawPhone;
  readonly annSound: Telephone;
  readonly bobSound: Telephone;
  /** What Bob's phone answers an INVITE with. */
  answer: (invite: string) => string | null;
  /** Ann's INVITE; resolves with its final answer. */
  dial(): Promise<string>;
  within(who: 'ann' | 'bob', method: string, lines?: readonly string[], body?: string): string;
  everything(who: 'ann' | 'bob'): Buffer[];
}

async function startLeaky(): Promise<Leaky> {
  await using stack = new AsyncDisposableStack();
  const ann = stack.use(await RawPhone.at(ANN_HOST));
  const bob = stack.use(await RawPhone.at(BOB_HOST));
  const annSound = stack.use(await Telephone.at(ANN_HOST));
  const bobSound = stack.use(await Telephone.at(BOB_HOST));
  const stage = stack.use(
    await startStage({ settings: { trunk: { host: BOB_HOST, port: bob.port, transport: 'udp' } } }),
  );
  await stage.bind();
  const relay = { host: RELAY_HOST, port: stage.relay.port };
  const callId = `${A.digits}-${A.word}@${A.host}`;
  const from = `"${A.word} ${A.digits}" <sip:${A.digits}@${A.host};isub=${A.digits}>;tag=${A.digits}`;
  let seq = 100;
  let final = '';
  const request = (
    method: string,
    to: string,
    lines: readonly string[],
    body: string,
    number = seq,
  ): string =>
    message(
      [
        `${method} sip:${X}@${relay.host}:${relay.port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${A.host}:${ann.port};branch=z9hG4bK${A.digits}${method === 'CANCEL' ? 'INVITE' : method}${number};rport`,
        'Max-Forwards: 70',
        `From: ${from}`,
        `To: ${to}`,
        `Call-ID: ${callId}`,
        `CSeq: ${number} ${method}`,
        `Contact: "${A.word}" <sip:${A.digits}@${A.host}:${ann.port};ob=${A.digits}>`,
        `P-Asserted-Identity: "${A.word}" <sip:${A.digits}@${A.host}>`,
        ...leaky(A),
        ...lines,
        ...(body.startsWith('v=0') ? ['Content-Type: application/sdp'] : []),
      ],
      body,
    );
  const owned = stack.move();
  const leakyCall: Leaky = {
    stage,
    ann,
    bob,
    annSound,
    bobSound,
    answer: (invite) =>
      reply(invite, `200 ${B.word}`, {
        tag: `${B.digits}${B.word}`,
        lines: bobLines(),
        body: leakySdp(B, bobSound.port),
      }),
    async dial() {
      ann.send(request('INVITE', `<sip:${X}@${relay.host}>`, [], leakySdp(A, annSound.port)), relay);
      final = await ann.next(/^SIP\/2\.0 [2-6]\d\d/);
      ann.send(request('ACK', headerOf(final, 'To'), [], ''), relay);
      return final;
    },
    within(who, method, lines = [], body = '') {
      if (who === 'ann') {
        if (method !== 'CANCEL') seq += 1;
        const to = method === 'CANCEL' ? `<sip:${X}@${relay.host}>` : headerOf(final, 'To');
        const text = request(method, to, lines, body);
        ann.send(text, relay);
        return text;
      }
      const invite = bob.received.find((text) => text.startsWith('INVITE')) ?? '';
      seq += 1;
      const text = message(
        [
          `${method} ${/<(.*?)>/.exec(headerOf(invite, 'Contact'))?.[1]} SIP/2.0`,
          `Via: SIP/2.0/UDP ${B.host}:${bob.port};branch=z9hG4bK${B.digits}${seq};rport`,
          'Max-Forwards: 70',
          // As a phone that knows no better: its own number, where the relay wrote X.
          `From: "${B.word}" <sip:${B.digits}@${B.host}>;tag=${B.digits}${B.word}`,
          `To: ${headerOf(invite, 'From')}`,
          `Call-ID: ${headerOf(invite, 'Call-ID')}`,
          `CSeq: ${seq} ${method}`,
          ...bobLines(),
          ...lines,
          ...(body.startsWith('v=0') ? ['Content-Type: application/sdp'] : []),
        ],
        body,
      );
      bob.send(text, relay);
      return text;
    },
    everything: (who) =>
      who === 'ann' ? [...ann.datagrams, ...annSound.datagrams] : [...bob.datagrams, ...bobSound.datagrams],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  const bobLines = (): string[] => [
    `Contact: "${B.word}" <sip:${B.digits}@${B.host}:${bob.port}>`,
    `P-Asserted-Identity: "${B.word}" <sip:${B.digits}@${B.host}>`,
    ...leaky(B),
  ];
  ann.onRequest = (text) =>
    text.startsWith('ACK') ? null : reply(text, `200 ${A.word}`, { tag: A.digits, lines: leaky(A) });
  bob.onRequest = (text) => {
    if (text.startsWith('INVITE')) return leakyCall.answer(text);
    return text.startsWith('ACK') ? null : reply(text, `200 ${B.word}`, { tag: B.digits, lines: leaky(B) });
  };
  return leakyCall;
}

/** Neither has learned anything of the other. */
function neitherKnows(call: Leaky): void {
  expect(found(call.everything('bob'), needlesOf(A)), 'of Ann at Bob').toEqual([]);
  expect(found(call.everything('ann'), needlesOf(B)), 'of Bob at Ann').toEqual([]);
  tellsNoNumberOf(call.stage);
}

/** Sound with an SDES of its own, muxed and apart, headers stuffed with canaries. */
async function speaks(who: Who, phone: Telephone, to: { host: string; port: number }): Promise<void> {
  const cname = Buffer.from(`${who.digits}@${who.host}`);
  const item = Buffer.concat([Buffer.from([1, cname.length]), cname]);
  const chunk = Buffer.concat([Buffer.from([0x13, 0x80, 0, 1]), item, Buffer.alloc(4 - (item.length % 4))]);
  const sdes = Buffer.concat([Buffer.from([0x81, 202, 0, chunk.length / 4]), chunk]);
  const bye = Buffer.concat([
    Buffer.from([0x81, 203, 0, 6]),
    Buffer.from([0x13, 0x80, 0, 1, 19]),
    cname,
    Buffer.alloc(24),
  ]).subarray(0, 28);
  for (const port of [to.port, to.port + 1])
    for (const report of [sdes, bye]) phone.sendRaw(report, port, to.host);
  for (let frame = 0; frame < 30; frame += 1) {
    phone.frame(to, {
      payload: phone.toneFrame(440, 8),
      trimmings: Buffer.from(`${who.digits}@${who.host}`),
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const soundAt = (sdp: string): { host: string; port: number } => {
  const audio = parseSdp(sdp);
  if (audio?.host == null) throw new Error('no sound');
  return { host: audio.host, port: audio.port };
};

test('[RLY20] [P1] in a whole call between leaky phones neither learns the other’s number or address', async () => {
  await using call = await startLeaky();
  const { ann, bob, annSound, bobSound, stage } = call;
  const plain = call.answer;
  call.answer = (invite) => {
    bob.send(reply(invite, `180 ${B.word}`, { tag: `${B.digits}${B.word}`, lines: leaky(B) }));
    return plain(invite);
  };
  const final = await call.dial();
  expect(final).toMatch(/^SIP\/2\.0 200/);
  const invite = await bob.next(/^INVITE/);
  await bob.next(/^ACK/);
  await Promise.all([
    speaks(A, annSound, soundAt(bodyOf(final))),
    speaks(B, bobSound, soundAt(bodyOf(invite))),
  ]);
  await eventually('both are heard', () => annSound.arrived.length > 10 && bobSound.arrived.length > 10);
  for (const who of ['ann', 'bob'] as const) {
    const sender = who === 'ann' ? ann : bob;
    const of = who === 'ann' ? A : B;
    const sound = who === 'ann' ? annSound : bobSound;
    for (const [method, lines, body] of [
      ['INFO', ['Content-Type: text/plain'], `${of.digits} ${of.word}`],
      ['INFO', ['Content-Type: application/dtmf-relay'], `Signal=5\r\nDuration=${of.digits}\r\n`],
      ['OPTIONS', [], ''],
      ['MESSAGE', ['Content-Type: text/plain'], of.digits],
      ['REFER', [`Refer-To: <sip:${of.digits}@${of.host}>`], ''],
      ['UPDATE', [], ''],
    ] as const) {
      const before = sender.received.length;
      call.within(who, method, [...lines], body);
      await sender.next(/^SIP\/2\.0 [2-6]/, before);
    }
    const before = sender.received.length;
    const offer = call.within(who, 'INVITE', [], leakySdp(of, sound.port, 2));
    const answered = await sender.next(/^SIP\/2\.0 200[^]*CSeq: \d+ INVITE/, before);
    sender.send(
      offer
        .replace(/^INVITE/, 'ACK')
        .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 ACK')
        .replace(/branch=z9hG4bK/, 'branch=z9hG4bKack')
        .replace(/^To: .*$/m, `To: ${headerOf(answered, 'To')}`)
        .replace(/Content-Type: application\/sdp\r\n/, '')
        .replace(/Content-Length: \d+\r\n\r\n[^]*$/, 'Content-Length: 0\r\n\r\n'),
      { host: RELAY_HOST, port: stage.relay.port },
    );
  }
  // The refused transfer dialled nobody.
  expect(bob.received.filter((text) => text.startsWith('INVITE')).length).toBe(1);
  call.within('bob', 'BYE', [`Reason: Q.850;cause=16;text="${B.digits}"`]);
  await ann.next(/^BYE/);
  await endOf(stage, 'completed');
  neitherKnows(call);
});

test.each([
  ['486', 486],
  ['603', 603],
  ['404', 480],
  ['302', 603],
  ['480', 480],
  ['503', 503],
  ['401', 480],
] as const)(
  '[RLY6] [RLY21] [P1] a refusal %s stuffed with the number reaches the caller as %i without it',
  async (said, got) => {
    await using call = await startLeaky();
    call.answer = (invite) =>
      reply(invite, `${said} ${B.digits} ${B.word}`, {
        tag: `${B.digits}${B.word}`,
        lines: [
          ...leaky(B),
          `Contact: <sip:${B.digits}@${B.host}>`,
          `WWW-Authenticate: Digest realm="${B.digits}", nonce="${B.word}"`,
        ],
      });
    const final = await call.dial();
    expect(final).toMatch(new RegExp(`^SIP/2\\.0 ${got} `));
    expect(call.bob.received.filter((text) => text.startsWith('INVITE'))).toHaveLength(1);
    await eventually('the refusal is acknowledged', () =>
      call.bob.received.some((text) => text.startsWith('ACK')),
    );
    neitherKnows(call);
  },
);

test('[RLY21] [P1] a caller who gives up tells the other nothing of themselves', async () => {
  await using call = await startLeaky();
  call.answer = (invite) => reply(invite, `180 ${B.word}`, { tag: B.digits, lines: leaky(B) });
  void call.dial().catch(() => undefined);
  await call.ann.next(/^SIP\/2\.0 180/);
  call.within('ann', 'CANCEL', [`Reason: SIP;cause=200;text="${A.digits}"`]);
  await call.bob.next(/^CANCEL/);
  await endOf(call.stage, 'cancelled');
  neitherKnows(call);
});

test('[RLY22] [P1] a call whose offer comes with the ACK is connected, and tells neither of the other', async () => {
  await using call = await startLeaky();
  const { ann, stage } = call;
  const relay = { host: RELAY_HOST, port: stage.relay.port };
  const head = (method: string, to: string, more: readonly string[], body: string): string =>
    message(
      [
        `${method} sip:${X}@${RELAY_HOST} SIP/2.0`,
        `Via: SIP/2.0/UDP ${A.host}:${ann.port};branch=z9hG4bKlate${method};rport`,
        `From: <sip:${A.digits}@${A.host}>;tag=late`,
        `To: ${to}`,
        `Call-ID: late-${A.digits}`,
        `CSeq: 1 ${method}`,
        `Contact: <sip:${A.digits}@${A.host}:${ann.port}>`,
        ...more,
      ],
      body,
    );
  ann.send(head('INVITE', `<sip:${X}@${RELAY_HOST}>`, leaky(A), ''), relay);
  const answered = await ann.next(/^SIP\/2\.0 200/);
  const offered = soundAt(bodyOf(answered));
  ann.send(
    head('ACK', headerOf(answered, 'To'), ['Content-Type: application/sdp'], leakySdp(A, call.annSound.port)),
    relay,
  );
  const invite = await call.bob.next(/^INVITE/);
  await Promise.all([speaks(A, call.annSound, offered), speaks(B, call.bobSound, soundAt(bodyOf(invite)))]);
  await eventually(
    'both are heard',
    () => call.annSound.arrived.length > 10 && call.bobSound.arrived.length > 10,
  );
  neitherKnows(call);
});

test('[RLY23 sabotage] [P1] the search finds what is planted, in every form and field', async () => {
  const needles = needlesOf(A);
  for (const planted of [
    A.digits,
    `+86${A.digits}`,
    hex(A.digits),
    hex(A.digits).toUpperCase(),
    base64(A.digits),
    base64(`x${A.digits}`),
    base64(`xy${A.digits}@host`),
    A.digits.replace(/(\d{3})(\d{4})(\d{4})/, '$1-$2-$3'),
    A.host,
    A.word,
    ...leaky(A).filter((line) => !line.startsWith('Date')),
    ...leakySdp(A, 4_000)
      .split('\r\n')
      .filter((line) => /138|ANN|127/.test(line)),
  ])
    expect(found([Buffer.from(`before ${planted} after`)], needles), planted).not.toEqual([]);
  expect(found([Buffer.from([1, 127, 0, 71, 21, 9])], needles)).not.toEqual([]);
  expect(found([Buffer.from('SIP/2.0 200 OK\r\n')], needles)).toEqual([]);
  // What Ann's phone itself sends is full of it, so a relay that edits messages would be caught.
  await using call = await startLeaky();
  await call.dial();
  expect(found(call.ann.datagrams, needles)).not.toEqual([]);
  expect(found(call.bob.datagrams, needlesOf(B))).not.toEqual([]);
});
