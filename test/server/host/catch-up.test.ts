import { randomBytes } from 'node:crypto';
import type { ClientMessageId, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft, type Visit } from '../../helpers/visit.ts';

const id = (): ClientMessageId => `message-${randomBytes(8).toString('hex')}` as ClientMessageId;

async function say({ id: consultationId, doctor }: Visit, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await doctor.request('message.send', {
      consultationId,
      clientMessageId: id(),
      content: textDraft(`n${index}`),
    });
}

/** Everything after a sequence, as a returning client reads it: the watch's page, then further pages. */
async function missed(app: TestApp, visit: Visit, afterSequence: number, limit = 50): Promise<Entry[]> {
  await using client = await RawClient.connect(app.origin, personToken(peopleOf(visit.view).patient));
  const first = await client.request('consultation.watch', {
    consultationId: visit.id,
    afterSequence,
    limit,
  });
  const entries = [...first.entries];
  let { hasMore } = first;
  while (hasMore && entries.length < 1_000) {
    const page = await client.request('thread.page', {
      consultationId: visit.id,
      afterSequence: entries.at(-1)?.sequence ?? afterSequence,
      limit,
    });
    entries.push(...page.entries);
    hasMore = page.hasMore;
  }
  return entries;
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('[MSG5] [R4] a device back after a while gets exactly the missing facts, by pages', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { entries } = await visit.patient.request('thread.page', {
    consultationId: visit.id,
    afterSequence: 0,
  });
  const held = entries.at(-1)?.sequence ?? 0;
  visit.patient.socket.disconnect();
  await say(visit, 120);
  for (const wait of [1_000, 600_000, 7 * 24 * 3_600_000]) {
    app.advance(wait);
    const found = await missed(app, visit, held);
    expect(found.map(({ sequence }) => sequence)).toEqual(numbers(held + 1, held + 120));
  }
  expect(await missed(app, visit, held + 120)).toEqual([]);
});

test('[MSG5 sabotage] [R4] a store whose pages leave out or repeat an entry is noticed', async () => {
  for (const shift of [1, -1]) {
    await using app = await startTestApp({}, (store) => ({
      page: (id, range) =>
        store.page(id, 'after' in range ? { ...range, after: Math.max(0, range.after + shift) } : range),
    }));
    await using visit = await startVisit(app);
    await say(visit, 20);
    const found = (await missed(app, visit, 3, 7)).map(({ sequence }) => sequence);
    expect(found).not.toEqual(numbers(4, 23));
  }
});

test('[MSG5] [R4] what was missed is the same after the server was stopped and started again', async () => {
  await using dir = await tempDir();
  let visit: Visit;
  let before: Entry[];
  {
    await using app = await startTestApp({ dataDir: dir.path });
    visit = await startVisit(app);
    await say(visit, 20);
    before = await missed(app, visit, 0);
    await visit[Symbol.asyncDispose]();
  }
  await using app = await startTestApp({ dataDir: dir.path });
  const later = await missed(app, visit, 0, 7);
  expect(later).toEqual(before);
});

test('[MSG6] what is pushed live and what is read later are the same entries', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await say(visit, 5);
  const live = await Promise.all(
    numbers(4, 8).map((sequence) =>
      visit.patient.fact('entry.added', (entry) => entry.sequence === sequence),
    ),
  );
  expect(await missed(app, visit, 3)).toEqual(live);
});

test('[MSG7] the latest page comes without a sequence, and pages before it lead to the first entry', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await say(visit, 30);
  await using client = await RawClient.connect(app.origin, personToken(peopleOf(visit.view).patient));
  const { entries } = await client.request('consultation.watch', { consultationId: visit.id, limit: 10 });
  expect(entries.map(({ sequence }) => sequence)).toEqual(numbers(24, 33));
  const older = await client.request('thread.page', {
    consultationId: visit.id,
    beforeSequence: 24,
    limit: 20,
  });
  expect(older.entries.map(({ sequence }) => sequence)).toEqual(numbers(4, 23));
  expect(older.hasMore).toBe(true);
  const oldest = await client.request('thread.page', {
    consultationId: visit.id,
    beforeSequence: 4,
    limit: 20,
  });
  expect(oldest).toMatchObject({ hasMore: false, lastSequence: 33 });
});

test('[MSG11] a page holds at most about 256 KiB, and leads on, forwards and backwards', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { doctor, patient, id: consultationId } = visit;
  const long = '重'.repeat(4_000);
  for (let count = 0; count < 60; count += 1)
    await doctor.request('message.send', { consultationId, clientMessageId: id(), content: textDraft(long) });
  const sizes: number[] = [];
  const sequencesOf = ({ entries }: { entries: readonly Entry[] }): number[] => {
    sizes.push(Buffer.byteLength(JSON.stringify(entries)));
    return entries.map(({ sequence }) => sequence);
  };
  const latest = sequencesOf(await patient.request('consultation.watch', { consultationId, limit: 200 }));
  expect(latest.at(-1)).toBe(63);
  let found = latest;
  for (let hasMore = true; hasMore; ) {
    const page = await patient.request('thread.page', {
      consultationId,
      beforeSequence: found[0] ?? 0,
      limit: 200,
    });
    found = [...sequencesOf(page), ...found];
    hasMore = page.hasMore;
  }
  expect(found).toEqual(numbers(1, 63));
  const watched = await patient.request('consultation.watch', {
    consultationId,
    afterSequence: 0,
    limit: 200,
  });
  expect(watched).toMatchObject({ hasMore: true, consultation: { lastSequence: 63 } });
  found = sequencesOf(watched);
  for (let hasMore = true; hasMore; ) {
    const page = await patient.request('thread.page', {
      consultationId,
      afterSequence: found.at(-1) ?? 0,
      limit: 200,
    });
    found = [...found, ...sequencesOf(page)];
    expect(page.lastSequence).toBe(63);
    hasMore = page.hasMore;
  }
  expect(found).toEqual(numbers(1, 63));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  expect(sizes.length).toBeGreaterThan(5);
});

test('[MSG12] what is on disk and was not announced yet is in no page: who reads it finds the state it belongs to', async () => {
  let held: PromiseWithResolvers<void> | null = null;
  let written = 0;
  await using app = await startTestApp({}, (store) => ({
    append: async (commit) => {
      const result = await store.append(commit);
      written += 1;
      await held?.promise;
      return result;
    },
  }));
  await using visit = await startVisit(app);
  const { id: consultationId, doctor, patient } = visit;
  const { host } = app.app;
  const before = await host.thread(consultationId, null, { afterSequence: 0, limit: 100 });
  held = Promise.withResolvers();
  written = 0;
  const starting = doctor.request('call.start', { consultationId, media: 'voice' });
  await eventually('the call to be on disk', () => written === 1);
  expect(await host.thread(consultationId, null, { afterSequence: 0, limit: 100 })).toEqual(before);
  expect(await host.thread(consultationId, null, { limit: 100 })).toEqual(before);
  expect(await host.thread(consultationId, null, { limit: 2 })).toMatchObject({
    entries: before.entries.slice(-2),
    hasMore: true,
  });
  held.resolve();
  await starting;
  const { entries } = await patient.request('thread.page', { consultationId, afterSequence: 0 });
  expect(entries.map(({ kind }) => kind)).toEqual([
    ...before.entries.map(({ kind }) => kind),
    'call.started',
  ]);
});
