import type { QualityReport } from '@teleconsult/protocol';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AdmissionOutcome } from './signalling/admission.ts';
import type { Handled } from './signalling/dispatch.ts';
import { phoneMetrics } from './telephony/phone-metrics.ts';
import type { TelephonyFigures } from './telephony/telephony.ts';

/** What the gauges read when they are asked. */
export interface MetricSources {
  readonly connections: () => number;
  readonly calls: () => number;
  readonly mediaWorkers: () => number;
  readonly valuesToRewrap?: () => number;
  readonly objectsAway?: () => number;
  readonly recordedTracks?: () => number;
  /** null: there is no telephony, or it has not begun. */
  readonly phones?: () => Promise<TelephonyFigures | null>;
}

/** Prometheus metrics. Labels are closed lists; no id of a person, device or consultation is one. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: 'teleconsult_requests_total',
    help: 'Requests over the socket, by name and outcome.',
    labelNames: ['event', 'code'] as const,
    registers: [this.registry],
  });
  readonly #duration = new Histogram({
    name: 'teleconsult_request_duration_seconds',
    help: 'Time from a request’s arrival to its answer.',
    labelNames: ['event'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });
  readonly #admissions = new Counter({
    name: 'teleconsult_admissions_total',
    help: 'Devices that came to the server: let in, let in after waiting, sent away for a while, gone while they waited.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  readonly #quality = new Counter({
    name: 'teleconsult_quality_reports_total',
    help: 'What devices in calls reported, by level, kind of network and path of the media.',
    labelNames: ['level', 'network', 'path'] as const,
    registers: [this.registry],
  });
  /** Up to 400 ms a talk is easy, above it people interrupt each other (ITU-T G.114, both ways). */
  readonly #roundTrip = new Histogram({
    name: 'teleconsult_quality_rtt_seconds',
    help: 'Round trip of the media between device and server, as devices measured it.',
    buckets: [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1, 2, 5],
    registers: [this.registry],
  });
  readonly #loss = new Histogram({
    name: 'teleconsult_quality_loss_ratio',
    help: 'Share of media packets lost, the worse direction, as devices measured it.',
    buckets: [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 1],
    registers: [this.registry],
  });

  constructor(sources: MetricSources) {
    // The process and its event loop (`nodejs_eventloop_lag_p99_seconds`): how the machine is, and nothing of people.
    collectDefaultMetrics({ register: this.registry });
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
    gauge('teleconsult_connections', 'Connected devices.', sources.connections);
    gauge('teleconsult_media_rooms', 'Calls with media on this server.', sources.calls);
    gauge('teleconsult_media_workers_alive', 'Media workers that are alive.', sources.mediaWorkers);
    gauge(
      'teleconsult_vault_values_to_rewrap',
      'Wrapped keys and records that are still under another key than the current one.',
      sources.valuesToRewrap ?? (() => 0),
    );
    gauge(
      'teleconsult_objects_away',
      'Objects in the second store that wait to come home.',
      sources.objectsAway ?? (() => 0),
    );
    gauge(
      'teleconsult_recorded_tracks',
      'Tracks of calls that are being recorded.',
      sources.recordedTracks ?? (() => 0),
    );
    if (sources.phones !== undefined) phoneMetrics(this.registry, sources.phones);
  }

  observe({ event, code, ms }: Handled): void {
    this.#requests.inc({ event, code });
    this.#duration.observe({ event }, ms / 1000);
  }

  observeAdmission(outcome: AdmissionOutcome): void {
    this.#admissions.inc({ outcome });
  }

  /** Adds what a device measured to sums over everybody; that is all that is kept of it. */
  observeQuality({ level, networkType, path, rttMs, lossPercent }: QualityReport): void {
    this.#quality.inc({ level, network: networkType, path });
    if (rttMs !== null) this.#roundTrip.observe(rttMs / 1000);
    if (lossPercent !== null) this.#loss.observe(lossPercent / 100);
  }
}
