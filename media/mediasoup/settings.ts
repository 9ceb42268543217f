/** What the adapter is told, and the numbers it keeps to itself, each with its why. */
import type { types } from 'mediasoup';

/** Fields never carry names, contents or seat ids: only what a log may show. */
export type MediaLogFields = Readonly<Record<string, string | number | boolean | undefined>>;
type WriteLog = (event: string, fields?: MediaLogFields) => void;

export interface MediaLogger {
  readonly info: WriteLog;
  readonly warn: WriteLog;
  readonly error: WriteLog;
}

export interface MediasoupSfuOptions {
  /** Path of the worker's program. Without it mediasoup looks where its own installer puts one. */
  readonly workerBin?: string;
  /** How many worker processes, each on one core. One a core is right for a machine of its own. */
  readonly workers: number;
  /** The address the workers bind to, e.g. `0.0.0.0`. */
  readonly listenIp: string;
  /** The address devices are told, where it is not `listenIp`: a public address or a name that resolves. */
  readonly announcedAddress?: string;
  /** Worker `i` listens on `firstPort + i`, UDP and TCP; 0 takes any free ports. */
  readonly firstPort: number;
  /** Bits a second one device may send; mediasoup asks it by REMB or transport-cc to keep to it. */
  readonly maxIncomingBitrate: number;
  /** Bits a second assumed towards a device before its bandwidth has been measured. */
  readonly initialOutgoingBitrate: number;
  readonly logger: MediaLogger;
}

/** With the kernel's default of about 200 KiB, 1–19 % of single flows of 20–50 k packets/s were lost. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * How long a device may be silent before its path counts as lost. The least mediasoup allows, and two to four
 * of a browser's consent checks (RFC 7675): a wrong guess heals with the next one.
 */
const ICE_CONSENT_TIMEOUT_S = 10;

/** How long `openRoom` waits for a replacement when no worker is alive: a worker starts in well under 1 s. */
export const WORKER_PATIENCE_MS = 2_000;

/** How long a worker may take to end by itself before it is killed. */
export const WORKER_END_MS = 2_000;

/** A worker that lived this long was sound: its death is the first of a new row. */
export const WORKER_SOUND_MS = 10_000;

const FIRST_RESTART_DELAY_MS = 100;
const LONGEST_RESTART_DELAY_MS = 5_000;

/** Before the restart that follows `deathsBefore` other deaths in a row: at once, then 100 ms doubling to 5 s. */
export function restartDelayMs(deathsBefore: number): number {
  if (deathsBefore === 0) return 0;
  return Math.min(FIRST_RESTART_DELAY_MS * 2 ** (deathsBefore - 1), LONGEST_RESTART_DELAY_MS);
}

/** One UDP and one TCP socket carry all transports of a worker, so two firewall rules a worker are enough. */
export function listenInfos(options: MediasoupSfuOptions, workerIndex: number): types.TransportListenInfo[] {
  const { listenIp, announcedAddress, firstPort } = options;
  const shared = {
    ip: listenIp,
    ...(announcedAddress === undefined ? {} : { announcedAddress }),
    ...(firstPort === 0 ? {} : { port: firstPort + workerIndex }),
    sendBufferSize: SOCKET_BUFFER_BYTES,
    recvBufferSize: SOCKET_BUFFER_BYTES,
  };
  return [
    { protocol: 'udp', ...shared },
    { protocol: 'tcp', ...shared },
  ];
}

/**
 * The SRTP suite is not among the options: the worker offers AES-GCM first and is the one who chooses, so a
 * device that has it (every current browser) gets it. AES-CM-SHA1 would forward 1.3–2 times fewer packets.
 */
export function transportOptions(
  options: MediasoupSfuOptions,
  webRtcServer: types.WebRtcServer,
): types.WebRtcTransportOptions {
  return {
    webRtcServer,
    enableUdp: true,
    enableTcp: true,
    preferUdp: true,
    iceConsentTimeout: ICE_CONSENT_TIMEOUT_S,
    initialAvailableOutgoingBitrate: options.initialOutgoingBitrate,
  };
}
