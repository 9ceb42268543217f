import type { QualityReport } from '@teleconsult/protocol';
import type { QualitySample } from './api.ts';
import { levelOf, type PathQuality } from './quality-level.ts';

/** Statistics of both directions, as `RTCStatsReport`: a map by id. */
export interface StatsPair {
  readonly send: Iterable<readonly [string, unknown]> | null;
  readonly receive: Iterable<readonly [string, unknown]> | null;
}

/** Counters of one stream. They only rise while the stream lives. */
interface StreamCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  /** Complete pictures that arrived. */
  readonly pictures: number;
}

/** What one look at the statistics holds. */
export interface Reading {
  readonly at: number;
  readonly sent: ReadonlyMap<string, StreamCounters>;
  readonly received: ReadonlyMap<string, StreamCounters>;
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  readonly limitedBy: QualitySample['limitedBy'];
  readonly path: QualityReport['path'];
  readonly availableSendKbps: number | null;
  /** Packets of any kind that came back on the path that is sent on; null where the browser does not count them. */
  readonly heardPackets: number | null;
}

/** What changed between two readings. */
export interface Measured extends PathQuality {
  readonly sendKbps: number | null;
  readonly receiveKbps: number | null;
}

type Stat = Readonly<Record<string, unknown>>;

/** Streams that are looked at in one report: eight people with three sources, three layers sent. */
const MAX_STATS = 512;
/** The report's own limits (protocol/media.ts, `QualityReport`). */
const MAX_DELAY_MS = 60_000;
const MAX_KBPS = 1_000_000;
/** The stream (by its `mid`) with which mediasoup tries out how much a line carries: it is nothing of anybody. */
const PROBE = 'probator';

/** Reads what is needed, in one pass over each report. Source: W3C Identifiers for WebRTC's Statistics API. */
export function readStats({ send, receive }: StatsPair, at: number): Reading {
  const sending = [...statsOf(send)];
  const receiving = [...statsOf(receive)];
  const pair = selectedPair(sending) ?? selectedPair(receiving);
  const local = (pair && byId([...sending, ...receiving], pair['localCandidateId'])) ?? null;
  const available = numberOf(pair?.['availableOutgoingBitrate']);
  return {
    at,
    sent: sentCounters(sending),
    received: receivedCounters(receiving),
    rttMs: rttOf(pair, sending),
    jitterMs: jitterOf([...sending, ...receiving]),
    limitedBy: limitOf(sending),
    path: pathOf(local),
    availableSendKbps: available === null ? null : Math.round(available / 1000),
    heardPackets: numberOf(pair?.['packetsReceived']),
  };
}

/**
 * Whether anything came back since the reading before; null where that is not known. On a path that lives, reports and
 * consent checks (RFC 7675) do, whoever is silent.
 */
export function hearsAnything(before: Reading | null, now: Reading): boolean | null {
  const [last, heard] = [before?.heardPackets ?? null, now.heardPackets];
  return last === null || heard === null ? null : heard !== last;
}

/**
 * Rates since the reading before, and losses since an older one, because receivers report losses only every few
 * seconds. A stream counts from its second reading on.
 */
export function measure(before: Reading | null, now: Reading, older: Reading | null = before): Measured {
  const { rttMs, jitterMs } = now;
  const passedMs = before === null ? 0 : now.at - before.at;
  if (before === null || passedMs <= 0)
    return { rttMs, jitterMs, lossPercent: null, sendKbps: null, receiveKbps: null };
  const sent = growth(before.sent, now.sent);
  const received = growth(before.received, now.received);
  const sentSince = growth((older ?? before).sent, now.sent);
  const receivedSince = growth((older ?? before).received, now.received);
  return {
    rttMs,
    jitterMs,
    lossPercent: worse(
      lossOf(sentSince.lost, sentSince.packets),
      lossOf(receivedSince.lost, receivedSince.packets + receivedSince.lost),
    ),
    // Bits in a millisecond are kilobits in a second.
    sendKbps: clamp((sent.bytes * 8) / passedMs, MAX_KBPS),
    receiveKbps: clamp((received.bytes * 8) / passedMs, MAX_KBPS),
  };
}

/** Pictures that arrived in a second since the reading before; null without one. */
export function pictureRate(before: Reading | null, now: Reading): number | null {
  if (before === null || now.at <= before.at) return null;
  return (growth(before.received, now.received).pictures * 1000) / (now.at - before.at);
}

/** The sample that an app is shown. Without a path nothing else matters. */
export function sampleOf(
  measured: Measured,
  {
    at,
    reading,
    networkType,
    isInterrupted,
  }: {
    readonly at: number;
    readonly reading: Reading;
    readonly networkType: QualityReport['networkType'];
    readonly isInterrupted: boolean;
  },
): QualitySample {
  return {
    ...measured,
    at,
    level: isInterrupted ? 'lost' : levelOf(measured),
    networkType,
    path: reading.path,
    limitedBy: reading.limitedBy,
  };
}

function* statsOf(report: StatsPair['send']): Generator<Stat> {
  if (report === null) return;
  let count = 0;
  for (const [, stat] of report) {
    if (typeof stat !== 'object' || stat === null) continue;
    count += 1;
    if (count > MAX_STATS) return;
    yield stat as Stat;
  }
}

function sentCounters(stats: readonly Stat[]): Map<string, StreamCounters> {
  const remote = new Map(
    stats
      .filter(({ type }) => type === 'remote-inbound-rtp')
      .map((stat) => [String(stat['localId']), stat] as const),
  );
  const counters = new Map<string, StreamCounters>();
  for (const stat of stats) {
    if (stat['type'] !== 'outbound-rtp') continue;
    const id = String(stat['id']);
    counters.set(id, {
      bytes: numberOf(stat['bytesSent']) ?? 0,
      packets: numberOf(stat['packetsSent']) ?? 0,
      // What the server misses of it, as it reports back.
      lost: numberOf(remote.get(id)?.['packetsLost']) ?? 0,
      pictures: 0,
    });
  }
  return counters;
}

function receivedCounters(stats: readonly Stat[]): Map<string, StreamCounters> {
  const counters = new Map<string, StreamCounters>();
  for (const stat of stats) {
    if (stat['type'] !== 'inbound-rtp' || stat['mid'] === PROBE) continue;
    counters.set(String(stat['id']), {
      bytes: numberOf(stat['bytesReceived']) ?? 0,
      packets: numberOf(stat['packetsReceived']) ?? 0,
      lost: numberOf(stat['packetsLost']) ?? 0,
      pictures: numberOf(stat['framesReceived']) ?? numberOf(stat['framesDecoded']) ?? 0,
    });
  }
  return counters;
}

/** Duplicates make the lost counter fall, and a restarted stream begins at nought: neither is a gain. */
function growth(
  before: ReadonlyMap<string, StreamCounters>,
  now: ReadonlyMap<string, StreamCounters>,
): StreamCounters {
  let [bytes, packets, lost, pictures] = [0, 0, 0, 0];
  for (const [id, counters] of now) {
    const last = before.get(id);
    if (last === undefined) continue;
    bytes += Math.max(0, counters.bytes - last.bytes);
    packets += Math.max(0, counters.packets - last.packets);
    lost += Math.max(0, counters.lost - last.lost);
    pictures += Math.max(0, counters.pictures - last.pictures);
  }
  return { bytes, packets, lost, pictures };
}

function lossOf(lost: number, packets: number): number | null {
  if (packets <= 0) return null;
  return Math.round(Math.min(100, (lost / packets) * 100) * 10) / 10;
}

function worse(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

function selectedPair(stats: readonly Stat[]): Stat | null {
  const transport = stats.find((stat) => stat['type'] === 'transport' && 'selectedCandidatePairId' in stat);
  const named = transport && byId(stats, transport['selectedCandidatePairId']);
  if (named !== undefined && named !== null) return named;
  const pairs = stats.filter(({ type }) => type === 'candidate-pair');
  return (
    // Firefox says which by `selected`.
    pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded') ??
    null
  );
}

function byId(stats: readonly Stat[], id: unknown): Stat | null {
  return stats.find((stat) => stat['id'] === id) ?? null;
}

function rttOf(pair: Stat | null, sending: readonly Stat[]): number | null {
  const ofPair = numberOf(pair?.['currentRoundTripTime']);
  if (ofPair !== null) return clamp(ofPair * 1000, MAX_DELAY_MS);
  const reported = sending
    .filter(({ type }) => type === 'remote-inbound-rtp')
    .map((stat) => numberOf(stat['roundTripTime']))
    .filter((seconds) => seconds !== null);
  return reported.length === 0 ? null : clamp(Math.max(...reported) * 1000, MAX_DELAY_MS);
}

/** Of speech: video is sent in bursts, whose jitter is of its own making. */
function jitterOf(stats: readonly Stat[]): number | null {
  const seconds = stats
    .filter(({ type, kind }) => (type === 'inbound-rtp' || type === 'remote-inbound-rtp') && kind === 'audio')
    .map((stat) => numberOf(stat['jitter']))
    .filter((value) => value !== null);
  return seconds.length === 0 ? null : clamp(Math.max(...seconds) * 1000, MAX_DELAY_MS);
}

function limitOf(sending: readonly Stat[]): QualitySample['limitedBy'] {
  const reasons = new Set(
    sending.filter(({ type }) => type === 'outbound-rtp').map((stat) => stat['qualityLimitationReason']),
  );
  if (reasons.has('bandwidth')) return 'network';
  if (reasons.has('cpu')) return 'processor';
  return reasons.has('other') ? 'other' : 'none';
}

function pathOf(local: Stat | null): QualityReport['path'] {
  if (local === null) return 'unknown';
  if (local['candidateType'] === 'relay') return 'relay';
  const { protocol } = local;
  return protocol === 'udp' || protocol === 'tcp' ? protocol : 'unknown';
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function clamp(value: number, most: number): number {
  return Math.round(Math.min(most, Math.max(0, value)));
}
