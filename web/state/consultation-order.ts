import type { ConsultationPhase, ConsultationView, QueuePlace } from '@teleconsult/protocol';

/** Whom to look at first. */
const order: Readonly<Record<ConsultationPhase, number>> = { active: 0, waiting: 1, requested: 2, ended: 3 };

/**
 * Running visits first, then who waits (by place in the queue; where it is not known, the longest first), then the
 * rest, newest first.
 */
export function sorted(
  consultations: readonly ConsultationView[],
  queue: ReadonlyMap<string, QueuePlace> = new Map(),
): readonly ConsultationView[] {
  const place = ({ consultationId }: ConsultationView): number =>
    queue.get(consultationId)?.position ?? Number.MAX_SAFE_INTEGER;
  return [...consultations].sort((a, b) => {
    if (a.phase !== b.phase) return order[a.phase] - order[b.phase];
    if (a.phase !== 'waiting') return b.createdAt - a.createdAt;
    return place(a) - place(b) || a.createdAt - b.createdAt;
  });
}
