import { MAX_CLIPS, PersonId } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { expect, test } from 'vitest';
import { startTestApp } from '../../helpers/test-app.ts';
import { openChannel } from './channel-stage.ts';

test('[HCH19] a channel holds at most 300 clips', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { id: consultationId, doctor } = channel;
  const author = PersonId.parse('dr-an');
  const sealed = new Uint8Array(1);
  // As many as there may be but one, in the store alone: nobody looks into them to make another.
  await Promise.all(
    Array.from({ length: MAX_CLIPS - 1 }, (_, index) => {
      const noteId = randomIds.noteId();
      return app.store.notes.createNote(
        {
          noteId,
          consultationId,
          author,
          clientId: `seeded-${index}`,
          createdAt: 1,
          state: 'draft',
          announced: 0,
          sealed,
        },
        { noteId, kind: 'version', number: 1, at: 1, by: author, clientId: null, sealed },
      );
    }),
  );
  const create = (clientNoteId: string) =>
    doctor.request('note.create', {
      consultationId,
      clientNoteId,
      purpose: 'health_channel',
      text: 'One more',
      audio: null,
    });
  const { note } = await create('the-last-one');
  expect(note.state).toBe('draft');
  await expect(create('one-too-many')).rejects.toThrow('WRONG_STATE');
  // The one whose answer was lost is answered all the same.
  expect((await create('the-last-one')).note.noteId).toBe(note.noteId);
  expect(MAX_CLIPS).toBe(300);
});
