import { type CallId, ClientMessageId, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import { beginVisit, drawIn } from './call-guests.ts';
import { Gate } from './gate.ts';

const relativeId = PersonId.parse('relative');

const seatOf = async (client: RawClient, { id }: Visit, personId: string) =>
  (await client.request('consultation.watch', { consultationId: id })).call?.seats.find(
    (seat) => seat.personId === personId,
  );
const join = (client: RawClient, { id }: Visit, callId: CallId) =>
  joinSeat(client, { consultationId: id, callId });

test('[CALL2] a call rings on all devices, and those that did not answer see which one did', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  const token = personToken(peopleOf(view).patient);
  await using tablet = await RawClient.connect(app.origin, token);
  await using watch = await RawClient.connect(app.origin, token);
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'voice' });
  for (const device of [patient, tablet, watch])
    await device.fact('call.changed', ({ state }) => state === 'ringing');
  // All three answer at once: one of them does.
  const answers = await Promise.allSettled(
    [patient, tablet, watch].map((device) =>
      device.request('call.accept', { consultationId: id, callId: call.callId }),
    ),
  );
  const winners = [patient, tablet, watch].filter((_, index) => answers[index]?.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  for (const device of [patient, tablet, watch]) {
    const told = await device.fact('call.changed', ({ state }) => state === 'connecting');
    const seat = told.seats.find(({ personId }) => personId === peopleOf(view).patient);
    expect(seat?.deviceId).toBe(winners[0]?.deviceId);
  }
});

test('[SEAT14] declined on one device of one of three, the call goes on, and their other devices see it', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  await using tablet = await RawClient.connect(app.origin, personToken(peopleOf(view).patient));
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'video' });
  const ref = { consultationId: id, callId: call.callId };
  await tablet.fact('call.changed', ({ state }) => state === 'ringing');
  const after = await patient.request('call.decline', ref);
  expect(after.call.state).toBe('ringing');
  const told = await tablet.fact('call.changed', ({ seats }) =>
    seats.some(({ leftReason }) => leftReason === 'declined'),
  );
  expect(told.seats.find(({ personId }) => personId === peopleOf(view).patient)).toMatchObject({
    state: 'left',
    deviceId: patient.deviceId,
  });
  await expect(tablet.request('call.accept', ref)).rejects.toThrow('WRONG_STATE');
  expect((await relative.request('call.accept', ref)).call.state).toBe('connecting');
  // Who declined is free for other calls, and those in this one are not.
  await using other = await RawClient.connect(app.origin, personToken('doctor-other'));
  const elsewhere = await beginVisit(app, { patient: peopleOf(view).patient, doctor: 'doctor-other' }, other);
  const second = await other.request('call.start', { consultationId: elsewhere, media: 'voice' });
  expect(second.call.state).toBe('ringing');
});

test('[CALL16] a third is invited into a running call, hears and is heard, and leaves without ending it', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  const { call } = await doctor.request('call.start', {
    consultationId: id,
    media: 'video',
    people: [PersonId.parse(peopleOf(visit.view).patient)],
  });
  const ref = { consultationId: id, callId: call.callId };
  expect(call.seats).toHaveLength(2);
  await patient.request('call.accept', ref);
  for (const client of [doctor, patient]) await join(client, visit, call.callId);
  await expect(relative.request('seat.join', ref)).rejects.toThrow('NOT_FOUND');
  await patient.request('call.invite', { ...ref, personId: relativeId });
  await relative.fact('call.changed', ({ seats }) => seats.some(({ personId }) => personId === 'relative'));
  await relative.request('call.accept', ref);
  await join(relative, visit, call.callId);
  expect(app.sfu.rooms[0]?.seats.size).toBe(3);
  const left = await relative.request('call.leave', ref);
  expect(left.call.state).toBe('live');
  expect(app.sfu.rooms[0]?.seats.size).toBe(2);
  await patient.fact('entry.added', (entry) => entry.kind === 'call.left' && entry.personId === 'relative');
  await expect(join(relative, visit, call.callId)).rejects.toThrow('WRONG_STATE');
  const last = await patient.request('call.leave', ref);
  expect(last.call).toMatchObject({ state: 'ended', endReason: 'completed' });
  await eventually('no room is left', () => app.sfu.rooms.length === 0);
});

test('[CALL16] an invited person who is in another call is busy, and nobody rings', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await using interpreter = await drawIn(app, visit, { personId: 'interpreter', role: 'interpreter' });
  await using other = await RawClient.connect(app.origin, personToken('doctor-other'));
  const elsewhere = await beginVisit(app, { patient: 'interpreter', doctor: 'doctor-other' }, other);
  const engaged = await other.request('call.start', { consultationId: elsewhere, media: 'voice' });
  const callId = await startCall(visit);
  const ref = { consultationId: visit.id, callId };
  const invite = () =>
    visit.doctor.request('call.invite', { ...ref, personId: PersonId.parse('interpreter') });
  await expect(invite()).rejects.toThrow('BUSY');
  await other.request('call.hangUp', { consultationId: elsewhere, callId: engaged.call.callId });
  expect((await invite()).call.seats).toHaveLength(3);
  await interpreter.fact('call.changed', ({ seats }) =>
    seats.some(({ personId, state }) => personId === 'interpreter' && state === 'invited'),
  );
});

test('[CALL18] the doctor ends a call of three for all, and the relative cannot', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  const { call } = await patient.request('call.start', { consultationId: id, media: 'voice' });
  const ref = { consultationId: id, callId: call.callId };
  for (const client of [doctor, relative]) await client.request('call.accept', ref);
  for (const client of [doctor, patient, relative]) await join(client, visit, call.callId);
  await expect(relative.request('call.hangUp', ref)).rejects.toThrow('FORBIDDEN');
  await doctor.request('call.hangUp', ref);
  for (const client of [patient, relative])
    await client.fact('call.changed', ({ endReason }) => endReason === 'completed');
});

test('[CALL20] a guest who is taken out in a call is out of it, hears how it goes on no more, and others do', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'voice' });
  const ref = { consultationId: id, callId: call.callId };
  for (const client of [patient, relative]) await client.request('call.accept', ref);
  for (const client of [doctor, patient, relative]) await join(client, visit, call.callId);
  await doctor.request('participant.remove', { consultationId: id, personId: relativeId });
  await relative.fact('consultation.left', ({ consultationId }) => consultationId === id);
  // The last that they heard of the call is that they are out of it.
  const last = relative.of('call.changed').at(-1);
  expect(last?.seats.find(({ personId }) => personId === 'relative')).toMatchObject({
    state: 'left',
    leftReason: 'removed',
  });
  const heard = relative.facts.length;
  expect(app.sfu.rooms[0]?.seats.has('relative')).toBe(false);
  const muted = { ...ref, source: 'microphone', on: false } as const;
  await doctor.request('seat.setSource', muted);
  await doctor.request('message.send', {
    consultationId: id,
    clientMessageId: ClientMessageId.parse('after-removal'),
    content: { type: 'text', text: 'x' },
  });
  await patient.fact('entry.added', ({ kind }) => kind === 'message.sent');
  for (const event of ['call.leave', 'seat.join', 'call.accept'] as const)
    await expect(relative.request(event, ref)).rejects.toThrow('NOT_FOUND');
  expect(relative.facts.slice(heard)).toEqual([]);
  expect(await seatOf(doctor, visit, 'relative')).toMatchObject({ state: 'left' });
});

test('[CALL16] a person who is invited here and called elsewhere at the same moment is rung once', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  await using interpreter = await drawIn(app, visit, { personId: 'interpreter', role: 'interpreter' });
  await using other = await RawClient.connect(app.origin, personToken('doctor-other'));
  const elsewhere = await beginVisit(app, { patient: 'interpreter', doctor: 'doctor-other' }, other);
  const { call } = await visit.doctor.request('call.start', {
    consultationId: visit.id,
    media: 'voice',
    people: [PersonId.parse(peopleOf(visit.view).patient)],
  });
  const { callId } = call;
  const personId = PersonId.parse('interpreter');
  gate.shut();
  const inviting = visit.doctor.request('call.invite', { consultationId: visit.id, callId, personId });
  await eventually('the invitation to wait for its commit', () => gate.waiting > 0);
  const calling = other.request('call.start', { consultationId: elsewhere, media: 'voice' });
  // Once this is answered the server has read the call before it.
  await other.request('thread.page', { consultationId: elsewhere });
  gate.open();
  expect((await inviting).call.seats).toHaveLength(3);
  expect((await calling).call.endReason).toBe('busy');
  expect(interpreter.socket.connected).toBe(true);
});

test('[CNS11] who takes part and for whom is told to all of them when it changes', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app, { active: false });
  const { id, patient, doctor } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  const last = (client: RawClient) => client.of('consultation.changed').at(-1);
  for (const client of [patient, doctor])
    await eventually('three people', () => last(client)?.participants.length === 3);
  await patient.request('consultation.setSubject', {
    consultationId: id,
    subject: { displayName: 'Child', relationship: 'child', authorisation: { basis: 'guardian' } },
  });
  for (const client of [patient, doctor, relative])
    await eventually('the subject', () => last(client)?.subject?.displayName === 'Child');
  await relative.request('participant.leave', { consultationId: id });
  for (const client of [patient, doctor])
    await eventually('two people', () => last(client)?.participants.length === 2);
});
