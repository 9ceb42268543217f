import { AppError } from '@teleconsult/protocol';
import type { HandlersOf, Services } from './handler.ts';

interface Parts {
  readonly host: Pick<Services['host'], 'list' | 'view' | 'snapshot' | 'command'>;
  readonly waiting: Pick<Services['waiting'], 'placesOf'>;
  readonly presence: Pick<Services['presence'], 'onlineIn'>;
}

export const consultationHandlers = ({
  host,
  waiting,
  presence,
}: Parts): HandlersOf<'consultation' | 'participant'> => ({
  'consultation.list': async (page, { personId, onlyConsultation }) => {
    const listed = await host.list(personId, page, onlyConsultation);
    return { ...listed, queue: [...(await waiting.placesOf(listed.consultations, personId))] };
  },
  'consultation.watch': async ({ consultationId, ...page }, session) => {
    // Followed before it is read: a fact in between arrives twice rather than never.
    await host.view(consultationId, session.personId);
    session.watch(consultationId);
    const snapshot = await host.snapshot(consultationId, session.personId, page).catch((error: unknown) => {
      // Taken out in the very moment: whoever takes no part must not go on hearing of it.
      if (error instanceof AppError && error.code === 'NOT_FOUND') session.unwatch(consultationId);
      throw error;
    });
    const [queue = null] = await waiting.placesOf([snapshot.consultation], session.personId);
    return { ...snapshot, queue, online: [...presence.onlineIn(snapshot.consultation)] };
  },
  'consultation.unwatch': async ({ consultationId }, session) => {
    await host.view(consultationId, session.personId);
    session.unwatch(consultationId);
    return {};
  },
  'consultation.enter': async ({ consultationId }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'enter', by }),
  }),
  'consultation.accept': async ({ consultationId }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'accept', by }),
  }),
  'consultation.decline': async ({ consultationId, reason, note }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'decline', by, reason, note }),
  }),
  'consultation.cancel': async ({ consultationId }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'cancel', by }),
  }),
  'consultation.end': async ({ consultationId, note }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'end', by, note }),
  }),
  'consultation.setSubject': async ({ consultationId, subject }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'setSubject', by, subject }),
  }),
  'participant.leave': async ({ consultationId }, { personId: by }) => {
    await host.command(consultationId, { type: 'participant.leave', by });
    return {};
  },
  'participant.remove': async ({ consultationId, personId }, { personId: by }) => ({
    consultation: await host.command(consultationId, { type: 'participant.remove', by, personId }),
  }),
});
