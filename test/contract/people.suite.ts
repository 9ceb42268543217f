/** What every adapter of the people store keeps. */
import { DEFAULT_PREFERENCES, DeviceId, type Preferences } from '@teleconsult/protocol';
import type { PeopleStore, StoredSubscription } from '@teleconsult/server/people/ports';
import { describe, expect, test } from 'vitest';
import { person, plain, sealed } from './store.fixtures.ts';

export interface PeopleUnderTest extends AsyncDisposable {
  readonly people: PeopleStore;
}

const ann = person('ann');
const bob = person('bob');
const device = (number: number) => DeviceId.parse(`device-${String(number).padStart(4, '0')}`);

const subscription = (number: number, change: Partial<StoredSubscription> = {}): StoredSubscription => ({
  personId: ann,
  deviceId: device(number),
  createdAt: 1_000 + number,
  sealed: sealed(`subscription ${number}`),
  ...change,
});

export function peopleStoreContract(adapter: string, open: () => Promise<PeopleUnderTest>): void {
  const devicesOf = async (people: PeopleStore): Promise<readonly DeviceId[]> =>
    (await people.subscriptions(ann)).map(({ deviceId }) => deviceId);

  describe(`the people store: ${adapter}`, () => {
    test('[PREF1] what a person chose is there as it was chosen, and nothing of who never chose', async () => {
      await using under = await open();
      const { people } = under;
      expect(await people.preferences(ann)).toBeNull();
      const push = { calls: false, messages: true, consultations: false };
      const chosen: Preferences = { readReceipts: false, push };
      await people.setPreferences(ann, chosen);
      expect(await people.preferences(ann)).toEqual(chosen);
      expect(await people.preferences(bob)).toBeNull();
      await people.setPreferences(ann, DEFAULT_PREFERENCES);
      expect(await people.preferences(ann)).toEqual(DEFAULT_PREFERENCES);
    });

    test('[PUSH1] a subscription is there as it was put, for its person alone', async () => {
      await using under = await open();
      const { people } = under;
      await people.putSubscription(subscription(1));
      await people.putSubscription(subscription(1, { personId: bob, sealed: sealed('of bob') }));
      expect(plain(await people.subscriptions(ann))).toEqual(plain([subscription(1)]));
      expect(await people.subscriptions(person('cleo'))).toEqual([]);
    });

    test('[PUSH1] a new subscription replaces the former of its device', async () => {
      await using under = await open();
      const { people } = under;
      await people.putSubscription(subscription(1));
      const renewed = subscription(1, { createdAt: 5_000, sealed: sealed('renewed') });
      await people.putSubscription(renewed);
      expect(plain(await people.subscriptions(ann))).toEqual(plain([renewed]));
    });

    test('[PUSH2] a person has ten subscriptions at most: the oldest go, never the one just put', async () => {
      await using under = await open();
      const { people } = under;
      for (let number = 1; number <= 12; number += 1) await people.putSubscription(subscription(number));
      expect(await devicesOf(people)).toEqual(Array.from({ length: 10 }, (_, index) => device(12 - index)));
      for (let number = 20; number > 5; number -= 1) {
        await people.putSubscription(subscription(number, { createdAt: 9_000 }));
        expect(await devicesOf(people)).toContain(device(number));
      }
      expect(await devicesOf(people)).toHaveLength(10);
    });

    test('[PUSH1] a subscription is removed; one that replaced it meanwhile stays', async () => {
      await using under = await open();
      const { people } = under;
      await people.putSubscription(subscription(1));
      await people.putSubscription(subscription(2));
      await people.removeSubscription(ann, device(1), 999);
      expect(await devicesOf(people)).toEqual([device(2), device(1)]);
      await people.removeSubscription(ann, device(1), 1_001);
      expect(await devicesOf(people)).toEqual([device(2)]);
      await people.removeSubscription(ann, device(2));
      await people.removeSubscription(ann, device(2));
      expect(await devicesOf(people)).toEqual([]);
    });
  });
}
