import { Gauge, type Registry } from 'prom-client';
import type { EmbeddedRelayFigures } from './embedded-relay.ts';

/** The embedded relay in metrics. Labels are closed lists; nothing of them names anybody. */
export function relayMetrics(registry: Registry, figures: () => EmbeddedRelayFigures): void {
  const single = (name: string, help: string, value: (now: EmbeddedRelayFigures) => number): Gauge =>
    new Gauge({
      name: `teleconsult_relay_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value(figures()));
      },
    });
  const labelled = (
    { name, help, label }: { name: string; help: string; label: string },
    values: (now: EmbeddedRelayFigures) => Readonly<Record<string, number>>,
  ): Gauge =>
    new Gauge({
      name: `teleconsult_relay_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        for (const [value, count] of Object.entries(values(figures()))) this.labels(value).set(count);
      },
    });
  single('calls', 'Calls on the trunk that are decided, ring, run or are spoken to.', ({ calls }) => calls);
  single('legs', 'Telephones of consultations that ring or talk.', ({ legs }) => legs);
  single('sessions', 'Calls whose sound has its ports.', ({ sessions }) => sessions);
  single('trunk_up', 'Whether the trunk answers.', ({ trunk }) => (trunk === 'up' ? 1 : 0));
  single('untold', 'Calls with news the store has not kept yet.', ({ untold }) => untold);
  labelled(
    {
      name: 'calls_ended',
      help: 'Calls that were put through, since the start, by their end.',
      label: 'end',
    },
    ({ counts }) => counts.ended,
  );
  labelled(
    { name: 'calls_turned_away', help: 'Calls that were not put through, since the start.', label: 'reason' },
    ({ counts }) => counts.turnedAway,
  );
  labelled(
    {
      name: 'packets',
      help: 'Packets of sound of ended calls; lost ones on their way to us.',
      label: 'what',
    },
    ({ counts }) => counts.packets,
  );
  labelled(
    { name: 'failures', help: 'What went wrong, since the start.', label: 'what' },
    ({ counts: { notRecorded, tableFailures, soundFailures, silent } }) => ({
      not_recorded: notRecorded,
      table: tableFailures,
      sound: soundFailures,
      silent,
    }),
  );
}
