/** What every adapter keeps of reading, withdrawing, joining and waiting. `store.*.test.ts` run it on each of them. */
import type { Commit, StateIndex } from '@teleconsult/server/host/ports';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attachmentId,
  consultationId,
  fact,
  message,
  newAttachment,
  newConsultation,
  participants,
  person,
  type StoresUnderTest,
  sealed,
  stateIndex,
} from './store.fixtures.ts';

const one = consultationId(1);
const [ann, bob, eve] = ['ann', 'bob', 'eve'].map(person) as [
  ReturnType<typeof person>,
  ReturnType<typeof person>,
  ReturnType<typeof person>,
];
const commit = (change: Partial<Commit>): Commit => ({
  consultationId: one,
  entries: [],
  state: null,
  ...change,
});
const becomes = (change: Partial<StateIndex>) => ({ sealed: sealed('next'), index: stateIndex(change) });
const recall = (by: number) => fact(by);

export function threadStoreContract(adapter: string, open: () => Promise<StoresUnderTest>): void {
  async function withMessages(count: number): Promise<StoresUnderTest> {
    const under = await open();
    const entries = Array.from({ length: count }, (_, index) => message(index + 1));
    await under.consultations.create(newConsultation(1, { entries }));
    return under;
  }

  describe(`withdrawing in the store: ${adapter}`, () => {
    test('[STO26] a withdrawn message says how and by which entry, keeps its seal, and takes its attachments along', async () => {
      await using under = await withMessages(3);
      const { consultations, attachments } = under;
      for (const number of [1, 2, 3]) await attachments.createAttachment(newAttachment(number));
      const withdrawal = {
        sequence: 2,
        how: 'recalled' as const,
        by: 4,
        attachmentIds: [1, 2].map(attachmentId),
      };
      await consultations.append(commit({ entries: [recall(4)], withdrawals: [withdrawal] }));
      const entries = await consultations.page(one, { after: 0, limit: 10 });
      expect(entries.map(({ withdrawn, withdrawnBy }) => [withdrawn, withdrawnBy])).toEqual([
        [null, null],
        ['recalled', 4],
        [null, null],
        [null, null],
      ]);
      expect(Buffer.from(entries[1]?.sealed ?? []).toString()).toBe('message 2');
      const found = await consultations.findMessage(one, ann, message(2).clientMessageId ?? ('' as never));
      expect(found).toMatchObject({ withdrawn: 'recalled', withdrawnBy: 4 });
      const states = await Promise.all(
        [1, 2, 3].map((number) => attachments.loadAttachment(attachmentId(number))),
      );
      expect(states.map((record) => record?.withdrawn)).toEqual([true, true, false]);
    });

    test('[STO26] what was withdrawn stays as it was withdrawn first', async () => {
      await using under = await withMessages(1);
      const { consultations } = under;
      for (const [by, how] of [[2, 'recalled'] as const, [3, 'removed'] as const])
        await consultations.append(
          commit({ entries: [recall(by)], withdrawals: [{ sequence: 1, how, by, attachmentIds: [] }] }),
        );
      const [entry] = await consultations.page(one, { after: 0, limit: 1 });
      expect(entry).toMatchObject({ withdrawn: 'recalled', withdrawnBy: 2 });
    });

    test('[STO26] a message can be withdrawn by the commit that adds it', async () => {
      await using under = await withMessages(1);
      const { consultations } = under;
      const withdrawals = [{ sequence: 2, how: 'removed' as const, by: 3, attachmentIds: [] }];
      await consultations.append(commit({ entries: [message(2), recall(3)], withdrawals }));
      const [entry] = await consultations.page(one, { after: 1, limit: 1 });
      expect(entry).toMatchObject({ withdrawn: 'removed', withdrawnBy: 3 });
    });

    test('[STO26] a commit that is not written withdraws nothing, and nobody joins or leaves by it', async () => {
      await using under = await withMessages(2);
      const { consultations, attachments } = under;
      await attachments.createAttachment(newAttachment(1));
      const stale = commit({
        entries: [recall(2)],
        withdrawals: [{ sequence: 1, how: 'recalled', by: 2, attachmentIds: [attachmentId(1)] }],
        joined: [{ personId: eve, role: 'relative' }],
        left: [bob],
      });
      expect(await consultations.append(stale)).toBe('stale');
      expect((await consultations.page(one, { after: 0, limit: 1 }))[0]?.withdrawn).toBeNull();
      expect((await attachments.loadAttachment(attachmentId(1)))?.withdrawn).toBe(false);
      const listed = (name: typeof ann) => consultations.listFor(name, { limit: 5, createdBefore: null });
      expect(await listed(eve)).toEqual([]);
      expect(await listed(bob)).toEqual([one]);
    });

    test('[STO26] attachments of another consultation are not withdrawn', async () => {
      await using under = await withMessages(1);
      const { consultations, attachments } = under;
      await consultations.create(newConsultation(2));
      await attachments.createAttachment(newAttachment(1, { consultationId: consultationId(2) }));
      const withdrawals = [{ sequence: 1, how: 'removed' as const, by: 2, attachmentIds: [attachmentId(1)] }];
      await consultations.append(commit({ entries: [recall(2)], withdrawals }));
      expect((await attachments.loadAttachment(attachmentId(1)))?.withdrawn).toBe(false);
    });
  });

  test(`[STO27] who joins finds the consultation among those of its time, and who leaves does not: ${adapter}`, async () => {
    await using under = await open();
    const { consultations } = under;
    for (const [number, createdAt] of [
      [1, 100],
      [2, 200],
      [3, 300],
    ] as const)
      await consultations.create(newConsultation(number, { createdAt }));
    const listed = (limit = 10) => consultations.listFor(eve, { limit, createdBefore: null });
    for (const number of [3, 1, 2])
      await consultations.append(
        commit({
          consultationId: consultationId(number),
          entries: [fact(2)],
          joined: [{ personId: eve, role: 'relative' }],
        }),
      );
    expect(await listed()).toEqual([3, 2, 1].map(consultationId));
    expect(await listed(2)).toEqual([3, 2].map(consultationId));
    const leave = commit({ consultationId: consultationId(2), entries: [fact(3)], left: [eve] });
    await consultations.append(leave);
    expect(await listed()).toEqual([3, 1].map(consultationId));
    // Coming back in another role.
    await consultations.append({
      ...leave,
      entries: [fact(4)],
      left: [],
      joined: [{ personId: eve, role: 'colleague' }],
    });
    await consultations.append({
      ...leave,
      entries: [fact(5)],
      left: [],
      joined: [{ personId: eve, role: 'interpreter' }],
    });
    expect(await listed()).toEqual([3, 2, 1].map(consultationId));
  });

  describe(`marks in the store: ${adapter}`, () => {
    test('[STO28] marks only rise, each for itself, whatever comes in which order', async () => {
      await using under = await withMessages(1);
      const { consultations } = under;
      expect(await consultations.marks(one)).toEqual([]);
      const raise = (personId: typeof ann, delivered: number, read: number) =>
        consultations.raiseMarks(one, { personId, delivered, read });
      expect(await raise(ann, 5, 3)).toEqual({ personId: 'ann', delivered: 5, read: 3 });
      expect(await raise(ann, 4, 4)).toEqual({ personId: 'ann', delivered: 5, read: 4 });
      expect(await raise(bob, 1, 0)).toEqual({ personId: 'bob', delivered: 1, read: 0 });
      const wanted = Array.from({ length: 200 }, (_, index) => (index * 37) % 200);
      const answers = await Promise.all(wanted.map((place) => raise(ann, place, 199 - place)));
      for (const [index, { delivered, read }] of answers.entries()) {
        expect(delivered).toBeGreaterThanOrEqual(wanted[index] ?? 0);
        expect(read).toBeGreaterThanOrEqual(199 - (wanted[index] ?? 0));
      }
      expect(
        [...(await consultations.marks(one))].toSorted((a, b) => (a.personId < b.personId ? -1 : 1)),
      ).toEqual([
        { personId: 'ann', delivered: 199, read: 199 },
        { personId: 'bob', delivered: 1, read: 0 },
      ]);
      await expect(
        consultations.raiseMarks(consultationId(9), { personId: ann, delivered: 1, read: 1 }),
      ).rejects.toThrow();
    });

    test('[STO29] unread are the messages of others in a range that are not withdrawn', async () => {
      const kinds = fc.array(fc.constantFrom('ann', 'bob', 'eve', 'fact', 'gone'), { maxLength: 15 });
      await fc.assert(
        fc.asyncProperty(kinds, fc.nat(16), fc.nat(16), async (drawn, after, upTo) => {
          await using under = await open();
          const { consultations } = under;
          const entries = drawn.map((kind, index) =>
            kind === 'fact'
              ? fact(index + 1)
              : message(index + 1, { by: kind === 'gone' ? eve : person(kind) }),
          );
          await consultations.create(newConsultation(1, { entries }));
          const withdrawals = drawn.flatMap((kind, index) =>
            kind === 'gone'
              ? [{ sequence: index + 1, how: 'removed' as const, by: 99, attachmentIds: [] }]
              : [],
          );
          await consultations.append(commit({ entries: [fact(99)], withdrawals }));
          const naive = (mine: string, last: number) =>
            drawn.filter(
              (kind, index) =>
                index + 1 > after && index + 1 <= last && !['fact', 'gone', mine].includes(kind),
            ).length;
          for (const name of ['ann', 'bob', 'eve', 'zoe']) {
            expect(await consultations.countUnread(one, person(name), after)).toBe(naive(name, Infinity));
            expect(await consultations.countUnread(one, person(name), after, upTo)).toBe(naive(name, upTo));
          }
        }),
        { numRuns: 12 },
      );
    });
  });

  describe(`waiting and durations in the store: ${adapter}`, () => {
    test('[STO30] a doctor’s waiting patients are found longest waiting first, and nobody else’s', async () => {
      await using under = await open();
      const { consultations } = under;
      for (const [number, waitingSince] of [
        [1, 300],
        [2, 100],
        [3, null],
        [4, 100],
      ] as const)
        await consultations.create(
          newConsultation(number, {
            index: stateIndex({ phase: waitingSince === null ? 'requested' : 'waiting', waitingSince }),
            participants: participants(`patient-${number}`, 'bob'),
          }),
        );
      await consultations.create(
        newConsultation(5, {
          index: stateIndex({ phase: 'waiting', waitingSince: 50 }),
          participants: participants('patient-5', 'another'),
        }),
      );
      const waiting = async () => (await consultations.waitingFor(bob)).map((place) => place.consultationId);
      expect(await waiting()).toEqual([2, 4, 1].map(consultationId));
      expect((await consultations.waitingFor(bob))[0]).toEqual({
        consultationId: consultationId(2),
        patientId: 'patient-2',
        since: 100,
      });
      await consultations.append(
        commit({
          consultationId: consultationId(2),
          entries: [fact(2)],
          state: becomes({ phase: 'active', activeSince: 400 }),
        }),
      );
      expect(await waiting()).toEqual([4, 1].map(consultationId));
      expect(await consultations.waitingFor(person('patient-1'))).toEqual([]);
    });

    test('[STO30] durations are those of the last visits that began and ended, and of no thread between doctors', async () => {
      await using under = await open();
      const { consultations } = under;
      const ended = (number: number, activeSince: number | null, endedAt: number | null) =>
        newConsultation(number, {
          createdAt: number,
          index: stateIndex({ phase: 'ended', activeSince, endedAt }),
        });
      await consultations.create(ended(1, 100, 160));
      await consultations.create(ended(2, 100, 110));
      await consultations.create(ended(3, null, null));
      await consultations.create(ended(4, 500, null));
      await consultations.create(ended(5, 700, 1_000));
      await consultations.create({
        ...ended(6, 100, 9_000),
        participants: ['zoe', 'bob'].map((name) => ({ personId: person(name), role: 'doctor' })),
      });
      expect(await consultations.visitDurations(bob, 10)).toEqual([300, 10, 60]);
      expect(await consultations.visitDurations(bob, 2)).toEqual([300, 10]);
      expect(await consultations.visitDurations(ann, 10)).toEqual([]);
    });
  });

  test(`[STO31] what reaches further than was notified is found until it was, and that never goes back: ${adapter}`, async () => {
    await using under = await open();
    const { consultations } = under;
    for (const number of [1, 2]) await consultations.create(newConsultation(number));
    expect([...(await consultations.behind(10))].toSorted()).toEqual([1, 2].map(consultationId));
    expect(await consultations.behind(1)).toHaveLength(1);
    await consultations.markNotified(one, 1);
    await consultations.markNotified(consultationId(2), 1);
    expect(await consultations.behind(10)).toEqual([]);
    await consultations.append(commit({ entries: [message(2), message(3)] }));
    expect(await consultations.behind(10)).toEqual([one]);
    await consultations.markNotified(one, 3);
    await consultations.markNotified(one, 2);
    expect(await consultations.notifiedUpTo(one)).toBe(3);
    expect(await consultations.behind(10)).toEqual([]);
    expect(await consultations.notifiedUpTo(consultationId(9))).toBe(0);
  });
}
