import { readdir } from 'node:fs/promises';
import type { Worker } from 'node:worker_threads';
import { relayMetrics } from '@teleconsult/server/telephony/embedded/relay-metrics';
import { startMediaThread } from '@teleconsult/server/telephony/rtp/media-link';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { numbersIn } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { ANN, BOB, CARA, endOf, OTHER_X, STRANGER, talkBothWays, tellsNoNumberOf, X } from './people.ts';
import { pickUp, RELAY_HOST, type Stage, startStage } from './stage.ts';

/** Nothing of any call is held any more. */
async function leavesNothing(stage: Stage): Promise<void> {
  const held = () => {
    const { calls, legs, sessions, announcements, untold, unwritten } = stage.relay.figures();
    return { calls, legs, sessions, announcements, untold, unwritten };
  };
  await eventually('nothing is held', () => Object.values(held()).every((count) => count === 0), {
    lastSeen: held,
  });
  await eventually('the table is empty', async () => (await readdir(stage.table)).length === 0);
}

test('[RLY45] when the thread of the sound dies its calls end as failed, and the next one is connected', async () => {
  const threads: Worker[] = [];
  await using stage = await startStage({
    tuning: {
      media: {
        startThread: (settings) => {
          const thread = startMediaThread(settings);
          threads.push(thread);
          return thread;
        },
      },
    },
  });
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  await using bob = await pickUp(await stage.rings());
  const ann = await caller.talk();
  await talkBothWays(ann, bob);
  await threads[0]?.terminate();
  await Promise.all([ann.ended, bob.ended]);
  await endOf(stage, 'failed');
  await using again = await stage.dial(ANN, X);
  await using callee = await pickUp(await stage.rings(1));
  await talkBothWays(await again.talk(), callee);
  tellsNoNumberOf(stage);
}, 60_000);

test('[RLY46] without a port for its sound a call is refused, and told as failed', async () => {
  await using stage = await startStage({
    settings: { rtp: { host: RELAY_HOST, firstPort: 23_000, lastPort: 23_003, source: 'signalled' } },
  });
  await stage.bind();
  await stage.bind({ a: CARA, b: STRANGER, x: OTHER_X });
  await using first = await stage.dial(ANN, X);
  await stage.rings();
  await using second = await stage.dial(CARA, OTHER_X);
  expect(await second.call.outcome).toMatchObject({ type: 'refused', status: 503 });
  await endOf(stage, 'failed', 1);
  first.call.cancel();
});

test('[RLY47] calls of every kind leave nothing behind', async () => {
  await using stage = await startStage({ settings: { timings: { lastWordsMs: 50, leadMs: 1 } } });
  const bound = await stage.bind();
  for (let round = 0; round < 8; round += 1) {
    const n = stage.rung.length;
    await using caller = await stage.dial(ANN, X);
    const ringing = await stage.rings(n);
    if (round % 4 === 0) ringing.refuse(486);
    else if (round % 4 === 1) caller.call.cancel();
    else {
      await using bob = await pickUp(ringing);
      const ann = await caller.talk();
      await (round % 4 === 2 ? ann : bob).dialog.bye();
    }
    await caller.call.outcome;
    await using stranger = await stage.dial(STRANGER, X);
    await stranger.call.outcome;
    const leg = await stage.relay.legs.dialOut({
      to: BOB,
      showAs: X,
      language: 'en',
      ringMs: 20,
      maxTalkMs: 1_000,
    });
    await leg.ended;
  }
  await using last = await stage.dial(ANN, X);
  await eventually('it rings', () => stage.rung.length > 0);
  await stage.relay.unbind(bound, 'visit_ended');
  await last.call.outcome;
  await leavesNothing(stage);
}, 60_000);

test('[RLY25] a trunk that is named is looked up once, by us, and taken where it is an allowed source', async () => {
  await using stage = await startStage({
    settings: { trunk: { host: 'localhost', port: 9, transport: 'udp' }, timings: { keepAliveMs: null } },
  });
  await stage.bind();
  await using caller = await stage.dial(ANN, X);
  // Nobody is there, and nobody else is asked.
  expect(await caller.call.outcome).toMatchObject({ type: 'refused', status: 503 });
  expect(stage.rung).toEqual([]);
});

test('[RLY26] metrics count calls by their end, and name nobody', async () => {
  await using stage = await startStage();
  const registry = new Registry();
  relayMetrics(registry, () => stage.relay.figures());
  await stage.bind();
  await stage.relay.check();
  await using caller = await stage.dial(ANN, X);
  (await stage.rings()).refuse(486);
  await caller.call.outcome;
  await endOf(stage, 'busy');
  const text = await registry.metrics();
  expect(text).toContain('teleconsult_relay_calls_ended{end="busy"} 1');
  expect(text).toContain('teleconsult_relay_calls_turned_away{reason="stranger"} 0');
  expect(text).toMatch(/teleconsult_relay_packets\{what="in"\} \d+/);
  expect(numbersIn(text)).toEqual([]);
});
