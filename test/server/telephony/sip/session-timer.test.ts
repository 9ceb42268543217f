import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, sdp, type TestEndpoint } from './helpers/endpoints.ts';
import { answer, type RawPeer, rawPeer, request, toTagOf } from './helpers/raw-peer.ts';

// With T1 = 5 ms a second of a header is 10 ms: 90 s are 0.9 s.
const T1 = 5;
const TIMER = 'Supported: timer';

async function called(us: TestEndpoint, peer: RawPeer, headers: readonly string[]) {
  peer.send(request(peer, us, { method: 'INVITE', branch: 'i', callId: 'c', headers, body: sdp() }), us.sip);
  const dialog = (await eventually('the call', () => us.calls[0])).answer(sdp());
  const ok = await peer.next(/^SIP\/2.0 200/);
  const toTag = toTagOf(ok);
  peer.send(request(peer, us, { method: 'ACK', branch: 'a', callId: 'c', toTag }), us.sip);
  return { dialog, ok, toTag };
}

async function calling(us: TestEndpoint, peer: RawPeer, headers: readonly string[]) {
  const call = us.sip.invite({
    uri: `sip:1@${peer.address}:${peer.port}`,
    via: { protocol: 'udp', address: peer.address, port: peer.port },
    from: { uri: 'sip:x@clinic.example' },
    sdp: sdp(),
  });
  const invite = await peer.next(/^INVITE/);
  peer.send(answer(peer, invite, '200 OK', { tag: 't', headers, body: sdp(6000) }), us.sip);
  const outcome = await call.outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  return { dialog: outcome.dialog, invite };
}

describe('[SIP16] who is called', () => {
  test.each([
    [
      'who knows the timer refreshes',
      [TIMER, 'Session-Expires: 120'],
      /^Session-Expires: 120;refresher=uac\r$/m,
      true,
    ],
    [
      'who asks us to refresh is obeyed',
      [TIMER, 'Session-Expires: 120;refresher=uas'],
      /^Session-Expires: 120;refresher=uas\r$/m,
      false,
    ],
    ['who does not know it is refreshed by us', [], /^Session-Expires: 1800;refresher=uas\r$/m, false],
    ['their minimum counts', [TIMER, 'Min-SE: 3000'], /^Session-Expires: 3000;refresher=uac\r$/m, true],
    [
      'a compact header is the same',
      [TIMER, 'x: 100;refresher=uac'],
      /^Session-Expires: 100;refresher=uac\r$/m,
      true,
    ],
  ] as const)('[SIP16] %s', async (_name, headers, line, required) => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const { ok } = await called(us, peer, headers);
    expect(ok).toMatch(line);
    expect(/^Require: timer\r$/m.test(ok)).toBe(required);
  });

  test('[SIP16] a refresher who falls silent is hung up on before the session ends', async () => {
    await using us = await endpoint({ t1: T1 });
    await using peer = await rawPeer();
    const from = performance.now();
    const { dialog } = await called(us, peer, [TIMER, 'Session-Expires: 90;refresher=uac']);
    expect((await dialog.ended).by).toBe('lost');
    // 90 s less a third of them, 30.
    expect(performance.now() - from).toBeGreaterThan(590);
    expect(performance.now() - from).toBeLessThan(5000);
    await peer.next(/^BYE/);
  });

  test('[SIP16] a refresher who speaks keeps the session alive, by UPDATE and by re-INVITE', async () => {
    await using us = await endpoint({ t1: 10, sources: { requestBurst: 5000 } });
    await using peer = await rawPeer();
    const { dialog, toTag } = await called(us, peer, [TIMER, 'Session-Expires: 90;refresher=uac']);
    // Longer than the session would live by itself.
    const from = performance.now();
    const headers = [TIMER, 'Session-Expires: 90;refresher=uac'];
    for (let seq = 2; performance.now() - from < 2000; seq += 2) {
      peer.send(
        request(peer, us, { method: 'UPDATE', branch: `u${seq}`, callId: 'c', seq, toTag, headers }),
        us.sip,
      );
      await peer.next(
        new RegExp(`^SIP/2.0 200[\\s\\S]*CSeq: ${seq} UPDATE[\\s\\S]*Session-Expires: 90;refresher=uac`),
      );
      const invite = {
        method: 'INVITE',
        branch: `r${seq}`,
        callId: 'c',
        seq: seq + 1,
        toTag,
        headers,
        body: sdp(),
      };
      peer.send(request(peer, us, invite), us.sip);
      await peer.next(new RegExp(`^SIP/2.0 200[\\s\\S]*CSeq: ${seq + 1} INVITE[\\s\\S]*Session-Expires`));
      peer.send(
        request(peer, us, { method: 'ACK', branch: `a${seq}`, callId: 'c', seq: seq + 1, toTag }),
        us.sip,
      );
    }
    expect(dialog.state).toBe('confirmed');
    void dialog.bye();
  });
});

describe('[SIP17] who calls', () => {
  test('[SIP17] we offer the timer, and a 422 is asked again with what it wants', async () => {
    await using us = await endpoint({ t1: 50 });
    await using peer = await rawPeer();
    const call = us.sip.invite({
      uri: `sip:1@${peer.address}`,
      via: { protocol: 'udp', address: peer.address, port: peer.port },
      from: { uri: 'sip:x@y.example' },
      sdp: sdp(),
    });
    const invite = await peer.next(/^INVITE/);
    expect(invite).toMatch(/^Session-Expires: 1800\r\nMin-SE: 90\r$/m);
    peer.send(answer(peer, invite, '422 Too Small', { tag: 't', headers: ['Min-SE: 4000'] }), us.sip);
    const again = await peer.next(/^INVITE[\s\S]*Session-Expires: 4000\r\nMin-SE: 4000\r\n/);
    peer.send(answer(peer, again, '422 Too Small', { tag: 't', headers: ['Min-SE: 4000'] }), us.sip);
    expect(await call.outcome).toMatchObject({ type: 'refused', status: 422 });
  });

  test('[SIP17] we refresh by re-INVITE where UPDATE is not taken, with the same offer', async () => {
    await using us = await endpoint({ t1: T1, session: { intervalSeconds: 90, minSeconds: 90 } });
    await using peer = await rawPeer();
    const { dialog, invite } = await calling(us, peer, [
      'Session-Expires: 90;refresher=uac',
      'Allow: INVITE, ACK, BYE',
    ]);
    const from = peer.received.length;
    const again = await peer.next(
      /^INVITE[\s\S]*To:[^\r]*tag=t\r[\s\S]*Session-Expires: 90;refresher=uac/,
      from,
    );
    expect(again.split('\r\n\r\n')[1]).toBe(invite.split('\r\n\r\n')[1]);
    peer.send(
      answer(peer, again, '200 OK', { headers: ['Session-Expires: 90;refresher=uac'], body: sdp(6000) }),
      us.sip,
    );
    await peer.next(/^ACK/, peer.received.indexOf(again));
    expect(dialog.state).toBe('confirmed');
  });

  test.each([
    ['knows nothing of the call', '481 Gone'],
    ['has no time', '408 Later'],
  ])('[SIP17] a peer that %s when we refresh is hung up on', async (_name, status) => {
    await using us = await endpoint({ t1: T1, session: { intervalSeconds: 90, minSeconds: 90 } });
    await using peer = await rawPeer();
    const { dialog } = await calling(us, peer, [
      'Session-Expires: 90;refresher=uac',
      'Allow: INVITE, UPDATE',
    ]);
    peer.send(answer(peer, await peer.next(/^UPDATE/), status), us.sip);
    expect((await dialog.ended).by).toBe('lost');
    await peer.next(/^BYE/);
  });

  test('[SIP17] a refresh that is refused is tried again, and by re-INVITE where UPDATE is not known after all', async () => {
    await using us = await endpoint({ t1: T1, session: { intervalSeconds: 90, minSeconds: 90 } });
    await using peer = await rawPeer();
    const { dialog } = await calling(us, peer, ['Session-Expires: 90;refresher=uac', 'Allow: UPDATE']);
    peer.send(answer(peer, await peer.next(/^UPDATE/), '501 What'), us.sip);
    const again = await peer.next(/^INVITE[^]*tag=t\r/);
    peer.send(
      answer(peer, again, '200 OK', { headers: ['Session-Expires: 90;refresher=uac'], body: sdp(6000) }),
      us.sip,
    );
    await peer.next(/^ACK/, peer.received.indexOf(again));
    expect(dialog.state).toBe('confirmed');
  });

  test('[SIP17] a peer that does not answer our refresh is lost', async () => {
    await using us = await endpoint({ t1: T1, session: { intervalSeconds: 90, minSeconds: 90 } });
    await using peer = await rawPeer();
    const { dialog } = await calling(us, peer, ['Allow: UPDATE']);
    await peer.next(/^UPDATE/);
    expect((await dialog.ended).by).toBe('lost');
  });

  test('[SIP17] without session timers nothing is said of them', async () => {
    await using us = await endpoint({ t1: 50, session: null });
    await using peer = await rawPeer();
    const { ok } = await called(us, peer, [TIMER, 'Session-Expires: 90']);
    expect(ok).not.toContain('Session-Expires');
  });
});
