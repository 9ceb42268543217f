/** What every adapter of the consultation store keeps. `store.*.test.ts` run it on each of them. */
import type { ConsultationStore, StateIndex } from '@teleconsult/server/host/ports';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clientMessageId,
  consultationId,
  fact,
  message,
  newConsultation,
  participants,
  person,
  plain,
  type StoresUnderTest,
  sealed,
  sequences,
  stateIndex,
} from './store.fixtures.ts';

const one = consultationId(1);
const state = (text: string, change: Partial<StateIndex> = {}) => ({
  sealed: sealed(text),
  index: stateIndex({ phase: 'active', ...change }),
});

/** All that can be read of a consultation. */
const contentOf = async (store: ConsultationStore, id = one) =>
  plain({ head: await store.load(id), entries: await store.page(id, { after: 0, limit: 1_000 }) });

export function consultationStoreContract(adapter: string, open: () => Promise<StoresUnderTest>): void {
  describe(`the consultation store: ${adapter}`, () => {
    test('[STO1] a consultation is there as it was created', async () => {
      await using under = await open();
      const { consultations } = under;
      const created = newConsultation(1, { entries: [fact(1), message(2)] });
      expect(await consultations.load(one)).toBeNull();
      expect(await consultations.create(created)).toEqual({ kind: 'created' });
      expect(plain(await consultations.load(one))).toEqual({
        consultationId: one,
        createdAt: 1_000,
        wrappedKey: 'key 1',
        sealedState: 'state 1',
        sealedRequest: 'request 1',
        lastSequence: 2,
        lastAt: 1_002,
      });
      expect(plain(await consultations.page(one, { after: 0, limit: 10 }))).toEqual(
        plain(created.entries.map((entry) => ({ ...entry, withdrawn: null, withdrawnBy: null }))),
      );
      expect(await consultations.listFor(person('bob'), { limit: 10, createdBefore: null })).toEqual([one]);
    });

    test('[STO1] what is stored is its own copy', async () => {
      await using under = await open();
      const { consultations } = under;
      const created = newConsultation(1);
      await consultations.create(created);
      const before = await contentOf(consultations);
      created.wrappedKey.fill(0);
      (await consultations.load(one))?.sealedState.fill(0);
      (await consultations.page(one, { after: 0, limit: 1 }))[0]?.sealed.fill(0);
      expect(await contentOf(consultations)).toEqual(before);
    });

    test('[STO2] one idempotency key makes one consultation, without one each is new', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1, { idempotencyKey: 'key' }));
      expect(await consultations.create(newConsultation(2, { idempotencyKey: 'key' }))).toEqual({
        kind: 'exists',
        consultationId: one,
      });
      expect(await consultations.load(consultationId(2))).toBeNull();
      expect(await consultations.create(newConsultation(3))).toEqual({ kind: 'created' });
      expect(await consultations.create(newConsultation(4))).toEqual({ kind: 'created' });
    });

    test('[STO2] of 20 creations at once with one idempotency key one is made and all learn which', async () => {
      await using under = await open();
      const { consultations } = under;
      const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
      const results = await Promise.all(
        numbers.map((number) => consultations.create(newConsultation(number, { idempotencyKey: 'key' }))),
      );
      expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(1);
      const stored = await consultations.listFor(person('ann'), { limit: 20, createdBefore: null });
      expect(stored).toHaveLength(1);
      for (const result of results)
        if (result.kind === 'exists') expect(result.consultationId).toBe(stored[0]);
    });

    test('[STO3] a commit adds its entries and its state', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1));
      const commit = { consultationId: one, entries: [message(2), fact(3)], state: state('next') };
      expect(await consultations.append(commit)).toBe('committed');
      expect(await consultations.load(one)).toMatchObject({ lastSequence: 3, lastAt: 1_003 });
      expect(plain(await consultations.load(one))).toMatchObject({ sealedState: 'next' });
      await consultations.append({ consultationId: one, entries: [message(4)], state: null });
      expect(plain(await consultations.load(one))).toMatchObject({ sealedState: 'next', lastSequence: 4 });
      await consultations.append({ consultationId: one, entries: [], state: state('alone') });
      expect(plain(await consultations.load(one))).toMatchObject({ sealedState: 'alone', lastSequence: 4 });
    });

    test('[STO4] a clientMessageId that exists is a duplicate, and nothing of its commit is written', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1, { entries: [fact(1), message(2)] }));
      const before = await contentOf(consultations);
      const again = message(4, { clientMessageId: clientMessageId('message-2') });
      const commit = { consultationId: one, entries: [message(3), again, fact(5)], state: state('next') };
      expect(await consultations.append(commit)).toBe('duplicate_message');
      expect(await contentOf(consultations)).toEqual(before);
      const twice = [message(3), message(4, { clientMessageId: clientMessageId('message-3') })];
      expect(await consultations.append({ consultationId: one, entries: twice, state: null })).toBe(
        'duplicate_message',
      );
      expect(await contentOf(consultations)).toEqual(before);
    });

    test('[STO4] the same clientMessageId of another person or consultation is another message', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1, { entries: [message(1)] }));
      await consultations.create(newConsultation(2, { entries: [message(1)] }));
      const bobs = message(2, { by: person('bob'), clientMessageId: clientMessageId('message-1') });
      expect(await consultations.append({ consultationId: one, entries: [bobs], state: null })).toBe(
        'committed',
      );
      const find = (name: string, id = one) =>
        consultations.findMessage(id, person(name), clientMessageId('message-1'));
      expect(await find('ann')).toMatchObject({ sequence: 1, by: 'ann' });
      expect(await find('bob')).toMatchObject({ sequence: 2, by: 'bob' });
      expect(await find('bob', consultationId(2))).toBeNull();
      expect(plain(await find('bob'))).toEqual(plain({ ...bobs, withdrawn: null, withdrawnBy: null }));
    });

    test('[STO5] a sequence that exists makes a commit stale, and nothing of it is written', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1, { entries: [fact(1), fact(2)] }));
      const before = await contentOf(consultations);
      const late = { consultationId: one, entries: [fact(2), message(3)], state: state('late') };
      expect(await consultations.append(late)).toBe('stale');
      expect(await contentOf(consultations)).toEqual(before);
    });

    test('[STO5] of 20 writers of one sequence at once one commits and the others are stale', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1));
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const entry = message(2, { clientMessageId: clientMessageId(`writer-${index}`) });
          return consultations.append({ consultationId: one, entries: [entry], state: null });
        }),
      );
      expect(results.toSorted()).toEqual(['committed', ...Array<string>(19).fill('stale')]);
      expect((await consultations.load(one))?.lastSequence).toBe(2);
    });

    test('[STO3] commits of many consultations at once stay apart', async () => {
      await using under = await open();
      const { consultations } = under;
      const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
      for (const number of numbers) await consultations.create(newConsultation(number));
      const results = await Promise.all(
        numbers.map((number) =>
          consultations.append({
            consultationId: consultationId(number),
            // Every third is too late.
            entries: [fact(number % 3 === 0 ? 1 : 2)],
            state: state(`state of ${number}`),
          }),
        ),
      );
      expect(results).toEqual(numbers.map((number) => (number % 3 === 0 ? 'stale' : 'committed')));
      for (const number of numbers)
        expect(plain(await consultations.load(consultationId(number)))).toMatchObject(
          number % 3 === 0
            ? { lastSequence: 1, sealedState: `state ${number}` }
            : { lastSequence: 2, sealedState: `state of ${number}` },
        );
    });

    test('[STO3] a commit to a consultation that is not there fails, and harms none beside it', async () => {
      await using under = await open();
      const { consultations } = under;
      await consultations.create(newConsultation(1));
      const missing = { consultationId: consultationId(9), entries: [fact(1)], state: null };
      const [failed, fine] = await Promise.allSettled([
        consultations.append(missing),
        consultations.append({ consultationId: one, entries: [fact(2)], state: null }),
      ]);
      expect(failed.status).toBe('rejected');
      expect(fine).toEqual({ status: 'fulfilled', value: 'committed' });
      expect(await consultations.load(consultationId(9))).toBeNull();
      expect(await consultations.page(consultationId(9), { after: 0, limit: 10 })).toEqual([]);
    });

    test('[STO6] a page holds the first entries after a sequence or the last before one, ascending', async () => {
      await using under = await open();
      const { consultations } = under;
      const entries = [1, 2, 3, 4, 5].map((sequence) => message(sequence));
      await consultations.create(newConsultation(1, { entries }));
      await consultations.create(newConsultation(2, { entries: [message(1)] }));
      const after = async (after: number, limit: number) =>
        sequences(await consultations.page(one, { after, limit }));
      const before = async (before: number, limit: number) =>
        sequences(await consultations.page(one, { before, limit }));
      expect(await after(0, 2)).toEqual([1, 2]);
      expect(await after(2, 2)).toEqual([3, 4]);
      expect(await after(4, 2)).toEqual([5]);
      expect(await after(5, 2)).toEqual([]);
      expect(await after(0, 5)).toEqual([1, 2, 3, 4, 5]);
      expect(await before(Number.MAX_SAFE_INTEGER, 2)).toEqual([4, 5]);
      expect(await before(6, 2)).toEqual([4, 5]);
      expect(await before(4, 2)).toEqual([2, 3]);
      expect(await before(2, 2)).toEqual([1]);
      expect(await before(1, 2)).toEqual([]);
      expect(await before(0, 2)).toEqual([]);
      expect(await consultations.page(consultationId(9), { after: 0, limit: 2 })).toEqual([]);
    });

    test('[STO7] a person’s consultations come newest first, and nobody else’s', async () => {
      await using under = await open();
      const { consultations } = under;
      for (const [number, createdAt] of [100, 300, 200].entries())
        await consultations.create(newConsultation(number + 1, { createdAt }));
      await consultations.create(newConsultation(9, { participants: participants('eve', 'bob') }));
      const list = (name: string, limit: number, createdBefore: number | null) =>
        consultations.listFor(person(name), { limit, createdBefore });
      expect(await list('ann', 10, null)).toEqual([2, 3, 1].map(consultationId));
      expect(await list('ann', 2, null)).toEqual([2, 3].map(consultationId));
      expect(await list('ann', 10, 300)).toEqual([3, 1].map(consultationId));
      expect(await list('ann', 10, 100)).toEqual([]);
      expect(await list('eve', 10, null)).toEqual([consultationId(9)]);
      expect(await list('nobody', 10, null)).toEqual([]);
    });

    test('[STO7] paging reaches every consultation once, also those created in the same millisecond', async () => {
      const moments = fc.array(fc.nat(5), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(moments, fc.integer({ min: 1, max: 4 }), async (createdAts, limit) => {
          await using under = await open();
          const { consultations } = under;
          const momentOf = new Map<string, number>();
          for (const [index, createdAt] of createdAts.entries()) {
            await consultations.create(newConsultation(index, { createdAt }));
            momentOf.set(consultationId(index), createdAt);
          }
          const seen: string[] = [];
          for (let createdBefore: number | null = null; ; ) {
            const page = await consultations.listFor(person('ann'), { limit, createdBefore });
            const last = page.at(-1);
            if (last === undefined) break;
            expect(page.length).toBeGreaterThanOrEqual(Math.min(limit, createdAts.length - seen.length));
            seen.push(...page);
            createdBefore = momentOf.get(last) ?? 0;
          }
          expect(seen.toSorted()).toEqual([...momentOf.keys()].toSorted());
          const order = seen.map((id) => momentOf.get(id) ?? 0);
          expect(order).toEqual(order.toSorted((a, b) => b - a));
        }),
        { numRuns: 15 },
      );
    });

    test('[STO8] what time has caught up with is found, oldest first, as the last commit left it', async () => {
      await using under = await open();
      const { consultations } = under;
      const index = (dueAt: number | null) => stateIndex({ phase: 'waiting', dueAt });
      for (const [number, dueAt] of [300, 100, null, 200].entries())
        await consultations.create(newConsultation(number, { index: index(dueAt) }));
      expect(await consultations.due(99, 10)).toEqual([]);
      expect(await consultations.due(200, 10)).toEqual([1, 3].map(consultationId));
      expect(await consultations.due(300, 2)).toEqual([1, 3].map(consultationId));
      const commit = { consultationId: one, entries: [fact(2)] };
      await consultations.append({ ...commit, state: state('later', { dueAt: 900 }) });
      expect(await consultations.due(300, 10)).toEqual([3, 0].map(consultationId));
      await consultations.append({ ...commit, entries: [fact(3)], state: state('never') });
      expect(await consultations.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([3, 0].map(consultationId));
    });

    test('[STO8] consultations whose call was running are found again', async () => {
      await using under = await open();
      const { consultations } = under;
      for (const number of [1, 2]) await consultations.create(newConsultation(number));
      expect(await consultations.inCall()).toEqual([]);
      const commit = { consultationId: one, entries: [fact(2)] };
      await consultations.append({ ...commit, state: state('calling', { inCall: true }) });
      await consultations.append({ ...commit, entries: [fact(3)], state: null });
      expect(await consultations.inCall()).toEqual([one]);
      await consultations.append({ ...commit, entries: [fact(4)], state: state('over') });
      expect(await consultations.inCall()).toEqual([]);
    });

    test('[HCH18] a doctor has one health channel that has not ended, however many are made at once, and it is in no list', async () => {
      await using under = await open();
      const { consultations } = under;
      const channel = (number: number, of: string) =>
        newConsultation(number, {
          channelOf: person(of),
          participants: [],
          index: stateIndex({ phase: 'active' }),
        });
      expect(await consultations.openChannelOf(person('ann'))).toBeNull();
      const made = await Promise.all(
        [1, 2, 3, 4].map((number) => consultations.create(channel(number, 'ann'))),
      );
      expect(made.filter(({ kind }) => kind === 'created')).toHaveLength(1);
      const found = await consultations.openChannelOf(person('ann'));
      if (found === null) throw new Error('there is none');
      for (const result of made) if (result.kind === 'exists') expect(result.consultationId).toBe(found);
      expect(await consultations.create(channel(5, 'bob'))).toEqual({ kind: 'created' });
      expect(await consultations.openChannelOf(person('bob'))).toBe(consultationId(5));
      expect(await consultations.listFor(person('ann'), { limit: 10, createdBefore: null })).toEqual([]);
      await consultations.append({ consultationId: found, entries: [fact(2)], state: state('going on') });
      expect(await consultations.openChannelOf(person('ann'))).toBe(found);
      await consultations.append({
        consultationId: found,
        entries: [fact(3)],
        state: { sealed: sealed('over'), index: stateIndex({ phase: 'ended' }) },
      });
      expect(await consultations.openChannelOf(person('ann'))).toBeNull();
      expect(await consultations.create(channel(6, 'ann'))).toEqual({ kind: 'created' });
      expect(await consultations.openChannelOf(person('ann'))).toBe(consultationId(6));
    });
  });
}
