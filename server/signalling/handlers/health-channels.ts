import { requireWhole } from '../../identity/access.ts';
import { nameOf, requireDoctor } from '../../invitations/inviter.ts';
import type { HandlersOf, Services } from './handler.ts';

/** A doctor's own place for clips. What is done in it are notes and dictations. */
export const healthChannelHandlers = ({ host }: Pick<Services, 'host'>): HandlersOf<'healthChannel'> => ({
  'healthChannel.open': async (_payload, session) => {
    requireWhole(session);
    requireDoctor(session);
    const { personId } = session;
    return {
      consultation: await host.openHealthChannel({ personId, role: 'doctor', displayName: nameOf(session) }),
    };
  },
});
