import { type ConsultationId, type Entry, type Participant, PersonId } from '@teleconsult/protocol';
import type { App } from '@teleconsult/server/app';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../../helpers/visit.ts';
import { newId, say } from './conversation.ts';

type Host = App['host'];

/** What a person has not read, counted from the thread itself. */
async function naive(host: Host, id: ConsultationId, personId: PersonId, read: number): Promise<number> {
  const { entries } = await host.thread(id, null, { afterSequence: 0, limit: 1_000 });
  return entries.filter(
    (entry: Entry) =>
      entry.kind === 'message.sent' &&
      entry.content.type !== 'withdrawn' &&
      entry.by !== personId &&
      entry.sequence > read,
  ).length;
}

type Act =
  | { readonly type: 'send' | 'look' | 'list'; readonly who: number }
  | { readonly type: 'read' | 'recall' | 'remove'; readonly who: number; readonly back: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('send' as const), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('look', 'list'), who: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('read', 'recall', 'remove'),
      who: fc.nat(2),
      back: fc.nat(6),
    }),
  },
);

async function visitOfThree(app: TestApp): Promise<{ id: ConsultationId; people: PersonId[] }> {
  const view = await app.createConsultation();
  const id = view.consultationId;
  const relative = PersonId.parse(`relative-${id.slice(-6)}`);
  const participant: Participant = { personId: relative, role: 'relative', displayName: 'R' };
  await app.app.host.addParticipant(id, participant);
  const { patient, doctor } = peopleOf(view);
  return { id, people: [PersonId.parse(patient), PersonId.parse(doctor), relative] };
}

async function perform(host: Host, id: ConsultationId, one: Act, people: readonly PersonId[]): Promise<void> {
  const by = people[one.who] ?? PersonId.parse('nobody');
  const { lastSequence } = await host.view(id, null);
  switch (one.type) {
    case 'send':
      await host.send(id, { by, clientMessageId: newId(), draft: textDraft('x') });
      return;
    case 'look':
      await host.snapshot(id, by, { limit: 1 });
      return;
    case 'list':
      await host.list(by, { limit: 5 }, null);
      return;
    case 'read':
      await host.mark(id, { by, read: Math.max(0, lastSequence - one.back) });
      return;
    // Refused where it is another's message or none, which is fine.
    case 'recall':
      await host.recall(id, { by, sequence: lastSequence - one.back }).catch(() => undefined);
      return;
    case 'remove':
      await host.removeMessage(id, lastSequence - one.back).catch(() => undefined);
  }
}

async function expectExact(host: Host, id: ConsultationId, people: readonly PersonId[]): Promise<void> {
  for (const personId of people) {
    const { unread } = await host.snapshot(id, personId, { limit: 1 });
    expect(unread.unread).toBe(await naive(host, id, personId, unread.read));
    const listed = await host.list(personId, { limit: 5 }, null);
    expect(listed.unread.find(({ consultationId }) => consultationId === id)).toEqual(unread);
  }
}

test('[UNR1] unread counts are exact after any acts of several people, one after the other', async () => {
  await using app = await startTestApp();
  const { host } = app.app;
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const { id, people } = await visitOfThree(app);
      for (const one of acts) {
        await perform(host, id, one, people);
        await expectExact(host, id, people);
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);

test('[UNR2] unread counts are exact when people act at once', async () => {
  await using app = await startTestApp();
  const { host } = app.app;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(act, { maxLength: 12 }), { maxLength: 4 }), async (turns) => {
      const { id, people } = await visitOfThree(app);
      for (const acts of turns) {
        await Promise.all(acts.map((one) => perform(host, id, one, people)));
        await expectExact(host, id, people);
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('[UNR3] all devices of a person hear of what they have not read, also those that do not watch, and the last value holds', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  await using phone = await RawClient.connect(app.origin, personToken(peopleOf(view).doctor));
  const first = await say(patient, id, 'one');
  for (const device of [doctor, phone])
    expect(await device.fact('unread.changed', ({ unread }) => unread === 1)).toEqual({
      consultationId: id,
      unread: 1,
      read: 0,
    });
  for (let count = 0; count < 30; count += 1) await say(patient, id, `n${count}`);
  await phone.fact('unread.changed', ({ unread }) => unread === 31);
  await patient.request('message.recall', { consultationId: id, sequence: first.sequence });
  await phone.fact('unread.changed', ({ unread }) => unread === 30);
  await doctor.request('thread.mark', { consultationId: id, read: first.sequence + 10 });
  await phone.fact('unread.changed', ({ unread, read }) => unread === 20 && read === first.sequence + 10);
  // Nothing of one's own is unread, and nobody else hears of it.
  await eventually('the patient to know of no unread message', () =>
    patient.of('unread.changed').every(({ unread }) => unread === 0),
  );
});

test('[UNR4] a person hears of their unread messages a few times a second at most', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const startedAt = performance.now();
  for (let turn = 0; turn < 6; turn += 1)
    await Promise.all(Array.from({ length: 50 }, () => say(patient, id, 'quick')));
  await doctor.fact('unread.changed', ({ unread }) => unread === 300);
  const elapsedMs = performance.now() - startedAt;
  const told = doctor.of('unread.changed');
  expect(told.length).toBeLessThanOrEqual(2 + elapsedMs / 200);
  expect(told.map(({ unread }) => unread)).toEqual(
    told.map(({ unread }) => unread).toSorted((a, b) => a - b),
  );
});

test('[UNR5] a message asks nothing of the store beside its commit once the counts are known', async () => {
  const asked: string[] = [];
  const note = <T>(name: string, answer: T): T => {
    asked.push(name);
    return answer;
  };
  await using app = await startTestApp({}, (store) => ({
    append: (...args) => note('append', store.append(...args)),
    marks: (...args) => note('marks', store.marks(...args)),
    countUnread: (...args) => note('countUnread', store.countUnread(...args)),
    page: (...args) => note('page', store.page(...args)),
    findMessage: (...args) => note('findMessage', store.findMessage(...args)),
    raiseMarks: (...args) => note('raiseMarks', store.raiseMarks(...args)),
  }));
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  asked.length = 0;
  for (let count = 0; count < 20; count += 1) await say(patient, id, 'x');
  await doctor.fact('unread.changed', ({ unread }) => unread === 20);
  expect(asked).toEqual(Array<string>(20).fill('append'));
});

test('[UNR6] what was unread is so after a restart, and for who joins later', async () => {
  await using app = await startTestApp();
  const { id, people } = await visitOfThree(app);
  const { host } = app.app;
  const [patient, doctor] = people;
  if (patient === undefined || doctor === undefined) throw new Error('There are two.');
  for (let count = 0; count < 5; count += 1)
    await host.send(id, { by: patient, clientMessageId: newId(), draft: textDraft('x') });
  await host.mark(id, { by: doctor, read: 3 });
  const late = PersonId.parse('late-relative');
  await host.addParticipant(id, { personId: late, role: 'interpreter', displayName: 'L' });
  await expectExact(host, id, [...people, late]);
  await expect(host.mark(id, { by: late, read: 1_000 })).resolves.toMatchObject({ unread: 0 });
});
