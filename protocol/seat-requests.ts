import { z } from 'zod';
import { CallId, CheckId, ConsultationId, Moment, PersonId, ResumeTicket } from './ids.ts';
import {
  ConsumerOffer,
  DtlsParameters,
  IceParameters,
  IceServer,
  MediaKind,
  MediaSource,
  QualityReport,
  RtpCapabilities,
  RtpParameters,
  SentSource,
  SpatialLayer,
  TransportDirection,
  TransportOffer,
} from './media.ts';
import { CallView, SeatViewMode } from './model.ts';
import { define } from './request-definition.ts';

const call = { consultationId: ConsultationId, callId: CallId };
const check = { checkId: CheckId };
const empty = z.strictObject({});
const CallResult = z.strictObject({ call: CallView });

/** Requests about the media of a device: in its seat of a call, and in a network check before one. */
export const seatRequests = define({
  'seat.join': {
    summary:
      'Take this person’s seat with this device and open its transports. The answer already holds what the others send. The first join of an answered seat needs nothing more. Later ones bring the ticket of the last answer (`RESUME_REFUSED` without a good one) or take the seat over, which the device that held it is told.',
    payload: z.strictObject({
      ...call,
      rtpCapabilities: RtpCapabilities.optional(),
      resumeTicket: ResumeTicket.optional(),
      takeOver: z.boolean().default(false),
    }),
    result: z.strictObject({
      call: CallView,
      /** For the next join of this device, and for nothing else. Each join replaces it. */
      resumeTicket: ResumeTicket,
      routerRtpCapabilities: RtpCapabilities,
      send: TransportOffer,
      receive: TransportOffer,
      consumers: z.array(ConsumerOffer),
      iceServers: z.array(IceServer),
    }),
  },
  'seat.connectTransport': {
    summary: 'Give the device’s DTLS parameters for one transport.',
    payload: z.strictObject({ ...call, direction: TransportDirection, dtlsParameters: DtlsParameters }),
    result: empty,
  },
  'seat.setCapabilities': {
    summary: 'Say what this device can receive, once it knows; answers what the others send already.',
    payload: z.strictObject({ ...call, rtpCapabilities: RtpCapabilities }),
    result: z.strictObject({ consumers: z.array(ConsumerOffer) }),
  },
  'seat.produce': {
    summary:
      'Send a track. `microphone_g711` is taken while `seat.g711Wanted` asks for it (`NOT_FOUND` otherwise), and ends by itself.',
    payload: z.strictObject({
      ...call,
      source: SentSource,
      kind: MediaKind,
      rtpParameters: RtpParameters,
      paused: z.boolean().default(false),
    }),
    result: z.strictObject({ producerId: z.string() }),
  },
  'seat.setSource': {
    summary:
      'Mute or unmute the microphone, switch the camera or the shared screen off or on. The others are told. One screen is shared at a time (`WRONG_STATE`).',
    payload: z.strictObject({ ...call, source: MediaSource, on: z.boolean() }),
    result: CallResult,
  },
  'seat.resumeConsumer': {
    summary: 'The device is ready for this track: let it flow (video starts with a key frame).',
    payload: z.strictObject({ ...call, consumerId: z.string().max(64) }),
    result: empty,
  },
  'seat.pauseConsumer': {
    summary: 'Send this track no more, until it is resumed: nobody can see it.',
    payload: z.strictObject({ ...call, consumerId: z.string().max(64) }),
    result: empty,
  },
  'seat.setLayers': {
    summary: 'The largest simulcast layer this device has use for; the tile’s size decides.',
    payload: z.strictObject({ ...call, consumerId: z.string().max(64), spatialLayer: SpatialLayer }),
    result: empty,
  },
  'seat.setView': {
    summary: 'How this device shows the call. The others see it.',
    payload: z.strictObject({ ...call, view: SeatViewMode }),
    result: CallResult,
  },
  'seat.mute': {
    summary: 'The doctor mutes another’s microphone. Nobody but the person can switch it on again.',
    payload: z.strictObject({ ...call, personId: PersonId }),
    result: CallResult,
  },
  'seat.setInterrupted': {
    summary:
      'The system took the microphone, for example for a phone call, or gave it back. The others see it.',
    payload: z.strictObject({ ...call, interrupted: z.boolean() }),
    result: CallResult,
  },
  'seat.reportQuality': {
    summary:
      'What this device measured; every ten seconds or when the level changes. The others are told the level.',
    payload: z.strictObject({ ...call, report: QualityReport }),
    result: empty,
  },
  'check.open': {
    summary:
      'Open a network check: what this device sends comes back to it through the media server, for a minute at most.',
    payload: empty,
    result: z.strictObject({
      ...check,
      routerRtpCapabilities: RtpCapabilities,
      send: TransportOffer,
      receive: TransportOffer,
      iceServers: z.array(IceServer),
      until: Moment,
    }),
  },
  'check.connectTransport': {
    summary: 'As `seat.connectTransport`.',
    payload: z.strictObject({ ...check, direction: TransportDirection, dtlsParameters: DtlsParameters }),
    result: empty,
  },
  'check.produce': {
    summary: 'As `seat.produce`.',
    payload: z.strictObject({
      ...check,
      source: MediaSource,
      kind: MediaKind,
      rtpParameters: RtpParameters,
    }),
    result: z.strictObject({ producerId: z.string() }),
  },
  'check.consume': {
    summary: 'Answers what the device sends, ready to be received, and lets it flow.',
    payload: z.strictObject({ ...check, rtpCapabilities: RtpCapabilities }),
    result: z.strictObject({ consumers: z.array(ConsumerOffer) }),
  },
  'check.close': {
    summary: 'End the check.',
    payload: z.strictObject(check),
    result: empty,
  },
  'seat.restartIce': {
    summary: 'New ICE credentials for a transport whose path broke.',
    payload: z.strictObject({ ...call, direction: TransportDirection }),
    result: z.strictObject({ iceParameters: IceParameters }),
  },
});
