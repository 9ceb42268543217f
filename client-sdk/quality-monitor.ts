import type { QualityReport } from '@teleconsult/protocol';
import type { QualitySample } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import {
  hearsAnything,
  measure,
  pictureRate,
  type Reading,
  readStats,
  type StatsPair,
  sampleOf,
} from './quality-stats.ts';

/** What is measured and not shown to the app. */
export interface UnshownMeasures extends Pick<Reading, 'availableSendKbps'> {
  /** Pictures that arrive in a second. */
  readonly receiveFps: number | null;
  /** As `lossPercent`, of the last four seconds alone; null where nothing was sent and received. */
  readonly recentLossPercent: number | null;
  /** False while nothing at all comes back on the path; null where that is not known. */
  readonly hearsAnything: boolean | null;
}

export interface QualityMonitorOptions {
  readonly life: Lifetime;
  readonly stats: () => Promise<StatsPair>;
  readonly isInterrupted: () => boolean;
  readonly onSample: (sample: QualitySample, more: UnshownMeasures) => void;
  /** Tells the server. Not awaited; what it does not hear now it hears ten seconds later. */
  readonly report: (report: QualityReport) => Promise<unknown>;
  readonly networkType?: () => QualityReport['networkType'];
  readonly everyMs?: number;
  readonly reportEveryMs?: number;
  readonly statsPatienceMs?: number;
}

const EVERY_MS = 2_000;
const REPORT_EVERY_MS = 10_000;
/** Losses are taken over ten seconds: shorter, and the reports of receivers make them jump. */
const LOSS_READINGS = 5;
/** Some browsers never answer for a connection that is closed meanwhile. */
const STATS_PATIENCE_MS = 5_000;
/** Two minutes. */
const MAX_SAMPLES = 60;

/** Measures while its life lasts, remembers the last two minutes, and reports. */
export class QualityMonitor {
  readonly #options: QualityMonitorOptions;
  readonly #samples: QualitySample[] = [];
  /** The newest last. */
  readonly #readings: Reading[] = [];
  #reported: { readonly level: QualityReport['level']; readonly at: number } | null = null;

  constructor(options: QualityMonitorOptions) {
    this.#options = options;
    void this.#run().catch(() => {});
  }

  /** Oldest first. */
  get samples(): readonly QualitySample[] {
    return [...this.#samples];
  }

  /** Ends with the life, whose end the wait rejects with. One look follows the other, however long one takes. */
  async #run(): Promise<void> {
    const { life, everyMs = EVERY_MS, statsPatienceMs = STATS_PATIENCE_MS } = this.#options;
    for (;;) {
      await life.wait(everyMs);
      const asking = this.#options.stats();
      const stats = await life.withinTime(asking, statsPatienceMs).catch(() => null);
      // While media is built anew there is nothing to be read.
      if (stats !== null) this.#look(stats);
    }
  }

  #look(stats: StatsPair): void {
    const { isInterrupted, onSample, networkType = networkTypeHere } = this.#options;
    const now = performance.now();
    const reading = readStats(stats, now);
    const before = this.#readings.at(-1) ?? null;
    const measured = measure(before, reading, this.#readings[0] ?? null);
    const receiveFps = pictureRate(before, reading);
    const { lossPercent: recentLossPercent } = measure(before, reading, this.#readings.at(-2) ?? before);
    const sample = sampleOf(measured, {
      at: Date.now(),
      reading,
      networkType: networkType(),
      isInterrupted: isInterrupted(),
    });
    this.#readings.push(reading);
    if (this.#readings.length > LOSS_READINGS) this.#readings.shift();
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    this.#report(sample, now);
    const { availableSendKbps } = reading;
    const hears = hearsAnything(before, reading);
    onSample(sample, { availableSendKbps, receiveFps, recentLossPercent, hearsAnything: hears });
  }

  #report({ at: _at, limitedBy: _limitedBy, ...report }: QualitySample, now: number): void {
    const { reportEveryMs = REPORT_EVERY_MS } = this.#options;
    const last = this.#reported;
    if (last !== null && last.level === report.level && now - last.at < reportEveryMs) return;
    this.#reported = { level: report.level, at: now };
    this.#options.report(report).catch(() => {
      // Not heard: the next look tells it again.
      this.#reported = null;
    });
  }
}

/** Network Information API: Chromium only, and not in TypeScript's DOM library. */
export function networkTypeHere(): QualityReport['networkType'] {
  const { navigator } = globalThis;
  if (navigator === undefined || !('connection' in navigator)) return 'unknown';
  const { connection } = navigator;
  if (typeof connection !== 'object' || connection === null || !('type' in connection)) return 'unknown';
  const { type } = connection;
  switch (type) {
    case 'wifi':
    case 'cellular':
    case 'ethernet':
      return type;
    case 'bluetooth':
    case 'wimax':
    case 'other':
      return 'other';
    default:
      return 'unknown';
  }
}
