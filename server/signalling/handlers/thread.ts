import type { HandlersOf, Services } from './handler.ts';

export const threadHandlers = ({
  host,
  presence,
  transcripts,
}: Services): HandlersOf<'message' | 'thread' | 'typing'> => ({
  'message.send': async ({ consultationId, clientMessageId, content, replyTo }, { personId: by }) => {
    const { messageId, sequence, at } = await host.send(consultationId, {
      by,
      clientMessageId,
      draft: content,
      replyTo,
    });
    return { messageId, sequence, at };
  },
  'message.recall': async ({ consultationId, sequence }, { personId: by }) =>
    host.recall(consultationId, { by, sequence }),
  'message.transcribe': async ({ consultationId, sequence, language }, { personId }) => ({
    text: await transcripts.of(consultationId, { by: personId, sequence, language }),
  }),
  'thread.page': async ({ consultationId, ...page }, { personId }) =>
    host.thread(consultationId, personId, page),
  'thread.mark': async ({ consultationId, delivered, read }, { personId: by }) =>
    host.mark(consultationId, { by, delivered, read }),
  'thread.search': async ({ consultationId, ...search }, { personId }) =>
    host.search(consultationId, personId, search),
  'typing.set': async ({ consultationId, activity }, session) => {
    // Who takes no part learns that there is nothing; the host looks that up.
    const { phase } = await host.view(consultationId, session.personId);
    if (phase !== 'ended') presence.typing(consultationId, session, activity);
    return {};
  },
});
