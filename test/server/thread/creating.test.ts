import { PersonId, type SubjectDraft } from '@teleconsult/protocol';
import type { Stepped } from '@teleconsult/server/host/batch';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { textDraft } from '../../helpers/visit.ts';
import { openBareHost } from './bare-host.ts';
import { newId } from './conversation.ts';

const participants = [
  { personId: PersonId.parse('patient-1'), role: 'patient' as const, displayName: 'Patient' },
  { personId: PersonId.parse('doctor-1'), role: 'doctor' as const, displayName: 'Doctor' },
];
const child: SubjectDraft = {
  displayName: 'Child',
  relationship: 'child',
  birthYear: 2019,
  authorisation: { basis: 'guardian' },
};

test('[PART5] asked for again with its key a consultation is the same, whoever joined and whatever changed since', async () => {
  let now = 1_800_000_000_000;
  await using app = await startTestApp({ clock: () => now });
  const { host } = app.app;
  const request = { participants, subject: child };
  const first = await host.create(request, 'key');
  expect(first).toMatchObject({ created: true, view: { kind: 'visit', subject: { authorisedAt: now } } });
  now += 5_000;
  const id = first.view.consultationId;
  await using patient = await RawClient.connect(app.origin, personToken('patient-1'));
  await patient.request('consultation.setSubject', { consultationId: id, subject: null });
  await host.addParticipant(id, {
    personId: PersonId.parse('relative-1'),
    role: 'relative',
    displayName: 'R',
  });
  const again = await host.create(structuredClone(request), 'key');
  expect(again).toMatchObject({ created: false, view: { consultationId: id, subject: null } });
  expect(again.view.participants).toHaveLength(3);
});

test('[PART5] the same key with any other wish is a CONFLICT', async () => {
  await using app = await startTestApp();
  const { host } = app.app;
  await host.create({ participants, subject: child }, 'key');
  const [patient, doctor] = participants;
  if (patient === undefined || doctor === undefined) throw new Error('There are two.');
  for (const other of [
    { participants },
    { participants, subject: { ...child, birthYear: 2018 } },
    { participants: [patient, { ...doctor, displayName: 'Other' }], subject: child },
    { participants: [doctor, patient], subject: child },
    { participants, subject: child, requestedBy: doctor.personId },
  ])
    await expect(host.create(other, 'key')).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(host.create({ participants: [patient, patient] }, null)).rejects.toMatchObject({
    code: 'INVALID',
  });
});

test('[PART6] a thread of colleagues is made like a visit, and observers hear of it once', async () => {
  const seen: Stepped[] = [];
  await using opened = await openBareHost({ observers: [(change) => seen.push(change)] });
  const { host } = opened;
  const doctors = ['doctor-1', 'doctor-2'].map((name) => ({
    personId: PersonId.parse(name),
    role: 'doctor' as const,
    displayName: name,
  }));
  const request = { participants: doctors, requestedBy: PersonId.parse('doctor-1') };
  const { view } = await host.create(request, 'key');
  await host.create(request, 'key');
  expect(view).toMatchObject({ kind: 'colleagues', requestedBy: 'doctor-1', phase: 'requested' });
  expect(seen).toMatchObject([
    { before: { sequence: 0 }, after: { sequence: 1 }, entries: [{ kind: 'consultation.requested' }] },
  ]);
  expect((await host.list(PersonId.parse('doctor-2'), { limit: 5 }, null)).consultations).toEqual([view]);
});

test('[HST7] who looks on and fails keeps nobody from being answered, and no other from looking on', async () => {
  const seen: Stepped[] = [];
  const failing = () => {
    throw new Error('somebody who looks on has failed');
  };
  await using opened = await openBareHost({ observers: [failing, (change) => seen.push(change)] });
  const { host, logs } = opened;
  const { view } = await host.create({ participants }, null);
  const by = PersonId.parse('patient-1');
  const sends = Array.from({ length: 5 }, () =>
    host.send(view.consultationId, { by, clientMessageId: newId(), draft: textDraft('x') }),
  );
  expect((await Promise.all(sends)).map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5, 6]);
  expect(seen).toHaveLength(6);
  expect(logs.filter((line) => line.includes('observer.failed'))).toHaveLength(6);
  expect(logs.join()).not.toContain('has failed');
});
