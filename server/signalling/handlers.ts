import {
  type ConsultationId,
  type RequestName,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { SeatAddress } from '../host/media-rooms.ts';
import type { Session } from './session.ts';

type Handler<N extends RequestName> = (
  payload: RequestPayload<N>,
  session: Session,
) => Promise<RequestResult<N>>;

export type Handlers = { readonly [N in RequestName]: Handler<N> };

/** One handler for each request of the protocol: a missing or surplus one does not compile. */
export function createHandlers(host: ConsultationHost): Handlers {
  const { media } = host;
  const address = (
    { consultationId, callId }: Pick<SeatAddress, 'consultationId' | 'callId'>,
    { personId, deviceId }: Session,
  ): SeatAddress => ({ consultationId, callId, personId, deviceId });

  return {
    'consultation.list': async (page, { personId, onlyConsultation }) => {
      if (onlyConsultation === null) return host.list(personId, page);
      return { consultations: [await host.view(onlyConsultation, personId)], hasMore: false };
    },
    'consultation.watch': async ({ consultationId, ...page }, session) => {
      // Followed before it is read: a fact in between arrives twice rather than never.
      await host.view(consultationId, session.personId);
      session.watch(consultationId);
      return host.snapshot(consultationId, session.personId, page);
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
    'consultation.decline': async ({ consultationId, note }, { personId: by }) => ({
      consultation: await host.command(consultationId, { type: 'decline', by, note }),
    }),
    'consultation.cancel': async ({ consultationId }, { personId: by }) => ({
      consultation: await host.command(consultationId, { type: 'cancel', by }),
    }),
    'consultation.end': async ({ consultationId, note }, { personId: by }) => ({
      consultation: await host.command(consultationId, { type: 'end', by, note }),
    }),
    'message.send': async ({ consultationId, clientMessageId, content }, { personId: by }) => {
      const { messageId, sequence, at } = await host.send(consultationId, {
        by,
        clientMessageId,
        draft: content,
      });
      return { messageId, sequence, at };
    },
    'thread.page': async ({ consultationId, ...page }, { personId }) =>
      host.thread(consultationId, personId, page),
    'call.start': async ({ consultationId, media: kind }, { personId: by, deviceId }) => ({
      call: await host.calls.start(consultationId, { by, deviceId, media: kind }),
    }),
    'call.accept': async ({ consultationId, callId }, { personId: by, deviceId }) => ({
      call: await host.calls.command(consultationId, { type: 'call.accept', by, deviceId, callId }),
    }),
    'call.decline': async ({ consultationId, callId }, { personId: by }) => ({
      call: await host.calls.command(consultationId, { type: 'call.decline', by, callId }),
    }),
    'call.hangUp': async ({ consultationId, callId }, { personId: by, deviceId }) => ({
      call: await host.calls.command(consultationId, { type: 'call.hangUp', by, deviceId, callId }),
    }),
    'call.setMedia': async ({ consultationId, callId, media: kind }, { personId: by, deviceId }) => ({
      call: await host.calls.command(consultationId, {
        type: 'call.setMedia',
        by,
        deviceId,
        callId,
        media: kind,
      }),
    }),
    'seat.join': async (payload, session) =>
      host.calls.join(address(payload, session), payload.rtpCapabilities),
    'seat.connectTransport': async (payload, session) => {
      await media.connectTransport(address(payload, session), payload);
      return {};
    },
    'seat.setCapabilities': async (payload, session) =>
      media.setCapabilities(address(payload, session), payload),
    'seat.produce': async (payload, session) => host.calls.produce(address(payload, session), payload),
    'seat.setSource': async (payload, session) => ({
      call: await host.calls.setSource(address(payload, session), payload),
    }),
    'seat.resumeConsumer': async (payload, session) => {
      await media.resumeConsumer(address(payload, session), payload.consumerId);
      return {};
    },
    'seat.restartIce': async (payload, session) => media.restartIce(address(payload, session), payload),
  };
}

/** The consultation a payload is about, if any; every request but the list names one. */
export const consultationOf = (payload: object): ConsultationId | null =>
  'consultationId' in payload ? (payload.consultationId as ConsultationId) : null;
