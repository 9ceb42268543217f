import type { ConsumerOffer, RtpCapabilities, RtpParameters, TransportOffer } from '@teleconsult/protocol';
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

export function transportOptions({ transportId, ...offer }: TransportOffer): mediasoup.TransportOptions {
  return { id: transportId, ...offer } as mediasoup.TransportOptions;
}

export function consumerOptions(offer: ConsumerOffer): mediasoup.ConsumerOptions {
  const { consumerId: id, producerId, kind, rtpParameters, from } = offer;
  // Tracks of one stream are played in step with each other: those of one person.
  return { id, producerId, kind, rtpParameters, streamId: from } as mediasoup.ConsumerOptions;
}
