import { expect, test } from 'vitest';
import { startTestApp } from '../../helpers/test-app.ts';
import { startVisit, textDraft } from '../../helpers/visit.ts';
import { newId, say, threadOf } from './conversation.ts';

test('[REP1] a message answers another, and everybody reads which', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const question = await say(doctor, id, 'Since when?');
  const answer = await say(patient, id, 'Since Monday', question.sequence);
  const live = await doctor.fact('entry.added', ({ sequence }) => sequence === answer.sequence);
  expect(live).toMatchObject({ replyTo: question.sequence });
  expect((await threadOf(doctor, id)).at(-1)).toEqual(live);
});

test('[REP2] what is answered must be a message that is there; a withdrawn one may be', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(doctor, id, 'oops');
  for (const replyTo of [0, 1, sequence + 1, 1_000_000])
    await expect(say(patient, id, 'to nothing', replyTo)).rejects.toThrow('INVALID');
  await doctor.request('message.recall', { consultationId: id, sequence });
  await say(patient, id, 'What was that?', sequence);
  expect((await threadOf(doctor, id)).at(-1)).toMatchObject({ replyTo: sequence });
});

test('[REP3] what a message answers is part of it: the same id with another is a CONFLICT', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const [one, two] = [await say(doctor, id, 'one'), await say(doctor, id, 'two')];
  const clientMessageId = newId();
  const reply = (replyTo?: number) =>
    patient.request('message.send', {
      consultationId: id,
      clientMessageId,
      content: textDraft('yes'),
      ...(replyTo === undefined ? {} : { replyTo }),
    });
  const first = await reply(one.sequence);
  expect(await reply(one.sequence)).toEqual(first);
  await expect(reply(two.sequence)).rejects.toThrow('CONFLICT');
  await expect(reply()).rejects.toThrow('CONFLICT');
});
