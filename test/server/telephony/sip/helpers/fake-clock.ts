import type { SipClock } from '../../../../../server/telephony/sip/clock.ts';

export interface FakeClock extends SipClock {
  /** Runs what is due up to then, in order. */
  advance(ms: number): void;
  readonly pending: number;
}

export function fakeClock(): FakeClock {
  let now = 0;
  const due = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    now: () => now,
    after(ms, run) {
      const entry = { at: now + ms, run };
      due.add(entry);
      return { cancel: () => due.delete(entry) };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...due].filter((entry) => entry.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        due.delete(next);
        now = next.at;
        next.run();
      }
      now = end;
    },
    get pending() {
      return due.size;
    },
  };
}
