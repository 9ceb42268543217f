import type { QualityReport } from '@teleconsult/protocol';
import { Metrics } from '@teleconsult/server/metrics';
import { expect, test } from 'vitest';

const report: QualityReport = {
  level: 'fair',
  rttMs: 250,
  jitterMs: 12,
  lossPercent: 3,
  sendKbps: 900,
  receiveKbps: 1_200,
  networkType: 'cellular',
  path: 'relay',
};

test('[MET1] what devices report becomes sums over everybody: round trip, loss, level, network and path', async () => {
  const metrics = new Metrics({ connections: () => 0, calls: () => 0, mediaWorkers: () => 1 });
  metrics.observeQuality(report);
  metrics.observeQuality({ ...report, rttMs: 30, lossPercent: 0 });
  const text = await metrics.registry.metrics();
  expect(text).toContain('teleconsult_quality_reports_total{level="fair",network="cellular",path="relay"} 2');
  expect(text).toContain('teleconsult_quality_rtt_seconds_bucket{le="0.05"} 1');
  expect(text).toContain('teleconsult_quality_rtt_seconds_bucket{le="0.3"} 2');
  expect(text).toContain('teleconsult_quality_loss_ratio_bucket{le="0"} 1');
  expect(text).toContain('teleconsult_quality_loss_ratio_bucket{le="0.05"} 2');
});

test('[MET1] what a device could not measure is not counted as zero', async () => {
  const metrics = new Metrics({ connections: () => 0, calls: () => 0, mediaWorkers: () => 1 });
  metrics.observeQuality({ ...report, rttMs: null, lossPercent: null });
  const text = await metrics.registry.metrics();
  expect(text).toContain('teleconsult_quality_rtt_seconds_count 0');
  expect(text).toContain('teleconsult_quality_loss_ratio_count 0');
  expect(text).toContain('path="relay"} 1');
});
