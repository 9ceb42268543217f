import { Gauge, type Registry } from 'prom-client';
import type { TelephonyFigures } from './telephony.ts';

type Read = () => Promise<TelephonyFigures | null>;

/** Masked calls in metrics. Labels are closed lists; nothing of them names anybody. */
export function phoneMetrics(registry: Registry, read: Read): void {
  const figures = onceAtATime(read);
  const counted = (name: string, help: string, count: (from: TelephonyFigures) => number | null): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const now = await figures();
        const value = now === null ? null : count(now);
        if (value !== null) this.set(value);
      },
    });
  const labelled = <Label extends string>(
    { name, help, label }: { name: string; help: string; label: Label },
    counts: (from: TelephonyFigures) => Readonly<Record<string, number>>,
  ): Gauge<Label> =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      async collect() {
        const now = await figures();
        if (now === null) return;
        for (const [value, count] of Object.entries(counts(now))) this.labels(value).set(count);
      },
    });
  labelled(
    {
      name: 'teleconsult_phone_pending',
      help: 'Relay numbers that wait for their provider, by what it is asked, and news of calls that waits for its thread.',
      label: 'what',
    },
    ({ pending }) => pending,
  );
  labelled(
    {
      name: 'teleconsult_phone_calls_refused',
      help: 'Calls to relay numbers that were turned away since the start, by reason.',
      label: 'reason',
    },
    ({ refused }) => refused,
  );
  counted(
    'teleconsult_phone_calls',
    'Calls through relay numbers that ring or run.',
    (now) => now.runningCalls,
  );
  counted(
    'teleconsult_phone_alarms',
    'Bursts of calls turned away since the start: numbers are being tried out, or something is set up wrongly.',
    ({ alarms }) => alarms,
  );
  counted(
    'teleconsult_phone_relays_free',
    'Relay numbers that are neither in use nor rest; at 0 the next visit gets none. 0 too where the provider chooses them.',
    ({ freeRelays }) => freeRelays,
  );
  counted(
    'teleconsult_phone_in_calls',
    'Telephones that ring or talk in calls of consultations.',
    ({ inCalls }) => inCalls,
  );
  counted('teleconsult_phone_recorded', 'Phone calls that are being recorded.', ({ recorded }) => recorded);
}

/** All of them are collected together, and are to say one thing. A store that cannot be read leaves them as they were. */
function onceAtATime(read: Read): Read {
  let running: Promise<TelephonyFigures | null> | null = null;
  return () => {
    running ??= read()
      .catch(() => null)
      .finally(() => {
        running = null;
      });
    return running;
  };
}
