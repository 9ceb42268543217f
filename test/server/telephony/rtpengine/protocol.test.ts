import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, isDictionary, textAt } from '@teleconsult/server/telephony/rtpengine/bencode';
import { OWN_KEY, readDigit } from '@teleconsult/server/telephony/rtpengine/digit-listener';
import { readPlace, writeLegSdp } from '@teleconsult/server/telephony/rtpengine/leg-sdp';
import { NgClient, NgError } from '@teleconsult/server/telephony/rtpengine/ng-client';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';

const HOST = '127.0.82.10';

/** Something in the daemon's place, that answers as a test says. */
async function standIn(answer: (cookie: string, index: number) => readonly (string | Buffer)[]) {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const questions: string[] = [];
  socket.on('message', (datagram, { address, port }) => {
    const text = datagram.toString('latin1');
    const index = questions.push(text) - 1;
    for (const each of answer(text.slice(0, text.indexOf(' ')), index)) socket.send(each, port, address);
  });
  const client = await NgClient.connect(
    { host: HOST, port: socket.address().port },
    { askAgainAfterMs: [50, 50, 50] },
  );
  return {
    client,
    questions,
    async [Symbol.asyncDispose]() {
      client.close();
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

test('[RTE1] what is written in bencode is read again, and bytes stay bytes', () => {
  const blob = Buffer.from([0, 255, 58, 101, 100]);
  const read = decode(encode({ command: 'offer', blob, list: [1, -20, 'x', []], empty: {} }));
  if (!isDictionary(read)) throw new Error('no dictionary');
  expect(read.get('blob')).toEqual(blob);
  expect(textAt(read, 'command')).toBe('offer');
  expect(textAt(read, 'command', 3)).toBeNull();
  expect(read.get('list')).toEqual([1, -20, Buffer.from('x'), []]);
});

test.each([
  '',
  'd',
  'i1',
  'ie',
  'i-e',
  'i1x',
  '5:abc',
  '-1:a',
  'l1:a',
  'd1:ae',
  'di1ei2ee',
  '1:ab',
  'x',
  `i${'9'.repeat(40)}e`,
])('[RTE1] what is no bencode is nothing: %j', (text) => {
  expect(decode(Buffer.from(text))).toBeNull();
});

test('[RTE1] an answer nested without end is not read, and no beginning of one throws', () => {
  expect(decode(Buffer.from(`${'l'.repeat(60_000)}${'e'.repeat(60_000)}`))).toBeNull();
  const whole = encode({ result: 'ok', tags: { a: { medias: [{ streams: [{ stats: { packets: 3 } }] }] } } });
  for (let length = 0; length < whole.length; length += 1)
    expect(decode(whole.subarray(0, length))).toBeNull();
});

test('[RTE2] a question without an answer is asked again with its cookie, and answered once', async () => {
  await using daemon = await standIn((cookie, index) => (index < 2 ? [] : [`${cookie} d6:result4:ponge`]));
  const answer = await daemon.client.ask('ping');
  expect(textAt(answer, 'result')).toBe('pong');
  expect(new Set(daemon.questions).size).toBe(1);
  expect(daemon.questions).toHaveLength(3);
});

test('[RTE2] answers to others, broken ones and late ones change nothing', async () => {
  await using daemon = await standIn((cookie, index) => [
    'someoneelse_1 d6:result5:erroreee',
    `${cookie} d6:result`,
    `${cookie}`,
    Buffer.alloc(2_000, 0xff),
    `${cookie} d2:idi${index}e6:result2:oke`,
    `${cookie} d6:result5:errore`,
  ]);
  for (const index of [0, 1, 2]) expect((await daemon.client.ask('list')).get('id')).toBe(index);
});

test('[RTE2] a daemon that does not answer is away, and one that refuses says nothing of what it was told', async () => {
  await using silent = await standIn(() => []);
  await expect(silent.client.ask('query', { 'call-id': 'canary' })).rejects.toMatchObject({ reason: 'away' });
  expect(silent.questions).toHaveLength(3);
  await using unwilling = await standIn((cookie) => [
    `${cookie} d12:error-reason13:canary 138000 6:result5:errore`.replace(
      '13:canary 138000 ',
      '13:canary 138000',
    ),
  ]);
  const refused: unknown = await unwilling.client.ask('query').catch((error: unknown) => error);
  if (!(refused instanceof NgError)) throw new Error('it was not refused');
  expect(refused.reason).toBe('refused');
  expect(JSON.stringify([refused.message, refused])).not.toContain('canary');
});

test('[RTE2] a question under way ends when it is closed', async () => {
  await using daemon = await standIn(() => []);
  const asked = daemon.client.ask('ping').catch((error: unknown) => error);
  await eventually('it was asked', () => daemon.questions.length > 0);
  daemon.client.close();
  daemon.client.close();
  expect(await asked).toMatchObject({ reason: 'away' });
  await expect(daemon.client.ask('ping')).rejects.toMatchObject({ reason: 'away' });
});

test('[RTE3] what the daemon is told of a leg is an address, a port and payload types, each of them', () => {
  const sdp = writeLegSdp({ host: '127.0.82.1', port: 4_000, codec: 0, telephoneEvent: 96 }, '127.0.82.50');
  const types = /^m=audio 4000 RTP\/AVP (.*)$/m.exec(sdp)?.[1]?.trim().split(' ').map(Number) ?? [];
  expect(types.slice(0, 2)).toEqual([0, 96]);
  expect(types.toSorted((one, two) => one - two)).toEqual(Array.from({ length: 128 }, (_, type) => type));
  expect(sdp).toContain('a=rtpmap:0 PCMU/8000\r\n');
  expect(sdp).toContain('a=rtpmap:96 telephone-event/8000\r\n');
  expect(sdp).toContain('a=rtcp:9 IN IP4 127.0.82.50\r\n');
  expect(sdp.match(/GSM/g)).toHaveLength(126);
});

test('[RTE3] of what it answers the address and the port alone are taken', () => {
  const answer =
    'v=0\r\no=x 1 1 IN IP4 203.0.113.9\r\nc=IN IP4 127.0.82.50\r\nt=0 0\r\nm=audio 26000 RTP/AVP 8\r\n';
  expect(readPlace(answer)).toEqual({ host: '127.0.82.50', port: 26_000 });
  for (const broken of [
    '',
    answer.replace('26000', '0'),
    answer.replace('26000', '70000'),
    answer.replace('c=', 'd='),
  ])
    expect(readPlace(broken)).toBeNull();
  expect(readPlace(answer.replace('127.0.82.50', 'a.name.example'))).toBeNull();
});

test('[RTE9] a report of a key is read strictly, and a key of our own is no key', () => {
  const report = {
    callid: 'call-1',
    source_tag: 'b',
    tags: ['a', 'b'],
    type: 'DTMF',
    event: 11,
    duration: 80,
    volume: 10,
  };
  const read = (change: object): unknown => readDigit(Buffer.from(JSON.stringify({ ...report, ...change })));
  expect(read({})).toEqual({ callId: 'call-1', leg: 'b', digit: '#' });
  for (const wrong of [
    { event: 16 },
    { event: '1' },
    { source_tag: 'c' },
    { type: 'X' },
    { callid: '' },
    OWN_KEY,
  ])
    expect(read(wrong)).toBeNull();
  expect(readDigit(Buffer.from('{'))).toBeNull();
  expect(readDigit(Buffer.alloc(5_000, 0x20))).toBeNull();
});
