import { join } from 'node:path';
import {
  DEFAULT_PREFERENCES,
  DeviceId,
  type FactName,
  PersonId,
  type Preferences,
} from '@teleconsult/protocol';
import { createLog } from '@teleconsult/server/log';
import type { PushSettings } from '@teleconsult/server/notify/settings';
import { People } from '@teleconsult/server/people/people';
import { MemoryPeople } from '@teleconsult/server/storage/memory/memory-people';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';
import { pushSettings } from '../notify/started-notifier.ts';
import { Subscriber } from '../notify/subscriber.ts';

const ann = PersonId.parse('ann');
const bob = PersonId.parse('bob');
const phone = DeviceId.parse('phone-0001');
const desk = DeviceId.parse('desk-00001');
const ENDPOINT = 'https://fcm.googleapis.com/fcm/send/canary';

/** A store that can be told to take its time, so that races are certain. */
class SlowPeople extends MemoryPeople {
  reads = 0;
  failing = false;

  override async preferences(personId: PersonId): Promise<Preferences | null> {
    this.reads += 1;
    const found = await super.preferences(personId);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failing) throw new Error('the disk');
    return found;
  }

  override async setPreferences(personId: PersonId, preferences: Preferences): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failing) throw new Error('the disk');
    return super.setPreferences(personId, preferences);
  }
}

async function setUp(push: PushSettings | null = pushSettings()) {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const keys = await openLocalKeyFile({ path: join(dir.path, 'k', 'k.json'), mayCreate: true, now: 0 });
  const store = new SlowPeople();
  const facts: { personId: PersonId; name: FactName; payload: unknown }[] = [];
  const logs: string[] = [];
  let now = 1_000;
  const people = new People({
    people: store,
    publisher: {
      toPerson: (personId, name, payload) => void facts.push({ personId, name, payload }),
      toWatchers: () => undefined,
      toDevice: () => undefined,
      toOtherWatchers: () => undefined,
      stopWatching: () => undefined,
      isConnected: () => false,
      isOnline: () => false,
      isWatched: () => false,
    },
    vault: new Vault(keys),
    clock: () => ++now,
    log: createLog({ level: 'info', destination: { write: (line) => void logs.push(line) } }),
    push,
  });
  const owned = stack.move();
  return { people, store, facts, logs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('[PREF2] what a change leaves out stays, and all devices of the person are told', async () => {
  await using at = await setUp();
  expect(await at.people.preferences(ann)).toEqual(DEFAULT_PREFERENCES);
  const push = { calls: true, messages: false, consultations: true };
  expect(await at.people.setPreferences(ann, { push: { messages: false } })).toEqual({
    readReceipts: true,
    push,
  });
  const changed = await at.people.setPreferences(ann, { readReceipts: false });
  expect(changed).toEqual({ readReceipts: false, push });
  expect(await at.people.preferences(ann)).toEqual(changed);
  expect(at.facts.map(({ personId, name }) => [personId, name])).toEqual([
    [ann, 'preferences.changed'],
    [ann, 'preferences.changed'],
  ]);
  expect(at.facts.at(-1)?.payload).toEqual(changed);
  expect(await at.people.preferences(bob)).toEqual(DEFAULT_PREFERENCES);
});

test('[PREF2] two devices that change different choices at once both count', async () => {
  await using at = await setUp();
  await Promise.all([
    at.people.setPreferences(ann, { readReceipts: false }),
    at.people.setPreferences(ann, { push: { calls: false } }),
    at.people.setPreferences(ann, { push: { messages: false } }),
  ]);
  const expected = { readReceipts: false, push: { calls: false, messages: false, consultations: true } };
  expect(await at.people.preferences(ann)).toEqual(expected);
  expect(await at.store.preferences(ann)).toEqual(expected);
});

test('[PREF3] whether a person shows what they have read is answered from memory, and never from old memory', async () => {
  await using at = await setUp();
  expect(await at.people.showsRead(ann)).toBe(true);
  const { reads } = at.store;
  for (let count = 0; count < 5; count += 1) await at.people.showsRead(ann);
  expect(at.store.reads).toBe(reads);
  const [, , after] = await Promise.all([
    at.people.showsRead(bob),
    at.people.setPreferences(bob, { readReceipts: false }),
    at.people.showsRead(bob),
  ]);
  expect(typeof after).toBe('boolean');
  expect(await at.people.showsRead(bob)).toBe(false);
});

test('[PREF3] memory is bounded, and a store that failed is asked again', async () => {
  await using at = await setUp();
  at.store.failing = true;
  await expect(at.people.showsRead(ann)).rejects.toThrow('the disk');
  await expect(at.people.setPreferences(ann, { readReceipts: false })).rejects.toThrow('the disk');
  at.store.failing = false;
  expect(await at.people.showsRead(ann)).toBe(true);
  expect(at.facts).toEqual([]);
  for (let number = 0; number < 10_000; number += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        at.people.showsRead(PersonId.parse(`person-${number + index}`)),
      ),
    );
  const { reads } = at.store;
  await at.people.showsRead(ann);
  expect(at.store.reads).toBe(reads + 1);
});

test('[PUSH15] a subscription is sealed for its person and device', async () => {
  await using at = await setUp();
  const subscription = new Subscriber().subscription(ENDPOINT);
  await at.people.subscribe(ann, phone, subscription);
  const [stored] = await at.store.subscriptions(ann);
  if (stored === undefined) throw new Error('nothing was stored');
  for (const secret of ['canary', 'fcm.googleapis.com', subscription.keys.auth, subscription.keys.p256dh])
    expect(Buffer.from(stored.sealed).includes(secret)).toBe(false);
  await at.store.putSubscription({ ...stored, personId: bob });
  await at.store.putSubscription({ ...stored, deviceId: desk, createdAt: 9_000 });
  const { endpoint, keys } = subscription;
  const readable = [{ deviceId: phone, subscription: { endpoint, ...keys } }];
  expect(await at.people.pushDevices(ann)).toMatchObject(readable);
  expect(await at.people.pushDevices(ann)).toHaveLength(1);
  expect(await at.people.pushDevices(bob)).toEqual([]);
  expect(at.logs.filter((line) => line.includes('push.unreadable'))).toHaveLength(2);
});

test('[PUSH15] a device that subscribes anew is not forgotten for its former subscription', async () => {
  await using at = await setUp();
  const first = new Subscriber().subscription(ENDPOINT);
  await at.people.subscribe(ann, phone, first);
  const [former] = await at.people.pushDevices(ann);
  if (former === undefined) throw new Error('no device');
  await at.people.subscribe(ann, phone, new Subscriber().subscription(`${ENDPOINT}/anew`));
  await at.people.forgetDevice(ann, former);
  expect(await at.people.pushDevices(ann)).toMatchObject([
    { subscription: { endpoint: `${ENDPOINT}/anew` } },
  ]);
  await at.people.unsubscribe(ann, phone);
  expect(await at.people.pushDevices(ann)).toEqual([]);
});

test.each([
  ['an address of the network', { endpoint: 'https://10.0.0.1/canary' }],
  ['a key that is no point', { keys: { p256dh: Buffer.alloc(65, 4).toString('base64url') } }],
  ['a key that is too short', { keys: { p256dh: 'A'.repeat(86) } }],
  ['a key in other letters', { keys: { p256dh: `${'+'.repeat(87)}` } }],
  ['a secret that is too long', { keys: { auth: Buffer.alloc(17).toString('base64url') } }],
])('[PUSH16] a subscription with %s is refused, and nothing of it repeated', async (_what, wrong) => {
  await using at = await setUp();
  const good = new Subscriber().subscription(ENDPOINT);
  const { endpoint = good.endpoint, keys = {} } = wrong as { endpoint?: string; keys?: object };
  const attempt = at.people.subscribe(ann, phone, { endpoint, keys: { ...good.keys, ...keys } });
  const error = (await attempt.catch((thrown: unknown) => thrown)) as { code: string; detail: string };
  expect(error.code).toBe('INVALID');
  expect(error.detail).toMatch(/^subscription\./);
  expect(error.detail).not.toContain('canary');
  expect(await at.store.subscriptions(ann)).toEqual([]);
});

test('[PUSH17] without push nothing is subscribed, and the client is told so', async () => {
  await using at = await setUp(null);
  const refused = expect.objectContaining({ code: 'NOT_CONFIGURED' });
  expect(() => at.people.pushKey()).toThrow(refused);
  await expect(at.people.subscribe(ann, phone, new Subscriber().subscription(ENDPOINT))).rejects.toEqual(
    refused,
  );
  await expect(at.people.unsubscribe(ann, phone)).rejects.toEqual(refused);
});
