import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DictationWorld } from './helpers/dictating-page.ts';
import { FakeRecorder } from './helpers/fake-recorder.ts';

/** Long enough for every gathering and back-off. */
const LONG_MS = 60_000;
const STEP_MS = 50;

/** Lets time pass until it is done; a dead page never is. */
async function within(doing: Promise<unknown>, isDead: () => boolean = () => false): Promise<void> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  doing.then(over, over);
  for (let ms = 0; ms < LONG_MS && !isOver && !isDead(); ms += STEP_MS)
    await vi.advanceTimersByTimeAsync(STEP_MS);
}

/** Bytes that tell where they belong. */
function slice(run: number, number: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (run * 89 + number * 31 + index) % 251);
}

describe('a dictation whose page dies', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('MediaRecorder', FakeRecorder);
    // Pages of this process would share their locks, and the dead would keep them.
    vi.stubGlobal('navigator', {});
    FakeRecorder.reset();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const act = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('say' as const), length: fc.integer({ min: 1, max: 300 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'offline' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'online' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'cut' as const }) },
  );
  /** One life of a page: what is done in it, and at which step of input or output it dies. */
  const life = fc.record({
    acts: fc.array(act, { maxLength: 12 }),
    diesAt: fc.integer({ min: 1, max: 60 }),
    moment: fc.constantFrom('before' as const, 'after' as const),
  });

  it('[SDK250] wherever it dies between slice, journal, request and answer, the server ends with exactly what was journalled, each byte once and in order', {
    timeout: 120_000,
  }, async () => {
    let deaths = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
        const world = new DictationWorld();
        vi.stubGlobal('fetch', world.fetch);
        FakeRecorder.reset();
        /** What each run said. */
        const runs: Uint8Array[][] = [];
        for (const { acts, diesAt, moment } of lives) {
          let steps = 0;
          const page = world.page({
            fate: (what, now) => {
              if (!/set|put|dictation/.test(what) || now !== moment) return false;
              steps += 1;
              return steps >= diesAt;
            },
          });
          const loading = page.shelf.load();
          await within(loading, () => page.isDead);
          const interrupted = page.dictations[0];
          const starting = interrupted === undefined ? page.dictate() : interrupted.continue();
          starting.catch(() => {});
          await within(starting, () => page.isDead);
          const before = FakeRecorder.made.length;
          if (!page.isDead && before > runs.length) {
            const said: Uint8Array[] = [];
            for (const one of acts) {
              if (page.isDead) break;
              if (one.do === 'say') {
                const bytes = slice(runs.length, said.length, one.length);
                said.push(bytes);
                FakeRecorder.last.say(bytes);
                await vi.advanceTimersByTimeAsync(0);
              } else if (one.do === 'wait') await vi.advanceTimersByTimeAsync(one.ms);
              else if (one.do === 'offline') page.signalling.connected = false;
              else if (one.do === 'cut') world.server.takes = 7;
              else {
                world.server.takes = Number.POSITIVE_INFINITY;
                page.signalling.comeBack();
              }
            }
            runs.push(said);
          } else FakeRecorder.made.length = runs.length;
          world.server.takes = Number.POSITIVE_INFINITY;
          if (page.isDead) deaths += 1;
          // Nothing that it still waits for is ever answered.
          page.isDead = true;
          vi.clearAllTimers();
        }
        const pieces = await world.kept.entries('');
        const kept = new Map<string, Buffer>();
        for (const [key, value] of pieces) {
          const file = /\/sound\/[^/]+\/(\d+)\//.exec(key)?.[1];
          if (file === undefined) continue;
          const { bytes } = value as { bytes: Uint8Array };
          kept.set(file, Buffer.concat([kept.get(file) ?? Buffer.alloc(0), bytes]));
        }
        const last = world.page();
        await within(last.shelf.load());
        const dictation = last.dictations[0];
        if (dictation === undefined) {
          // Died before the first second was written: then the server knows nothing either.
          expect(kept.size).toBe(0);
          expect(world.server.dictations.size).toBe(0);
          return;
        }
        const finishing = dictation.finish();
        await within(finishing);
        expect(dictation.state).toBe('finished');
        await finishing;
        const { files, finished } = world.server.only;
        expect(files.map((file) => file.toString('hex'))).toEqual(
          [...kept.values()].map((file) => file.toString('hex')),
        );
        // Each is the beginning of what one run said, lost is at most the slice in which the page died.
        let run = -1;
        for (const file of files) {
          run = runs.findIndex(
            (said, index) => index > run && Buffer.concat(said).subarray(0, file.length).equals(file),
          );
          expect(file.length).toBeGreaterThanOrEqual(Buffer.concat(runs[run]?.slice(0, -1) ?? []).length);
        }
        expect(run).not.toBe(-1);
        expect(finished?.map(({ byteSize }) => byteSize)).toEqual(files.map(({ length }) => length));
        await vi.advanceTimersByTimeAsync(STEP_MS);
        expect(await world.kept.entries('')).toEqual([]);
        await last.leave('close');
      }),
      { numRuns: 800 },
    );
    expect(deaths).toBeGreaterThan(250);
  });
});
