import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';

test('[CALL21] a device that connects while its person is rung is told of the ring, whatever it watches', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor, patient, view } = visit;
  const people = peopleOf(view);
  const { deviceId } = doctor;
  doctor.socket.disconnect();
  const { call } = await patient.request('call.start', { consultationId: id, media: 'video' });

  await using again = await RawClient.connect(app.origin, personToken(people.doctor), { deviceId });
  await using other = await RawClient.connect(app.origin, personToken(people.doctor));
  for (const device of [again, other]) {
    const told = await device.fact('call.changed');
    expect(told.callId).toBe(call.callId);
    expect(told.state).toBe('ringing');
    expect(told.seats.find(({ personId }) => personId === people.doctor)?.state).toBe('invited');
  }
});

test('[CALL21] a device that connects is told nothing of a ring that its token does not reach, or that was answered', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor, patient, view } = visit;
  const people = peopleOf(view);
  const elsewhere = await app.createConsultation();
  const { call } = await patient.request('call.start', { consultationId: id, media: 'video' });
  await using narrow = await RawClient.connect(
    app.origin,
    personToken(people.doctor, elsewhere.consultationId),
  );
  await doctor.request('call.accept', { consultationId: id, callId: call.callId });
  await using late = await RawClient.connect(app.origin, personToken(people.doctor));
  // Whatever was to be told of the connection comes before what follows it.
  await doctor.request('call.leave', { consultationId: id, callId: call.callId });
  const heard = await late.fact('call.changed');
  expect(heard.state).toBe('ended');
  expect(late.of('call.changed')).toHaveLength(1);
  expect(narrow.of('call.changed')).toEqual([]);
});
