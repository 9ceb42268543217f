import type { OpenTape } from '@teleconsult/server/telephony/ports';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, sidesOf } from '../rtp/telephone.ts';
import { ANN, endOf, hears, keptTape, talkBothWays, tellsNoNumberOf, X } from './people.ts';
import { pickUp, startStage } from './stage.ts';

describe('a recorded call', () => {
  test('[RLY40] both hear the notice to its end before the tape is even opened', async () => {
    const tape = keptTape();
    const opened: number[] = [];
    const openTape: OpenTape = async () => {
      opened.push(performance.now());
      return tape;
    };
    await using stage = await startStage({ openTape });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    // The caller's phone is answered first: the notice is said to them while the other rings.
    const ann = await caller.talk();
    await hears(ann.phone, 'recorded');
    expect(opened).toEqual([]);
    await using bob = await pickUp(await stage.rings());
    await hears(bob.phone, 'recorded');
    const lastWordAt = bob.phone.arrived.at(-1)?.at ?? Number.POSITIVE_INFINITY;
    await eventually('the tape is opened', () => opened.length === 1);
    expect(opened[0]).toBeGreaterThan(lastWordAt - 100);
    await talkBothWays(ann, bob);
    await ann.dialog.bye();
    await endOf(stage, 'completed');
    expect(tape.closed).toBe(1);
    const { left, right } = sidesOf(tape.bytes());
    // The caller is left, and what was said before the notice was over is not on it.
    const seconds = left.length / 8_000;
    expect(seconds).toBeLessThan(6);
    const loudest = (frequency: number, side: Uint8Array): number => {
      let most = 0;
      for (let at = 0; at + 1_600 <= side.length; at += 400)
        most = Math.max(most, levelOf(frequency, side.subarray(at, at + 1_600)));
      return most;
    };
    expect({ left: loudest(440, left) > 0.6, right: loudest(1_000, right) > 0.6 }).toEqual({
      left: true,
      right: true,
    });
    expect({ left: loudest(1_000, left) < 0.2, right: loudest(440, right) < 0.2 }).toEqual({
      left: true,
      right: true,
    });
    tellsNoNumberOf(stage);
  });

  test('[RLY41] a caller hears it ring while the other is rung, and why, when nobody answers', async () => {
    await using stage = await startStage({ openTape: async () => keptTape() });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    const ringing = await stage.rings();
    ringing.ringing();
    await hears(ann.phone, 'recorded');
    await eventually('it rings', () => {
      const last = Buffer.concat(ann.phone.arrived.slice(-20).map(({ packet }) => packet.payload));
      return levelOf(450, last) > 0.3;
    });
    ringing.refuse(486);
    await hears(ann.phone, 'busy');
    expect(await ann.ended).toMatchObject({ by: 'them' });
    await endOf(stage, 'busy');
  });

  test('[RLY41] a caller who hangs up during the notice has cancelled, and the phone stops ringing', async () => {
    await using stage = await startStage({ openTape: async () => keptTape() });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    const ringing = await stage.rings();
    ringing.ringing();
    await eventually('words are heard', () => ann.phone.arrived.length > 10);
    await ann.dialog.bye();
    await eventually('the phone is quiet', () => ringing.state === 'cancelled');
    expect(await endOf(stage, 'cancelled')).toMatchObject({ talkMs: 0 });
  });

  test.each([
    ['is not given', async () => null],
    [
      'fails to open',
      async () => {
        throw new Error('no store');
      },
    ],
  ] satisfies [string, OpenTape][])(
    '[RLY42] when the tape %s the call goes on, not recorded, and it is counted',
    async (_, openTape) => {
      await using stage = await startStage({ openTape });
      await stage.bind({ recorded: true });
      await using caller = await stage.dial(ANN, X);
      const ann = await caller.talk();
      await using bob = await pickUp(await stage.rings());
      await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
      await talkBothWays(ann, bob);
      await eventually('it is counted', () => stage.relay.figures().counts.notRecorded === 1);
    },
  );

  test('[RLY42] a tape that fails in the middle ends the recording, not the call', async () => {
    const tape = keptTape();
    let appended = 0;
    const append = tape.append.bind(tape);
    tape.append = (samples) => {
      appended += 1;
      if (appended > 1) throw new Error('the disk is full');
      append(samples);
    };
    await using stage = await startStage({ openTape: async () => tape });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    await using bob = await pickUp(await stage.rings());
    await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
    await talkBothWays(ann, bob);
    await talkBothWays(ann, bob);
    await eventually('it is counted', () => stage.relay.figures().counts.notRecorded === 1);
    await talkBothWays(ann, bob);
    await bob.dialog.bye();
    await endOf(stage, 'completed');
    expect(tape.closed).toBe(1);
  });

  test('[RLY43] people do not wait for a slow tape: they talk, and it begins when it is there', async () => {
    const tape = keptTape();
    const { promise, resolve } = Promise.withResolvers<typeof tape>();
    await using stage = await startStage({
      openTape: () => promise,
      settings: { timings: { tapeMs: 50 } },
    });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    await using bob = await pickUp(await stage.rings());
    await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
    await talkBothWays(ann, bob);
    resolve(tape);
    await eventually('it is being recorded', async () => {
      await talkBothWays(ann, bob);
      return tape.bytes().length > 0;
    });
  });

  test('[RLY43] a tape that comes after the call has ended is closed, and empty', async () => {
    const tape = keptTape();
    const { promise, resolve } = Promise.withResolvers<typeof tape>();
    await using stage = await startStage({
      openTape: () => promise,
      settings: { timings: { tapeMs: 50 } },
    });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    await using bob = await pickUp(await stage.rings());
    await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
    await talkBothWays(ann, bob);
    await ann.dialog.bye();
    await bob.ended;
    resolve(tape);
    await endOf(stage, 'completed');
    expect(tape.closed).toBe(1);
    expect(tape.bytes()).toHaveLength(0);
  });

  test('[RLY44] without anywhere to record to the relay says so, and records nothing', async () => {
    await using stage = await startStage();
    expect(stage.relay.capabilities.recording).toBe('none');
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    await using bob = await pickUp(await stage.rings());
    await talkBothWays(await caller.talk(), bob);
    expect(stage.relay.figures().counts.notRecorded).toBe(1);
  });
});
