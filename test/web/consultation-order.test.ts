import { type ConsultationPhase, ConsultationView } from '@teleconsult/protocol';
import { expect, it } from 'vitest';
import { sorted } from '../../web/state/consultation-order.ts';

function view(number: number, phase: ConsultationPhase, createdAt: number): ConsultationView {
  return ConsultationView.parse({
    consultationId: `cns_${String(number).padStart(22, '0')}`,
    kind: 'visit',
    phase,
    phaseSince: createdAt,
    declineReason: null,
    requestedBy: null,
    subject: null,
    endReason: phase === 'ended' ? 'completed' : null,
    participants: [],
    createdAt,
    lastSequence: 1,
  });
}

it('[WEB8] a doctor sees running visits first, then who waits longest, then the newest of the rest', () => {
  const views = [
    view(1, 'ended', 500),
    view(2, 'requested', 100),
    view(3, 'waiting', 300),
    view(4, 'active', 50),
    view(5, 'waiting', 200),
    view(6, 'ended', 600),
    view(7, 'requested', 400),
  ];
  const order = sorted(views).map(({ consultationId }) => Number(consultationId.slice(4)));
  expect(order).toEqual([4, 5, 3, 7, 2, 6, 1]);
  expect(views.map(({ createdAt }) => createdAt)).toEqual([500, 100, 300, 50, 200, 600, 400]);
});
