import type { QualityLevel } from '@teleconsult/protocol';

export interface PathQuality {
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  readonly lossPercent: number | null;
}

/**
 * From here on people notice (fair) or suffer (poor). Round trips: conversation becomes half-duplex beyond 150 ms one
 * way and hard beyond 400 ms (ITU-T G.114). Loss: Opus with FEC conceals a few per cent.
 */
const FAIR: Readonly<Record<keyof PathQuality, number>> = { rttMs: 300, jitterMs: 40, lossPercent: 3 };
const POOR: Readonly<Record<keyof PathQuality, number>> = { rttMs: 700, jitterMs: 100, lossPercent: 10 };
const MEASURES = ['rttMs', 'jitterMs', 'lossPercent'] as const;

/** The level of a path that carries media. What was not measured counts for nothing. */
export function levelOf(quality: PathQuality): Exclude<QualityLevel, 'lost'> {
  const reaches = (limits: typeof FAIR) =>
    MEASURES.some((measure) => (quality[measure] ?? 0) >= limits[measure]);
  if (reaches(POOR)) return 'poor';
  return reaches(FAIR) ? 'fair' : 'good';
}
