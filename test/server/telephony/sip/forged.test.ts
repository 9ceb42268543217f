/** What somebody sends who writes another's address on it, guesses, or does not read. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { guardedClock, systemClock } from '../../../../server/telephony/sip/clock.ts';
import { type Datagrams, openDatagrams } from '../../../../server/telephony/sip/datagrams.ts';
import { SOURCE_LIMITS, SourceGuard } from '../../../../server/telephony/sip/sources.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { ADDRESS, endpoint, sdp, type TestEndpoint } from './helpers/endpoints.ts';
import { fakeClock } from './helpers/fake-clock.ts';
import { answer, type RawPeer, rawPeer, request, toTagOf } from './helpers/raw-peer.ts';

/** A socket that a test hands datagrams to, as if they had come from anywhere. */
function stubbed(send: Datagrams['send']): { opened: Datagrams[]; open: (address: string) => Datagrams } {
  const opened: Datagrams[] = [];
  return {
    opened,
    open: (address) => {
      const real = openDatagrams(address);
      const datagrams: Datagrams = {
        bind: (host, port) => real.bind(host, port),
        send,
        onDatagram: () => undefined,
        close: () => real.close(),
      };
      opened.push(datagrams);
      return datagrams;
    },
  };
}

const invite = (us: TestEndpoint, peer: RawPeer, headers: readonly string[] = []): string =>
  request(peer, us, { method: 'INVITE', branch: 'i', callId: 'c', headers, body: sdp(6000) });

test('[SIP120] a datagram that says it comes from port 0 is dropped, and holds nothing', async () => {
  const sent: number[] = [];
  const stub = stubbed((_bytes, _host, port) => void sent.push(port));
  await using us = await endpoint({ openDatagrams: stub.open });
  await using peer = await rawPeer();
  stub.opened.at(-1)?.onDatagram(Buffer.from(invite(us, peer)), peer.address, 0);
  expect({ sent, calls: us.calls.length, held: us.sip.held.transactions }).toEqual({
    sent: [],
    calls: 0,
    held: 0,
  });
  expect(us.sip.statistics().unknownSources).toBe(1);
});

test('[SIP120] what cannot be sent is no error, and does not hold up the end', async () => {
  const datagrams = openDatagrams(ADDRESS);
  await datagrams.bind(ADDRESS, 0);
  datagrams.send(Buffer.from('x'), ADDRESS, 0);
  await datagrams.close();
});

test('[SIP121] what goes wrong in a timer is told, and the timers after it run', () => {
  const clock = fakeClock();
  const errors: unknown[] = [];
  const guarded = guardedClock(clock, (error) => errors.push(error));
  let ran = 0;
  guarded.after(10, () => {
    throw new Error('a bug');
  });
  guarded.after(20, () => {
    ran += 1;
  });
  guarded
    .after(15, () => {
      ran += 100;
    })
    .cancel();
  clock.advance(30);
  expect({ errors: errors.length, ran, now: guarded.now() }).toEqual({ errors: 1, ran: 1, now: 30 });
});

test('[SIP121] an answer that cannot be sent when its time comes is told, and the server goes on', async () => {
  let isBroken = false;
  const stub = stubbed(() => {
    if (isBroken) throw new Error('no such way');
  });
  await using us = await endpoint({ openDatagrams: stub.open });
  await using peer = await rawPeer();
  stub.opened.at(-1)?.onDatagram(Buffer.from(invite(us, peer)), peer.address, peer.port);
  isBroken = true;
  // Nobody has answered yet: 100 Trying is sent by a timer.
  await eventually('it is told', () => us.errors.length > 0);
  isBroken = false;
  us.calls[0]?.refuse(486);
  expect(us.calls[0]?.state).toBe('refused');
});

test('[SIP122] who called is reached with the ACK of our answer and not before, who was called at once', async () => {
  await using us = await endpoint({ t1: 200 });
  await using peer = await rawPeer();
  peer.send(invite(us, peer), us.sip);
  const dialog = (await eventually('the call', () => us.calls[0])).answer(sdp());
  const toTag = toTagOf(await peer.next(/^SIP\/2.0 200/));
  let isReached = false;
  void dialog.reached.then(() => {
    isReached = true;
  });
  // An ACK that does not know our tag proves nothing.
  peer.send(request(peer, us, { method: 'ACK', branch: 'f', callId: 'c', toTag: 'guessed' }), us.sip);
  await eventually('it has come', () => us.sip.statistics().stray === 1);
  expect(isReached).toBe(false);
  peer.send(request(peer, us, { method: 'ACK', branch: 'a', callId: 'c', toTag }), us.sip);
  await dialog.reached;

  await using them = await endpoint({ answer: (call) => void call.answer(sdp()) });
  const outcome = await us.sip.invite({
    uri: them.uri,
    via: them.hop(),
    from: { uri: 'sip:x@clinic.example' },
    sdp: sdp(),
  }).outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  await outcome.dialog.reached;
});

test('[SIP123] CANCEL, ACK and BYE of another allowed source change nothing of a call', async () => {
  await using us = await endpoint({ t1: 200 });
  await using peer = await rawPeer();
  await using other = await rawPeer('127.0.61.10');
  peer.send(invite(us, peer), us.sip);
  const call = await eventually('the call', () => us.calls[0]);
  call.ringing();
  // All that the other may have overheard on its own way: Call-ID, tags of the caller, branch.
  const overheard = invite(us, peer)
    .replace(/^INVITE/, 'CANCEL')
    .replace('1 INVITE', '1 CANCEL');
  other.send(overheard, us.sip);
  await eventually('it has come', () => us.sip.statistics().received === 2);
  expect(call.state).toBe('open');
  const dialog = call.answer(sdp());
  await peer.next(/^SIP\/2.0 200/);
  for (const method of ['ACK', 'BYE', 'INFO', 'UPDATE'])
    other.send(
      request(other, us, { method, branch: method, callId: 'c', seq: 9, toTag: 'guessed', fromTag: 'raw' }),
      us.sip,
    );
  await eventually('all have come', () => us.sip.statistics().received === 6);
  await other.next(/^SIP\/2.0 481[\s\S]*9 BYE/);
  expect(dialog.state).toBe('confirmed');
});

test('[SIP124] an IPv4 address written in IPv6 is the same source, allowed or not', () => {
  const guard = new SourceGuard(['192.0.2.7', '198.51.100.0/24'], SOURCE_LIMITS, systemClock);
  const admitted = ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:198.51.100.9', '::ffff:c000:207'];
  const refused = ['192.0.2.8', '::ffff:192.0.2.8', '::ffff:198.51.101.1', '::192.0.2.7', '::1'];
  expect(admitted.map((address) => guard.admits(address))).toEqual(admitted.map(() => true));
  expect(refused.map((address) => guard.admits(address))).toEqual(refused.map(() => false));
});

test('[SIP125] a peer that does not read over TCP does not hold up the end', async () => {
  const us = await endpoint({
    sources: { requestsPerSecond: 10_000, requestBurst: 10_000, transactions: 10_000 },
    connections: { backlogBytes: 1 << 30 },
  });
  const socket = connect({ host: us.sip.address, port: us.sip.port, localAddress: '127.0.61.9' });
  socket.on('error', () => undefined);
  socket.pause();
  const way = Array.from(
    { length: 7 },
    (_, n) => `Via: SIP/2.0/TCP h${'x'.repeat(240)}${n};p=${'y'.repeat(3500)}`,
  );
  const asks = (n: number): string =>
    [
      `OPTIONS sip:${ADDRESS} SIP/2.0`,
      `Via: SIP/2.0/TCP 127.0.61.9:5060;branch=z9hG4bK${n};rport`,
      ...way,
      'From: <sip:a@x.example>;tag=1',
      `To: <sip:${ADDRESS}>`,
      `Call-ID: ${n}`,
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
  for (let n = 0; n < 600; n++) socket.write(asks(n));
  await eventually('all are answered', () => us.sip.statistics().sent === 600, {
    lastSeen: () => us.sip.statistics(),
  });
  const from = performance.now();
  await us.sip.close();
  expect(performance.now() - from).toBeLessThan(20_000);
  socket.destroy();
}, 60_000);

test('[SIP126] a phone that answers our refresh with another place to send to is told of', async () => {
  await using us = await endpoint({ t1: 5, session: { intervalSeconds: 90, minSeconds: 90 } });
  await using peer = await rawPeer();
  const headers = ['Session-Expires: 90;refresher=uac', 'Allow: INVITE, ACK, BYE'];
  const call = us.sip.invite({
    uri: `sip:1@${peer.address}:${peer.port}`,
    via: { protocol: 'udp', address: peer.address, port: peer.port },
    from: { uri: 'sip:x@clinic.example' },
    sdp: sdp(),
  });
  const first = await peer.next(/^INVITE/);
  peer.send(answer(peer, first, '200 OK', { tag: 't', headers, body: sdp(6000) }), us.sip);
  const outcome = await call.outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  const told: string[] = [];
  outcome.dialog.listen({ onAnswer: (said) => void told.push(said) });
  const again = await peer.next(/^INVITE[\s\S]*To:[^\r]*tag=t\r/);
  peer.send(answer(peer, again, '200 OK', { headers, body: sdp(6002) }), us.sip);
  await eventually('it is told', () => told.length === 1);
  expect(told).toEqual([sdp(6002)]);
});
