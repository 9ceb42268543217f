import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, ME, sdp } from './helpers/endpoints.ts';
import { SIPP_ADDRESS, type Sipp, SKIPPED, sipp, sippIsThere } from './helpers/sipp.ts';

const whom = (peer: Sipp, protocol: 'udp' | 'tcp') => ({
  uri: `sip:13900002222@${SIPP_ADDRESS}:${peer.port}`,
  via: { protocol, address: SIPP_ADDRESS, port: peer.port } as const,
  from: ME,
  sdp: sdp(),
});

/** sipp says nothing when it listens: a call that comes too early over TCP is refused by the system. */
async function invite(
  from: Awaited<ReturnType<typeof endpoint>>,
  options: Parameters<typeof from.sip.invite>[0],
): Promise<Awaited<ReturnType<typeof from.sip.invite>['outcome']>> {
  return eventually('sipp listens', async () => {
    const outcome = await from.sip.invite(options).outcome;
    return outcome.type === 'failed' && outcome.why === 'unreachable' ? null : outcome;
  });
}

describe.skipIf(!sippIsThere).each(['udp', 'tcp'] as const)(`sipp over %s${SKIPPED}`, (protocol) => {
  test(`[SIP50] sipp calls and hangs up (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100, answer: (call) => (call.ringing(), call.answer(sdp())) });
    await using caller = await sipp('uac_bye', protocol, us.hop());
    await caller.done;
    await eventually('no call is left', () => us.sip.calls === 0);
    expect(us.errors).toEqual([]);
  });

  test(`[SIP50] sipp calls and is hung up on (${protocol})`, async () => {
    await using us = await endpoint({
      t1: 100,
      answer: (call) => {
        call.ringing();
        void call.answer(sdp()).bye();
      },
    });
    await using caller = await sipp('uac_wait', protocol, us.hop());
    await caller.done;
    await eventually('no call is left', () => us.sip.calls === 0);
  });

  test(`[SIP51] sipp calls somebody busy (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100, answer: (call) => call.refuse(486) });
    await using caller = await sipp('uac_busy', protocol, us.hop());
    await caller.done;
  });

  test(`[SIP52] sipp calls and gives up (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100, answer: (call) => call.ringing() });
    await using caller = await sipp('uac_cancel', protocol, us.hop());
    await caller.done;
    expect(us.calls[0]?.state).toBe('cancelled');
  });

  test(`[SIP53] sipp calls and nobody answers: Timer C ends it with 480 (${protocol})`, async () => {
    await using us = await endpoint({ t1: 5, answer: (call) => call.ringing() });
    await using caller = await sipp('uac_no_answer', protocol, us.hop());
    await caller.done;
    expect(us.calls[0]?.state).toBe('cancelled');
  });

  test(`[SIP54] the session sipp wants kept alive is refreshed by UPDATE (${protocol})`, async () => {
    await using us = await endpoint({ t1: 10 });
    await using caller = await sipp('uac_session', protocol, us.hop());
    const dialog = (await eventually('the call', () => us.calls[0])).answer(sdp());
    // 90 s are 1.8 s here, and a refresh comes at half of it. What arrives: INVITE, ACK, and two answers.
    await eventually('two refreshes', () => us.sip.statistics().received >= 4);
    expect(dialog.state).toBe('confirmed');
    await dialog.bye();
    await caller.done;
  });

  test(`[SIP55] sipp answers and is hung up on (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100 });
    await using callee = await sipp('uas_answer', protocol);
    const outcome = await invite(us, whom(callee, protocol));
    if (outcome.type !== 'answered') throw new Error(outcome.type);
    expect(outcome.sdp).toContain('m=audio 6000');
    await outcome.dialog.bye();
    await callee.done;
  });

  test(`[SIP55] sipp answers and hangs up (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100 });
    await using callee = await sipp('uas_bye', protocol);
    const outcome = await invite(us, whom(callee, protocol));
    if (outcome.type !== 'answered') throw new Error(outcome.type);
    expect((await outcome.dialog.ended).by).toBe('them');
    await callee.done;
  });

  test(`[SIP56] sipp is busy (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100 });
    await using callee = await sipp('uas_busy', protocol);
    expect(await invite(us, whom(callee, protocol))).toMatchObject({ type: 'refused', status: 486 });
    await callee.done;
  });

  test(`[SIP57] sipp rings until we give up (${protocol})`, async () => {
    await using us = await endpoint({ t1: 100 });
    await using callee = await sipp('uas_cancel', protocol);
    const giveUp = new AbortController();
    const outcome = await invite(us, {
      ...whom(callee, protocol),
      signal: giveUp.signal,
      onRinging: () => giveUp.abort(),
    });
    expect(outcome).toEqual({ type: 'cancelled' });
    await callee.done;
    await eventually('no transaction is left', () => us.sip.held.transactions === 0);
  });

  test(`[SIP58] sipp never says a word: Timer B ends it (${protocol})`, async () => {
    await using us = await endpoint({ t1: 20 });
    await using callee = await sipp('uas_silent', protocol);
    expect(await invite(us, whom(callee, protocol))).toEqual({ type: 'failed', why: 'timeout' });
    await callee.done;
  });

  // sipp verifies the answer to a 401; of the answer to a 407 it only looks at the fields.
  test.each(['uas_auth', 'uas_auth_proxy'])(
    `[SIP59] %s: sipp wants to know who calls (${protocol})`,
    async (scenario) => {
      await using us = await endpoint({ t1: 100 });
      await using callee = await sipp(scenario, protocol);
      const auth = { username: 'clinic', password: 's3cret' };
      const outcome = await invite(us, { ...whom(callee, protocol), auth });
      if (outcome.type !== 'answered') throw new Error(outcome.type);
      await outcome.dialog.bye();
      await callee.done;
    },
  );
});
