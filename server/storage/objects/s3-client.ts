import { S3Client } from '@aws-sdk/client-s3';

/**
 * How bytes are checked on their way in. `off` asks for what S3 requires alone, for servers from before 2025 that
 * stumble over the newer headers; the signature covers a SHA-256 of the bytes even then.
 */
export type S3Checksums = 'crc32' | 'sha256' | 'off';

/** Where an S3 store is. Credentials come from the SDK's chain: environment, profile, web identity, machine role. */
export interface S3Place {
  readonly bucket: string;
  /** Undefined: AWS itself, in `region`. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
  readonly checksums: S3Checksums;
  /** Before every key, such as `hospital/`; may be empty. */
  readonly prefix: string;
  /** For tests; else the chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** How long an S3 store is waited for. All in milliseconds but the attempts. */
export interface S3Patience {
  /** For a connection; a machine that is gone says nothing. */
  readonly connectMs: number;
  /** For an answer to begin, counted from the beginning of the request: a part of 5 MiB at 2 Mbit/s takes 20 s. */
  readonly answerMs: number;
  /** Between two pieces of an answer, or of a request. */
  readonly idleMs: number;
  /** How often a request is made at most, with a pause that doubles from 0.1 s (0.5 s when told to slow down). */
  readonly attempts: number;
}

export const S3_PATIENCE: S3Patience = { connectMs: 3_000, answerMs: 30_000, idleMs: 10_000, attempts: 3 };

/** More wait for their turn. */
const MAX_CONNECTIONS = 50;

/** The SDK would print warnings on the console. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

export function openS3Client(place: S3Place, patience: S3Patience): S3Client {
  const whenAsked = place.checksums === 'off' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
  return new S3Client({
    region: place.region,
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    ...(place.credentials === undefined ? {} : { credentials: place.credentials }),
    forcePathStyle: place.pathStyle,
    maxAttempts: patience.attempts,
    retryMode: 'standard',
    requestChecksumCalculation: whenAsked,
    responseChecksumValidation: whenAsked,
    // With it, a server that refuses early and closes the connection is seen as a broken one (Ceph, seen here).
    expectContinueHeader: false,
    logger: silent,
    requestHandler: {
      connectionTimeout: patience.connectMs,
      requestTimeout: patience.answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: patience.idleMs,
      httpAgent: { maxSockets: MAX_CONNECTIONS },
      httpsAgent: { maxSockets: MAX_CONNECTIONS },
      logger: silent,
    },
  });
}
