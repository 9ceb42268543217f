import { createLog } from '@teleconsult/server/log';
import { Progress } from '@teleconsult/server/notify/progress';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { consultationId } from './fake-threads.ts';

const id = consultationId(1);
const log = createLog({ level: 'silent', destination: { write: () => undefined } });

/** A store that counts, and that can be told to fail. */
function fakeStore() {
  const store = {
    saved: 0,
    reads: 0,
    writes: 0,
    failing: false,
    notifiedUpTo: async () => {
      store.reads += 1;
      if (store.failing) throw new Error('the disk');
      return store.saved;
    },
    markNotified: async (_id: string, upTo: number) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (store.failing) throw new Error('the disk');
      store.writes += 1;
      store.saved = Math.max(store.saved, upTo);
    },
  };
  return store;
}

test('[HOOK6] what is noted is what all receivers were told', async () => {
  const store = fakeStore();
  const progress = new Progress({ store, log, receivers: ['webhook', 'push'] });
  await progress.told(id, 'push', 7);
  await progress.save();
  expect(store.saved).toBe(0);
  await progress.told(id, 'webhook', 3);
  await progress.save();
  expect(store.saved).toBe(3);
  expect([await progress.upTo(id, 'push'), await progress.upTo(id, 'webhook')]).toEqual([7, 3]);
  await progress.told(id, 'webhook', 7);
  await progress.close();
  expect(store.saved).toBe(7);
});

test('[HOOK6] many that are told together are noted with one write', async () => {
  const store = fakeStore();
  const progress = new Progress({ store, log, receivers: ['webhook'], saveMs: 20 });
  for (let sequence = 1; sequence <= 200; sequence += 1) await progress.told(id, 'webhook', sequence);
  await eventually('it to be noted', () => store.saved === 200);
  expect(store.writes).toBe(1);
  await progress.close();
});

test('[HOOK6] what is told while the last is being noted is not lost', async () => {
  const store = fakeStore();
  const progress = new Progress({ store, log, receivers: ['webhook'], saveMs: 60_000 });
  for (let sequence = 1; sequence <= 300; sequence += 1) {
    const saving = progress.save();
    await progress.told(id, 'webhook', sequence);
    await progress.rest(id);
    if (sequence % 3 === 0) await saving;
    expect(await progress.upTo(id, 'webhook')).toBe(sequence);
  }
  await progress.close();
  expect(store.saved).toBe(300);
});

test('[HOOK6] where the store cannot be written it is tried again; where it cannot be read it is asked again', async () => {
  const store = fakeStore();
  const progress = new Progress({ store, log, receivers: ['webhook'], saveMs: 5 });
  store.failing = true;
  await expect(progress.upTo(id, 'webhook')).rejects.toThrow('the disk');
  store.failing = false;
  expect(await progress.upTo(id, 'webhook')).toBe(0);
  store.failing = true;
  await progress.told(id, 'webhook', 4);
  await progress.save();
  expect(store.saved).toBe(0);
  store.failing = false;
  await eventually('it to be noted', () => store.saved === 4);
  await progress.close();
});

test('[HOOK6] what the store knows as well is not kept in memory', async () => {
  const store = fakeStore();
  const progress = new Progress({ store, log, receivers: ['webhook'] });
  await progress.upTo(id, 'webhook');
  await progress.rest(id);
  const { reads } = store;
  await progress.upTo(id, 'webhook');
  expect(store.reads).toBe(reads + 1);
  await progress.told(id, 'webhook', 1);
  await progress.rest(id);
  await progress.upTo(id, 'webhook');
  expect(store.reads).toBe(reads + 1);
  await progress.save();
  await progress.upTo(id, 'webhook');
  expect(store.reads).toBe(reads + 2);
  await progress.close();
});
