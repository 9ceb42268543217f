import { expect, test } from 'vitest';
import { number } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { ANN, BOB, CARA, endOf, hears, OTHER_X, STRANGER, tellsNoNumberOf, X } from './people.ts';
import { headerOf, RawPhone, reply } from './raw-phone.ts';
import { startStage } from './stage.ts';

const turned = (stage: Awaited<ReturnType<typeof startStage>>) => stage.relay.figures().counts.turnedAway;

test('[RLY10] a stranger hears that the number is not for them, is hung up, and nobody is rung', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(STRANGER, X);
  const talk = await caller.talk();
  await hears(talk.phone, 'stranger');
  expect(await talk.ended).toMatchObject({ by: 'them' });
  expect(stage.rung).toEqual([]);
  expect(turned(stage).stranger).toBe(1);
  tellsNoNumberOf(stage);
});

test('[RLY10] who hides their number is a stranger', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(null, X);
  await hears((await caller.talk()).phone, 'stranger', { frames: 50 });
  expect(stage.core.asked[0]?.from).toBeNull();
});

test.each([
  [OTHER_X, 404],
  [number('+8612345678901'), 404],
] as const)('[RLY11] a number that is nobody’s is refused without a word (%#)', async (x, status) => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, x);
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status });
  expect(stage.rung).toEqual([]);
});

test('[RLY11] a direction that is not allowed is refused, and nobody is rung', async () => {
  await using stage = await startStage();
  await stage.bind({ direction: 'a_calls' });
  await using caller = await stage.dial(BOB, X);
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 403 });
  expect(stage.rung).toEqual([]);
});

test('[RLY12] whoever dials X after the visit hears that it is over, in the language of the decision', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  stage.core.unbound(bound.bindingId);
  await stage.relay.unbind(bound, 'visit_ended');
  await using caller = await stage.dial(ANN, X);
  const talk = await caller.talk();
  await hears(talk.phone, 'expired', { frames: 50 });
  expect(stage.rung).toEqual([]);
});

test.each(['throws', 'silent'] as const)(
  '[RLY13] when the store %s nobody is connected: the caller hears to try later',
  async (mood) => {
    await using stage = await startStage({ settings: { timings: { decideMs: 200 } } });
    await stage.bind();
    stage.core.mood = mood;
    await using caller = await stage.dial(ANN, X);
    await hears((await caller.talk()).phone, 'unavailable', { frames: 50 });
    expect(stage.rung).toEqual([]);
    stage.core.mood = 'up';
    stage.core.letGo();
    // What is decided too late has become no call, and the store is told so.
    if (mood === 'silent') await endOf(stage, 'failed');
  },
);

test('[RLY14] [P3] a destination outside the allow-list is never dialled, whoever decided', async () => {
  await using stage = await startStage({
    settings: { destinations: { allowed: ['+861390'], denied: [], lines: new Set(['MOBILE']) } },
  });
  await stage.bind({ b: CARA });
  await stage.bind({ b: BOB, x: OTHER_X });
  await using caller = await stage.dial(ANN, X);
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 480 });
  await endOf(stage, 'failed');
  await using other = await stage.dial(ANN, OTHER_X);
  const ringing = await stage.rings();
  expect(ringing.requestUri.user).toBe(BOB);
  expect(stage.rung).toHaveLength(1);
  other.call.cancel();
  tellsNoNumberOf(stage);
});

test('[RLY15] beyond the most calls at once one more is refused, and taken again when a line is free', async () => {
  await using stage = await startStage({ settings: { maxCalls: 1 } });
  await stage.bind();
  await stage.bind({ a: CARA, b: STRANGER, x: OTHER_X });
  await using first = await stage.dial(ANN, X);
  await stage.rings();
  await using second = await stage.dial(CARA, OTHER_X);
  expect(await second.call.outcome).toMatchObject({ type: 'refused', status: 503, retryAfterSeconds: 10 });
  first.call.cancel();
  await eventually('the line is free', () => stage.relay.figures().calls === 0);
  await using third = await stage.dial(CARA, OTHER_X);
  await stage.rings(1);
  third.call.cancel();
});

test('[RLY15] beyond the most announcements a stranger gets a plain refusal', async () => {
  await using stage = await startStage({ settings: { maxAnnouncements: 1 } });
  await stage.bind();
  await using first = await stage.dial(STRANGER, X);
  await first.talk();
  await using second = await stage.dial(STRANGER, X);
  expect(await second.call.outcome).toMatchObject({ type: 'refused', status: 403 });
});

test('[RLY16] sources that are not the trunk get nothing at all', async () => {
  await using stage = await startStage({ settings: { sources: ['127.0.71.1'] } });
  await stage.bind();
  const before = stage.relay.figures().sip?.unknownSources ?? 0;
  const { createSocket } = await import('node:dgram');
  const socket = createSocket('udp4');
  let answers = 0;
  socket.on('message', () => {
    answers += 1;
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.71.99', resolve));
  socket.send(Buffer.from('OPTIONS sip:x SIP/2.0\r\n\r\n'), stage.relay.port, '127.0.71.50');
  await eventually(
    'it was seen and dropped',
    () => (stage.relay.figures().sip?.unknownSources ?? 0) > before,
  );
  expect(answers).toBe(0);
  await new Promise<void>((resolve) => socket.close(resolve));
});

test('[RLY17] the relay can be reached when the trunk answers, and not when it does not', async () => {
  await using stage = await startStage({ settings: { timings: { keepAliveMs: 50 } } });
  await stage.relay.check();
  expect(stage.relay.figures().trunk).toBe('up');
  await stage.carrier.close();
  await eventually('the trunk is seen to be down', () => stage.relay.figures().trunk === 'down', {
    withinMs: 15_000,
  });
  await expect(stage.relay.check()).rejects.toMatchObject({ reason: 'unavailable' });
});

test('[RLY18] what was unbound while it was being decided is not connected', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  stage.core.mood = 'silent';
  await using caller = await stage.dial(ANN, X);
  await eventually('the store is asked', () => stage.core.asked.length === 1);
  await stage.relay.unbind(bound, 'visit_ended');
  stage.core.mood = 'up';
  stage.core.letGo();
  expect(await caller.call.outcome).toMatchObject({ type: 'refused' });
  expect(stage.rung).toEqual([]);
  await endOf(stage, 'failed');
});

test('[RLY18] a trunk that is none of its own sources stops the start', async () => {
  await expect(startStage({ settings: { sources: ['192.0.2.0/24'] } })).rejects.toThrow(/trunk/);
});

test('[RLY19] the trunk’s challenge is answered with our credentials, on the same call', async () => {
  await using trunk = await RawPhone.at('127.0.71.41');
  trunk.onRequest = (text) => {
    if (text.startsWith('ACK')) return null;
    const authorized = headerOf(text, 'Proxy-Authorization');
    if (text.startsWith('OPTIONS') || authorized !== '')
      return reply(text, text.startsWith('INVITE') ? '486 Busy Here' : '200 OK', { tag: 'trunk' });
    return reply(text, '407 Proxy Authentication Required', {
      tag: 'trunk',
      lines: ['Proxy-Authenticate: Digest realm="carrier", nonce="once", qop="auth"'],
    });
  };
  await using stage = await startStage({
    settings: {
      trunk: { host: '127.0.71.41', port: trunk.port, transport: 'udp' },
      credentials: { user: 'clinic', password: 'secret' },
    },
  });
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 486 });
  const invites = trunk.received.filter((text) => text.startsWith('INVITE'));
  expect(invites).toHaveLength(2);
  expect(headerOf(invites[1] ?? '', 'Proxy-Authorization')).toContain('username="clinic"');
  expect(new Set(invites.map((text) => headerOf(text, 'Call-ID'))).size).toBe(1);
  expect(headerOf(invites[0] ?? '', 'P-Asserted-Identity')).toContain(X);
  expect(stage.log.text).not.toContain('secret');
});

test('[RLY19] numbers are written as the trunk wants them', async () => {
  await using stage = await startStage({ settings: { numbers: 'digits' } });
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  expect([ringing.requestUri.user, ringing.from.uri.user]).toEqual([BOB.slice(1), X.slice(1)]);
  caller.call.cancel();
});
