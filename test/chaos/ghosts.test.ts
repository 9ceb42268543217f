import { randomInt } from 'node:crypto';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { expect, test } from 'vitest';
import { seeded } from '../e2e/resume/seeded.ts';
import { eventually } from '../helpers/eventually.ts';
import { startTestApp, type TestApp } from '../helpers/test-app.ts';
import { ghostsIn, heldSeats, type QuietPoint } from './ghosts-check.ts';
import { GhostVisit, KINDS, type Kind } from './ghosts-visit.ts';

const CYCLES = Number(process.env['TELECONSULT_TEST_GHOSTS'] ?? 500);
const VISITS = 10;
/** Short, so that somebody can be away for longer than it; long enough for a page to load on a busy machine. */
const GRACE_MS = 2_000;
/** A connection by long polling that is cut between two polls is noticed by its missing pings alone: twice ten seconds. */
const LAST_SOCKET_MS = 30_000;
/** Somebody vanishes in every tenth round alone, because the others wait for it. */
const VANISH_EVERY = 10;

async function connections({ origin }: TestApp): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^teleconsult_connections (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

test(`[RSM10] ${CYCLES} random breaks and returns leave no ghost: everybody is back by themselves, once, and in the end nothing is left`, async () => {
  const seed = Number(process.env['TELECONSULT_TEST_SEED'] ?? randomInt(2 ** 31));
  console.log(`seed ${seed} (TELECONSULT_TEST_SEED repeats it)`);
  const random = seeded(seed);
  await using app = await startTestApp({
    timings: { ...DEFAULT_TIMINGS, seatGraceMs: GRACE_MS },
  });
  const counts = new Map<Kind, number>();
  const often = KINDS.filter((kind) => kind !== 'vanish');
  const choose = (round: number): Kind => {
    const mayVanish = round % VANISH_EVERY === VANISH_EVERY - 1 && random() < 0.5;
    const kind = mayVanish ? 'vanish' : (often[Math.floor(random() * often.length)] ?? 'drop');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return kind;
  };
  {
    await using stack = new AsyncDisposableStack();
    const visits: GhostVisit[] = [];
    for (let index = 0; index < VISITS; index += 1) visits.push(stack.use(await GhostVisit.begin(app)));
    await Promise.all(visits.map((visit) => visit.becomesQuiet()));
    for (let round = 0; round * VISITS < CYCLES; round += 1) {
      const points = await Promise.all(
        visits.map(async (visit) => {
          const kind = choose(round);
          try {
            await visit.suffer(kind, random, GRACE_MS);
            return await visit.becomesQuiet();
          } catch (error) {
            throw new Error(`round ${round}, ${kind}: ${visit.inWords.join('; ')}`, { cause: error });
          }
        }),
      );
      expect(points.flatMap(ghostsIn)).toEqual([]);
      const held = points.reduce((sum, point) => sum + heldSeats(point), 0);
      await eventually(
        'the media to hold as many seats as the calls',
        () => app.sfu.health().seats === held && app.sfu.health().rooms === VISITS,
        { lastSeen: () => ({ ...app.sfu.health(), held }) },
      );
    }
    console.log(JSON.stringify(Object.fromEntries(counts)));
  }
  let left: unknown;
  await eventually(
    'nothing to be left',
    async () => {
      const { rooms, seats } = app.sfu.health();
      const connected = await connections(app);
      left = { rooms, seats, connected };
      return rooms === 0 && seats === 0 && connected === 0;
    },
    { withinMs: LAST_SOCKET_MS, lastSeen: () => left },
  );
}, 300_000);

const good: QuietPoint = {
  seats: [
    { personId: 'patient', deviceId: 'phone', state: 'present' },
    { personId: 'doctor', deviceId: 'desk', state: 'present' },
  ],
  inCall: [
    { personId: 'patient', deviceId: 'phone' },
    { personId: 'doctor', deviceId: 'desk' },
  ],
  mostSeatsTold: 1,
};

test.each<[what: string, point: QuietPoint]>([
  [
    'a twin',
    { ...good, seats: [...good.seats, { personId: 'patient', deviceId: 'phone', state: 'present' }] },
  ],
  [
    'a second device in the call',
    { ...good, inCall: [{ personId: 'patient', deviceId: 'tablet' }, ...good.inCall] },
  ],
  ['a seat that nobody knows of', { ...good, inCall: good.inCall.slice(1) }],
  [
    'a device that was not told',
    { ...good, inCall: [{ personId: 'patient', deviceId: 'tablet' }, ...good.inCall.slice(1)] },
  ],
  ['a twin that was told for a moment', { ...good, mostSeatsTold: 2 }],
])('[RSM11] %s is noticed', (_what, point) => {
  expect(ghostsIn(good)).toEqual([]);
  expect(ghostsIn(point).length).toBeGreaterThan(0);
});
