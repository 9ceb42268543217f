import type { QualityReport } from '@teleconsult/protocol';
import type { NetworkAdvice, NetworkReport } from './api.ts';
import { levelOf } from './quality-level.ts';

/** What a check has found. */
export type Finding =
  /** Neither the server nor its media could be reached. */
  | { readonly kind: 'no_connection' }
  /** The server answers, but no media gets through. */
  | { readonly kind: 'media_blocked' }
  | ({ readonly kind: 'measured' } & Measured);

interface Measured {
  readonly path: QualityReport['path'];
  readonly networkType: QualityReport['networkType'];
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  readonly lossPercent: number | null;
  readonly sendKbps: number | null;
  readonly receiveKbps: number | null;
}

/** A face that moves fluently. The check sends up to a megabit. */
const GOOD_VIDEO_KBPS = 400;
/** The smallest picture of a camera beside speech. */
const LEAST_VIDEO_KBPS = 180;
/** A round trip that no wireless link of one's own explains. */
const SLOW_ROUTE_MS = 300;
const SHAKY_JITTER_MS = 40;
const LOSSY_PERCENT = 3;

const NOTHING = {
  path: null,
  rttMs: null,
  jitterMs: null,
  lossPercent: null,
  sendKbps: null,
  receiveKbps: null,
} as const;

/** What to tell the person of a finding, and what to advise. Pure. */
export function networkReport(finding: Finding): NetworkReport {
  if (finding.kind !== 'measured') return { ...NOTHING, verdict: 'failed', advice: [finding.kind] };
  const { path, rttMs, jitterMs, lossPercent, sendKbps, receiveKbps } = finding;
  const verdict = verdictOf(finding);
  return {
    verdict,
    path,
    rttMs,
    jitterMs,
    lossPercent,
    sendKbps,
    receiveKbps,
    advice: verdict === 'good' ? [] : adviceOn(finding),
  };
}

function verdictOf(measured: Measured): NetworkReport['verdict'] {
  const rate = rateOf(measured);
  const level = levelOf(measured);
  if (level === 'poor' || rate < LEAST_VIDEO_KBPS) return 'poor';
  return level === 'fair' || rate < GOOD_VIDEO_KBPS ? 'fair' : 'good';
}

/** Most important first: what the person can do about it, then what to do without, then what explains it. */
function adviceOn(measured: Measured): NetworkAdvice[] {
  const { networkType, rttMs, jitterMs, lossPercent } = measured;
  const rate = rateOf(measured);
  const shaky = (jitterMs ?? 0) >= SHAKY_JITTER_MS || (lossPercent ?? 0) >= LOSSY_PERCENT;
  const narrow = rate < GOOD_VIDEO_KBPS;
  const advice: NetworkAdvice[] = [];
  // A cable cannot be moved closer to; mobile networks are the weaker ones indoors.
  if ((shaky || narrow) && networkType !== 'ethernet') advice.push('move_closer_to_wifi');
  if (narrow || (jitterMs ?? 0) >= SHAKY_JITTER_MS) advice.push('close_other_downloads');
  if (rate < LEAST_VIDEO_KBPS || levelOf(measured) === 'poor') advice.push('use_voice_only');
  if ((rttMs ?? 0) >= SLOW_ROUTE_MS) advice.push('slow_route');
  return advice;
}

/** The narrower direction. What was not measured is no obstacle. */
function rateOf({ sendKbps, receiveKbps }: Measured): number {
  return Math.min(sendKbps ?? Number.POSITIVE_INFINITY, receiveKbps ?? Number.POSITIVE_INFINITY);
}
