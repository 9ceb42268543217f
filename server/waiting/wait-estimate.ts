/** With fewer visits than this a median says nothing. */
const FEWEST_VISITS = 3;
/** How many of a doctor's last visits the estimate stands on. */
export const COUNTED_VISITS = 10;

/** What is known of a doctor's pace. Durations and moments in milliseconds. */
export interface Pace {
  /** How long the last visits lasted. */
  readonly durations: readonly number[];
  /** Since when the visit runs that the doctor is in; null for none. */
  readonly activeSince: number | null;
}

/** How long each visit before one takes, and what is left of the running one; null while nothing can be said. */
export interface Expectation {
  readonly visitMs: number;
  readonly leftMs: number;
}

/** From the median, which one long visit does not move. A visit that runs longer than it may end at any moment. */
export function expectation({ durations, activeSince }: Pace, now: number): Expectation | null {
  if (durations.length < FEWEST_VISITS) return null;
  const visitMs = median(durations);
  const leftMs = activeSince === null ? 0 : Math.min(visitMs, Math.max(0, visitMs - (now - activeSince)));
  return { visitMs, leftMs };
}

/** The wait of the patient at this place, 1 being next: the visits ahead, and what is left of the running one. */
export const estimateMs = (expected: Expectation | null, position: number): number | null =>
  expected === null ? null : Math.round((position - 1) * expected.visitMs + expected.leftMs);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1] ?? 0, sorted[sorted.length >> 1] ?? 0];
  return (low + high) / 2;
}
