import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, takeOverSeat, ticketOf, type Visit } from '../../helpers/visit.ts';
import { beginVisit } from './call-guests.ts';

const GRACE_MS = 60_000;
const RETURN_MS = 15 * 60_000;

const reload = ({ patient, view }: Visit, app: TestApp): Promise<RawClient> =>
  RawClient.connect(app.origin, personToken(peopleOf(view).patient), { deviceId: patient.deviceId });

/** The patient's device goes and stays away for the whole grace; answers the call as the doctor is shown it. */
async function losePatient({ patient, doctor }: Visit, app: TestApp) {
  patient.socket.disconnect();
  await doctor.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'reconnecting'));
  app.advance(GRACE_MS + 1_000);
  return doctor.fact('call.changed', ({ seats }) => seats.some(({ leftReason }) => leftReason === 'lost'));
}

/** How the seats stood when this device last heard of the call. */
const lastSeats = (client: RawClient) =>
  client
    .of('call.changed')
    .at(-1)
    ?.seats.map(({ state }) => state);

const kindsOf = async (client: RawClient, { id }: Visit) =>
  (await client.request('thread.page', { consultationId: id })).entries.map(({ kind }) => kind);

test('[CALL22] who stays is told until when the other may return, waits, and the call ends lost when nobody did', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const callId = await startCall(visit);
  const shown = await losePatient(visit, app);
  expect(shown.state).toBe('live');
  const seat = shown.seats.find(({ state }) => state === 'left');
  expect(seat?.returnUntil).toBe((seat?.since ?? 0) + RETURN_MS);
  expect(app.sfu.health().seats).toBe(1);
  expect(await kindsOf(visit.doctor, visit)).not.toContain('call.ended');
  app.advance(RETURN_MS - 5_000);
  expect((await visit.doctor.request('consultation.watch', { consultationId: visit.id })).call?.state).toBe(
    'live',
  );
  app.advance(5_000);
  await visit.doctor.fact('call.changed', (call) => call.callId === callId && call.endReason === 'lost');
  await eventually('no room is left', () => app.sfu.rooms.length === 0);
});

test('[CALL23] who was lost comes back within the window, on the same device or another, and they talk again', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const resumeTicket = ticketOf(visit.patient);
  await losePatient(visit, app);
  app.advance(10 * 60_000);
  await using page = await reload(visit, app);
  await expect(page.request('seat.join', ref)).rejects.toThrow('RESUME_REFUSED');
  const { call } = await joinSeat(page, { ...ref, resumeTicket });
  expect(call.seats.map(({ state }) => state)).toEqual(['present', 'present']);
  expect(app.sfu.health().seats).toBe(2);
  expect((await kindsOf(visit.doctor, visit)).slice(-2)).toEqual(['call.left', 'call.answered']);

  page.socket.disconnect();
  await eventually('the seat to wait for its device', () =>
    lastSeats(visit.doctor)?.includes('reconnecting'),
  );
  app.advance(GRACE_MS + 1_000);
  await eventually('the seat to be left again', () => app.sfu.health().seats === 1);
  await using tablet = await RawClient.connect(app.origin, personToken(peopleOf(visit.view).patient));
  const moved = await takeOverSeat(tablet, ref);
  expect(moved.call.seats.find(({ deviceId }) => deviceId === tablet.deviceId)?.state).toBe('present');
});

test('[CALL28] a server that is started again within the window keeps it, and ends the call when it has passed', async () => {
  await using first = await startTestApp();
  await using visit = await startVisit(first);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const until = (await losePatient(visit, first)).seats.find(({ state }) => state === 'left')?.returnUntil;
  const tickets = { patient: ticketOf(visit.patient), doctor: ticketOf(visit.doctor) };
  await first.app.close();

  await using again = await startTestApp({ dataDir: first.dataDir, store: first.store });
  const doctorToken = personToken(peopleOf(visit.view).doctor);
  await using doctor = await RawClient.connect(again.origin, doctorToken, {
    deviceId: visit.doctor.deviceId,
  });
  await doctor.request('consultation.watch', { consultationId: visit.id });
  const { call } = await joinSeat(doctor, { ...ref, resumeTicket: tickets.doctor });
  expect(call.seats.find(({ state }) => state === 'left')?.returnUntil).toBe(until);
  await using page = await reload(visit, again);
  await joinSeat(page, { ...ref, resumeTicket: tickets.patient });
  page.socket.disconnect();
  await eventually('the seat to wait for its device', () => lastSeats(doctor)?.includes('reconnecting'));
  again.advance(GRACE_MS + 1_000);
  await eventually('the seat to be left again', () => lastSeats(doctor)?.includes('left'));
  again.advance(RETURN_MS);
  await doctor.fact('call.changed', ({ endReason }) => endReason === 'lost');
});

test('[CALL29] who was lost is not busy: they are rung elsewhere, and come back only when they are in no other call', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const resumeTicket = ticketOf(visit.patient);
  await losePatient(visit, app);
  const person = peopleOf(visit.view);
  await using other = await RawClient.connect(app.origin, personToken('doctor-other'));
  const elsewhere = await beginVisit(app, { patient: person.patient, doctor: 'doctor-other' }, other);
  const second = await other.request('call.start', { consultationId: elsewhere, media: 'voice' });
  expect(second.call.state).toBe('ringing');
  await using page = await reload(visit, app);
  const there = { consultationId: elsewhere, callId: second.call.callId };
  await page.request('call.accept', there);
  await expect(page.request('seat.join', { ...ref, resumeTicket })).rejects.toThrow('BUSY');
  // The one who waits is busy for everybody else.
  const third = await beginVisit(app, { patient: 'third', doctor: person.doctor }, visit.doctor);
  await using caller = await RawClient.connect(app.origin, personToken('third'));
  const refused = await caller.request('call.start', { consultationId: third, media: 'voice' });
  expect(refused.call.endReason).toBe('busy');
  await page.request('call.hangUp', there);
  await joinSeat(page, { ...ref, resumeTicket });
});

test('[CALL24] who comes back to say that they do not keeps nobody waiting', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  await losePatient(visit, app);
  await using page = await reload(visit, app);
  const { call } = await page.request('call.hangUp', ref);
  expect(call).toMatchObject({ state: 'ended', endReason: 'completed' });
  await visit.doctor.fact('call.changed', ({ endReason }) => endReason === 'completed');
});
