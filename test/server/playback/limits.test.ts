import { randomBytes } from 'node:crypto';
import {
  type ComposedTrack,
  MAX_COMPOSED_MS,
  planComposition,
} from '@teleconsult/server/playback/composition-plan';
import { Once } from '@teleconsult/server/playback/once';
import { RecordingTurns } from '@teleconsult/server/playback/recording-turns';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { openLinkStage } from './links.fixtures.ts';
import { asked, consultationId, fileId, openStage, person, recordingId, tone } from './playback.fixtures.ts';

const track = (number: number, change: Partial<ComposedTrack> = {}): ComposedTrack => ({
  fileId: fileId(number),
  personId: person('doc'),
  source: 'microphone',
  startedAt: 1_000,
  durationMs: 1_000,
  demuxer: 'matroska',
  ...change,
});

test('[PLAY25] a composition is as long as from its first track to the end of its last', () => {
  expect(planComposition([])).toBeNull();
  expect(planComposition([track(1, { durationMs: 0 })])).toBeNull();
  const plan = planComposition([
    track(1, { startedAt: 5_000 }),
    track(2, { startedAt: 9_500, durationMs: 700 }),
  ]);
  expect(plan).toMatchObject({ startedAt: 5_000, durationMs: 5_200, contentType: 'audio/webm;codecs=opus' });
});

test('[PLAY25] nothing but pipes is opened and written, whatever the tracks are', () => {
  const plan = planComposition([
    track(1),
    track(2, { source: 'camera' }),
    track(3, { source: 'camera', personId: person('pat') }),
    track(4, { source: 'screen' }),
  ]);
  const args = plan?.args ?? [];
  expect(args.filter((_, index) => args[index - 1] === '-i')).toEqual([
    'pipe:4',
    'pipe:5',
    'pipe:6',
    'pipe:7',
  ]);
  expect(args.filter((arg) => arg === '-protocol_whitelist')).toHaveLength(4);
  expect(args.at(-1)).toBe('pipe:1');
  // A screen stands above the people.
  expect(args.join(' ')).toContain('color=c=black:s=1280x1080');
  expect(args.join(' ')).not.toMatch(/doc|pat/);
});

test('[PLAY26] what is longer than six hours or has too many tracks is not composed, and says so', async () => {
  await using stage = await openStage();
  const sound = await tone(1);
  await stage.record(1, {
    files: [
      { number: 1, bytes: sound, facts: { startedAt: 1_000_000 } },
      { number: 2, bytes: sound, facts: { startedAt: 1_000_000 + MAX_COMPOSED_MS } },
    ],
  });
  await stage.playback.compose({ consultationId, recordingId: recordingId(1) }, asked('doc'));
  const composition = await eventually('it has failed', async () => {
    const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
    return recordings[0]?.composition.state === 'failed' && recordings[0].composition;
  });
  expect(composition).toEqual({ state: 'failed', reason: 'too_long' });
});

test('[PLAY26] compositions wait in a queue of bounded length', async () => {
  await using stage = await openStage();
  const sound = await tone(30);
  const outcomes: string[] = [];
  for (let number = 1; number <= 40; number += 1) {
    await stage.record(number, { files: [{ number, bytes: sound }] });
    const wish = { consultationId, recordingId: recordingId(number) };
    outcomes.push(
      await stage.playback.compose(wish, asked('doc')).then(
        () => 'asked',
        (error: { code: string }) => error.code,
      ),
    );
  }
  expect(outcomes.filter((outcome) => outcome === 'asked').length).toBeLessThan(40);
  expect(outcomes.at(-1)).toBe('OVERLOADED');
  await stage.playback.close();
});

test('[PLAY27] one person has so many answers under way and no more, and nobody else is held up', async () => {
  await using stage = await openLinkStage();
  await stage.record(1, { files: [{ number: 1, bytes: randomBytes(8 * 1024 * 1024) }] });
  const [own, other] = [await stage.link(1), await stage.link(1, { by: 'pat' })];
  const abort = new AbortController();
  const answers = await Promise.all(Array.from({ length: 30 }, () => fetch(own, { signal: abort.signal })));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(24);
  expect(statuses.filter((status) => status === 429)).toHaveLength(6);
  expect((await fetch(other, { method: 'HEAD' })).status).toBe(200);
  abort.abort();
  await eventually('there is room again', async () => (await fetch(own, { method: 'HEAD' })).status === 200);
});

test('[PLAY28] what is done once is done once for all who ask meanwhile, again after its time, and again when it failed', async () => {
  const once = new Once();
  let done = 0;
  const work = async (): Promise<void> => {
    done += 1;
    if (done === 1) throw new Error('not now');
  };
  const ask = (now: number) => once.first('key', { now, until: now + 100, work });
  const failed = await Promise.allSettled([ask(0), ask(0)]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(done).toBe(1);
  await Promise.all([ask(10), ask(20), ask(100)]);
  expect(done).toBe(2);
  await ask(110);
  expect(done).toBe(3);
  for (let number = 0; number < 25_000; number += 1)
    await once.first(`${number}`, { now: 200, until: 300, work: async () => undefined });
  expect(once.size).toBeLessThanOrEqual(20_000);
});

test('[PLAY29] changes of one recording come one after the other, those of another meanwhile, and few wait', async () => {
  const turns = new RecordingTurns();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take(recordingId(1), async () => {
    await gate.promise;
    order.push('first');
    throw new Error('it failed');
  });
  const second = turns.take(recordingId(1), async () => void order.push('second'));
  await turns.take(recordingId(2), async () => void order.push('other'));
  const many = Array.from({ length: 20 }, () => turns.take(recordingId(1), async () => undefined));
  gate.resolve();
  await expect(first).rejects.toThrow('it failed');
  await second;
  expect(order).toEqual(['other', 'first', 'second']);
  const refused = (await Promise.allSettled(many)).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(6);
});
