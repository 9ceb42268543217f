import { PushServices, Unreachable } from '@teleconsult/server/notify/push-services';
import { expect, test } from 'vitest';

const taken = { status: 201, retryAfterMs: null };
const FIRST = 'https://fcm.googleapis.com';
const OTHER = 'https://web.push.apple.com';

const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );

test('[PUSH19] a push service that does not answer is left alone for a minute, and then asked by one', async () => {
  let now = 0;
  let asked = 0;
  const services = new PushServices(() => now);
  const silent = async (): Promise<never> => {
    asked += 1;
    throw new Error('no answer');
  };
  for (let number = 1; number <= 5; number += 1)
    expect(await outcomeOf(services.reach(FIRST, silent))).toBe('no answer');
  const left = await services.reach(FIRST, silent).catch((error: unknown) => error);
  expect(left).toBeInstanceOf(Unreachable);
  expect(left).toMatchObject({ forMs: 60_000 });
  expect(asked).toBe(5);
  now = 60_000;
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => outcomeOf(services.reach(FIRST, silent))),
  );
  expect(outcomes.filter((outcome) => outcome === 'no answer')).toHaveLength(1);
  expect(asked).toBe(6);
  now = 120_000;
  expect(await services.reach(FIRST, async () => taken)).toEqual(taken);
  expect(await outcomeOf(services.reach(FIRST, silent))).toBe('no answer');
  expect(await services.reach(FIRST, async () => taken)).toEqual(taken);
});

test('[PUSH19] one that hangs holds up no other, and is asked sixteen times at once', async () => {
  const services = new PushServices(() => 0);
  const hanging = Promise.withResolvers<typeof taken>();
  let asked = 0;
  const all = Array.from({ length: 40 }, () =>
    outcomeOf(
      services.reach(FIRST, () => {
        asked += 1;
        return hanging.promise;
      }),
    ),
  );
  expect(await services.reach(OTHER, async () => taken)).toEqual(taken);
  expect(asked).toBe(16);
  hanging.reject(new Error('no answer'));
  const outcomes = await Promise.all(all);
  expect(asked).toBe(16);
  expect(outcomes.filter((outcome) => outcome === 'the push service is left alone')).toHaveLength(24);
});
