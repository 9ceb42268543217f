import { parseScalabilityMode, type types } from 'mediasoup';

/** How many sizes of a track can be forwarded; 1 for sound and for video that is sent in one size. */
export function spatialLayersOf(track: Pick<types.RtpParameters, 'encodings'>): number {
  return layersOf(track).spatialLayers;
}

/**
 * What to ask of a consumer so that it forwards no more than this size. The smallest is for thumbnails and floating
 * windows: it comes with every second of its pictures where the sender codes them so that they can be left out (all
 * browsers do, as L1T3), since drawing a picture costs the receiver the same however small it is. In all other sizes,
 * in which hands and lips are followed, every picture comes.
 */
export function preferredLayers(
  track: Pick<types.RtpParameters, 'encodings'>,
  spatialLayer: number,
): types.ConsumerLayers {
  const { temporalLayers } = layersOf(track);
  // The highest temporal layer holds every second picture.
  return spatialLayer === 0 && temporalLayers > 1
    ? { spatialLayer, temporalLayer: temporalLayers - 2 }
    : { spatialLayer };
}

const layersOf = ({ encodings }: Pick<types.RtpParameters, 'encodings'>) =>
  parseScalabilityMode(encodings?.[0]?.scalabilityMode);
