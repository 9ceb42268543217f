import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Handled } from './signalling/dispatch.ts';

/** What the gauges read when they are asked. */
export interface MetricSources {
  readonly connections: () => number;
  readonly calls: () => number;
  readonly mediaWorkers: () => number;
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

  constructor(sources: MetricSources) {
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
  }

  observe({ event, code, ms }: Handled): void {
    this.#requests.inc({ event, code });
    this.#duration.observe({ event }, ms / 1000);
  }
}
