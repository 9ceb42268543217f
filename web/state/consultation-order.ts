import type { ConsultationPhase, ConsultationView } from '@teleconsult/protocol';

/** Whom to look at first. */
const order: Readonly<Record<ConsultationPhase, number>> = { active: 0, waiting: 1, requested: 2, ended: 3 };

/** Running visits first, then who waits (the longest first), then the rest, newest first. */
export function sorted(consultations: readonly ConsultationView[]): readonly ConsultationView[] {
  return [...consultations].sort((a, b) => {
    if (a.phase !== b.phase) return order[a.phase] - order[b.phase];
    return a.phase === 'waiting' ? a.createdAt - b.createdAt : b.createdAt - a.createdAt;
  });
}
