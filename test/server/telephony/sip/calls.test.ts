import { describe, expect, test } from 'vitest';
import type { DialogEnd, Info } from '../../../../server/telephony/sip/dialog-api.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, ME, sdp } from './helpers/endpoints.ts';

describe.each(['udp', 'tcp'] as const)('calls over %s', (protocol) => {
  test(`[SIP20] a call rings, is answered, and is hung up by the caller (${protocol})`, async () => {
    await using a = await endpoint();
    await using b = await endpoint({ answer: (call) => call.ringing() });
    const rings: number[] = [];
    const call = a.sip.invite({
      uri: b.uri,
      via: b.hop(protocol),
      from: ME,
      sdp: sdp(4000),
      onRinging: ({ status }) => rings.push(status),
    });
    const incoming = await eventually('the call', () => b.calls[0]);
    await eventually('the ring', () => rings.length > 0);
    expect(incoming.offer).toBe(sdp(4000));
    const answered = incoming.answer(sdp(5000));
    const outcome = await call.outcome;
    if (outcome.type !== 'answered') throw new Error(outcome.type);
    expect(outcome.sdp).toBe(sdp(5000));
    // Once more where the INVITE was sent again before the ring arrived.
    expect(new Set(rings)).toEqual(new Set([180]));
    await outcome.dialog.bye({ cause: 16 });
    expect(await answered.ended).toEqual({ by: 'them', cause: 16 });
    expect(await outcome.dialog.ended).toEqual({ by: 'us', cause: null });
    await eventually('nothing is held', () => a.sip.held.dialogs + b.sip.held.dialogs === 0);
    await eventually('no call is counted', () => a.sip.calls + b.sip.calls === 0);
    await eventually('no transaction is left', () => a.sip.held.transactions + b.sip.held.transactions === 0);
  });

  test(`[SIP20] the called one hangs up, and the caller is told once (${protocol})`, async () => {
    await using a = await endpoint();
    await using b = await endpoint({
      answer: (call) => {
        const dialog = call.answer(sdp());
        void dialog.bye();
      },
    });
    const outcome = await a.sip.invite({ uri: b.uri, via: b.hop(protocol), from: ME, sdp: sdp() }).outcome;
    if (outcome.type !== 'answered') throw new Error(outcome.type);
    const ends: DialogEnd[] = [];
    expect((await outcome.dialog.ended).by).toBe('them');
    // It was over before anybody listened.
    outcome.dialog.listen({ onBye: (end) => ends.push(end) });
    outcome.dialog.listen({ onBye: (end) => ends.push(end) });
    expect(ends).toEqual([{ by: 'them', cause: null }]);
  });

  test(`[SIP21] busy, declined and redirected are refusals with their status (${protocol})`, async () => {
    await using a = await endpoint();
    const statuses = [486, 603];
    await using b = await endpoint({
      answer: (call) => call.refuse(statuses.shift() ?? 500, { cause: 17, retryAfterSeconds: 5 }),
    });
    const busy = await a.sip.invite({ uri: b.uri, via: b.hop(protocol), from: ME, sdp: sdp() }).outcome;
    expect(busy).toEqual({ type: 'refused', status: 486, cause: 17, retryAfterSeconds: 5 });
    const declined = await a.sip.invite({ uri: b.uri, via: b.hop(protocol), from: ME, sdp: sdp() }).outcome;
    expect(declined).toMatchObject({ type: 'refused', status: 603 });
    await eventually('no call is counted', () => a.sip.calls + b.sip.calls === 0);
  });

  test(`[SIP22] a caller who gives up cancels the ring (${protocol})`, async () => {
    await using a = await endpoint();
    let cancelled = 0;
    await using b = await endpoint({
      answer: (call) => {
        call.onCancelled(() => {
          cancelled += 1;
        });
        call.ringing();
      },
    });
    const giveUp = new AbortController();
    const call = a.sip.invite({
      uri: b.uri,
      via: b.hop(protocol),
      from: ME,
      sdp: sdp(),
      signal: giveUp.signal,
      onRinging: () => giveUp.abort(),
    });
    expect(await call.outcome).toEqual({ type: 'cancelled' });
    await eventually('the cancel', () => cancelled === 1);
    expect(b.calls[0]?.state).toBe('cancelled');
    await eventually('nothing is held', () => a.sip.held.transactions + b.sip.held.transactions === 0);
    expect(a.sip.calls + b.sip.calls).toBe(0);
  });

  test(`[SIP23] both sides change the media of a running call, and may refuse to (${protocol})`, async () => {
    await using a = await endpoint();
    await using b = await endpoint();
    const call = a.sip.invite({ uri: b.uri, via: b.hop(protocol), from: ME, sdp: sdp() });
    const theirs = (await eventually('the call', () => b.calls[0])).answer(sdp(5000));
    const offers: string[] = [];
    theirs.listen({
      onOffer: (offer) => {
        offers.push(offer.sdp);
        if (offers.length === 1) offer.answer(sdp(5000, 2));
        else offer.refuse();
      },
    });
    const outcome = await call.outcome;
    if (outcome.type !== 'answered') throw new Error(outcome.type);
    const ours = outcome.dialog;
    expect(await ours.reinvite(sdp(4002, 2))).toEqual({ ok: true, sdp: sdp(5000, 2) });
    expect(await ours.reinvite(sdp(4004, 3))).toEqual({ ok: false, status: 488 });
    expect(offers).toEqual([sdp(4002, 2), sdp(4004, 3)]);
    ours.listen({ onOffer: (offer) => offer.answer(sdp(4002, 4)) });
    // Their ACK of ours may still be on its way: then it is 491, and asked again.
    const back = await eventually('their offer', async () => {
      const answered = await theirs.reinvite(sdp(5002, 3));
      return answered.ok ? answered : null;
    });
    expect(back.sdp).toBe(sdp(4002, 4));
    await ours.bye();
    expect(a.errors.concat(b.errors)).toEqual([]);
  });
});

test('[SIP24] when both ask at once each is told 491, waits, and both are heard in the end', async () => {
  await using a = await endpoint();
  await using b = await endpoint();
  const call = a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp() });
  const theirs = (await eventually('the call', () => b.calls[0])).answer(sdp(5000));
  const outcome = await call.outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  const ours = outcome.dialog;
  theirs.listen({ onOffer: (offer) => offer.answer(sdp(5000, 9)) });
  ours.listen({ onOffer: (offer) => offer.answer(sdp(4000, 9)) });
  await eventually(
    'the first acknowledgement',
    async () => (await theirs.info('text/plain', Buffer.from('x'))) !== null,
  );
  const [one, two] = await Promise.all([ours.reinvite(sdp(4002, 2)), theirs.reinvite(sdp(5002, 2))]);
  expect([one.ok, two.ok]).toEqual([true, true]);
});

test('[SIP25] digits of INFO arrive with both spellings', async () => {
  await using a = await endpoint();
  await using b = await endpoint();
  const call = a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp() });
  const theirs = (await eventually('the call', () => b.calls[0])).answer(sdp());
  const outcome = await call.outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  expect(await outcome.dialog.info('application/dtmf-relay', Buffer.from('Signal=5\r\n'))).toBe(415);
  const infos: Info[] = [];
  theirs.listen({ onInfo: (info) => infos.push(info) });
  const say = (type: string, body: string): Promise<number | null> =>
    outcome.dialog.info(type, Buffer.from(body));
  expect(await say('application/dtmf-relay', 'Signal= 5\r\nDuration= 160\r\n')).toBe(200);
  expect(await say('application/dtmf-relay', 'Signal=11\r\n')).toBe(200);
  expect(await say('application/dtmf', '*')).toBe(200);
  expect(await say('text/plain', 'Signal=5')).toBe(200);
  expect(infos.map(({ digit }) => digit)).toEqual(['5', '#', '*', null]);
});

test('[SIP26] one call more than allowed gets 503, and its end makes room', async () => {
  await using a = await endpoint();
  await using b = await endpoint({ maxCalls: 1, answer: (call) => call.answer(sdp()) });
  const invite = () => a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp() }).outcome;
  const first = await invite();
  if (first.type !== 'answered') throw new Error(first.type);
  expect(await invite()).toMatchObject({ type: 'refused', status: 503 });
  await first.dialog.bye();
  expect((await invite()).type).toBe('answered');
});

test('[SIP27] what nothing may be sent with is refused before it is sent', async () => {
  await using a = await endpoint();
  const good = {
    uri: 'sip:1@127.0.61.2',
    via: { protocol: 'udp', address: '127.0.61.2', port: 9 },
    from: ME,
    sdp: sdp(),
  } as const;
  expect(() => a.sip.invite({ ...good, headers: [['X-A', 'a\r\nX-B: b']] })).toThrow(TypeError);
  expect(() => a.sip.invite({ ...good, headers: [['Via', 'SIP/2.0/UDP x']] })).toThrow(TypeError);
  expect(() => a.sip.invite({ ...good, from: { ...ME, display: 'a\nb' } })).toThrow(TypeError);
  expect(() => a.sip.invite({ ...good, uri: 'sip:a b' })).toThrow(TypeError);
  expect(() => a.sip.invite({ ...good, via: { ...good.via, address: '192.0.2.1' } })).toThrow(TypeError);
  expect(a.sip.calls).toBe(0);
  expect(a.sip.statistics().sent).toBe(0);
});

test('[SIP28] closing says one last word to everybody, twice changes nothing', async () => {
  const a = await endpoint();
  await using b = await endpoint({
    answer: (call) => (b.calls.length === 1 ? call.answer(sdp()) : call.ringing()),
  });
  const talking = await a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp() }).outcome;
  let rings = 0;
  const onRinging = (): void => {
    rings += 1;
  };
  const ringing = a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp(), onRinging });
  const second = await eventually('the second call', () => b.calls[1]);
  await eventually('it rings', () => rings > 0);
  if (talking.type !== 'answered') throw new Error(talking.type);
  await Promise.all([a.sip.close(), a.sip.close()]);
  expect(await talking.dialog.ended).toEqual({ by: 'closed', cause: null });
  expect(await ringing.outcome).toEqual({ type: 'cancelled' });
  await eventually('the other heard of it', () => second.state === 'cancelled' && b.sip.calls === 0);
});

test('[SIP29] a dialog of before a restart is ended by what was written down of it', async () => {
  await using b = await endpoint();
  const a = await endpoint();
  const call = a.sip.invite({ uri: b.uri, via: b.hop(), from: ME, sdp: sdp() });
  const theirs = (await eventually('the call', () => b.calls[0])).answer(sdp());
  const outcome = await call.outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  const snapshot = JSON.parse(JSON.stringify(outcome.dialog.snapshot()));
  await using again = await endpoint();
  await again.sip.endLost(snapshot);
  expect((await theirs.ended).by).toBe('them');
  await a.sip.close();
});
