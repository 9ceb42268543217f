import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, soundOf } from '../rtp/telephone.ts';
import {
  ANN,
  BOB,
  CARA,
  endOf,
  hears,
  OTHER_X,
  STRANGER,
  talkBothWays,
  tellsNoNumberOf,
  X,
} from './people.ts';
import { pickUp, type Stage, startStage } from './stage.ts';

async function talking(stage: Stage, n = 0, [from, x] = [ANN, X] as const) {
  const caller = await stage.dial(from, x);
  const callee = await pickUp(await stage.rings(n));
  const talk = await caller.talk();
  return {
    ann: talk,
    bob: callee,
    async [Symbol.asyncDispose]() {
      await callee[Symbol.asyncDispose]();
      await caller[Symbol.asyncDispose]();
    },
  };
}

test('[RLY30] when the visit ends both hear so, are hung up, and X connects neither any more', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  await using call = await talking(stage);
  const { ann, bob } = call;
  await talkBothWays(ann, bob);
  stage.core.unbound(bound.bindingId);
  const unbinding = stage.relay.unbind(bound, 'visit_ended');
  await Promise.all([hears(ann.phone, 'visit_ended'), hears(bob.phone, 'visit_ended')]);
  await unbinding;
  expect(await ann.ended).toMatchObject({ by: 'them' });
  expect(await bob.ended).toMatchObject({ by: 'them' });
  await endOf(stage, 'unbound');
  for (const who of [ANN, BOB]) {
    await using again = await stage.dial(who, X);
    await hears((await again.talk()).phone, 'expired', { frames: 50 });
  }
  expect(stage.rung).toHaveLength(1);
  tellsNoNumberOf(stage);
});

test('[RLY30] from the moment the visit ends neither hears the other, while the reason is still spoken', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  await using call = await talking(stage);
  const { ann, bob } = call;
  await talkBothWays(ann, bob);
  const unbinding = stage.relay.unbind(bound, 'visit_ended');
  const from = bob.phone.arrived.length + 5;
  await ann.phone.tone(ann.to, { frequency: 440, frames: 50, everyMs: 20 });
  expect(levelOf(440, soundOf(bob.phone.arrived.slice(from)))).toBeLessThan(0.1);
  await unbinding;
});

test('[RLY31] unbinding ends the call of that binding, and no other by the same X', async () => {
  await using stage = await startStage({ settings: { timings: { lastWordsMs: 200 } } });
  const bound = await stage.bind();
  await stage.bind({ a: CARA, b: STRANGER });
  await using call = await talking(stage);
  await using other = await talking(stage, 1, [CARA, X]);
  await stage.relay.unbind(bound, 'refused');
  await call.ann.ended;
  await talkBothWays(other.ann, other.bob);
});

test('[RLY31] unbinding while it rings stops the ringing, and the caller is refused', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  ringing.ringing();
  await eventually('it rings', () => caller.rang.includes(180));
  await stage.relay.unbind(bound, 'visit_ended');
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 480 });
  await eventually('the phone is quiet', () => ringing.state === 'cancelled');
  await endOf(stage, 'unbound');
});

test.each([
  ['visit_ended', 'unbound'],
  ['time_over', 'time_over'],
  [null, 'completed'],
] as const)('[RLY32] a call that is ended with %s is told as %s', async (why, end) => {
  await using stage = await startStage({ settings: { timings: { lastWordsMs: 200 } } });
  await stage.bind();
  await using call = await talking(stage);
  const callRef = stage.core.asked[0]?.callRef ?? '';
  await Promise.all([stage.relay.endCall(callRef, why), stage.relay.endCall(callRef, why)]);
  await Promise.all([call.ann.ended, call.bob.ended]);
  await endOf(stage, end);
  await stage.relay.endCall(callRef, why);
  await stage.relay.endCall('never-was', 'visit_ended');
});

test('[RLY33] a server that stops hangs both up and tells what became of the call', async () => {
  await using stage = await startStage();
  await stage.bind();
  await using call = await talking(stage);
  await talkBothWays(call.ann, call.bob);
  await stage.relay.close();
  await stage.relay.close();
  expect(await call.ann.ended).toMatchObject({ by: 'them' });
  expect(await call.bob.ended).toMatchObject({ by: 'them' });
  await endOf(stage, 'lost');
  await using late = await stage.dial(ANN, OTHER_X);
  expect(await late.call.outcome).toMatchObject({ type: 'failed' });
});

test('[RLY34] what could not be kept is told until it is, in its order', async () => {
  await using stage = await startStage();
  await stage.bind();
  stage.core.failingEvents = 4;
  await using call = await talking(stage);
  await call.ann.dialog.bye();
  expect(await endOf(stage, 'completed')).toMatchObject({ types: ['answered', 'ended', 'ringing'] });
  expect([...stage.core.events.values()].map(({ what }) => what.type)).toEqual([
    'ringing',
    'answered',
    'ended',
  ]);
  await eventually('nothing waits any more', () => stage.relay.figures().untold === 0);
});
