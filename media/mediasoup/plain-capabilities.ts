import type { types } from 'mediasoup';

/**
 * Without retransmission, header extensions and estimates of bandwidth: the loopback loses nothing, and an estimate that
 * nobody answers would hold the consumer down to the smallest size. What remains asks for key frames.
 */
export function plainCapabilities(capabilities: types.RtpCapabilities): types.RtpCapabilities {
  const codecs = (capabilities.codecs ?? []).filter(
    ({ mimeType }) => !mimeType.toLowerCase().endsWith('/rtx'),
  );
  return {
    codecs: codecs.map((codec) => ({
      ...codec,
      rtcpFeedback: (codec.rtcpFeedback ?? []).filter(({ type, parameter }) =>
        type === 'nack' ? parameter === 'pli' : type === 'ccm',
      ),
    })),
    headerExtensions: [],
  };
}
