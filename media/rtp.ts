/**
 * WebRTC parameters as plain data, spelled as the wire contract spells them, so that what was parsed there is
 * given to the SFU as it is and what the SFU offers is sent as it is. Source: mediasoup v3 API, "RTP Parameters
 * and Capabilities" and "WebRtcTransport".
 */

export interface RtcpFeedback {
  type: string;
  parameter?: string | undefined;
}

export interface RtpCodecParameters {
  mimeType: string;
  payloadType: number;
  clockRate: number;
  channels?: number | undefined;
  parameters?: Record<string, string | number | boolean> | undefined;
  rtcpFeedback?: RtcpFeedback[] | undefined;
}

export interface RtpHeaderExtensionParameters {
  uri: string;
  id: number;
  encrypt?: boolean | undefined;
  parameters?: Record<string, string | number | boolean> | undefined;
}

export interface RtpEncodingParameters {
  ssrc?: number | undefined;
  rid?: string | undefined;
  codecPayloadType?: number | undefined;
  rtx?: { ssrc: number } | undefined;
  dtx?: boolean | undefined;
  scalabilityMode?: string | undefined;
  scaleResolutionDownBy?: number | undefined;
  /** Bits a second. */
  maxBitrate?: number | undefined;
  maxFramerate?: number | undefined;
  adaptivePtime?: boolean | undefined;
  priority?: string | undefined;
  networkPriority?: string | undefined;
  active?: boolean | undefined;
}

/** One track as it is sent or received. */
export interface RtpParameters {
  mid?: string | undefined;
  msid?: string | undefined;
  codecs: RtpCodecParameters[];
  headerExtensions?: RtpHeaderExtensionParameters[] | undefined;
  encodings?: RtpEncodingParameters[] | undefined;
  rtcp?:
    | { cname?: string | undefined; reducedSize?: boolean | undefined; mux?: boolean | undefined }
    | undefined;
}

export interface RtpCodecCapability {
  kind: 'audio' | 'video';
  mimeType: string;
  preferredPayloadType?: number | undefined;
  clockRate: number;
  channels?: number | undefined;
  parameters?: Record<string, string | number | boolean> | undefined;
  rtcpFeedback?: RtcpFeedback[] | undefined;
}

export interface RtpHeaderExtension {
  kind: 'audio' | 'video';
  uri: string;
  preferredId: number;
  preferredEncrypt?: boolean | undefined;
  direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' | undefined;
}

/** What a device can receive, or a room forward. */
export interface RtpCapabilities {
  codecs?: RtpCodecCapability[] | undefined;
  headerExtensions?: RtpHeaderExtension[] | undefined;
}

export interface DtlsFingerprint {
  algorithm: 'sha-1' | 'sha-224' | 'sha-256' | 'sha-384' | 'sha-512';
  value: string;
}

export interface DtlsParameters {
  role?: 'auto' | 'client' | 'server' | undefined;
  fingerprints: DtlsFingerprint[];
}

export interface IceParameters {
  usernameFragment: string;
  password: string;
  iceLite?: boolean | undefined;
}

export interface IceCandidate {
  foundation: string;
  priority: number;
  ip: string;
  address: string;
  protocol: 'udp' | 'tcp';
  port: number;
  type: 'host' | 'srflx' | 'prflx' | 'relay';
  tcpType?: 'passive' | 'active' | 'so' | undefined;
}
