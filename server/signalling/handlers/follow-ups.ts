import { AppError, type FollowUpBoard } from '@teleconsult/protocol';
import { askedBy, type HandlersOf, type Services } from './handler.ts';

type Answer = { readonly board: FollowUpBoard };

/** What comes after a visit. */
export const followUpHandlers = ({
  host: { followUps },
  notes,
}: Pick<Services, 'host' | 'notes'>): HandlersOf<'followUp' | 'contact'> => ({
  'followUp.list': async ({ consultationId }, { personId }): Promise<Answer> => ({
    board: await followUps.board(consultationId, personId),
  }),
  'followUp.plan': async ({ consultationId, ...wish }, { personId: by }) =>
    followUps.plan(consultationId, { by, ...wish }),
  'followUp.change': async ({ consultationId, ...change }, { personId: by }): Promise<Answer> => ({
    board: await followUps.command(consultationId, { type: 'followUp.change', by, ...change }),
  }),
  'followUp.cancel': async ({ consultationId, followUpId }, { personId: by }): Promise<Answer> => ({
    board: await followUps.command(consultationId, { type: 'followUp.cancel', by, followUpId }),
  }),
  'followUp.begin': async ({ consultationId, followUpId }, { personId: by }): Promise<Answer> => ({
    board: await followUps.command(consultationId, { type: 'followUp.begin', by, followUpId }),
  }),
  'followUp.complete': async ({ consultationId, ...result }, session): Promise<Answer> => {
    const { noteId } = result;
    const command = { type: 'followUp.complete', by: session.personId, ...result } as const;
    if (noteId !== undefined) {
      // Who may not complete it learns nothing of notes.
      await followUps.foresee(consultationId, command);
      const found = await notes.list({ consultationId }, askedBy(session));
      if (!found.notes.some((note) => note.noteId === noteId))
        throw new AppError('NOT_FOUND', { detail: 'there is no such note' });
    }
    return { board: await followUps.command(consultationId, command) };
  },
  'contact.set': async ({ consultationId, refused }, { personId: by }): Promise<Answer> => ({
    board: await followUps.command(consultationId, { type: 'contact.set', by, refused }),
  }),
});
