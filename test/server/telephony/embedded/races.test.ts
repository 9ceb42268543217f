/** Several ends at once: a call ends once, both phones are free, and nothing is left. */
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { Telephone } from '../rtp/telephone.ts';
import { ANN, endOf, hears, keptTape, talkBothWays, X } from './people.ts';
import { CALLEE_HOST, pickUp, type Stage, startStage } from './stage.ts';

const ends = (stage: Stage): string[] =>
  [...stage.core.events.values()].flatMap(({ what }) => (what.type === 'ended' ? [what.end] : []));

/** The figures count each call once, its ports are given back, and a restart would find nothing. */
async function isOverOnce(stage: Stage, calls = 1): Promise<void> {
  const left = async () => {
    const { calls: running, sessions, untold, unwritten } = stage.relay.figures();
    return { running, sessions, untold, unwritten, files: await readdir(stage.table) };
  };
  let last: unknown;
  await eventually(
    'nothing is left',
    async () => {
      const now = await left();
      last = now;
      return now.running + now.sessions + now.untold + now.unwritten + now.files.length === 0;
    },
    { lastSeen: () => last, withinMs: 15_000 },
  );
  const { ended } = stage.relay.figures().counts;
  expect(Object.values(ended).reduce((sum, count) => sum + count, 0)).toBe(calls);
  expect(ends(stage)).toHaveLength(calls);
}

test('[RLY94] both hang up, the visit ends and the call is ended twice, all in one moment: it ends once', async () => {
  const tape = keptTape();
  await using stage = await startStage({ openTape: async () => tape });
  const bound = await stage.bind({ recorded: true });
  await using caller = await stage.dial(ANN, X);
  const ann = await caller.talk();
  await using bob = await pickUp(await stage.rings());
  await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
  await talkBothWays(ann, bob);
  const callRef = stage.core.asked[0]?.callRef ?? '';
  await Promise.all([
    ann.dialog.bye(),
    bob.dialog.bye(),
    stage.relay.endCall(callRef, 'time_over'),
    stage.relay.endCall(callRef, null),
    stage.relay.unbind(bound, 'visit_ended'),
  ]);
  await isOverOnce(stage);
  expect(tape.closed).toBe(1);
});

test('[RLY94] a caller who gives up in the moment the other answers leaves nobody talking to nobody', async () => {
  await using stage = await startStage();
  await stage.bind();
  for (let round = 0; round < 6; round += 1) {
    await using caller = await stage.dial(ANN, X);
    const ringing = await stage.rings(round);
    ringing.ringing();
    await eventually('it rings', () => caller.rang.length > 0);
    const phone = await Telephone.at(CALLEE_HOST);
    // One before the other, and the other way round.
    if (round % 2 === 0) caller.call.cancel();
    await using bob = await pickUp(ringing, phone);
    if (round % 2 === 1) caller.call.cancel();
    await bob.ended;
    await eventually('it has ended', () => ends(stage).length === round + 1);
  }
  await isOverOnce(stage, 6);
});

test('[RLY94] a visit that ends while its phone rings stops the ringing, and what is answered then is hung up', async () => {
  await using stage = await startStage();
  const bound = await stage.bind();
  await using caller = await stage.dial(ANN, X);
  const ringing = await stage.rings();
  const phone = await Telephone.at(CALLEE_HOST);
  const unbinding = stage.relay.unbind(bound, 'visit_ended');
  await using bob = await pickUp(ringing, phone);
  await unbinding;
  await bob.ended;
  expect((await caller.call.outcome).type).toBe('refused');
  await endOf(stage, 'unbound');
  await isOverOnce(stage);
});

test('[RLY94] a visit that ends while the tape is being opened leaves an empty tape, closed', async () => {
  const tape = keptTape();
  const opening = Promise.withResolvers<typeof tape>();
  let asked = 0;
  await using stage = await startStage({
    openTape: () => {
      asked += 1;
      return opening.promise;
    },
  });
  const bound = await stage.bind({ recorded: true });
  await using caller = await stage.dial(ANN, X);
  const ann = await caller.talk();
  await using bob = await pickUp(await stage.rings());
  await eventually('the tape is asked for', () => asked === 1, { withinMs: 15_000 });
  const unbinding = stage.relay.unbind(bound, 'visit_ended');
  await Promise.all([hears(ann.phone, 'visit_ended'), hears(bob.phone, 'visit_ended')]);
  opening.resolve(tape);
  await unbinding;
  await isOverOnce(stage);
  expect({ closed: tape.closed, bytes: tape.bytes().length }).toEqual({ closed: 1, bytes: 0 });
});
