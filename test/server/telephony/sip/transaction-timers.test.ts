import { describe, expect, test } from 'vitest';
import { ClientTransaction } from '../../../../server/telephony/sip/client-transaction.ts';
import { sipTimers } from '../../../../server/telephony/sip/clock.ts';
import type { SipRequest, SipResponse } from '../../../../server/telephony/sip/message.ts';
import { parseMessage } from '../../../../server/telephony/sip/parse.ts';
import { ServerTransaction } from '../../../../server/telephony/sip/server-transaction.ts';
import { fakeClock } from './helpers/fake-clock.ts';
import { sip } from './helpers/raw-peer.ts';

const head = (method: string) => [
  'Via: SIP/2.0/UDP 127.0.61.9;branch=z9hG4bK1',
  'From: <sip:a@x>;tag=1',
  'To: <sip:b@x>;tag=2',
  'Call-ID: 1',
  `CSeq: 1 ${method}`,
];

function response(status: number, method: string): SipResponse {
  const parsed = parseMessage(Buffer.from(sip([`SIP/2.0 ${status} X`, ...head(method)])));
  if (!parsed.ok || parsed.message.kind !== 'response') throw new Error('not a response');
  return parsed.message;
}

function request(method: string): SipRequest {
  const parsed = parseMessage(Buffer.from(sip([`${method} sip:b@x SIP/2.0`, ...head(method)])));
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('not a request');
  return parsed.message;
}

function client(method: string, reliable: boolean) {
  const clock = fakeClock();
  const sent: number[] = [];
  const log: string[] = [];
  const transaction = new ClientTransaction({
    method,
    reliable,
    clock,
    timers: sipTimers(),
    send: () => sent.push(clock.now()),
    acknowledge: () => log.push('ack'),
    onResponse: ({ status }) => log.push(String(status)),
    onFailed: (why) => log.push(why),
    onEnded: () => log.push(`ended ${clock.now()}`),
  });
  transaction.start();
  return { clock, sent, log, transaction };
}

function server(method: string, reliable: boolean) {
  const clock = fakeClock();
  const sent: string[] = [];
  const log: string[] = [];
  const transaction = new ServerTransaction({
    request: request(method),
    reliable,
    clock,
    timers: sipTimers(),
    send: (bytes) => sent.push(`${bytes.toString()} ${clock.now()}`),
    trying: () => Buffer.from('100'),
    onEnded: () => log.push(`ended ${clock.now()}`),
  });
  return {
    clock,
    sent,
    log,
    transaction,
    say: (status: number) => transaction.respond(status, Buffer.from(String(status))),
  };
}

describe('[SIP10] the INVITE client transaction', () => {
  test('[SIP10] Timer A doubles from T1, and Timer B ends it after 64 × T1', () => {
    const { clock, sent, log } = client('INVITE', false);
    clock.advance(40_000);
    expect(sent).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(log).toEqual(['ended 32000', 'timeout']);
    expect(clock.pending).toBe(0);
  });

  test('[SIP10] over TCP it is sent once', () => {
    const { clock, sent, log } = client('INVITE', true);
    clock.advance(40_000);
    expect(sent).toEqual([0]);
    expect(log).toEqual(['ended 32000', 'timeout']);
  });

  test('[SIP10] a provisional answer stops A and B for good', () => {
    const { clock, sent, log, transaction } = client('INVITE', false);
    clock.advance(600);
    transaction.received(response(180, 'INVITE'));
    clock.advance(100_000);
    expect(sent).toEqual([0, 500]);
    expect(log).toEqual(['180']);
    expect(transaction.state).toBe('proceeding');
  });

  test('[SIP10] a refusal is acknowledged each time it comes, and told once, until Timer D', () => {
    const { clock, log, transaction } = client('INVITE', false);
    transaction.received(response(486, 'INVITE'));
    clock.advance(1000);
    transaction.received(response(486, 'INVITE'));
    clock.advance(40_000);
    transaction.received(response(486, 'INVITE'));
    expect(log).toEqual(['ack', '486', 'ack', 'ended 32000']);
  });

  test('[SIP10] every 2xx is handed up until Timer M, also those of other branches (RFC 6026)', () => {
    const { clock, log, transaction } = client('INVITE', false);
    transaction.received(response(200, 'INVITE'));
    clock.advance(31_999);
    transaction.received(response(200, 'INVITE'));
    transaction.received(response(486, 'INVITE'));
    clock.advance(1);
    expect(log).toEqual(['200', '200', 'ended 32000']);
  });
});

describe('[SIP11] other client transactions', () => {
  test('[SIP11] Timer E doubles up to T2, and Timer F ends it', () => {
    const { clock, sent, log } = client('BYE', false);
    clock.advance(40_000);
    expect(sent).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(log).toEqual(['ended 32000', 'timeout']);
  });

  test('[SIP11] after a provisional answer it is sent every T2, and F still runs', () => {
    const { clock, sent, log, transaction } = client('BYE', false);
    transaction.received(response(100, 'BYE'));
    clock.advance(9000);
    expect(sent).toEqual([0, 500, 4500, 8500]);
    clock.advance(31_000);
    expect(log).toEqual(['100', 'ended 32000', 'timeout']);
  });

  test('[SIP11] a final answer is told once, and Timer K waits T4 for repetitions; TCP does not', () => {
    const udp = client('BYE', false);
    udp.transaction.received(response(200, 'BYE'));
    udp.transaction.received(response(200, 'BYE'));
    udp.clock.advance(5000);
    expect(udp.log).toEqual(['200', 'ended 5000']);
    const tcp = client('BYE', true);
    tcp.transaction.received(response(200, 'BYE'));
    expect(tcp.log).toEqual(['ended 0', '200']);
  });
});

describe('[SIP12] the INVITE server transaction', () => {
  test('[SIP12] 100 Trying goes out after 200 ms, unless something else did', () => {
    const slow = server('INVITE', false);
    slow.clock.advance(199);
    expect(slow.sent).toEqual([]);
    slow.clock.advance(1);
    expect(slow.sent).toEqual(['100 200']);
    const quick = server('INVITE', false);
    quick.say(180);
    quick.clock.advance(1000);
    expect(quick.sent).toEqual(['180 0']);
    quick.transaction.repeated();
    expect(quick.sent).toEqual(['180 0', '180 1000']);
  });

  test('[SIP12] a refusal is repeated by Timer G up to T2, until Timer H', () => {
    const { clock, sent, log, say } = server('INVITE', false);
    say(486);
    clock.advance(40_000);
    expect(sent.map((each) => Number(each.split(' ')[1]))).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(log).toEqual(['ended 32000']);
  });

  test('[SIP12] its ACK stops G, and Timer I takes further ones', () => {
    const { clock, sent, log, say, transaction } = server('INVITE', false);
    say(486);
    clock.advance(600);
    transaction.acknowledged();
    transaction.acknowledged();
    transaction.repeated();
    clock.advance(10_000);
    expect(sent).toEqual(['486 0', '486 500']);
    expect(log).toEqual(['ended 5600']);
  });

  test('[SIP12] after a 2xx the transaction is silent until Timer L (RFC 6026)', () => {
    const { clock, sent, log, say, transaction } = server('INVITE', false);
    say(200);
    transaction.repeated();
    say(486);
    clock.advance(32_000);
    expect(sent).toEqual(['200 0']);
    expect(log).toEqual(['ended 32000']);
  });
});

test('[SIP13] another server transaction repeats its answer until Timer J, over TCP it is over at once', () => {
  const udp = server('BYE', false);
  udp.transaction.repeated();
  udp.say(200);
  udp.transaction.repeated();
  udp.say(500);
  udp.clock.advance(32_000);
  expect(udp.sent).toEqual(['200 0', '200 0']);
  expect(udp.log).toEqual(['ended 32000']);
  const tcp = server('BYE', true);
  tcp.say(200);
  expect(tcp.log).toEqual(['ended 0']);
});
