import { parseScalabilityMode, type types } from 'mediasoup';

/** How many sizes of a track can be forwarded; 1 for sound and for video that is sent in one size. */
export function spatialLayersOf({ encodings }: Pick<types.RtpParameters, 'encodings'>): number {
  return parseScalabilityMode(encodings?.[0]?.scalabilityMode).spatialLayers;
}
