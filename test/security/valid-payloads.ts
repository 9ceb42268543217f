import {
  AttachmentId,
  CallId,
  ClientMessageId,
  ConsultationId,
  type RequestInput,
  type RequestName,
} from '@teleconsult/protocol';

/** An id of the right shape that the server has never given out. */
export const unknownIds = {
  consultationId: ConsultationId.parse(`cns_${'z'.repeat(22)}`),
  callId: CallId.parse(`cal_${'z'.repeat(22)}`),
  attachmentId: AttachmentId.parse(`att_${'z'.repeat(22)}`),
  transportId: 'no-such-transport',
  producerId: 'no-such-producer',
  consumerId: 'no-such-consumer',
};

/** What a request can point at. */
export type Targets = typeof unknownIds;

export type ValidPayloads = { readonly [N in RequestName]: RequestInput<N> };

const dtlsParameters = {
  role: 'client' as const,
  fingerprints: [{ algorithm: 'sha-256' as const, value: Array(32).fill('AB').join(':') }],
};

export const rtpCapabilities = {
  codecs: [
    {
      kind: 'audio' as const,
      mimeType: 'audio/opus',
      preferredPayloadType: 100,
      clockRate: 48_000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [],
};

export const microphoneParameters = {
  mid: '0',
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1111 }],
  rtcp: { cname: 'device' },
};

/** A payload of the documented shape for every request: one that is added to the protocol is missing here first. */
export const validPayloads = (targets: Targets = unknownIds): ValidPayloads => {
  const { consultationId, callId, consumerId } = targets;
  const call = { consultationId, callId };
  return {
    'consultation.list': { limit: 10 },
    'consultation.watch': { consultationId, afterSequence: 0, limit: 10 },
    'consultation.unwatch': { consultationId },
    'consultation.enter': { consultationId },
    'consultation.accept': { consultationId },
    'consultation.decline': { consultationId, note: 'a note' },
    'consultation.cancel': { consultationId },
    'consultation.end': { consultationId, note: 'a note' },
    'message.send': {
      consultationId,
      clientMessageId: ClientMessageId.parse('valid-payload-0001'),
      content: { type: 'text', text: 'a text' },
    },
    'thread.page': { consultationId, afterSequence: 0, limit: 10 },
    'call.start': { consultationId, media: 'video' },
    'call.accept': call,
    'call.decline': call,
    'call.hangUp': call,
    'call.setMedia': { ...call, media: 'voice' },
    'seat.join': { ...call, rtpCapabilities },
    'seat.connectTransport': { ...call, direction: 'send', dtlsParameters },
    'seat.setCapabilities': { ...call, rtpCapabilities },
    'seat.produce': { ...call, source: 'microphone', kind: 'audio', rtpParameters: microphoneParameters },
    'seat.setSource': { ...call, source: 'microphone', on: true },
    'seat.resumeConsumer': { ...call, consumerId },
    'seat.restartIce': { ...call, direction: 'receive' },
  };
};
