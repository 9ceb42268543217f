/**
 * The same data under mediasoup's types and under the port's. mediasoup names every header extension and leaves
 * the values of codec parameters open; the port has them as the wire does. mediasoup's own checks (ortc), which
 * every value from a device goes through, stand behind these assertions.
 */
import type { types } from 'mediasoup';
import type { DtlsParameters, RtpCapabilities, RtpParameters } from '../rtp.ts';

export function nativeParameters(parameters: RtpParameters): types.RtpParameters {
  return parameters as types.RtpParameters;
}

export function nativeCapabilities(capabilities: RtpCapabilities): types.RtpCapabilities {
  return capabilities as types.RtpCapabilities;
}

export function nativeDtls(parameters: DtlsParameters): types.DtlsParameters {
  return parameters as types.DtlsParameters;
}

export function portParameters(parameters: types.RtpParameters): RtpParameters {
  return parameters as RtpParameters;
}

export function portCapabilities(capabilities: types.RtpCapabilities): RtpCapabilities {
  return capabilities as RtpCapabilities;
}
