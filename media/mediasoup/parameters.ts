/**
 * Parameters from a device, judged before any worker hears of them: what cannot be used is refused while the
 * track it would replace is still there.
 */
import { ortc, type types } from 'mediasoup';
import type { RtpCapabilities, RtpParameters } from '../rtp.ts';
import { type MediaKind, type MediaSource, SfuError } from '../sfu.ts';
import { forwardableCapabilities, g711Codec } from './codecs.ts';
import { nativeCapabilities, nativeParameters } from './native.ts';

export interface TrackParameters {
  readonly source: MediaSource;
  readonly kind: MediaKind;
  readonly rtpParameters: RtpParameters;
}

const KIND_OF_SOURCE: Readonly<Record<MediaSource, MediaKind>> = {
  microphone: 'audio',
  camera: 'video',
  screen: 'video',
};

/** Throws `invalid_parameters` unless a room can forward such a track. */
export function checkTrack(track: TrackParameters): void {
  consumableParameters(track);
}

/** Throws `invalid_parameters` unless it is sound that telephones understand. */
export function checkG711(track: TrackParameters): void {
  checkTrack(track);
  if (g711Codec(track.rtpParameters.codecs[0]?.mimeType) === null) throw new SfuError('invalid_parameters');
}

/** The parameters a track has inside the room, before they are fitted to one receiver. */
export function consumableParameters({ source, kind, rtpParameters }: TrackParameters): types.RtpParameters {
  if (KIND_OF_SOURCE[source] !== kind) throw new SfuError('invalid_parameters');
  return refusing(() => {
    const capabilities = nativeCapabilities(forwardableCapabilities());
    const parameters = nativeParameters(structuredClone(rtpParameters));
    ortc.validateAndNormalizeRtpParameters(parameters);
    if (parameters.codecs.every(isRetransmission)) throw new TypeError('no codec carries media');
    if (!parameters.codecs.every((codec) => codec.mimeType.toLowerCase().startsWith(`${kind}/`))) {
      throw new TypeError('a codec is of another kind than its track');
    }
    const mapping = ortc.getProducerRtpParametersMapping(parameters, capabilities);
    return ortc.getConsumableRtpParameters(kind, parameters, capabilities, mapping);
  });
}

/** A copy with mediasoup's defaults filled in. Throws `invalid_parameters` for what is malformed. */
export function checkedCapabilities(capabilities: RtpCapabilities): types.RtpCapabilities {
  return refusing(() => {
    const checked = nativeCapabilities(structuredClone(capabilities));
    ortc.validateAndNormalizeRtpCapabilities(checked);
    return checked;
  });
}

function isRetransmission(codec: types.RtpCodecParameters): boolean {
  return codec.mimeType.toLowerCase().endsWith('/rtx');
}

/** All that `check` does is judge a device's parameters, so whatever it throws is their fault. */
function refusing<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    throw new SfuError('invalid_parameters', { cause });
  }
}
