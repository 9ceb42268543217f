import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../server/telephony/sip/clock.ts';
import { SOURCE_LIMITS, SourceGuard } from '../../../../server/telephony/sip/sources.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { ADDRESS, endpoint, ME, sdp, type TestEndpoint } from './helpers/endpoints.ts';
import { fakeClock } from './helpers/fake-clock.ts';
import { rawPeer, request } from './helpers/raw-peer.ts';

interface Stream extends AsyncDisposable {
  readonly socket: Socket;
  readonly state: { text: string; closed: boolean };
}

async function stream(us: TestEndpoint, localAddress = '127.0.61.9'): Promise<Stream> {
  const socket = connect({ host: us.sip.address, port: us.sip.port, localAddress });
  const state = { text: '', closed: false };
  socket.on('data', (bytes: Buffer) => {
    state.text += bytes.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    state.closed = true;
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  return {
    socket,
    state,
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

const options = (address: string, extra: readonly string[] = [], branch = 't'): string =>
  [
    `OPTIONS sip:${ADDRESS} SIP/2.0`,
    `Via: SIP/2.0/TCP ${address}:5060;branch=z9hG4bK${branch};rport`,
    'From: <sip:a@x.example>;tag=1',
    `To: <sip:${ADDRESS}>`,
    `Call-ID: ${branch}`,
    'CSeq: 1 OPTIONS',
    ...extra,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

describe('[SIP42] who is not allowed', () => {
  test('[SIP42] gets nothing over UDP, makes no transaction, and is counted', async () => {
    await using us = await endpoint({ allow: ['127.0.61.9', '127.0.62.0/24'] });
    await using stranger = await rawPeer('127.0.61.10');
    await using friend = await rawPeer('127.0.61.9');
    await using network = await rawPeer('127.0.62.200');
    for (const method of ['INVITE', 'OPTIONS', 'ACK', 'BYE'])
      stranger.send(
        request(stranger, us, {
          method,
          branch: method,
          callId: method,
          body: method === 'INVITE' ? sdp() : '',
        }),
        us.sip,
      );
    stranger.send('rubbish', us.sip);
    await eventually('all are counted', () => us.sip.statistics().unknownSources === 5);
    expect(us.sip.held.transactions).toBe(0);
    for (const peer of [friend, network]) {
      peer.send(request(peer, us, { method: 'OPTIONS', branch: peer.address, callId: peer.address }), us.sip);
      await peer.next(/^SIP\/2.0 200/);
    }
    expect(stranger.received).toEqual([]);
    expect(us.sip.statistics()).toMatchObject({ received: 2, sent: 2 });
  });

  test('[SIP42] is cut off over TCP before a byte is read', async () => {
    await using us = await endpoint({ allow: ['127.0.61.9'] });
    await using stranger = await stream(us, '127.0.61.10');
    stranger.socket.write(options('127.0.61.10'));
    await eventually('it is cut', () => stranger.state.closed);
    expect(stranger.state.text).toBe('');
    expect(us.sip.statistics()).toMatchObject({ unknownSources: 1, received: 0 });
    expect(us.sip.held.connections).toBe(0);
  });

  test('[SIP42] an allow list of nonsense is not begun with, an empty one allows nobody', async () => {
    await expect(endpoint({ allow: ['trunk.example'] })).rejects.toThrow(TypeError);
    await expect(endpoint({ allow: ['127.0.0.1/x'] })).rejects.toThrow(TypeError);
    const nobody = new SourceGuard([], SOURCE_LIMITS, systemClock);
    expect(['127.0.0.1', '::1', '', 'x'].map((address) => nobody.admits(address))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    const six = new SourceGuard(['2001:db8::/32'], SOURCE_LIMITS, systemClock);
    expect(['2001:db8::5', '2001:db9::5'].map((address) => six.admits(address))).toEqual([true, false]);
  });
});

describe('[SIP43] one source', () => {
  test('[SIP43] that asks too fast is not answered for a while', async () => {
    await using us = await endpoint({ sources: { requestsPerSecond: 1, requestBurst: 3 } });
    await using peer = await rawPeer();
    for (let n = 0; n < 10; n++)
      peer.send(request(peer, us, { method: 'OPTIONS', branch: `${n}`, callId: `${n}` }), us.sip);
    await eventually('all have come', () => us.sip.statistics().received === 10);
    expect(us.sip.statistics()).toMatchObject({ rateLimited: 7, sent: 3 });
  });

  test('[SIP43] has so many transactions and no more, and others are not hindered', async () => {
    await using us = await endpoint({ t1: 100, sources: { transactions: 5 } });
    await using peer = await rawPeer();
    await using other = await rawPeer('127.0.61.10');
    for (let n = 0; n < 10; n++)
      peer.send(request(peer, us, { method: 'INVITE', branch: `${n}`, callId: `${n}`, body: sdp() }), us.sip);
    await eventually('all have come', () => us.sip.statistics().received === 10);
    expect(us.calls).toHaveLength(5);
    expect(us.sip.statistics().overLimit).toBe(5);
    other.send(request(other, us, { method: 'OPTIONS', branch: 'o', callId: 'o' }), us.sip);
    await other.next(/^SIP\/2.0 200/);
  });

  test('[SIP44] may owe so many answers, earns by asking, much by acknowledging, and is forgiven slowly', () => {
    const clock = fakeClock();
    const guard = new SourceGuard(
      ['10.0.0.1'],
      { ...SOURCE_LIMITS, advancePackets: 3, advanceBytes: 3000 },
      clock,
    );
    const pay = (bytes = 500): boolean => guard.pays('10.0.0.1', bytes);
    expect([pay(), pay(), pay(), pay()]).toEqual([true, true, true, false]);
    guard.earns('10.0.0.1', 400);
    expect([pay(), pay()]).toEqual([true, false]);
    guard.proves('10.0.0.1');
    expect(Array.from({ length: 24 }, () => pay()).every(Boolean)).toBe(true);
    expect(pay()).toBe(false);
    clock.advance(1000);
    expect([pay(), pay(), pay(), pay()]).toEqual([true, true, true, false]);
    // Bytes count as packets do.
    guard.proves('10.0.0.1');
    expect(pay(31_000)).toBe(false);
    // Nobody saves up without bound.
    for (let n = 0; n < 1000; n++) guard.proves('10.0.0.1');
    expect(Array.from({ length: 100 }, () => pay(10)).filter(Boolean)).toHaveLength(30);
  });

  test('[SIP44] a network that is allowed is not remembered without bound', () => {
    const clock = fakeClock();
    const guard = new SourceGuard(['10.0.0.0/8'], SOURCE_LIMITS, clock);
    for (let n = 0; n < 10_000; n++) guard.earns(`10.0.${n >> 8}.${n & 255}`, 100);
    expect(guard.size).toBeLessThanOrEqual(4096);
  });
});

describe('[SIP45] answers go back the way the question came', () => {
  test('[SIP45] to the source port with rport, to the port of the Via without, and never where the Via says', async () => {
    await using us = await endpoint({ t1: 100 });
    await using peer = await rawPeer();
    await using listener = await rawPeer();
    const text = request(peer, us, { method: 'OPTIONS', branch: 'r', callId: 'r' });
    peer.send(text.replace(`${peer.address}:${peer.port};branch`, `10.9.9.9:5099;branch`), us.sip);
    const back = await peer.next(/^SIP\/2.0 200/);
    expect(back).toContain(
      `Via: SIP/2.0/UDP 10.9.9.9:5099;branch=z9hG4bKr;rport=${peer.port};received=${peer.address}\r\n`,
    );
    const plain = request(listener, us, { method: 'OPTIONS', branch: 's', callId: 's' }).replace(
      ';rport',
      '',
    );
    peer.send(plain, us.sip);
    await listener.next(/^SIP\/2.0 200/);
  });
});

describe('[SIP46] TCP', () => {
  test('[SIP46] several messages in one write, torn ones, and a ping', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await stream(us);
    const text = options('127.0.61.9', [], 'one') + options('127.0.61.9', [], 'two');
    peer.socket.write(text.slice(0, 50));
    await eventually('the connection', () => us.sip.held.connections === 1);
    peer.socket.write(`${text.slice(50)}\r\n\r\n`);
    await eventually(
      'both answers and the pong',
      () => peer.state.text.match(/SIP\/2.0 200/g)?.length === 2 && /(^|\r\n\r\n)\r\n/.test(peer.state.text),
      { lastSeen: () => peer.state.text },
    );
    expect(us.sip.held.connections).toBe(1);
  });

  test('[SIP46] half a message, silence, and a peer that sends too much are cut', async () => {
    await using us = await endpoint({ connections: { partialMs: 100, idleMs: 300 } });
    await using half = await stream(us);
    half.socket.write('OPTIONS sip:x SIP/2.0\r\nVia: ');
    await using idle = await stream(us);
    await using much = await stream(us);
    much.socket.write('X'.repeat(100_000));
    await eventually('all are closed', () => half.state.closed && idle.state.closed && much.state.closed);
    expect(us.sip.held.connections).toBe(0);
    expect(us.sip.statistics().connectionsCut).toBe(2);
  });

  test('[SIP46] one source has so many connections, and all together so many', async () => {
    await using us = await endpoint({ connections: { perSource: 2, all: 3 } });
    const streams: Stream[] = [];
    for (const address of ['127.0.61.9', '127.0.61.9', '127.0.61.9', '127.0.61.10', '127.0.61.11'])
      streams.push(await stream(us, address));
    await eventually('two are cut', () => streams.filter(({ state }) => state.closed).length === 2);
    expect(streams.map(({ state }) => state.closed)).toEqual([false, false, true, false, true]);
    for (const { socket } of streams) socket.destroy();
  });

  test('[SIP46] a connection that broke is made anew for the next request, and reused after that', async () => {
    await using a = await endpoint({ t1: 50 });
    const b = await endpoint({ t1: 50, answer: (call) => call.answer(sdp()) });
    const invite = () => a.sip.invite({ uri: b.uri, via: b.hop('tcp'), from: ME, sdp: sdp() }).outcome;
    const first = await invite();
    const second = await invite();
    expect([first.type, second.type]).toEqual(['answered', 'answered']);
    expect(a.sip.held.connections).toBe(1);
    const { port } = b.sip;
    await b.sip.close();
    await eventually('it broke', () => a.sip.held.connections === 0);
    await using again = await endpoint({ t1: 50, port, answer: (call) => call.answer(sdp()) });
    const third = await a.sip.invite({ uri: again.uri, via: again.hop('tcp'), from: ME, sdp: sdp() }).outcome;
    expect(third.type).toBe('answered');
  });

  test('[SIP46] nobody there is told at once, and not by a timer', async () => {
    await using us = await endpoint({ t1: 500 });
    const outcome = await us.sip.invite({
      uri: 'sip:1@127.0.61.5',
      via: { protocol: 'tcp', address: '127.0.61.5', port: 9 },
      from: ME,
      sdp: sdp(),
    }).outcome;
    expect(outcome).toEqual({ type: 'failed', why: 'unreachable' });
    await eventually('no call is left', () => us.sip.calls + us.sip.held.connections === 0);
  });

  test('[SIP46] a peer that reads nothing does not fill our memory', async () => {
    const server = createServer((socket) => socket.pause());
    await new Promise<void>((resolve) => server.listen(0, '127.0.61.5', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await using us = await endpoint({ t1: 500, connections: { backlogBytes: 4000 }, maxCalls: 5000 });
    const via = { protocol: 'tcp', address: '127.0.61.5', port } as const;
    for (let n = 0; n < 50; n++) us.sip.invite({ uri: 'sip:1@127.0.61.5', via, from: ME, sdp: sdp() });
    await eventually('it is cut', () => us.sip.statistics().connectionsCut > 0);
    server.close();
  });
});

test('[SIP47] a port that is taken is an error, and closing gives it back', async () => {
  const first = await endpoint();
  const { port } = first.sip;
  await expect(endpoint({ port })).rejects.toThrow();
  await first.sip.close();
  await first.sip.close();
  await using second = await endpoint({ port });
  expect(second.sip.port).toBe(port);
});
