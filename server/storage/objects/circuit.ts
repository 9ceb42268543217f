/**
 * Whether a store is worth asking. After some failures in a row nobody asks it but a probe, so that a dead store does
 * not cost everybody a time-out; the first success lets all ask again.
 */
export type CircuitState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly probes: number };

export const CLOSED: CircuitState = { kind: 'closed', failures: 0 };

/** One failure is an accident, three are a pattern; each was asked for several times already. */
const FAILURES_TO_OPEN = 3;

const FIRST_PROBE_MS = 500;

/** Soon enough for a store that is back, seldom enough for one that is gone for a day. */
const LONGEST_PROBE_MS = 10_000;

export function afterFailure(state: CircuitState): CircuitState {
  if (state.kind === 'open') return { ...state, probes: state.probes + 1 };
  const failures = state.failures + 1;
  return failures < FAILURES_TO_OPEN ? { kind: 'closed', failures } : { kind: 'open', probes: 0 };
}

/** How long to wait before the next probe of an open circuit. */
export const probeAfterMs = ({ probes }: { readonly probes: number }): number =>
  Math.min(FIRST_PROBE_MS * 2 ** Math.min(probes, 20), LONGEST_PROBE_MS);
