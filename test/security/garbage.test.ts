import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { originOf, quietSettings, startMain, testKeySettings } from './main-process.ts';
import { type Frame, RawWebSocket } from './raw-websocket.ts';

const SEED = 20_260_101;
const FUZZED_CONNECTIONS = 150;
const FRAMES_A_CONNECTION = 20;

const token = personToken('somebody');
const honestToken = personToken('honest');
const text = (payload: string): Frame => ({ payload });
const bytes = (payload: Uint8Array): Frame => ({ payload, opcode: 2 });
const times = (count: number, make: (index: number) => Frame): Frame[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** What no client library sends: Engine.IO and Socket.IO packets by their numbers. */
const conversations: Readonly<Record<string, readonly Frame[]>> = {
  'a packet of every type without content': times(10, (type) => text(`${type}`)),
  'a Socket.IO packet of every type without content': times(10, (type) => text(`4${type}`)),
  'an event without a name': [text('42'), text('42[]'), text('42[null]'), text('42[{}]'), text('42[[]]')],
  'an event that is not JSON': [text('42{'), text('42["x"'), text('42"x"')],
  'a name of the emitter’s own': [
    'disconnect',
    'disconnecting',
    'connect',
    'newListener',
    'removeListener',
  ].map((name) => text(`42["${name}",{}]`)),
  'a name of every object': ['__proto__', 'constructor', 'hasOwnProperty', 'error'].map((name) =>
    text(`421["${name}",{}]`),
  ),
  'an acknowledgement nobody waits for': [text('43999[{}]'), text('43["x"]'), text('430[null]')],
  'an acknowledgement number beyond all numbers': [text(`42${'9'.repeat(400)}["consultation.list",{}]`)],
  'no attachment after one was announced': [text('451-["x",{"_placeholder":true,"num":0}]'), text('42["x"]')],
  'thousands of attachments announced': [text('4599999-["x"]'), text(`45${'9'.repeat(300)}-["x"]`)],
  'attachments announced and never sent': [
    text('4510-["x",{"_placeholder":true,"num":0}]'),
    ...times(9, () => bytes(new Uint8Array(60_000))),
  ],
  'an attachment count that is none': ['45-["x"]', '45-1-["x"]', '451.5-["x"]', '450-["x"]', '451'].map(text),
  'a placeholder that points nowhere': [
    text('451-["message.send",{"_placeholder":true,"num":7}]'),
    bytes(new Uint8Array(4)),
  ],
  'a placeholder that points before the first': [
    text('451-["message.send",{"_placeholder":true,"num":-1}]'),
    bytes(new Uint8Array(4)),
  ],
  'an attachment where the name should be': [
    text('451-[{"_placeholder":true,"num":0},{}]'),
    bytes(new Uint8Array(4)),
  ],
  'bytes that no packet announced': [bytes(new Uint8Array(1_000).fill(255))],
  'a thousand namespaces': times(1_000, (index) => text(`40/space-${index},{}`)),
  'a namespace of every object': [
    '/__proto__',
    '/constructor',
    '/../',
    '/?token=x',
    `/${'n'.repeat(9_000)}`,
  ].map((name) => text(`40${name},{}`)),
  'an event into a namespace that is not there': [text('42/nowhere,["consultation.list",{}]')],
  'a second handshake': [text('40{}'), text('40{"token":"x"}')],
  'a handshake that is no object': [text('40[]'), text('40null'), text('40"x"'), text('404711')],
  'an error of the server’s own kind': [text('44{"message":"x"}')],
  'brackets thirty thousand deep': [
    text(`421["consultation.list",${'['.repeat(30_000)}${']'.repeat(30_000)}]`),
  ],
  'text that is no UTF-8': [{ payload: new Uint8Array([0x34, 0x32, 0xff, 0xfe, 0xfd]) }],
  'an unknown kind of frame': [{ payload: 'x', opcode: 5 }],
  'a frame that continues nothing': [{ payload: 'x', opcode: 0 }],
};

/** A generator of numbers in [0, 1) that repeats itself for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Cuts, doubles or changes a true packet, so that it passes the first checks and fails in a later one. */
function mutated(random: () => number): Frame {
  const packets = [
    '421["consultation.list",{}]',
    '40{"protocol":1}',
    '451-["x",{"_placeholder":true,"num":0}]',
    '2',
    '43[1]',
  ];
  const whole = Buffer.from(packets[Math.floor(random() * packets.length)] ?? '');
  const at = Math.floor(random() * whole.length);
  const kind = Math.floor(random() * 4);
  if (kind === 0) return { payload: whole.subarray(0, at) };
  if (kind === 1) return { payload: Buffer.concat([whole, whole]) };
  whole[at] = Math.floor(random() * 256);
  return kind === 2 ? { payload: whole } : { payload: whole, opcode: 2 };
}

test('[S4] [S1] [LIMIT2] no malformed packet, before or after the handshake, ends the process or reaches another connection', async () => {
  await using dir = await tempDir();
  await using main = startMain({
    ...quietSettings(dir.path),
    ...testKeySettings,
    TELECONSULT_REQUESTS_PER_SECOND: '100000',
  });
  const origin = await originOf(main);
  await using honest = await RawClient.connect(origin, honestToken);
  const talk = async (frames: readonly Frame[], enters: boolean) => {
    await using socket = await RawWebSocket.open(origin);
    if (enters) await socket.enter(token);
    for (const frame of frames) socket.send(frame);
    await honest.request('consultation.list', {});
  };
  for (const frames of Object.values(conversations)) {
    await talk(frames, true);
    await talk(frames, false);
  }
  const random = randomFrom(SEED);
  for (let connection = 0; connection < FUZZED_CONNECTIONS; connection++)
    await talk(
      times(FRAMES_A_CONNECTION, () => mutated(random)),
      connection % 2 === 0,
    );
  await using fresh = await RawClient.connect(origin, honestToken);
  await fresh.request('consultation.list', {});
  expect(honest.facts).toEqual([]);
  expect(main.errors()).not.toMatch(/bug\.unhandled|request\.failed/);
}, 60_000);

test('[S4] [LIMIT2] the emitter’s own names close the connection that sent them; "error" is an unknown event like any', async () => {
  await using app = await startTestApp();
  await using reserved = await RawWebSocket.open(app.origin);
  await reserved.enter(token);
  reserved.send(text('42["disconnecting",{}]'));
  await eventually('the connection to be closed', () => reserved.closed);
  await using ordinary = await RawClient.connect(app.origin, token);
  expect(await ordinary.emit('error', {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
  await ordinary.request('consultation.list', {});
});

test.each([
  ['bytes that are no HTTP', '\u0016\u0003\u0001\u0002\u0000\u0001'],
  [
    'two lengths that contradict',
    'POST /v1/consultations HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['an upgrade to nothing known', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
  [
    'an upgrade without its key',
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
])('[S4] [LIMIT2] %s are refused, and the next request is served', async (_what, sent) => {
  await using app = await startTestApp();
  const { hostname, port } = new URL(app.origin);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(sent);
  await eventually('the connection to be closed', () => socket.closed, { lastSeen: () => answer });
  expect(answer).not.toMatch(/^HTTP\/1\.1 (101|2\d\d)/);
  expect((await fetch(`${app.origin}/healthz`)).status).toBe(200);
});
