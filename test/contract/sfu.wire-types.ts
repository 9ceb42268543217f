/** Checked by the compiler alone: the port takes what the wire parsed, and the wire sends what the port offers. */
import type * as media from '../../media/index.ts';
import type * as wire from '../../protocol/index.ts';

type Fits<From extends To, To> = From;

export type FromTheWire = [
  Fits<wire.RtpParameters, media.RtpParameters>,
  Fits<wire.RtpCapabilities, media.RtpCapabilities>,
  Fits<wire.DtlsParameters, media.DtlsParameters>,
  Fits<wire.SentSource, media.SentSource>,
];

export type ToTheWire = [
  Fits<media.ConsumerOffer, wire.ConsumerOffer>,
  Fits<media.TransportOffer, wire.TransportOffer>,
  Fits<media.RtpCapabilities, wire.RtpCapabilities>,
  Fits<media.IceParameters, wire.IceParameters>,
  Fits<media.G711Codec, wire.G711Codec>,
];
