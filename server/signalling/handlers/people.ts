import { requireWhole } from '../../identity/access.ts';
import type { HandlersOf, Services } from './handler.ts';

type Nouns = 'session' | 'preferences' | 'push' | 'invitation' | 'nearby' | 'colleague';

/** What concerns a person rather than one consultation. */
export const personHandlers = ({ people, invitations, nearby, now }: Services): HandlersOf<Nouns> => ({
  'session.ping': async () => ({ at: now() }),
  'preferences.get': async (_payload, { personId }) => ({ preferences: await people.preferences(personId) }),
  'preferences.set': async (change, session) => {
    requireWhole(session);
    return { preferences: await people.setPreferences(session.personId, change) };
  },
  'push.key': async () => ({ publicKey: people.pushKey() }),
  'push.subscribe': async ({ subscription }, session) => {
    requireWhole(session);
    await people.subscribe(session.personId, session.deviceId, subscription);
    return {};
  },
  'push.unsubscribe': async (_payload, session) => {
    requireWhole(session);
    await people.unsubscribe(session.personId, session.deviceId);
    return {};
  },
  'invitation.create': async (payload, session) => invitations.create(session, payload),
  'invitation.preview': async ({ code }, session) => invitations.preview(session, code),
  'invitation.redeem': async ({ code }, session) => ({
    consultation: await invitations.redeem(session, code),
  }),
  'invitation.revoke': async ({ invitationId }, session) => {
    await invitations.revoke(session, invitationId);
    return {};
  },
  'nearby.show': async ({ latitude, longitude }, session) => nearby.show(session, { latitude, longitude }),
  'nearby.hide': async (_payload, session) => {
    nearby.hide(session);
    return {};
  },
  'nearby.list': async (_payload, session) => ({ colleagues: nearby.list(session) }),
  'colleague.request': async ({ personId }, session) => ({
    consultation: await nearby.request(session, personId),
  }),
});
