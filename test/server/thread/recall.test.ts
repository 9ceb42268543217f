import type { ConsultationId, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../../helpers/visit.ts';
import { Gate } from '../host/gate.ts';
import { FailingWrites } from '../storage/failing-writes.ts';
import { jpeg } from '../uploads/samples.ts';
import { startUploading } from '../uploads/uploading.ts';
import { newId, restThread, say, send, threadOf } from './conversation.ts';

const recall = (client: RawClient, consultationId: ConsultationId, sequence: number) =>
  client.request('message.recall', { consultationId, sequence });

const at = (entries: readonly Entry[], sequence: number): Entry | undefined =>
  entries.find((entry) => entry.sequence === sequence);

const withdrawn = (how: 'recalled' | 'removed') => ({ content: { type: 'withdrawn', how } });

const recalls = (entries: readonly Entry[]): Entry[] =>
  entries.filter(({ kind }) => kind === 'message.recalled' || kind === 'message.removed');

test('[RCL1] a recalled message is a tombstone wherever it is read, and everybody is told', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(patient, id, 'a secret that was sent by mistake');
  const last = await say(patient, id, 'another');
  const answer = await recall(patient, id, sequence);
  expect(answer.sequence).toBe(last.sequence + 1);
  const told = await doctor.fact('entry.added', ({ kind }) => kind === 'message.recalled');
  expect(told).toMatchObject({ target: sequence, sequence: answer.sequence, at: answer.at });
  for (const client of [patient, doctor]) {
    expect(at(await threadOf(client, id), sequence)).toMatchObject(withdrawn('recalled'));
    const { entries } = await client.request('consultation.watch', { consultationId: id, limit: 50 });
    expect(at(entries, sequence)).toMatchObject({
      ...withdrawn('recalled'),
      by: peopleOf(visit.view).patient,
    });
    const older = await client.request('thread.page', {
      consultationId: id,
      beforeSequence: last.sequence,
      limit: 1,
    });
    expect(older.entries).toMatchObject([withdrawn('recalled')]);
  }
  const rest = await restThread(app.origin, id);
  expect(at(rest, sequence)).toMatchObject(withdrawn('recalled'));
  expect(JSON.stringify(rest)).not.toContain('secret');
  expect(rest.map((entry) => entry.sequence)).toEqual(rest.map((_, index) => index + 1));
});

test('[RCL2] a message is recalled within the recall time by the server’s clock and not after it', async () => {
  let now = 1_800_000_000_000;
  await using app = await startTestApp({ clock: () => now });
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const [early, late] = [await say(patient, id, 'early'), await say(patient, id, 'late')];
  now += 120_000;
  await recall(patient, id, early.sequence);
  now += 1;
  await expect(recall(patient, id, late.sequence)).rejects.toThrow('EXPIRED');
  expect(at(await threadOf(patient, id), late.sequence)).toMatchObject({ content: { text: 'late' } });
});

test('[RCL3] nobody recalls another’s message, what is no message, or what is not there', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(patient, id, 'mine');
  await expect(recall(doctor, id, sequence)).rejects.toThrow('FORBIDDEN');
  await expect(recall(patient, id, 1)).rejects.toThrow('NOT_FOUND');
  await expect(recall(patient, id, 0)).rejects.toThrow('NOT_FOUND');
  await expect(recall(patient, id, sequence + 1)).rejects.toThrow('NOT_FOUND');
  await using stranger = await RawClient.connect(app.origin, personToken('stranger'));
  await expect(recall(stranger, id, sequence)).rejects.toThrow('NOT_FOUND');
  await recall(patient, id, sequence);
  // That it is withdrawn opens it to nobody else.
  await expect(recall(doctor, id, sequence)).rejects.toThrow('FORBIDDEN');
});

test('[RCL4] recalling again answers the same: in parallel, over devices, after a restart, late, and after the end', async () => {
  await using dir = await tempDir();
  const answers = new Set<string>();
  const note = (answer: object) => answers.add(JSON.stringify(answer));
  let id: ConsultationId;
  let people: ReturnType<typeof peopleOf>;
  let sequence: number;
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using visit = await startVisit(app);
    ({ id } = visit);
    people = peopleOf(visit.view);
    ({ sequence } = await say(visit.patient, id, 'twice'));
    await using other = await RawClient.connect(app.origin, personToken(people.patient));
    const all = Array.from({ length: 50 }, (_, index) =>
      recall(index % 2 === 0 ? visit.patient : other, id, sequence),
    );
    for (const answer of await Promise.all(all)) note(answer);
    expect(recalls(await threadOf(other, id))).toHaveLength(1);
  }
  await using app = await startTestApp({ dataDir: dir.path });
  app.advance(3_600_000);
  await using patient = await RawClient.connect(app.origin, personToken(people.patient));
  note(await recall(patient, id, sequence));
  await using doctor = await RawClient.connect(app.origin, personToken(people.doctor));
  await doctor.request('consultation.end', { consultationId: id });
  note(await recall(patient, id, sequence));
  const unrecalled = await threadOf(patient, id);
  expect(recalls(unrecalled)).toHaveLength(1);
  expect(answers.size).toBe(1);
});

test('[RCL4] after the end nothing is recalled any more', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(patient, id, 'stays');
  await doctor.request('consultation.end', { consultationId: id });
  await expect(recall(patient, id, sequence)).rejects.toThrow('WRONG_STATE');
});

test('[RCL5] a message is recalled by the very commit that adds it, once', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const before = (await threadOf(patient, id)).length;
  gate.shut();
  const first = say(patient, id, 'holds the others back');
  await expect.poll(() => gate.waiting).toBe(1);
  const second = say(patient, id, 'short-lived');
  // Each is answered only when the requests before it wait in the queue.
  await patient.request('session.ping', {});
  const recalling = [1, 2].map(() => recall(patient, id, before + 2));
  await patient.request('session.ping', {});
  gate.open();
  await first;
  const [sent, ...both] = await Promise.all([second, ...recalling]);
  expect(sent?.sequence).toBe(before + 2);
  expect(both.map(({ sequence }) => sequence)).toEqual([before + 3, before + 3]);
  const entries = await threadOf(doctor, id);
  expect(at(entries, before + 2)).toMatchObject(withdrawn('recalled'));
  expect(recalls(entries)).toHaveLength(1);
});

test('[RCL6] the attachments of a recalled message are gone for everybody, and a repeated send is still answered', async () => {
  await using uploading = await startUploading();
  const { app, id, visit, patient, doctor } = uploading;
  const attachmentId = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  await patient.ended(id, attachmentId);
  const content = { type: 'image' as const, attachmentId: attachmentId as never, caption: 'look' };
  const clientMessageId = newId();
  const { sequence } = await send(visit.patient, id, content, clientMessageId);
  expect((await doctor.content(id, attachmentId)).status).toBe(200);
  await recall(visit.patient, id, sequence);
  for (const reader of [patient, doctor]) {
    await expect(reader.status(id, attachmentId)).rejects.toThrow('NOT_FOUND');
    expect((await reader.content(id, attachmentId)).status).toBe(404);
    expect((await reader.content(id, attachmentId, { range: 'bytes=0-9' })).status).toBe(404);
    expect((await reader.content(id, attachmentId, { variant: 'thumbnail' })).status).toBe(404);
  }
  await expect(app.app.host.view(id, null)).resolves.toBeDefined();
  await expect(send(visit.patient, id, content)).rejects.toThrow('NOT_FOUND');
  expect(await send(visit.patient, id, content, clientMessageId)).toMatchObject({ sequence });
  await expect(send(visit.patient, id, { ...content, caption: 'other' }, clientMessageId)).rejects.toThrow(
    'CONFLICT',
  );
});

test('[RCL7] a recalled message that is sent again stays recalled; the same id with other words is a CONFLICT', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const clientMessageId = newId();
  const first = await send(patient, id, textDraft('gone'), clientMessageId);
  await recall(patient, id, first.sequence);
  expect(await send(patient, id, textDraft('gone'), clientMessageId)).toEqual(first);
  await expect(send(patient, id, textDraft('other'), clientMessageId)).rejects.toThrow('CONFLICT');
  expect(at(await threadOf(patient, id), first.sequence)).toMatchObject(withdrawn('recalled'));
});

test('[RCL8] a recall that could not be written has withdrawn nothing, and is possible afterwards', async () => {
  const writes = new FailingWrites();
  await using app = await startTestApp({}, writes.over);
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(patient, id, 'still here');
  writes.begin('STORAGE_FULL');
  await expect(recall(patient, id, sequence)).rejects.toThrow('STORAGE_FULL');
  writes.end();
  expect(at(await threadOf(doctor, id), sequence)).toMatchObject({ content: { text: 'still here' } });
  expect(doctor.of('entry.added').filter(({ kind }) => kind === 'message.recalled')).toEqual([]);
  await recall(patient, id, sequence);
  expect(at(await threadOf(doctor, id), sequence)).toMatchObject(withdrawn('recalled'));
});

test('[RCL9] the host application removes any message, also after the end, once, and says why', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const [mine, kept] = [await say(patient, id, 'insulting'), await say(doctor, id, 'kept')];
  await doctor.request('consultation.end', { consultationId: id });
  app.advance(24 * 3_600_000);
  const { host } = app.app;
  const removals = await Promise.all(
    [1, 2, 3].map(() => host.removeMessage(id, mine.sequence, 'house rules')),
  );
  expect(new Set(removals.map(({ sequence }) => sequence)).size).toBe(1);
  const entries = await threadOf(doctor, id);
  expect(at(entries, mine.sequence)).toMatchObject(withdrawn('removed'));
  expect(at(entries, kept.sequence)).toMatchObject({ content: { text: 'kept' } });
  expect(recalls(entries)).toMatchObject([
    { kind: 'message.removed', target: mine.sequence, reason: 'house rules', by: null },
  ]);
  await expect(host.removeMessage(id, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('[RCL9] of a recall and a removal the first decides how a message was withdrawn', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const { sequence } = await say(patient, id, 'both');
  const recalled = await recall(patient, id, sequence);
  expect(await app.app.host.removeMessage(id, sequence)).toMatchObject({
    kind: 'message.recalled',
    sequence: recalled.sequence,
  });
  expect(at(await threadOf(patient, id), sequence)).toMatchObject(withdrawn('recalled'));
});

test('[RCL10] pages with withdrawn messages have no gap and none twice, in both directions', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  for (let count = 0; count < 12; count += 1) {
    const { sequence } = await say(patient, id, `n${count}`);
    if (count % 3 === 0) await recall(patient, id, sequence);
  }
  const forwards = await threadOf(doctor, id);
  expect(forwards.map(({ sequence }) => sequence)).toEqual(forwards.map((_, index) => index + 1));
  const backwards: Entry[] = [];
  for (let more = true; more; ) {
    const beforeSequence = backwards[0]?.sequence;
    const page = await doctor.request('thread.page', {
      consultationId: id,
      limit: 5,
      ...(beforeSequence === undefined ? {} : { beforeSequence }),
    });
    backwards.unshift(...page.entries);
    more = page.hasMore;
  }
  expect(backwards).toEqual(forwards);
  const tombstones = forwards.filter(
    (entry) => entry.kind === 'message.sent' && entry.content.type === 'withdrawn',
  );
  expect(tombstones).toHaveLength(4);
});
