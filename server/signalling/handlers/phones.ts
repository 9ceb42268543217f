import type { HandlersOf, Services } from './handler.ts';

/** Masked calls, and telephones in a running call. */
export const phoneHandlers = ({ phones }: Pick<Services, 'phones'>): HandlersOf<'phone'> => ({
  'phone.get': async ({ consultationId }, { personId: by }) => ({
    board: await phones.board(consultationId, by),
  }),
  'phone.bind': async ({ consultationId, ...wish }, { personId: by }) =>
    phones.bind(consultationId, by, wish),
  'phone.unbind': async ({ consultationId, bindingId }, { personId: by }) => ({
    board: await phones.unbind(consultationId, by, bindingId),
  }),
  'phone.setRefused': async ({ consultationId, refused }, { personId: by }) => ({
    board: await phones.setRefused(consultationId, by, refused),
  }),
  'phone.join': async ({ consultationId, callId, personId }, { personId: by, deviceId }) => {
    await phones.join(consultationId, { by, deviceId, callId, personId });
    return {};
  },
});
