import { addressOf, type HandlersOf, type Services } from './handler.ts';

/** Media of calls, and of the network check before one. */
export const seatHandlers = ({ host, checks }: Services): HandlersOf<'seat' | 'check'> => ({
  'seat.join': async (payload, session) => host.calls.join(addressOf(payload, session), payload),
  'seat.connectTransport': async (payload, session) => {
    await host.media.connectTransport(addressOf(payload, session), payload);
    return {};
  },
  'seat.setCapabilities': async (payload, session) =>
    host.media.setCapabilities(addressOf(payload, session), payload),
  'seat.produce': async (payload, session) => host.calls.produce(addressOf(payload, session), payload),
  'seat.setSource': async (payload, session) => ({
    call: await host.calls.setSource(addressOf(payload, session), payload),
  }),
  'seat.resumeConsumer': async (payload, session) => {
    await host.media.resumeConsumer(addressOf(payload, session), payload.consumerId);
    return {};
  },
  'seat.pauseConsumer': async (payload, session) => {
    await host.media.pauseConsumer(addressOf(payload, session), payload.consumerId);
    return {};
  },
  'seat.setLayers': async (payload, session) => {
    await host.media.setLayers(addressOf(payload, session), payload);
    return {};
  },
  'seat.setView': async ({ consultationId, callId, view }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'seat.setView', by, deviceId, callId, view }),
  }),
  'seat.mute': async ({ consultationId, callId, personId }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'seat.mute', by, deviceId, callId, personId }),
  }),
  'seat.setInterrupted': async ({ consultationId, callId, interrupted }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, {
      type: 'seat.setInterrupted',
      by,
      deviceId,
      callId,
      interrupted,
    }),
  }),
  'seat.reportQuality': async (payload, session) => {
    await host.calls.reportQuality(addressOf(payload, session), payload.report);
    return {};
  },
  'seat.restartIce': async (payload, session) => host.media.restartIce(addressOf(payload, session), payload),
  'check.open': async (_payload, session) => checks.open(session),
  'check.connectTransport': async (payload, session) => {
    await checks.connectTransport(session, payload);
    return {};
  },
  'check.produce': async (payload, session) => checks.produce(session, payload),
  'check.consume': async (payload, session) => checks.consume(session, payload),
  'check.close': async ({ checkId }, session) => {
    await checks.close(session, checkId);
    return {};
  },
});
