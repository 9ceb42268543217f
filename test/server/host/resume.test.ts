import { createHash } from 'node:crypto';
import { type CallId, type QualityReport, ResumeTicket } from '@teleconsult/protocol';
import { hashOfTicket } from '@teleconsult/server/host/resume-tickets';
import { SeatTurns } from '@teleconsult/server/host/seat-turns';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, takeOverSeat, ticketOf, type Visit } from '../../helpers/visit.ts';
import { Gate } from './gate.ts';

/** The patient's device with a new connection: the page was loaded anew. */
const reload = ({ patient, view }: Visit, app: TestApp): Promise<RawClient> =>
  RawClient.connect(app.origin, personToken(peopleOf(view).patient), { deviceId: patient.deviceId });

const mediaOf = (app: TestApp, { view }: Visit) => app.sfu.rooms[0]?.seats.get(peopleOf(view).patient);

async function seatOf({ id, doctor, view }: Visit) {
  const { call } = await doctor.request('consultation.watch', { consultationId: id });
  return call?.seats.find(({ personId }) => personId === peopleOf(view).patient);
}

test('[SEAT20] a page that was loaded anew takes its seat again with the ticket it kept, in the same state', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  await visit.patient.request('seat.setSource', { ...ref, source: 'microphone', on: false });
  const resumeTicket = ticketOf(visit.patient);
  visit.patient.socket.disconnect();
  await visit.doctor.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'reconnecting'));
  await using page = await reload(visit, app);
  const joined = await joinSeat(page, { ...ref, resumeTicket });
  expect(joined.resumeTicket).not.toBe(resumeTicket);
  expect(await seatOf(visit)).toMatchObject({ state: 'present', microphoneOn: false, cameraOn: true });
  expect(visit.patient.of('seat.moved')).toEqual([]);
});

test('[SEAT28] a join that is refused touches neither the seat nor its media, and is told to nobody', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const [media, seat] = [mediaOf(app, visit), await seatOf(visit)];
  const told = visit.doctor.of('call.changed').length;
  await using tablet = await RawClient.connect(app.origin, personToken(peopleOf(visit.view).patient));
  const foreign = ticketOf(visit.doctor);
  for (const [client, payload] of [
    [visit.patient, ref],
    [visit.patient, { ...ref, resumeTicket: foreign }],
    [tablet, ref],
    [tablet, { ...ref, resumeTicket: ticketOf(visit.patient) }],
  ] as const)
    await expect(client.request('seat.join', payload)).rejects.toThrow('RESUME_REFUSED');
  expect(mediaOf(app, visit)).toBe(media);
  expect(await seatOf(visit)).toEqual(seat);
  expect(visit.doctor.of('call.changed')).toHaveLength(told);
  expect(visit.patient.of('seat.mediaLost')).toEqual([]);
  await joinSeat(visit.patient, ref);
});

test('[SEAT22] joins of one device with one ticket at the same moment all succeed, and each ticket is good', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const resumeTicket = ticketOf(visit.patient);
  for (const kept of [0, 1, 2]) {
    const ticket = kept === 0 ? resumeTicket : ticketOf(visit.patient);
    const answers = await Promise.all(
      [0, 1, 2].map(() => visit.patient.request('seat.join', { ...ref, resumeTicket: ticket })),
    );
    // Whichever of the answers the page keeps.
    await joinSeat(visit.patient, { ...ref, resumeTicket: answers[kept]?.resumeTicket ?? ticket });
  }
  expect(app.sfu.health().seats).toBe(2);
  // The media that is there is what the last answer was about.
  const { send } = await joinSeat(visit.patient, ref);
  expect(mediaOf(app, visit)?.send.transportId).toBe(send.transportId);
});

test('[SEAT29] joins of one seat come one after the other: one that is refused takes no media from one under way', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  const { id, doctor, patient } = visit;
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'voice' });
  const ref = { consultationId: id, callId: call.callId };
  await patient.request('call.accept', ref);
  gate.shut();
  const first = patient.request('seat.join', ref);
  await eventually('the first join to wait for its commit', () => gate.waiting > 0);
  // As far as anything on disk says, this one needs no ticket either.
  const second = patient.request('seat.join', ref);
  await patient.request('thread.page', { consultationId: id, limit: 1 });
  gate.open();
  const [joined, refused] = await Promise.allSettled([first, second]);
  expect(refused).toMatchObject({ status: 'rejected', reason: { message: 'RESUME_REFUSED' } });
  if (joined.status === 'rejected') throw joined.reason;
  expect(mediaOf(app, visit)?.send.transportId).toBe(joined.value.send.transportId);
});

test('[SEAT29] a seat that is joined too often at once asks to slow down, and keeps nothing of it', async () => {
  const turns = new SeatTurns();
  const seat = { callId: 'call' as CallId, personId: 'somebody' as never };
  const gate = Promise.withResolvers<void>();
  const order: number[] = [];
  const taken = Array.from({ length: 20 }, (_, n) =>
    turns.take(seat, async () => {
      await gate.promise;
      order.push(n);
      if (n === 3) throw new Error('a join that fails');
    }),
  );
  expect(turns.size).toBe(1);
  gate.resolve();
  const settled = await Promise.allSettled(taken);
  // One that fails lets the next pass.
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const one of settled.slice(8))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'RATE_LIMITED' } });
  expect(turns.size).toBe(0);
  await turns.take(seat, async () => void order.push(99));
  expect(order.at(-1)).toBe(99);
});

test('[SEAT30] a take-over that comes to nothing gives the old device its media back, and its ticket stays good', async () => {
  let isFull = false;
  await using app = await startTestApp({}, (store) => ({
    append: async (commit) => {
      if (isFull) throw new Error('no space');
      return store.append(commit);
    },
  }));
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  await using tablet = await RawClient.connect(app.origin, personToken(peopleOf(visit.view).patient));
  isFull = true;
  await expect(takeOverSeat(tablet, ref)).rejects.toThrow();
  isFull = false;
  await visit.patient.fact('seat.mediaLost');
  expect(visit.patient.of('seat.moved')).toEqual([]);
  await joinSeat(visit.patient, ref);
  expect(await seatOf(visit)).toMatchObject({ state: 'present', deviceId: visit.patient.deviceId });
});

test('[SEAT31] tickets outlive the server: what a device kept is good after it was started again, once', async () => {
  await using first = await startTestApp();
  await using visit = await startVisit(first);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const used = ticketOf(visit.patient);
  await joinSeat(visit.patient, ref);
  const resumeTicket = ticketOf(visit.patient);
  await first.app.close();
  await using again = await startTestApp({ dataDir: first.dataDir, store: first.store });
  await using page = await reload(visit, again);
  const next = await joinSeat(page, { ...ref, resumeTicket });
  await joinSeat(page, ref);
  for (const ticket of [used, resumeTicket])
    await expect(page.request('seat.join', { ...ref, resumeTicket: ticket })).rejects.toThrow(
      'RESUME_REFUSED',
    );
  expect(next.call.seats.find(({ deviceId }) => deviceId === page.deviceId)).toMatchObject({
    state: 'present',
  });
});

test('[SEAT26] tickets are in no log, no file and nothing that others are told, and their hashes are not either', async () => {
  const appended: unknown[] = [];
  await using app = await startTestApp({}, (store) => ({
    append: async (commit) => {
      appended.push(commit.entries, commit.state?.index);
      const sealed = [commit.state?.sealed, ...commit.entries.map((entry) => entry.sealed)];
      appended.push(sealed.map((bytes) => bytes && Buffer.from(bytes).toString('latin1')));
      return store.append(commit);
    },
  }));
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const tickets = [ticketOf(visit.patient), ticketOf(visit.doctor)];
  for (let n = 0; n < 3; n += 1) tickets.push((await joinSeat(visit.patient, ref)).resumeTicket);
  await expect(visit.doctor.request('seat.join', ref)).rejects.toThrow('RESUME_REFUSED');
  await visit.doctor.request('call.hangUp', ref);
  await visit.patient.fact('call.changed', ({ state }) => state === 'ended');
  const { entries } = await visit.doctor.request('thread.page', { consultationId: visit.id });
  const seen = JSON.stringify([app.logs, appended, entries, visit.doctor.facts, visit.patient.facts]);
  for (const ticket of tickets) {
    expect(seen).not.toContain(ticket);
    expect(seen).not.toContain(hashOfTicket(ResumeTicket.parse(ticket)));
  }
});

test('[SEAT26] a seat keeps the SHA-256 of its tickets and none of them', async () => {
  expect(hashOfTicket(ResumeTicket.parse('0'.repeat(32)))).toBe(
    createHash('sha256').update('0'.repeat(32)).digest('base64url'),
  );
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  await startCall(visit);
  const { state } = await app.app.host.submit(visit.id, { type: 'tick' });
  for (const client of [visit.patient, visit.doctor]) {
    expect(JSON.stringify(state)).toContain(hashOfTicket(ticketOf(client)));
    expect(JSON.stringify(state)).not.toContain(ticketOf(client));
  }
});

const report = (level: QualityReport['level']): QualityReport => ({
  level,
  rttMs: 80,
  jitterMs: 5,
  lossPercent: 1.5,
  sendKbps: 500,
  receiveKbps: 700,
  networkType: 'wifi',
  path: 'udp',
});

test('[SEAT27] what became of the others’ connections while a device was away is told when it is back', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const ref = { consultationId: visit.id, callId: await startCall(visit) };
  const { doctor, patient } = visit;
  await doctor.request('seat.reportQuality', { ...ref, report: report('good') });
  await patient.fact('seat.qualityChanged', ({ level }) => level === 'good');
  patient.socket.disconnect();
  await doctor.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'reconnecting'));
  await doctor.request('seat.reportQuality', { ...ref, report: report('poor') });
  await using back = await reload(visit, app);
  await back.fact('seat.qualityChanged');
  expect(back.of('seat.qualityChanged').map(({ level }) => level)).toEqual(['poor']);
  // Its own is told to the others anew, also when it is what it was.
  for (const level of ['good', 'good'] as const)
    await back.request('seat.reportQuality', { ...ref, report: report(level) });
  await doctor.fact('seat.qualityChanged', ({ level }) => level === 'good');
  expect(doctor.of('seat.qualityChanged')).toHaveLength(1);
});
