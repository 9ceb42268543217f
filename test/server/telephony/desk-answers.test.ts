import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { startVisit, type Visit } from '../../helpers/visit.ts';
import { DOCTOR, numberOf, startPhoneStage } from './desk-stage.ts';

const bind = ({ id, doctor }: Visit, clientBindingId = 'binding-0001', recorded = false) =>
  doctor.request('phone.bind', { consultationId: id, clientBindingId, recorded });

test('[PHD40] who may be phoned again can be phoned in the moment that is answered', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const { id: consultationId, patient } = visit;
  for (let turn = 1; turn <= 8; turn += 1) {
    await patient.request('phone.setRefused', { consultationId, refused: true });
    await expect(bind(visit, `binding-in-vain-${turn}`)).rejects.toThrow('FORBIDDEN');
    await patient.request('phone.setRefused', { consultationId, refused: false });
    expect((await bind(visit, `binding-${turn}-again`)).board.refused).toEqual([]);
  }
});

test('[PHD41] both see before a call how it would be recorded', async () => {
  for (const recording of ['off', 'ask', 'always'] as const) {
    await using stage = await startPhoneStage({ recording });
    await using visit = await startVisit(stage.app);
    for (const who of [visit.doctor, visit.patient])
      expect((await who.request('phone.get', { consultationId: visit.id })).board.recording).toBe(recording);
  }
});

test('[PHD42] that a call was not recorded is in the thread of both, and nobody’s number', async () => {
  await using stage = await startPhoneStage();
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const { board } = await bind(visit, 'binding-0001', true);
  const running = await stage.relay.call({ from: DOCTOR, x: numberOf(board.bindings[0]?.number ?? '') });
  await running.answer();
  await running.notRecorded('tape_failed');
  await eventually('that it runs', () => running.talkMs > 0);
  await running.hangUp();
  const { id: consultationId } = visit;
  const entry = await eventually('the end in the thread', async () => {
    const { entries } = await visit.patient.request('thread.page', { consultationId, limit: 100 });
    return entries.find(({ kind }) => kind === 'phone.callEnded');
  });
  expect(entry).toMatchObject({ reason: 'completed', notRecorded: 'tape_failed' });
  expect(JSON.stringify(entry)).not.toContain(DOCTOR.slice(3));
});
