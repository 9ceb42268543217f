import { mirrored, parseSdp, writeOffer } from '@teleconsult/server/telephony/sip/sdp';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, soundOf } from '../rtp/telephone.ts';
import { ANN, BOB, endOf, hears, talkBothWays, tellsNoNumberOf, X } from './people.ts';
import { offerOf, pickUp, placeIn, startStage } from './stage.ts';

test('[RLY1] two people talk through X, each hears the other, and whoever called hangs up', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  expect(ringing.requestUri.user).toBe(BOB);
  expect(ringing.from.uri.user).toBe(X);
  ringing.ringing();
  await eventually('the caller hears it ring', () => caller.rang.includes(180));
  await using bob = await pickUp(ringing);
  const ann = await caller.talk();
  await talkBothWays(ann, bob);
  expect(levelOf(440, soundOf(ann.phone.arrived))).toBeLessThan(0.05);
  await ann.dialog.bye();
  expect(await bob.ended).toMatchObject({ by: 'them' });
  expect(await endOf(stage, 'completed')).toMatchObject({
    types: ['answered', 'ended', 'ringing'],
    callers: ['a'],
  });
  await eventually('nothing is held any more', () => stage.relay.figures().calls === 0);
  tellsNoNumberOf(stage);
});

test('[RLY1] whoever was called hangs up', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(BOB, X);
  const ringing = await stage.rings();
  expect(ringing.requestUri.user).toBe(ANN);
  await using callee = await pickUp(ringing);
  const talk = await caller.talk();
  await talkBothWays(talk, callee);
  await callee.dialog.bye();
  expect(await talk.ended).toMatchObject({ by: 'them' });
  expect(await endOf(stage, 'completed')).toMatchObject({ callers: ['b'] });
});

test('[RLY2] a caller who gives up while it rings stops the ringing, and has cancelled', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  ringing.ringing();
  await eventually('it rings', () => caller.rang.includes(180));
  caller.call.cancel();
  await eventually('the other phone is quiet', () => ringing.state === 'cancelled');
  expect(await endOf(stage, 'cancelled')).toMatchObject({ talkMs: 0, types: ['ended', 'ringing'] });
});

test('[RLY2] an answer that crosses a cancel is hung up at once', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  ringing.ringing();
  await eventually('it rings', () => caller.rang.includes(180));
  caller.call.cancel();
  await using bob = await pickUp(ringing);
  await bob.ended;
  await endOf(stage, 'cancelled');
});

test.each([
  [486, 486, 'busy'],
  [600, 486, 'busy'],
  [603, 603, 'declined'],
  [480, 480, 'no_answer'],
  [404, 480, 'failed'],
  [500, 503, 'failed'],
] as const)(
  '[RLY3] a callee whose phone says %i is %i to the caller, and told as %s',
  async (said, got, end) => {
    await using stage = await startStage();
    await stage.bind();
    await using caller = await stage.dial(ANN, X);
    (await stage.rings()).refuse(said);
    expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: got });
    await endOf(stage, end);
  },
);

test('[RLY3] who is not answered in time is told so, and the phone stops ringing', async () => {
  await using stage = await startStage();
  await stage.bind({ ringMs: 150 });
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  ringing.ringing();
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 480 });
  await eventually('the phone is quiet', () => ringing.state === 'cancelled');
  await endOf(stage, 'no_answer');
});

test('[RLY4] a phone that holds is not heard and hears nothing, and both hear each other again after it', async () => {
  await using stage = await startStage({ settings: { timings: { silentMs: 1_000, watchEveryMs: 50 } } });
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  const ann = await caller.talk();
  await talkBothWays(ann, bob);
  const hold = offerOf(ann.phone, 2).replace('a=sendrecv', 'a=sendonly');
  const held = await ann.dialog.reinvite(hold);
  if (!held.ok) throw new Error('the hold was refused');
  expect(parseSdp(held.sdp)?.direction).toBe(mirrored('send'));
  // Nobody speaks, and nobody is hung up for it.
  const heldAt = performance.now();
  await eventually('more time than silence may last', () => performance.now() - heldAt > 2_000);
  expect(ann.dialog.state).toBe('confirmed');
  const resumed = await ann.dialog.reinvite(offerOf(ann.phone, 3));
  if (!resumed.ok) throw new Error('it stayed on hold');
  await talkBothWays({ ...ann, to: placeIn(resumed.sdp) }, bob);
});

test('[RLY4] an offer without sound we know is refused, and the call goes on as it was', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  const ann = await caller.talk();
  const video = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n';
  expect(await ann.dialog.reinvite(video)).toEqual({ ok: false, status: 488 });
  await talkBothWays(ann, bob);
});

test('[RLY5] phones that speak by different laws hear each other', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  const ann = await caller.talk();
  const muLaw = writeOffer({
    host: ann.phone.host,
    port: ann.phone.port,
    codecs: [0],
    telephoneEvent: null,
    direction: 'both',
    session: { id: 7, version: 2 },
  });
  const changed = await ann.dialog.reinvite(muLaw);
  expect(changed.ok && parseSdp(changed.sdp)?.codecs).toEqual([0]);
  const before = { ann: ann.phone.arrived.length, bob: bob.phone.arrived.length };
  await Promise.all([
    ann.phone.tone(ann.to, { frequency: 440, frames: 30, law: 0, everyMs: 20 }),
    bob.phone.tone(bob.to, { frequency: 1_000, frames: 30, everyMs: 20 }),
  ]);
  const byAnn = soundOf(ann.phone.arrived.slice(before.ann)).subarray(-3_200);
  const byBob = soundOf(bob.phone.arrived.slice(before.bob)).subarray(-3_200);
  expect(levelOf(1_000, byAnn, 0)).toBeGreaterThan(0.6);
  expect(levelOf(440, byBob, 8)).toBeGreaterThan(0.6);
});

test('[RLY7] two who are not heard any more are hung up, and the call is told as lost', async () => {
  const stageOptions = { settings: { timings: { silentMs: 1_500, watchEveryMs: 50 } } };
  await using stage = await startStage(stageOptions);
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  const ann = await caller.talk();
  await talkBothWays(ann, bob);
  expect(await ann.ended).toMatchObject({ by: 'them' });
  expect(await bob.ended).toMatchObject({ by: 'them' });
  await endOf(stage, 'lost');
  expect(stage.relay.figures().counts.silent).toBe(1);
});

test('[RLY8] a call is told that its time is nearly over, and ends when it is, with words to both', async () => {
  const stageOptions = { settings: { timings: { warnBeforeMs: 4_000 } } };
  await using stage = await startStage(stageOptions);
  await stage.bind({ maxTalkMs: 8_000 });
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  const ann = await caller.talk();
  await Promise.all([hears(ann.phone, 'time_nearly_over'), hears(bob.phone, 'time_nearly_over')]);
  await Promise.all([hears(ann.phone, 'time_over'), hears(bob.phone, 'time_over')]);
  await Promise.all([ann.ended, bob.ended]);
  await endOf(stage, 'time_over');
});

test('[RLY9] keys pass from one phone to the other, in the sound and by signalling', async () => {
  const infos: string[] = [];
  await using stage = await startStage();
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  bob.dialog.listen({ onInfo: ({ digit }) => void infos.push(digit ?? 'none') });
  const ann = await caller.talk();
  expect(await ann.dialog.info('application/dtmf-relay', Buffer.from('Signal=7\r\nDuration=160\r\n'))).toBe(
    200,
  );
  await eventually('the key arrives by signalling', () => infos.includes('7'));
  for (let repeat = 0; repeat < 4; repeat += 1)
    ann.phone.frame(ann.to, {
      payloadType: 101,
      marker: repeat === 0,
      payload: Uint8Array.from([5, repeat === 3 ? 0x8a : 0x0a, 0, 160 * (repeat + 1)]),
      timestamp: 160_000,
    });
  await eventually('the key arrives in the sound', () =>
    bob.phone.arrived.some(({ packet }) => packet.payloadType === 101 && packet.payload[0] === 5),
  );
});
