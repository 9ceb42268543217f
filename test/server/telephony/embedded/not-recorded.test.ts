/** Who is recorded knows it, and what was to be recorded and is not is told. */

import { RELAY_TIMINGS } from '@teleconsult/server/telephony/embedded/settings';
import { WaysOut } from '@teleconsult/server/telephony/embedded/ways-out';
import type { OpenTape } from '@teleconsult/server/telephony/ports';
import { LONGEST_PROMPT_MS } from '@teleconsult/server/telephony/prompts/prompts';
import { writeOffer } from '@teleconsult/server/telephony/sip/sdp';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import type { Telephone } from '../rtp/telephone.ts';
import { aCall, openTapeStage, phoneSound } from '../tape/tape.fixtures.ts';
import { ANN, endOf, hears, keptTape, talkBothWays, tellsNoNumberOf, X } from './people.ts';
import { pickUp, type Stage, settingsFor, startStage } from './stage.ts';

const notRecorded = (stage: Stage): string[] =>
  [...stage.core.events.values()].flatMap(({ what }) => (what.type === 'not_recorded' ? [what.why] : []));

const noTape: Record<string, OpenTape | null> = {
  'is not given': async () => null,
  'throws at once': () => {
    throw new Error('no store');
  },
  'does not exist here': null,
};

test.each(Object.entries(noTape))(
  '[RLY85] that a call is not recorded because its tape %s is told once, and the call goes on',
  async (_, openTape) => {
    await using stage = await startStage({ openTape });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    await using bob = await pickUp(await stage.rings());
    const ann = await caller.talk();
    await eventually('it is told', () => notRecorded(stage).length > 0, { withinMs: 15_000 });
    await talkBothWays(ann, bob);
    await bob.dialog.bye();
    await endOf(stage, 'completed');
    expect(notRecorded(stage)).toEqual(['no_tape']);
    expect(stage.relay.figures().counts.notRecorded).toBe(1);
    tellsNoNumberOf(stage);
  },
);

test.each(['throws', 'says that it is lost'])(
  '[RLY86] that a tape %s in the middle of a call is told once, and what is on it stays',
  async (how) => {
    const tape = keptTape();
    const losers: (() => void)[] = [];
    let isFull = false;
    const append = tape.append.bind(tape);
    tape.append = (samples) => {
      if (isFull) throw new Error('the disk is full');
      append(samples);
    };
    tape.onLost = (listener) => void losers.push(listener);
    await using stage = await startStage({ openTape: async () => tape });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    await using bob = await pickUp(await stage.rings());
    await Promise.all([hears(ann.phone, 'recorded'), hears(bob.phone, 'recorded')]);
    await talkBothWays(ann, bob);
    await eventually('something is on it', () => tape.bytes().length > 0);
    expect(notRecorded(stage)).toEqual([]);
    if (how === 'throws') isFull = true;
    else for (const lose of losers) lose();
    await eventually('it is told', () => notRecorded(stage).length > 0);
    const kept = tape.bytes().length;
    await talkBothWays(ann, bob);
    await bob.dialog.bye();
    await endOf(stage, 'completed');
    expect(notRecorded(stage)).toEqual(['tape_failed']);
    expect(tape.closed).toBe(1);
    // What was on its way when it failed may still come.
    expect(tape.bytes().length).toBeLessThan(kept + 16_000);
  },
);

test('[RLY86] the tape of the vault says that it takes nothing more, and one that is closed does not', async () => {
  await using stage = await openTapeStage();
  const tapes = stage.open({ maxBytes: 16_000 });
  const sound = phoneSound(2, () => ({ left: true, right: true }));
  let told = 0;
  const tell = (): void => {
    told += 1;
  };
  const whole = await tapes.open(aCall(1));
  whole?.onLost?.(tell);
  whole?.append(sound.subarray(0, 8_000));
  await whole?.close();
  expect(told).toBe(0);
  const lost = await tapes.open(aCall(2));
  lost?.onLost?.(tell);
  lost?.append(sound);
  expect(told).toBe(1);
  lost?.append(sound);
  lost?.onLost?.(tell);
  expect(told).toBe(2);
  await lost?.close();
  await tapes.close();
});

describe('who has not heard the notice', () => {
  const offer = (phone: Telephone, direction: 'both' | 'none', version: number): string =>
    writeOffer({
      host: phone.host,
      port: phone.port,
      codecs: [8],
      telephoneEvent: 101,
      direction,
      session: { id: 7, version },
    });

  test('[RLY84] one who held in the middle of it has not heard it, and is not recorded', async () => {
    let opened = 0;
    const openTape: OpenTape = async () => {
      opened += 1;
      return keptTape();
    };
    await using stage = await startStage({ openTape });
    await stage.bind({ recorded: true });
    await using caller = await stage.dial(ANN, X);
    const ann = await caller.talk();
    await using bob = await pickUp(await stage.rings());
    await eventually('the notice has begun', () => ann.phone.arrived.length > 5);
    expect(await ann.dialog.reinvite(offer(ann.phone, 'none', 2))).toMatchObject({ ok: true });
    expect(await ann.dialog.reinvite(offer(ann.phone, 'both', 3))).toMatchObject({ ok: true });
    await eventually('it is told', () => notRecorded(stage).length > 0, { withinMs: 15_000 });
    await talkBothWays(ann, bob);
    expect(notRecorded(stage)).toEqual(['not_told']);
    expect(opened).toBe(0);
  });

  test('[RLY89] behind NAT a phone that was never heard cannot have heard it', async () => {
    let opened = 0;
    const openTape: OpenTape = async () => {
      opened += 1;
      return keptTape();
    };
    const rtp = { ...settingsFor(0).rtp, source: 'first' } as const;
    await using nat = await startStage({ openTape, settings: { rtp } });
    await nat.bind({ recorded: true });
    await using caller = await nat.dial(ANN, X);
    const ann = await caller.talk();
    await using bob = await pickUp(await nat.rings());
    // Ann's phone is heard from the beginning, Bob's is not.
    await ann.phone.tone(ann.to, { frequency: 440, frames: 10, everyMs: 20 });
    await eventually('it is told', () => notRecorded(nat).length > 0, { withinMs: 20_000 });
    expect(notRecorded(nat)).toEqual(['not_told']);
    expect(opened).toBe(0);
    await talkBothWays(ann, bob);
  });

  test('[RLY89] a way that is known at once is not waited for, one by ear until it is heard or given up', async () => {
    const never = new AbortController();
    expect(await new WaysOut('signalled').isOpen('a', never.signal)).toBe(true);
    const ways = new WaysOut('first');
    const waited = ways.isOpen('b', never.signal);
    ways.heard('b');
    expect(await waited).toBe(true);
    const given = ways.isOpen('a', never.signal);
    never.abort();
    expect(await given).toBe(false);
  });
});

test('[RLY90] the longest announcement that may be recorded by a clinic is said whole before we hang up', () => {
  // A phone whose answer comes late is waited for five seconds before.
  expect(RELAY_TIMINGS.lastWordsMs).toBeGreaterThan(LONGEST_PROMPT_MS + 5_000);
});
