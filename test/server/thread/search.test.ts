import type { ConsultationId, MessageEntry, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../../helpers/visit.ts';
import { pdf } from '../uploads/samples.ts';
import { startUploading } from '../uploads/uploading.ts';
import { newId, say, send } from './conversation.ts';

const find = (client: RawClient, consultationId: ConsultationId, query: string, more: object = {}) =>
  client.request('thread.search', { consultationId, query, ...more });

/** The texts found, newest first. */
async function texts(client: RawClient, id: ConsultationId, query: string): Promise<string[]> {
  const { matches } = await find(client, id, query);
  return matches.map((entry) => {
    const { content } = entry as MessageEntry;
    return content.type === 'text' ? content.text : content.type;
  });
}

test('[SRCH1] Chinese, letters of any case, and letters of any width are found, newest first', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  for (const text of [
    '我昨天开始头痛',
    'Take IBUPROFEN 400',
    'ｉｂｕｐｒｏｆｅｎ again',
    '体温３８.５度',
    'ﾍﾞｯﾄﾞ rest',
    'nothing',
  ])
    await say(patient, id, text);
  expect(await texts(doctor, id, '头痛')).toEqual(['我昨天开始头痛']);
  expect(await texts(doctor, id, ' Ibuprofen ')).toEqual(['ｉｂｕｐｒｏｆｅｎ again', 'Take IBUPROFEN 400']);
  expect(await texts(doctor, id, '38.5')).toEqual(['体温３８.５度']);
  expect(await texts(doctor, id, 'ＩＢＵ')).toHaveLength(2);
  expect(await texts(doctor, id, 'ベッド')).toEqual(['ﾍﾞｯﾄﾞ rest']);
  expect(await texts(doctor, id, 'absent')).toEqual([]);
  // Every sign stands for itself.
  expect(await texts(doctor, id, '.*')).toEqual([]);
  expect(await texts(doctor, id, '%')).toEqual([]);
});

test('[SRCH2] captions, file names and the fields of a form are found, facts and withdrawn messages are not', async () => {
  await using uploading = await startUploading();
  const { id, visit, patient } = uploading;
  const attachmentId = (await patient.upload(
    { consultationId: id, kind: 'file', fileName: '血常规报告.pdf' },
    pdf(),
  )) as never;
  await patient.ended(id, attachmentId);
  await send(visit.patient, id, { type: 'file', attachmentId, caption: 'From the clinic' });
  await send(visit.patient, id, {
    type: 'form',
    form: { chiefComplaint: 'Dizzy', symptoms: ['Nausea'], allergies: 'Penicillin', attachments: [] },
  });
  const oops = await say(visit.patient, id, 'wrong window');
  for (const [query, found] of [
    ['血常规', ['file']],
    ['CLINIC', ['file']],
    ['dizzy', ['form']],
    ['nausea', ['form']],
    ['penicillin', ['form']],
    ['wrong', ['wrong window']],
    ['accepted', []],
  ] as const)
    expect(await texts(visit.doctor, id, query)).toEqual(found);
  await visit.patient.request('message.recall', { consultationId: id, sequence: oops.sequence });
  expect(await texts(visit.doctor, id, 'wrong')).toEqual([]);
  expect(await texts(visit.doctor, id, 'withdrawn')).toEqual([]);
});

test('[SRCH3] pages of matches lead through all of them once', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const wanted: number[] = [];
  for (let count = 0; count < 30; count += 1) {
    const { sequence } = await say(patient, id, count % 3 === 0 ? `needle ${count}` : 'hay');
    if (count % 3 === 0) wanted.push(sequence);
  }
  for (const limit of [1, 3, 10, 50]) {
    const seen: number[] = [];
    let beforeSequence: number | undefined;
    for (;;) {
      const { matches, nextBefore } = await find(patient, id, 'needle', {
        limit,
        ...(beforeSequence === undefined ? {} : { beforeSequence }),
      });
      seen.push(...matches.map(({ sequence }) => sequence));
      if (nextBefore === null) break;
      beforeSequence = nextBefore;
    }
    expect(seen).toEqual(wanted.toReversed());
  }
  await using stranger = await RawClient.connect(app.origin, personToken('stranger'));
  await expect(find(stranger, id, 'needle')).rejects.toThrow('NOT_FOUND');
});

test('[SRCH6] an answer holds at most about 256 KiB of matches, and says where to go on', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const wanted: number[] = [];
  for (let count = 0; count < 40; count += 1)
    wanted.push((await say(patient, id, '痛'.repeat(4_000))).sequence);
  const seen: number[] = [];
  const sizes: number[] = [];
  for (let before: number | null = 1_000; before !== null; ) {
    const answer: Awaited<ReturnType<typeof find>> = await find(patient, id, '痛痛', {
      limit: 50,
      beforeSequence: before,
    });
    sizes.push(Buffer.byteLength(JSON.stringify(answer.matches)));
    seen.push(...answer.matches.map(({ sequence }) => sequence));
    before = answer.nextBefore;
  }
  expect(seen).toEqual(wanted.toReversed());
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
});

test('[SRCH7] a person who asks for very many searches at once is told to wait; others are answered', async () => {
  await using app = await startTestApp();
  const { id, by } = await longThread(app, 2_000);
  const { host } = app.app;
  const other =
    (await host.view(id, by)).participants.find(({ personId }) => personId !== by)?.personId ?? by;
  const search = (personId: PersonId) => host.search(id, personId, { query: 'needle', limit: 20 });
  const many = Promise.allSettled(Array.from({ length: 600 }, () => search(by)));
  const { matches } = await search(other);
  expect(matches).toHaveLength(1);
  const refused = (await many).filter(({ status }) => status === 'rejected');
  expect(refused.length).toBe(580);
  expect(await search(by)).toMatchObject({ matches: [{ content: { text: 'the needle' } }] });
}, 60_000);

/** Fills a thread with long Chinese messages, and one to look for at its very beginning. */
async function longThread(app: TestApp, count: number): Promise<{ id: ConsultationId; by: PersonId }> {
  const { consultationId: id, participants } = await app.createConsultation();
  const by = participants[0]?.personId ?? ('' as PersonId);
  const say = (text: string) =>
    app.app.host.send(id, { by, clientMessageId: newId(), draft: textDraft(text) });
  await say('the needle');
  const long = '患者自述头晕乏力，夜间加重。'.repeat(70);
  for (let sent = 1; sent < count; sent += 500)
    await Promise.all(Array.from({ length: Math.min(500, count - sent) }, () => say(long)));
  return { id, by };
}

test('[SRCH4] one request looks at 5,000 entries and says where to go on', async () => {
  await using app = await startTestApp();
  const { id, by } = await longThread(app, 6_000);
  const { host } = app.app;
  const { lastSequence } = await host.view(id, by);
  const first = await host.search(id, by, { query: 'needle', limit: 20 });
  expect(first).toEqual({ matches: [], nextBefore: lastSequence - 5_000 + 1 });
  const second = await host.search(id, by, {
    query: 'needle',
    limit: 20,
    beforeSequence: first.nextBefore ?? 0,
  });
  expect(second.matches).toMatchObject([{ content: { text: 'the needle' } }]);
  expect(second.nextBefore).toBeNull();
}, 60_000);

/** How often the event loop came around while something was done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  over = true;
  return turns;
}

test('[SRCH5] while long threads are searched, one by one or 20 at once, the event loop comes around to everybody else', async () => {
  await using app = await startTestApp();
  const { id, by } = await longThread(app, 3_000);
  const { host } = app.app;
  const search = () => host.search(id, by, { query: 'needle', limit: 20 });
  // Opening 3,000 entries of 1,000 characters takes some 100 ms, of which a turn may have 5.
  expect(await turnsDuring(search)).toBeGreaterThan(8);
  const atOnce = () => Promise.all(Array.from({ length: 20 }, search));
  // In each turn one of the 20, not all of them.
  expect(await turnsDuring(atOnce)).toBeGreaterThan(100);
}, 60_000);
