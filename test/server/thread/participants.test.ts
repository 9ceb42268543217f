import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';
import { join, say, threadOf } from './conversation.ts';

const listOf = async (client: RawClient) =>
  (await client.request('consultation.list', {})).consultations.map(({ consultationId }) => consultationId);

test('[PART1] who was drawn in finds the consultation in the list and reads and writes in it, also after a restart', async () => {
  await using dir = await tempDir();
  let id = '' as never;
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using visit = await startVisit(app);
    id = visit.id as never;
    await using before = await RawClient.connect(app.origin, personToken('relative-1'));
    await expect(before.request('consultation.watch', { consultationId: id })).rejects.toThrow('NOT_FOUND');
    expect(await listOf(before)).toEqual([]);
    await using relative = await join(app, id, 'relative-1');
    expect(await listOf(relative)).toEqual([id]);
    const { sequence } = await say(relative, id, 'I am his daughter');
    await visit.doctor.fact('entry.added', (entry) => entry.sequence === sequence);
    const joined = (await threadOf(visit.doctor, id)).find(({ kind }) => kind === 'participant.joined');
    expect(joined).toMatchObject({ personId: 'relative-1', role: 'relative' });
  }
  await using app = await startTestApp({ dataDir: dir.path });
  await using relative = await RawClient.connect(app.origin, personToken('relative-1'));
  expect(await listOf(relative)).toEqual([id]);
  const { consultation } = await relative.request('consultation.watch', { consultationId: id });
  expect(consultation.participants).toHaveLength(3);
});

test('[PART2] who left or was taken out sees nothing any more, also after a restart', async () => {
  await using dir = await tempDir();
  let id = '' as never;
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using visit = await startVisit(app);
    id = visit.id as never;
    await using leaving = await join(app, id, 'relative-1');
    await using removed = await join(app, id, 'relative-2');
    await leaving.request('participant.leave', { consultationId: id });
    await app.app.host.removeParticipant(id, 'relative-2' as never);
    for (const gone of [leaving, removed]) {
      expect(await listOf(gone)).toEqual([]);
      for (const request of [
        gone.request('consultation.watch', { consultationId: id }),
        gone.request('thread.page', { consultationId: id }),
        gone.request('thread.search', { consultationId: id, query: 'x' }),
        gone.request('thread.mark', { consultationId: id, read: 1 }),
        gone.request('message.recall', { consultationId: id, sequence: 4 }),
        say(gone, id, 'x'),
      ])
        await expect(request).rejects.toThrow('NOT_FOUND');
    }
  }
  await using app = await startTestApp({ dataDir: dir.path });
  await using gone = await RawClient.connect(app.origin, personToken('relative-1'));
  expect(await listOf(gone)).toEqual([]);
  await expect(gone.request('consultation.watch', { consultationId: id })).rejects.toThrow('NOT_FOUND');
});

test('[PART3] who comes back sees all of it again, and is listed once', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id } = visit;
  await using relative = await join(app, id, 'relative-1');
  const { sequence } = await say(relative, id, 'mine');
  await relative.request('participant.leave', { consultationId: id });
  await say(visit.patient, id, 'meanwhile');
  await using again = await join(app, id, 'relative-1');
  expect(await listOf(again)).toEqual([id]);
  expect((await threadOf(again, id)).find((entry) => entry.sequence === sequence)).toBeDefined();
  // Drawn in twice changes nothing.
  const before = (await threadOf(again, id)).length;
  await (await join(app, id, 'relative-1'))[Symbol.asyncDispose]();
  expect(await threadOf(again, id)).toHaveLength(before);
});

test('[PART4] a token for one consultation lists that one alone', async () => {
  await using app = await startTestApp();
  const one = await app.createConsultation('scoped');
  await app.createConsultation('scoped');
  await using scoped = await RawClient.connect(app.origin, personToken('patient-scoped', one.consultationId));
  const listed = await scoped.request('consultation.list', {});
  expect(listed.consultations.map(({ consultationId }) => consultationId)).toEqual([one.consultationId]);
  expect(listed).toMatchObject({ hasMore: false, unread: [{ consultationId: one.consultationId }] });
});
