import type { ConsultationView } from '@teleconsult/protocol';

/** Whether an app would show both in the same way. `lastSequence` rises with every message, and is told by the thread. */
export function looksTheSame(a: ConsultationView, b: ConsultationView): boolean {
  return (
    a.phase === b.phase &&
    a.endReason === b.endReason &&
    a.declineReason === b.declineReason &&
    JSON.stringify(a.subject) === JSON.stringify(b.subject) &&
    JSON.stringify(a.participants) === JSON.stringify(b.participants)
  );
}
