import type { HandlersOf, Services } from './handler.ts';

export const callHandlers = ({ host }: Services): HandlersOf<'call'> => ({
  'call.start': async ({ consultationId, media, people }, { personId: by, deviceId }) => ({
    call: await host.calls.start(consultationId, { by, deviceId, media, people }),
  }),
  'call.accept': async ({ consultationId, callId, leaveOther }, { personId: by, deviceId }) => ({
    call: await host.calls.accept(consultationId, { by, deviceId, callId, leaveOther }),
  }),
  'call.decline': async ({ consultationId, callId }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'call.decline', by, deviceId, callId }),
  }),
  'call.hangUp': async ({ consultationId, callId }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'call.hangUp', by, deviceId, callId }),
  }),
  'call.leave': async ({ consultationId, callId }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'call.leave', by, deviceId, callId }),
  }),
  'call.invite': async ({ consultationId, callId, personId }, { personId: by, deviceId }) => ({
    call: await host.calls.invite(consultationId, { by, deviceId, callId, personId }),
  }),
  'call.setMedia': async ({ consultationId, callId, media }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'call.setMedia', by, deviceId, callId, media }),
  }),
});
