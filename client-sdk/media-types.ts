import type {
  ConsumerOffer,
  IceServer,
  RtpCapabilities,
  RtpParameters,
  TransportOffer,
} from '@teleconsult/protocol';
import type { types as mediasoup } from 'mediasoup-client';

// The wire carries mediasoup's own parameters, within bounds (protocol/media.ts). The two descriptions differ only in
// how closely their types name header extensions and absent fields, so the same object is both.

export function routerCapabilities(capabilities: RtpCapabilities): mediasoup.RtpCapabilities {
  return capabilities as mediasoup.RtpCapabilities;
}

export function ownCapabilities(capabilities: mediasoup.RtpCapabilities): RtpCapabilities {
  return capabilities as RtpCapabilities;
}

export function sendParameters(parameters: mediasoup.RtpParameters): RtpParameters {
  return parameters as RtpParameters;
}

export function transportOptions(
  { transportId, ...offer }: TransportOffer,
  iceServers: readonly IceServer[],
): mediasoup.TransportOptions {
  return { id: transportId, ...offer, iceServers } as mediasoup.TransportOptions;
}

export function consumerOptions(offer: ConsumerOffer): mediasoup.ConsumerOptions {
  const { consumerId: id, producerId, kind, rtpParameters, from, source } = offer;
  // Tracks of one stream are played in step with each other: the voice and the face of one person, not their screen.
  const streamId = source === 'screen' ? `${from}-screen` : from;
  return { id, producerId, kind, rtpParameters, streamId } as mediasoup.ConsumerOptions;
}
