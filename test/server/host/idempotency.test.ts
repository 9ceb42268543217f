import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ClientMessageId, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, textDraft, type Visit } from '../../helpers/visit.ts';

const SAME = 'message-same-0001' as ClientMessageId;

async function messages({ id, doctor }: Visit): Promise<Entry[]> {
  const { entries } = await doctor.request('thread.page', {
    consultationId: id,
    afterSequence: 0,
    limit: 200,
  });
  return entries.filter(({ kind }) => kind === 'message.sent');
}

/** Sends one message in every way a client may repeat it; answers how many rows there are and the sequences answered. */
async function repeated(app: TestApp, visit: Visit): Promise<{ rows: number; answers: Set<number> }> {
  const { id, patient, view } = visit;
  const payload = { consultationId: id, clientMessageId: SAME, content: textDraft('once') };
  const answers = new Set<number>();
  answers.add((await patient.request('message.send', payload)).sequence);
  await using again = await RawClient.connect(app.origin, personToken(peopleOf(view).patient), {
    deviceId: patient.deviceId,
  });
  answers.add((await again.request('message.send', payload)).sequence);
  await using other = await RawClient.connect(app.origin, personToken(peopleOf(view).patient));
  const parallel = Array.from({ length: 50 }, (_, index) =>
    (index % 2 === 0 ? again : other).request('message.send', payload),
  );
  for (const { sequence } of await Promise.all(parallel)) answers.add(sequence);
  return { rows: (await messages(visit)).length, answers };
}

test('[MSG1] [R2] the same clientMessageId is one message over reconnects, devices and parallel sends', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { rows, answers } = await repeated(app, visit);
  expect(rows).toBe(1);
  expect(answers.size).toBe(1);
});

test('[MSG1] [R2] 200 parallel first sends of one id are one message', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const payload = { consultationId: id, clientMessageId: SAME, content: textDraft('once') };
  // Four turns of fifty: a device may have 64 requests at work.
  const answers = new Set<number>();
  for (let turn = 0; turn < 4; turn++) {
    const sends = Array.from({ length: 50 }, () => patient.request('message.send', payload));
    for (const { sequence } of await Promise.all(sends)) answers.add(sequence);
  }
  expect(answers.size).toBe(1);
  expect(await messages(visit)).toHaveLength(1);
});

test('[MSG1 sabotage] [R2] without the unique index and the look-up a repeated message is there twice', async () => {
  await using app = await startTestApp({}, () => ({ findMessage: async () => null }));
  const raw = new DatabaseSync(join(app.dataDir, 'teleconsult.db'));
  raw.exec('DROP INDEX entry_message');
  raw.close();
  await using visit = await startVisit(app);
  const { rows } = await repeated(app, visit);
  expect(rows).toBeGreaterThan(1);
});

test('[MSG2] [R2] the same clientMessageId with other content is a CONFLICT and changes nothing', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const send = (text: string) =>
    patient.request('message.send', { consultationId: id, clientMessageId: SAME, content: textDraft(text) });
  await send('first');
  await expect(send('second')).rejects.toThrow('CONFLICT');
  // In one batch, too: both arrive before either is written.
  const fresh = 'message-fresh-001' as ClientMessageId;
  const both = await Promise.allSettled(
    ['x', 'y'].map((text) =>
      patient.request('message.send', {
        consultationId: id,
        clientMessageId: fresh,
        content: textDraft(text),
      }),
    ),
  );
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await messages(visit)).toHaveLength(2);
});

test('[MSG3] two people may use the same clientMessageId without meeting', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const payload = { consultationId: id, clientMessageId: SAME, content: textDraft('mine') };
  const [mine, yours] = [
    await patient.request('message.send', payload),
    await doctor.request('message.send', payload),
  ];
  expect(mine.sequence).not.toBe(yours.sequence);
});

test('[MSG4] messages of one device keep the order in which it sent them', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const sequences = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const clientMessageId = `message-${randomBytes(8).toString('hex')}` as ClientMessageId;
      return (
        await patient.request('message.send', {
          consultationId: id,
          clientMessageId,
          content: textDraft('n'),
        })
      ).sequence;
    }),
  );
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
});
