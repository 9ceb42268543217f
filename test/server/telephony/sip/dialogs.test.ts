import { describe, expect, test } from 'vitest';
import type { Offer } from '../../../../server/telephony/sip/dialog-api.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, sdp, type TestEndpoint } from './helpers/endpoints.ts';
import { answer, type RawPeer, rawPeer, request, toTagOf } from './helpers/raw-peer.ts';

const FROM = { uri: 'sip:x@clinic.example' };
const callTo = (us: TestEndpoint, peer: RawPeer) =>
  us.sip.invite({
    uri: `sip:1@${peer.address}:${peer.port}`,
    via: { protocol: 'udp', address: peer.address, port: peer.port },
    from: FROM,
    sdp: sdp(),
  });

/** The peer has called, was answered, and has acknowledged. */
async function talking(us: TestEndpoint, peer: RawPeer, headers: readonly string[] = []) {
  peer.send(
    request(peer, us, { method: 'INVITE', branch: 'i', callId: 'c', headers, body: sdp(6000) }),
    us.sip,
  );
  const dialog = (await eventually('the call', () => us.calls[0])).answer(sdp());
  const toTag = toTagOf(await peer.next(/^SIP\/2.0 200/));
  const within = (method: string, seq: number, more: { headers?: readonly string[]; body?: string } = {}) =>
    request(peer, us, { method, branch: `${method}${seq}`, callId: 'c', seq, toTag, ...more });
  peer.send(within('ACK', 1), us.sip);
  return { dialog, within, toTag };
}

describe('[SIP30] answers of more than one', () => {
  test('[SIP30] of two who answer the first is talked to, the second is acknowledged and hung up on', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const call = callTo(us, peer);
    const invite = await peer.next(/^INVITE/);
    peer.send(answer(peer, invite, '180 Ringing', { tag: 'one' }), us.sip);
    peer.send(answer(peer, invite, '200 OK', { tag: 'one', body: sdp(6000) }), us.sip);
    peer.send(answer(peer, invite, '200 OK', { tag: 'two', body: sdp(6002) }), us.sip);
    const outcome = await call.outcome;
    expect(outcome).toMatchObject({ type: 'answered', sdp: sdp(6000) });
    await peer.next(/^ACK[\s\S]*tag=one/);
    await peer.next(/^ACK[\s\S]*tag=two/);
    const bye = await peer.next(/^BYE[\s\S]*tag=two/);
    peer.send(answer(peer, bye, '200 OK'), us.sip);
    // A 2xx that comes again is acknowledged again, with the same bytes.
    const acks = () => peer.received.filter((text) => /^ACK[\s\S]*tag=one/.test(text));
    peer.send(answer(peer, invite, '200 OK', { tag: 'one', body: sdp(6000) }), us.sip);
    await eventually('the ACK again', () => acks().length > 1);
    expect(new Set(acks()).size).toBe(1);
    expect(peer.received.some((text) => /^BYE[\s\S]*tag=one/.test(text))).toBe(false);
    expect(outcome.type === 'answered' && outcome.dialog.state).toBe('confirmed');
  });

  test('[SIP31] an answer that crosses our CANCEL is acknowledged and hung up on', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const call = callTo(us, peer);
    const invite = await peer.next(/^INVITE/);
    call.cancel({ cause: 16 });
    expect(await call.outcome).toEqual({ type: 'cancelled' });
    // Nothing was heard of it: a CANCEL could overtake the INVITE (RFC 3261 §9.1).
    const invites = () => peer.received.filter((text) => text.startsWith('INVITE')).length;
    await eventually('the INVITE again', () => invites() > 1);
    expect(peer.received.some((text) => text.startsWith('CANCEL'))).toBe(false);
    peer.send(answer(peer, invite, '180 Ringing', { tag: 'late' }), us.sip);
    const cancel = await peer.next(/^CANCEL/);
    expect(/branch=([^;]*)/.exec(cancel)?.[1]).toBe(/branch=([^;]*)/.exec(invite)?.[1]);
    const seq = /^CSeq: (\d+) INVITE\r$/m.exec(invite)?.[1];
    expect(cancel).toContain(`CSeq: ${seq} CANCEL\r\n`);
    expect(cancel).toMatch(/^Reason: Q\.850;cause=16\r$/m);
    peer.send(answer(peer, cancel, '200 OK'), us.sip);
    peer.send(answer(peer, invite, '200 OK', { tag: 'late', body: sdp() }), us.sip);
    await peer.next(/^ACK[\s\S]*tag=late/);
    const bye = await peer.next(/^BYE[\s\S]*tag=late/);
    peer.send(answer(peer, bye, '200 OK'), us.sip);
    await eventually('nothing is held', () => us.sip.held.transactions + us.sip.calls === 0);
  });

  test('[SIP32] a redirection is a refusal: nobody it names is sent anything', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    await using other = await rawPeer('127.0.61.10');
    const call = callTo(us, peer);
    const moved = answer(peer, await peer.next(/^INVITE/), '302 Moved', { tag: 't' }).replace(
      /^Contact: .*$/m,
      `Contact: <sip:2@${other.address}:${other.port}>`,
    );
    peer.send(moved, us.sip);
    expect(await call.outcome).toMatchObject({ type: 'refused', status: 302 });
    expect(await peer.next(/^ACK/)).toMatch(/^CSeq: \d+ ACK\r$/m);
    expect(other.received).toEqual([]);
  });

  test('[SIP33] who answers without saying where they listen is hung up on', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const call = callTo(us, peer);
    peer.send(answer(peer, await peer.next(/^INVITE/), '200 OK', { tag: 't' }), us.sip);
    expect(await call.outcome).toEqual({ type: 'failed', why: 'noMedia' });
    await peer.next(/^BYE/);
  });

  test('[SIP33] ringing without end is cancelled by Timer C', async () => {
    await using us = await endpoint({ t1: 5 });
    await using peer = await rawPeer();
    const call = callTo(us, peer);
    peer.send(answer(peer, await peer.next(/^INVITE/), '180 Ringing', { tag: 't' }), us.sip);
    expect(await call.outcome).toEqual({ type: 'failed', why: 'timeout' });
    await peer.next(/^CANCEL/);
    await eventually('nothing is held', () => us.sip.held.transactions === 0);
  });
});

describe('[SIP34] what is asked of us', () => {
  test.each([
    ['a reliable ring', 'INVITE', ['Require: 100rel'], 420, /^Unsupported: 100rel\r$/m],
    ['something unheard of', 'OPTIONS', ['Require: timer, nonsense'], 420, /^Unsupported: nonsense\r$/m],
    ['a transfer', 'REFER', ['Refer-To: <sip:x@y>'], 405, /^Allow: INVITE, ACK/m],
    ['a message', 'MESSAGE', [], 405, /^Allow:/m],
    ['a subscription', 'SUBSCRIBE', ['Event: presence'], 405, /^Allow:/m],
    ['a registration', 'REGISTER', [], 405, /^Allow:/m],
    ['nobody’s method', 'DANCE', [], 501, /^Allow:/m],
    ['a BYE of nothing', 'BYE', [], 481, /^SIP/],
    ['what we can', 'OPTIONS', [], 200, /^Supported: timer\r$/m],
  ] as const)('[SIP34] %s', async (_name, method, headers, status, line) => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    peer.send(
      request(peer, us, {
        method,
        branch: 'q',
        callId: 'q',
        headers,
        body: method === 'INVITE' ? sdp() : '',
      }),
      us.sip,
    );
    const said = await peer.next(/^SIP/);
    expect(said).toMatch(new RegExp(`^SIP/2.0 ${status} `));
    expect(said).toMatch(line);
    expect(us.calls).toEqual([]);
  });

  test.each([
    ['no Contact', (text: string) => text.replace(/Contact:.*\r\n/, ''), 400],
    ['no From tag', (text: string) => text.replace(';tag=raw', ''), 400],
    ['a body that is not SDP', (text: string) => text.replace('application/sdp', 'text/html'), 415],
    [
      'an encoded body',
      (text: string) => text.replace('Max-Forwards', 'Content-Encoding: gzip\r\nMax-Forwards'),
      415,
    ],
    [
      'a web page for a callee',
      (text: string) => text.replace(/^INVITE \S+/, 'INVITE http://x.example'),
      416,
    ],
    [
      'a session too short',
      (text: string) =>
        text.replace('Max-Forwards', 'Supported: timer\r\nSession-Expires: 30\r\nMax-Forwards'),
      422,
    ],
    ['a dialog that is not', (text: string) => text.replace(/(^To: .*)\r/m, '$1;tag=zz\r'), 481],
  ])('[SIP35] an INVITE with %s', async (_name, change, status) => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    peer.send(change(request(peer, us, { method: 'INVITE', branch: 'q', callId: 'q', body: sdp() })), us.sip);
    expect(await peer.next(/^SIP/)).toMatch(new RegExp(`^SIP/2.0 ${status} `));
    expect(us.calls).toEqual([]);
  });

  test('[SIP35] the same INVITE by another way is a loop; a CANCEL of nothing is 481', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const invite = { method: 'INVITE', callId: 'l', body: sdp() };
    peer.send(request(peer, us, { ...invite, branch: 'one' }), us.sip);
    await eventually('the call', () => us.calls[0]);
    peer.send(request(peer, us, { ...invite, branch: 'two' }), us.sip);
    await peer.next(/^SIP\/2.0 482/);
    peer.send(request(peer, us, { method: 'CANCEL', callId: 'l', branch: 'three' }), us.sip);
    await peer.next(/^SIP\/2.0 481/);
    expect(us.calls).toHaveLength(1);
    expect(us.calls[0]?.state).toBe('open');
  });
});

describe('[SIP36] within a dialog', () => {
  test('[SIP36] an old number is refused, a transfer and a message are, and BYE ends it', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const { dialog, within } = await talking(us, peer);
    peer.send(within('OPTIONS', 5), us.sip);
    await peer.next(/^SIP\/2.0 200[\s\S]*CSeq: 5 OPTIONS/);
    peer.send(within('INFO', 4), us.sip);
    await peer.next(/^SIP\/2.0 500[\s\S]*CSeq: 4 INFO/);
    peer.send(within('REFER', 6, { headers: ['Refer-To: <sip:x@y>'] }), us.sip);
    await peer.next(/^SIP\/2.0 405[\s\S]*CSeq: 6 REFER/);
    peer.send(within('PRACK', 7, { headers: ['RAck: 1 1 INVITE'] }), us.sip);
    await peer.next(/^SIP\/2.0 405[\s\S]*CSeq: 7 PRACK/);
    expect(dialog.state).toBe('confirmed');
    peer.send(within('BYE', 8, { headers: ['Reason: SIP;cause=200', 'Reason: Q.850;cause=31'] }), us.sip);
    expect(await dialog.ended).toEqual({ by: 'them', cause: 31 });
    await peer.next(/^SIP\/2.0 200[\s\S]*CSeq: 8 BYE/);
  });

  test('[SIP36] while one offer is worked on a second is 500, and one nobody answers is refused in time', async () => {
    await using us = await endpoint({ t1: 10 });
    await using peer = await rawPeer();
    const { dialog, within } = await talking(us, peer);
    const offers: Offer[] = [];
    dialog.listen({ onOffer: (offer) => offers.push(offer) });
    peer.send(within('INVITE', 2, { body: sdp(6002) }), us.sip);
    await eventually('the offer', () => offers[0]);
    peer.send(within('UPDATE', 3, { body: sdp(6004) }), us.sip);
    await peer.next(/^SIP\/2.0 500[\s\S]*CSeq: 3 UPDATE/);
    await peer.next(/^SIP\/2.0 500[\s\S]*CSeq: 2 INVITE/);
    // Too late, and without harm.
    offers[0]?.answer(sdp());
    expect(dialog.state).toBe('confirmed');
  });

  test('[SIP36] a new Contact is where we send from then on, unless its address is not allowed', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    await using moved = await rawPeer();
    const { dialog, within } = await talking(us, peer);
    const update = within('UPDATE', 2).replace(
      /^Contact:.*$/m,
      `Contact: <sip:phone@${moved.address}:${moved.port}>`,
    );
    peer.send(update, us.sip);
    await peer.next(/^SIP\/2.0 200[\s\S]*CSeq: 2 UPDATE/);
    const said = dialog.info('text/plain', Buffer.from('x'));
    const info = await moved.next(/^INFO/);
    moved.send(answer(moved, info, '200 OK'), us.sip);
    expect(await said).toBe(200);
    peer.send(within('UPDATE', 3).replace(/^Contact:.*$/m, 'Contact: <sip:phone@192.0.2.1:5060>'), us.sip);
    await peer.next(/^SIP\/2.0 200[\s\S]*CSeq: 3 UPDATE/);
    void dialog.bye();
    const bye = await peer.next(/^BYE sip:phone@192\.0\.2\.1:5060 /);
    peer.send(answer(peer, bye, '200 OK'), us.sip);
  });

  test('[SIP37] an answer nobody acknowledges is said again, and then hung up on', async () => {
    await using us = await endpoint({ t1: 10 });
    await using peer = await rawPeer();
    peer.send(request(peer, us, { method: 'INVITE', branch: 'i', callId: 'c', body: sdp() }), us.sip);
    const dialog = (await eventually('the call', () => us.calls[0])).answer(sdp());
    // We may not hang up before the ACK (RFC 3261 §15).
    const over = dialog.bye();
    await eventually(
      'the 200 again',
      () => peer.received.filter((text) => text.startsWith('SIP/2.0 200')).length > 3,
    );
    expect(peer.received.some((text) => text.startsWith('BYE'))).toBe(false);
    await peer.next(/^BYE/);
    await over;
    expect(peer.received.filter((text) => text.startsWith('SIP/2.0 200')).length).toBeGreaterThan(5);
    await eventually('no call is left', () => us.sip.calls === 0);
  });

  test('[SIP37] who never acknowledges is lost, and the application is told', async () => {
    await using us = await endpoint({ t1: 5 });
    await using peer = await rawPeer();
    peer.send(request(peer, us, { method: 'INVITE', branch: 'i', callId: 'c', body: sdp() }), us.sip);
    const dialog = (await eventually('the call', () => us.calls[0])).answer(sdp());
    const ends: string[] = [];
    dialog.listen({ onBye: ({ by }) => ends.push(by) });
    expect((await dialog.ended).by).toBe('unacknowledged');
    expect(ends).toEqual(['unacknowledged']);
    await peer.next(/^BYE/);
  });

  test('[SIP37] an INVITE without an offer is answered with ours, and theirs comes with the ACK', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    peer.send(request(peer, us, { method: 'INVITE', branch: 'i', callId: 'c' }), us.sip);
    const call = await eventually('the call', () => us.calls[0]);
    expect(call.offer).toBeNull();
    const answers: string[] = [];
    const dialog = call.answer(sdp(5000));
    dialog.listen({ onAnswer: (text) => answers.push(text) });
    const toTag = toTagOf(await peer.next(/^SIP\/2.0 200/));
    peer.send(request(peer, us, { method: 'ACK', branch: 'a', callId: 'c', toTag, body: sdp(6000) }), us.sip);
    peer.send(request(peer, us, { method: 'ACK', branch: 'a', callId: 'c', toTag, body: sdp(6000) }), us.sip);
    await eventually('the answer', () => answers.length > 0);
    expect(answers).toEqual([sdp(6000)]);
  });

  test('[SIP37] a re-INVITE without an offer is answered with ours, and theirs comes with the ACK', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const { dialog, within } = await talking(us, peer);
    const answers: string[] = [];
    dialog.listen({ onAnswer: (text) => answers.push(text) });
    peer.send(within('INVITE', 2), us.sip);
    const ok = await peer.next(/^SIP\/2.0 200[\s\S]*CSeq: 2 INVITE/);
    expect(ok.split('\r\n\r\n')[1]).toBe(sdp());
    peer.send(within('ACK', 2, { body: sdp(6008) }), us.sip);
    await eventually('the answer', () => answers.length > 0);
    expect(answers).toEqual([sdp(6008)]);
  });

  test('[SIP36] a re-INVITE that is cancelled is dropped, and the call goes on', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const { dialog, within } = await talking(us, peer);
    const offers: Offer[] = [];
    dialog.listen({ onOffer: (offer) => offers.push(offer) });
    peer.send(within('INVITE', 2, { body: sdp(6002) }), us.sip);
    await eventually('the offer', () => offers[0]);
    peer.send(within('CANCEL', 2).replace('branch=z9hG4bKCANCEL2', 'branch=z9hG4bKINVITE2'), us.sip);
    await peer.next(/^SIP\/2.0 200[\s\S]*CSeq: 2 CANCEL/);
    await peer.next(/^SIP\/2.0 487[\s\S]*CSeq: 2 INVITE/);
    offers[0]?.answer(sdp());
    expect(dialog.state).toBe('confirmed');
    peer.send(within('INVITE', 3, { body: sdp(6004) }), us.sip);
    await eventually('the next offer', () => offers[1]);
  });

  test('[SIP38] a route set is kept: ours in order for who called us, reversed for whom we called', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const first = `<sip:${peer.address}:${peer.port};lr>`;
    const { dialog } = await talking(us, peer, [`Record-Route: ${first}, <sip:192.0.2.2;lr>`]);
    expect(peer.received.find((text) => text.startsWith('SIP/2.0 200'))).toContain(
      `Record-Route: ${first}\r\nRecord-Route: <sip:192.0.2.2;lr>\r\n`,
    );
    void dialog.bye();
    const bye = await peer.next(/^BYE/);
    expect(bye).toContain(`Route: ${first}\r\nRoute: <sip:192.0.2.2;lr>\r\n`);
    peer.send(answer(peer, bye, '200 OK'), us.sip);

    const call = callTo(us, peer);
    const invite = await peer.next(/^INVITE/);
    const headers = ['Record-Route: <sip:192.0.2.2;lr>', `Record-Route: ${first}`];
    peer.send(answer(peer, invite, '200 OK', { tag: 't', headers, body: sdp() }), us.sip);
    await call.outcome;
    expect(await peer.next(/^ACK[\s\S]*;tag=t\r/)).toContain(
      `Route: ${first}\r\nRoute: <sip:192.0.2.2;lr>\r\n`,
    );
  });

  test('[SIP39] nothing of one call is in another: a leaky caller’s number and address are in no message of the other leg', async () => {
    await using us = await endpoint({ t1: 50 });
    await using leaky = await rawPeer('127.0.61.77');
    await using callee = await rawPeer();
    const canary = '13800001111';
    const headers = [
      'P-Asserted-Identity',
      'Diversion',
      'User-to-User',
      'X-Ani',
      'Subject',
      'User-Agent',
      'Call-Info',
    ].map((name) => `${name}: <sip:${canary}@x>`);
    leaky.send(
      request(leaky, us, {
        method: 'INVITE',
        branch: canary,
        callId: `${canary}@a`,
        fromTag: canary,
        headers,
        body: sdp().replace('s=-', `s=${canary}`),
      }),
      us.sip,
    );
    const call = await eventually('the call', () => us.calls[0]);
    expect(call.header('p-asserted-identity')).toEqual([`<sip:${canary}@x>`]);
    const out = callTo(us, callee);
    callee.send(answer(callee, await callee.next(/^INVITE/), '200 OK', { tag: 't', body: sdp() }), us.sip);
    const outcome = await out.outcome;
    if (outcome.type !== 'answered') throw new Error(outcome.type);
    void outcome.dialog.bye();
    await callee.next(/^BYE/);
    const said = callee.received.join('');
    expect(said).not.toContain(canary);
    expect(said).not.toContain(leaky.address);
    expect(said.match(/^User-Agent: .*$/gm)?.every((line) => line.trim() === 'User-Agent: teleconsult')).toBe(
      true,
    );
  });
});
