/** What every adapter of the store of masked calls keeps. */
import type { PhoneStore } from '@teleconsult/server/telephony/bindings/store';
import { describe, expect, test } from 'vitest';
import { phoneCallStoreContract } from './phone-store.calls.suite.ts';
import {
  bind,
  bindingId,
  boundNews,
  DAY,
  NOW,
  newBinding,
  type PhoneStoreUnderTest,
  pair,
  relay,
  release,
  unboundNews,
} from './phone-store.fixtures.ts';
import { consultationId, person, plain, sealed } from './store.fixtures.ts';

export function phoneStoreContract(adapter: string, open: () => Promise<PhoneStoreUnderTest>): void {
  const relayOf = async ({ bindings }: PhoneStore, number: number) =>
    (await bindings.binding(bindingId(number)))?.xHash;

  phoneCallStoreContract(adapter, open);

  describe(`the store of masked calls: ${adapter}`, () => {
    test('[PHB1] the key that is kept first stays; a number is there as it was set, until it is removed', async () => {
      await using under = await open();
      const { numbers } = under.phone;
      expect(await numbers.loadKey()).toBeNull();
      expect(plain(await numbers.keepKey(sealed('first')))).toEqual(plain(sealed('first')));
      expect(plain(await numbers.keepKey(sealed('second')))).toEqual(plain(sealed('first')));
      const ann = { personId: person('ann'), numberHash: 'h', changedAt: 5, sealed: sealed('n') };
      await numbers.setNumber({ ...ann, numberHash: 'former' });
      await numbers.setNumber(ann);
      expect(plain(await numbers.number(ann.personId))).toEqual(plain(ann));
      await numbers.removeNumber(ann.personId);
      expect(await numbers.number(ann.personId)).toBeNull();
    });

    test('[PHB2] of many that ask at once for one consultation, one gets a relay number', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2'), relay('x3')]);
      const asked = Array.from({ length: 20 }, (_, index) =>
        phone.bindings.createBinding({
          ...newBinding(index + 1, 'ann', 'dan'),
          consultationId: consultationId(1),
        }),
      );
      const results = await Promise.all(asked);
      expect(results.filter((result) => result === 'created')).toHaveLength(1);
      expect(new Set(results)).toEqual(new Set(['created', 'exists']));
    });

    test('[PHB2] the same name by the same person is the same binding, also once it was given back', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2')]);
      expect(await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'))).toBe('created');
      await release(phone, 1);
      const again = {
        ...newBinding(2, 'ann', 'dan'),
        consultationId: consultationId(1),
        clientBindingId: 'client-1',
      };
      expect(await phone.bindings.createBinding(again)).toBe('exists');
      const found = await phone.bindings.bindingByClient(consultationId(1), person('ann'), 'client-1');
      expect(found).toMatchObject({ bindingId: bindingId(1), state: 'unbound', unboundReason: 'released' });
      expect(found?.sealed).toHaveLength(0);
    });

    test('[PHB3] a relay number with one pair at once goes to nobody else while it is in use and while it rests', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      expect(await phone.bindings.createBinding(newBinding(2, 'bob', 'eve'))).toBe('no_relay');
      await release(phone, 1);
      expect(await phone.bindings.createBinding(newBinding(2, 'bob', 'eve'))).toBe('no_relay');
      const later = { createdAt: NOW + 91 * DAY, restsSince: NOW + DAY, countedSince: NOW + 90 * DAY };
      expect(await phone.bindings.createBinding(newBinding(2, 'bob', 'eve', later))).toBe('created');
    });

    test('[PHB4] the same pair gets its former relay number back at once', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2'), relay('x3')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      const former = await relayOf(phone, 1);
      await release(phone, 1);
      await phone.bindings.createBinding(newBinding(2, 'bob', 'eve'));
      expect(await relayOf(phone, 2)).not.toBe(former);
      expect(await phone.bindings.createBinding(newBinding(3, 'dan', 'ann'))).toBe('created');
      expect(await relayOf(phone, 3)).toBe(former);
      expect(await phone.bindings.place(former ?? '', 'hash-ann')).toEqual({
        bindingId: bindingId(3),
        party: 'b',
      });
    });

    test('[PHB5] pairs share a relay number only where nobody of them could be mistaken', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      const shared = { pairsPerRelay: 3 };
      const create = (number: number, a: string, b: string) =>
        phone.bindings.createBinding(newBinding(number, a, b, shared));
      expect(await create(1, 'ann', 'dan')).toBe('created');
      expect(await create(2, 'bob', 'dan')).toBe('no_relay');
      expect(await create(3, 'bob', 'eve')).toBe('created');
      // The same two in another visit: which visit is called could not be told.
      expect(await create(4, 'ann', 'dan')).toBe('no_relay');
      await release(phone, 1);
      // Dan might still dial it for Ann.
      expect(await create(5, 'cleo', 'dan')).toBe('no_relay');
      expect(await create(6, 'cleo', 'fay')).toBe('created');
      expect(await create(7, 'gus', 'hal')).toBe('created');
      expect(await create(8, 'ivy', 'jon')).toBe('no_relay');
      expect(await phone.bindings.place('x1', 'hash-bob')).toEqual({ bindingId: bindingId(3), party: 'a' });
      expect(await phone.bindings.place('x1', 'hash-dan')).toBeNull();
      expect(await phone.bindings.hadPlace('x1', 'hash-dan')).toBe(true);
      expect(await phone.bindings.hadPlace('x1', 'hash-zoe')).toBe(false);
    });

    test('[PHB5] of many pairs with a common doctor that ask at once, none has a relay number of another', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays(
        'sip',
        Array.from({ length: 10 }, (_, index) => relay(`x${index}`)),
      );
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          phone.bindings.createBinding(
            newBinding(index + 1, 'doctor', `patient-${index}`, { pairsPerRelay: 50 }),
          ),
        ),
      );
      expect(results.filter((result) => result === 'created')).toHaveLength(10);
      const given = await Promise.all(results.map((_, index) => relayOf(phone, index + 1)));
      const known = given.filter((xHash) => xHash !== undefined);
      expect(new Set(known).size).toBe(10);
    });

    test('[PHB6] a relay number that left the pool is given to nobody, and still known', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await phone.numbers.setRelays('sip', []);
      expect(await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'))).toBe('no_relay');
      expect(plain(await phone.numbers.relay('x1'))).toEqual(plain(relay('x1')));
    });

    test('[PHB7] who refuses is given no relay number, and a consultation gets so many a day', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      const refusal = { personId: person('dan'), since: NOW };
      expect(await phone.bindings.setRefused(consultationId(1), refusal, true)).toBe(true);
      expect(await phone.bindings.setRefused(consultationId(1), { ...refusal, since: NOW + 9 }, true)).toBe(
        false,
      );
      expect(await phone.bindings.refusals(consultationId(1))).toEqual([refusal]);
      expect(await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'))).toBe('refused');
      expect(await phone.bindings.setRefused(consultationId(1), refusal, false)).toBe(true);
      expect(await phone.bindings.createBinding(newBinding(1, 'ann', 'dan', { atMost: 1 }))).toBe('created');
      await release(phone, 1);
      const next = { ...newBinding(2, 'ann', 'dan', { atMost: 1 }), consultationId: consultationId(1) };
      expect(await phone.bindings.createBinding(next)).toBe('limit');
      expect((await phone.news.untold(NOW, 10)).map(({ news }) => news.fact)).toEqual([
        { type: 'phone.refused', personId: 'dan', refused: true },
        { type: 'phone.refused', personId: 'dan', refused: false },
      ]);
    });

    test('[PHB8] what a provider is to be asked is due until it has answered, and what was told once is told once', async () => {
      await using under = await open();
      const { phone } = under;
      const { bindings } = phone;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await bindings.createBinding(newBinding(1, 'ann', 'dan'));
      expect(await bindings.dueBindings(NOW, 10)).toEqual([bindingId(1)]);
      await bindings.retryLater({ bindingId: bindingId(1), retryAt: NOW }, NOW + 500);
      expect(await bindings.dueBindings(NOW, 10)).toEqual([]);
      expect(await bindings.pendingBindings()).toEqual({ binding: 1, changing: 0, unbinding: 0 });
      await bind(phone, 1);
      expect(await bindings.dueBindings(NOW + 500, 10)).toEqual([]);
      expect(await bindings.beginUnbinding(bindingId(1), 'released', unboundNews(1))).toBe(true);
      expect(await bindings.beginUnbinding(bindingId(1), 'expired', unboundNews(1))).toBe(false);
      // Began to wait before it had to be given back: that one is not to be put off.
      await bindings.retryLater({ bindingId: bindingId(1), retryAt: NOW + 500 }, NOW + 9_000);
      expect(await bindings.dueBindings(NOW, 10)).toEqual([bindingId(1)]);
      await bindings.markUnbound(bindingId(1), NOW + 1);
      expect(await bindings.dueBindings(NOW + DAY, 10)).toEqual([]);
      expect((await phone.news.untold(NOW, 10)).map(({ news }) => news.fact.type)).toEqual([
        'phone.bound',
        'phone.unbound',
      ]);
    });

    test('[PHB8] nobody hears of a binding that was never bound; what binds late is kept to be given back', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      await phone.bindings.beginUnbinding(bindingId(1), 'released', unboundNews(1));
      const late = { bindingId: bindingId(1), revision: 1, ref: 'late', chosen: null, news: boundNews(1) };
      expect(await phone.bindings.markBound(late)).toBe('over');
      expect(await phone.bindings.binding(bindingId(1))).toMatchObject({ state: 'unbinding', ref: 'late' });
      expect(await phone.news.untold(NOW, 10)).toEqual([]);
    });

    test('[PHB9] a provider’s choice that one of the two has already is not bound', async () => {
      await using under = await open();
      const { phone } = under;
      const chosen = (number: number, a: string, b: string) => ({
        bindingId: bindingId(number),
        revision: 1,
        ref: `ref-${number}`,
        chosen: { relay: relay('p1'), hashes: pair(a, b) },
        news: boundNews(number),
      });
      for (const [number, b] of [
        [1, 'dan'],
        [2, 'eve'],
        [3, 'dan'],
      ] as const)
        await phone.bindings.createBinding(
          newBinding(number, number === 3 ? 'bob' : 'ann', b, { fromPool: false }),
        );
      expect(await relayOf(phone, 1)).toBeNull();
      expect(await phone.bindings.markBound(chosen(1, 'ann', 'dan'))).toBe('bound');
      expect(await phone.bindings.markBound(chosen(2, 'ann', 'eve'))).toBe('taken');
      expect(await phone.bindings.markBound(chosen(3, 'bob', 'dan'))).toBe('taken');
      expect(await phone.bindings.binding(bindingId(2))).toMatchObject({ state: 'binding', xHash: null });
      expect(await phone.bindings.place('p1', 'hash-ann')).toEqual({ bindingId: bindingId(1), party: 'a' });
    });

    test('[PHB10] on hand-over the relay number stays, and is no more for who left', async () => {
      await using under = await open();
      const { phone } = under;
      const { bindings } = phone;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      await bindings.createBinding(newBinding(1, 'ann', 'dan'));
      await bind(phone, 1);
      const change = {
        bindingId: bindingId(1),
        revision: 1,
        people: { a: person('eve'), b: person('dan') },
        replaced: ['a'],
        hashes: pair('eve', 'dan'),
        sealed: sealed('eve and dan'),
        at: NOW + 5,
        restsSince: NOW - DAY,
      } as const;
      expect(await bindings.replacePeople(change)).toBe('replaced');
      expect(await bindings.replacePeople(change)).toBe('stale');
      expect(await bindings.binding(bindingId(1))).toMatchObject({
        people: { a: 'eve', b: 'dan' },
        revision: 2,
        changing: ['a'],
        retryAt: NOW + 5,
        xHash: 'x1',
      });
      expect(await bindings.place('x1', 'hash-ann')).toBeNull();
      expect(await bindings.hadPlace('x1', 'hash-ann')).toBe(true);
      expect(await bindings.place('x1', 'hash-eve')).toEqual({ bindingId: bindingId(1), party: 'a' });
      expect(await bindings.place('x1', 'hash-dan')).toEqual({ bindingId: bindingId(1), party: 'b' });
      await bindings.markChanged(bindingId(1), 1, 'other');
      expect(await bindings.dueBindings(NOW + 5, 10)).toEqual([bindingId(1)]);
      await bindings.markChanged(bindingId(1), 2, 'ref-anew');
      expect(await bindings.dueBindings(NOW + 5, 10)).toEqual([]);
      expect(await bindings.binding(bindingId(1))).toMatchObject({ ref: 'ref-anew', changing: [] });
      // And back again.
      const back = {
        ...change,
        revision: 2,
        people: { a: person('ann'), b: person('dan') },
        hashes: pair('ann', 'dan'),
      };
      expect(await bindings.replacePeople(back)).toBe('replaced');
      expect(await bindings.place('x1', 'hash-ann')).toEqual({ bindingId: bindingId(1), party: 'a' });
    });

    test('[PHB10] nobody comes behind a relay number that is theirs with somebody else', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1')]);
      const shared = { pairsPerRelay: 9 };
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan', shared));
      await phone.bindings.createBinding(newBinding(2, 'bob', 'eve', shared));
      const change = {
        bindingId: bindingId(2),
        revision: 1,
        people: { a: person('ann'), b: person('eve') },
        replaced: ['a'],
        hashes: pair('ann', 'eve'),
        sealed: sealed('ann and eve'),
        at: NOW,
        restsSince: NOW - DAY,
      } as const;
      expect(await phone.bindings.replacePeople(change)).toBe('taken');
      await release(phone, 1);
      expect(await phone.bindings.replacePeople(change)).toBe('taken');
      expect(await phone.bindings.place('x1', 'hash-bob')).toEqual({ bindingId: bindingId(2), party: 'a' });
    });

    test('[PHB104] free are the relay numbers of the pool that a new pair could be given', async () => {
      await using under = await open();
      const { phone } = under;
      await phone.numbers.setRelays('sip', [relay('x1'), relay('x2'), relay('x3')]);
      await phone.numbers.setRelays('other', [{ ...relay('y1'), provider: 'other' }]);
      const free = (pairsPerRelay = 1, restsSince = NOW - 90 * DAY) =>
        phone.numbers.countFree({ provider: 'sip', pairsPerRelay, restsSince });
      expect(await free()).toBe(3);
      await phone.bindings.createBinding(newBinding(1, 'ann', 'dan'));
      await phone.bindings.createBinding(newBinding(2, 'bob', 'eve'));
      expect([await free(), await free(2)]).toEqual([1, 3]);
      await release(phone, 1);
      expect([await free(), await free(2), await free(1, NOW)]).toEqual([1, 3, 2]);
      await phone.numbers.setRelays('sip', [relay('x1')]);
      expect([await free(), await free(1, NOW)]).toEqual([0, 1]);
    });
  });
}
