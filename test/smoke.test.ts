import { expect, test } from 'vitest';
import { startTestApp } from './helpers/test-app.ts';
import { startCall, startVisit, textDraft } from './helpers/visit.ts';

test('[CNS1] a consultation goes from requested over waiting and active to ended, once', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const sent = await patient.request('message.send', {
    consultationId: id,
    clientMessageId: 'message-0001' as never,
    content: textDraft('hello'),
  });
  await doctor.fact('entry.added', (entry) => entry.sequence === sent.sequence);
  const callId = await startCall(visit);
  await patient.fact('call.changed', (call) => call.callId === callId && call.state === 'live');
  const { consultation } = await doctor.request('consultation.end', { consultationId: id });
  expect(consultation.phase).toBe('ended');
  const { entries } = await patient.request('thread.page', { consultationId: id, afterSequence: 0 });
  expect(entries.map(({ kind }) => kind)).toEqual([
    'consultation.requested',
    'consultation.waiting',
    'consultation.accepted',
    'message.sent',
    'call.started',
    'call.answered',
    'call.ended',
    'consultation.ended',
  ]);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});
