import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { parseMessage } from '../../../../server/telephony/sip/parse.ts';
import { parseSdp } from '../../../../server/telephony/sip/sdp.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, ME, sdp } from './helpers/endpoints.ts';
import { mutated } from './helpers/mutations.ts';
import { seeded } from './helpers/random.ts';
import { rawPeer, request } from './helpers/raw-peer.ts';

const MESSAGES = 40_000;

test(`[SIP41] ${MESSAGES} mutated datagrams of an allowed source: no exception, bounded memory, fewer packets and bytes back than came, and the next call is clean`, {
  timeout: 180_000,
}, async () => {
  await using us = await endpoint({
    // As fast as it can: the rate limit would hide what is behind it.
    sources: { requestsPerSecond: 1e6, requestBurst: 1e6, transactions: 1500 },
    maxCalls: 500,
    answer: (call) => {
      call.ringing();
      if (us.calls.length % 3 === 0) call.refuse(486);
      else call.answer(sdp()).listen({ onOffer: (offer) => offer.answer(sdp()), onInfo: () => undefined });
      us.calls.length = us.calls.length % 3;
    },
  });
  await using mad = await rawPeer();
  const random = seeded(4475);
  const before = process.memoryUsage().heapUsed;
  let bytes = 0;
  let transactions = 0;
  let dialogs = 0;
  for (let n = 0; n < MESSAGES; n++) {
    const message = mutated(n, random, mad);
    bytes += message.length;
    mad.send(message, us.sip);
    if (n % 40 === 39) await new Promise((resolve) => setImmediate(resolve));
    const { held } = us.sip;
    transactions = Math.max(transactions, held.transactions);
    dialogs = Math.max(dialogs, held.dialogs);
  }
  await eventually('everything has ended', () => us.sip.held.transactions === 0 && us.sip.calls === 0, {
    withinMs: 60_000,
    lastSeen: () => ({ ...us.sip.held, calls: us.sip.calls }),
  });
  const { received, sent, malformed, withheld, failures } = us.sip.statistics();
  const refused = Object.values(malformed).reduce((sum, count) => sum + count, 0);
  expect({ errors: us.errors, failures }).toEqual({ errors: [], failures: 0 });
  // Most of them arrived, and enough of them got far.
  expect(received).toBeGreaterThan(MESSAGES / 2);
  expect(refused).toBeGreaterThan(1000);
  expect(sent).toBeGreaterThan(1000);
  expect(mad.received.length).toBeLessThanOrEqual(received);
  expect(sent).toBeLessThanOrEqual(received);
  expect(mad.bytesReceived).toBeLessThanOrEqual(bytes);
  expect(withheld).toBeGreaterThan(0);
  expect(transactions).toBeLessThanOrEqual(3500);
  expect(dialogs).toBeLessThanOrEqual(500);
  expect(us.sip.held).toEqual({ transactions: 0, dialogs: 0, connections: 0 });
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(150 << 20);

  await using friend = await endpoint({ address: '127.0.61.3' });
  const outcome = await friend.sip.invite({
    uri: us.uri,
    via: us.hop(),
    from: ME,
    sdp: sdp(),
  }).outcome;
  expect(outcome.type === 'answered' || (outcome.type === 'refused' && outcome.status === 486)).toBe(true);
  if (outcome.type === 'answered') await outcome.dialog.bye();
});

test('[SIP41] a flood of perfect INVITEs nobody acknowledges brings back no more than it was, and a small advance', async () => {
  await using us = await endpoint({
    sources: { requestsPerSecond: 1e6, requestBurst: 1e6, advancePackets: 50, advanceBytes: 40_000 },
    answer: (call) => {
      call.ringing();
      call.answer(sdp());
    },
  });
  await using mad = await rawPeer();
  let bytes = 0;
  for (let n = 0; n < 500; n++) {
    const message = request(mad, us, { method: 'INVITE', branch: `p${n}`, callId: `p${n}`, body: sdp() });
    bytes += message.length;
    mad.send(message, us.sip);
    if (n % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('all of it is over', () => us.sip.held.transactions === 0 && us.sip.calls === 0, {
    withinMs: 20_000,
  });
  // What is forgiven meanwhile is 4 packets a second.
  expect(mad.received.length).toBeLessThanOrEqual(us.sip.statistics().received + 50 + 40);
  expect(mad.bytesReceived).toBeLessThanOrEqual(bytes + 40_000 + 30_000);
  expect(us.sip.statistics().withheld).toBeGreaterThan(1000);
});

test('[SIP41] two thousand mutated messages in streams: no exception, and no connection is left', async () => {
  await using us = await endpoint({
    sources: { requestsPerSecond: 1e6, requestBurst: 1e6 },
    connections: { partialMs: 200, idleMs: 400 },
    answer: (call) => call.answer(sdp()),
  });
  const random = seeded(261);
  for (let n = 0; n < 100; n++) {
    const socket = connect({ host: us.sip.address, port: us.sip.port, localAddress: '127.0.61.9' });
    socket.on('error', () => undefined).on('data', () => undefined);
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    for (let each = 0; each < 20; each++)
      socket.write(mutated(n * 20 + each, random, { address: '127.0.61.9', port: 9 }));
    if (n % 2 === 0) socket.end();
    else if (n % 5 === 0) socket.destroy();
  }
  await eventually('all is over', () => us.sip.held.connections === 0 && us.sip.held.transactions === 0, {
    withinMs: 20_000,
    lastSeen: () => us.sip.held,
  });
  expect(us.sip.statistics().received).toBeGreaterThan(100);
  expect({ errors: us.errors, failures: us.sip.statistics().failures }).toEqual({ errors: [], failures: 0 });
});

test('[SIP41] nothing mutated is thrown by the parsers', () => {
  const random = seeded(8866);
  const from = { address: '127.0.61.9', port: 5060 };
  let parsed = 0;
  for (let n = 0; n < 5000; n++) {
    const result = parseMessage(mutated(n, random, from));
    if (!result.ok) continue;
    parsed += 1;
    parseSdp(result.message.body.toString('latin1'));
  }
  expect(parsed).toBeGreaterThan(1000);
});
