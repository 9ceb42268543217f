import { z } from 'zod';

/**
 * WebRTC parameters as mediasoup's ORTC layer defines them. They are bounded here and checked in depth by
 * mediasoup itself, which refuses what it cannot use. Source: mediasoup v3 API, RtpParameters.
 */
const token = z.string().max(256);
const parameters = z.record(z.string().max(64), z.union([z.string().max(1024), z.number(), z.boolean()]));

const RtcpFeedback = z.object({ type: token, parameter: token.optional() });

const RtpCodec = z.object({
  mimeType: token,
  payloadType: z.int().min(0).max(127),
  clockRate: z.int().min(1),
  channels: z.int().min(1).max(8).optional(),
  parameters: parameters.optional(),
  rtcpFeedback: z.array(RtcpFeedback).max(16).optional(),
});

export const RtpParameters = z.object({
  mid: token.optional(),
  msid: token.optional(),
  codecs: z.array(RtpCodec).min(1).max(16),
  headerExtensions: z
    .array(
      z.object({
        uri: token,
        id: z.int().min(0).max(255),
        encrypt: z.boolean().optional(),
        parameters: parameters.optional(),
      }),
    )
    .max(32)
    .optional(),
  encodings: z
    .array(
      z.object({
        ssrc: z.int().min(0).max(0xffff_ffff).optional(),
        rid: token.optional(),
        codecPayloadType: z.int().min(0).max(127).optional(),
        rtx: z.object({ ssrc: z.int().min(0).max(0xffff_ffff) }).optional(),
        dtx: z.boolean().optional(),
        scalabilityMode: token.optional(),
        scaleResolutionDownBy: z.number().optional(),
        maxBitrate: z.int().min(0).optional(),
        maxFramerate: z.number().min(0).optional(),
        adaptivePtime: z.boolean().optional(),
        priority: token.optional(),
        networkPriority: token.optional(),
        active: z.boolean().optional(),
      }),
    )
    .max(4)
    .optional(),
  rtcp: z
    .object({ cname: token.optional(), reducedSize: z.boolean().optional(), mux: z.boolean().optional() })
    .optional(),
});
export type RtpParameters = z.infer<typeof RtpParameters>;

export const RtpCapabilities = z.object({
  codecs: z
    .array(
      z.object({
        kind: z.enum(['audio', 'video']),
        mimeType: token,
        preferredPayloadType: z.int().min(0).max(127).optional(),
        clockRate: z.int().min(1),
        channels: z.int().min(1).max(8).optional(),
        parameters: parameters.optional(),
        rtcpFeedback: z.array(RtcpFeedback).max(16).optional(),
      }),
    )
    .max(64)
    .optional(),
  headerExtensions: z
    .array(
      z.object({
        kind: z.enum(['audio', 'video']),
        uri: token,
        preferredId: z.int().min(0).max(255),
        preferredEncrypt: z.boolean().optional(),
        direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
      }),
    )
    .max(64)
    .optional(),
});
export type RtpCapabilities = z.infer<typeof RtpCapabilities>;

export const DtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        value: z.string().max(256),
      }),
    )
    .min(1)
    .max(8),
});
export type DtlsParameters = z.infer<typeof DtlsParameters>;

export const IceParameters = z.object({
  usernameFragment: z.string().max(256),
  password: z.string().max(256),
  iceLite: z.boolean().optional(),
});
export type IceParameters = z.infer<typeof IceParameters>;

export const IceCandidate = z.object({
  foundation: z.string(),
  priority: z.number(),
  ip: z.string(),
  address: z.string(),
  protocol: z.enum(['udp', 'tcp']),
  port: z.int(),
  type: z.enum(['host', 'srflx', 'prflx', 'relay']),
  tcpType: z.enum(['passive', 'active', 'so']).optional(),
});
export type IceCandidate = z.infer<typeof IceCandidate>;

export const MediaKind = z.enum(['audio', 'video']);
export type MediaKind = z.infer<typeof MediaKind>;

/** Where a track comes from. Each seat has at most one of each. */
export const MediaSource = z.enum(['microphone', 'camera', 'screen']);
export type MediaSource = z.infer<typeof MediaSource>;

/**
 * What a device may send. `microphone_g711` is the microphone a second time, coded as telephones code (G.711): wanted by
 * `seat.g711Wanted` while a telephone is in the call, muted with the microphone, offered to no device and shown nowhere.
 */
export const SentSource = z.enum([...MediaSource.options, 'microphone_g711']);
export type SentSource = z.infer<typeof SentSource>;

/** RTP payload types of G.711 (RFC 3551 §6): 0 is PCMU, 8 is PCMA. */
export const G711Codec = z.literal([0, 8]);
export type G711Codec = z.infer<typeof G711Codec>;

/** Each seat has two transports: `send` from the device to the server, `receive` the other way. */
export const TransportDirection = z.enum(['send', 'receive']);
export type TransportDirection = z.infer<typeof TransportDirection>;

export const TransportOffer = z.strictObject({
  transportId: z.string(),
  iceParameters: IceParameters,
  iceCandidates: z.array(IceCandidate),
  dtlsParameters: DtlsParameters,
});
export type TransportOffer = z.infer<typeof TransportOffer>;

/** One track of another seat, ready to be received. It flows only after `seat.resumeConsumer`. */
export const ConsumerOffer = z.strictObject({
  consumerId: z.string(),
  producerId: z.string(),
  /** Whose seat sends it: the person's id. */
  from: z.string(),
  source: MediaSource,
  kind: MediaKind,
  rtpParameters: RtpParameters,
  /** True while the sender has muted it. */
  producerPaused: z.boolean(),
});
export type ConsumerOffer = z.infer<typeof ConsumerOffer>;

/** A STUN or TURN server, as `RTCIceServer`. Credentials are the person's own and short-lived. */
export const IceServer = z.strictObject({
  urls: z.array(z.string()),
  username: z.string().optional(),
  credential: z.string().optional(),
});
export type IceServer = z.infer<typeof IceServer>;

/** Which layer of a simulcast track to forward; layer 0 is the smallest. */
export const SpatialLayer = z.int().min(0).max(2);

/** How good a device's connection is, from unusable to good. */
export const QualityLevel = z.enum(['lost', 'poor', 'fair', 'good']);
export type QualityLevel = z.infer<typeof QualityLevel>;

/** What a device measured over the last seconds. It names nobody: no address, no network name. */
export const QualityReport = z.strictObject({
  level: QualityLevel,
  rttMs: z.int().min(0).max(60_000).nullable(),
  jitterMs: z.int().min(0).max(60_000).nullable(),
  /** Lost packets in percent, both directions' worse one. */
  lossPercent: z.number().min(0).max(100).nullable(),
  sendKbps: z.int().min(0).max(1_000_000).nullable(),
  receiveKbps: z.int().min(0).max(1_000_000).nullable(),
  /** As the browser's Network Information tells it; `unknown` elsewhere. */
  networkType: z.enum(['wifi', 'cellular', 'ethernet', 'other', 'unknown']),
  /** How media travels. */
  path: z.enum(['udp', 'tcp', 'relay', 'unknown']),
});
export type QualityReport = z.infer<typeof QualityReport>;
