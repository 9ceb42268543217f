import type { CallId, ClientMessageId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, textDraft, ticketOf, type Visit } from '../../helpers/visit.ts';
import { Gate } from './gate.ts';

const track = (source: 'camera' | 'microphone') => ({
  source,
  kind: source === 'camera' ? ('video' as const) : ('audio' as const),
  rtpParameters: {
    mid: source,
    codecs: [
      source === 'camera'
        ? { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }
        : { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 },
    ],
    encodings: [{ ssrc: source === 'camera' ? 1111 : 2222 }],
    rtcp: { cname: 'test' },
  },
});

/** Sends a message whose commit the gate holds back; what follows shares the next batch. */
async function holdBack(gate: Gate, { id, doctor }: Visit): Promise<{ held: Promise<unknown> }> {
  gate.shut();
  const held = doctor.request('message.send', {
    consultationId: id,
    clientMessageId: 'held-back-0001' as ClientMessageId,
    content: textDraft('x'),
  });
  await eventually('the commit to wait', () => gate.waiting > 0);
  return { held };
}

/** Waits until the server has read everything that was sent on this connection before. */
const readUpTo = ({ id }: Visit, client: RawClient) =>
  client.request('thread.page', { consultationId: id, limit: 1 });

const callOf = async ({ id, doctor }: Visit) =>
  (await doctor.request('consultation.watch', { consultationId: id })).call;

const paused = (app: TestApp) =>
  app.sfu.rooms.flatMap((room) =>
    [...room.seats.values()].flatMap((seat) =>
      [...seat.tracks.values()].map((one) => `${one.source} ${one.paused}`),
    ),
  );

test('[CALL3] both sides that call at the same moment are in one call', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const started = await Promise.all(
    [doctor, patient].map((client) => client.request('call.start', { consultationId: id, media: 'voice' })),
  );
  expect(new Set(started.map(({ call }) => call.callId)).size).toBe(1);
  expect((await callOf(visit))?.state).toBe('connecting');
});

test('[CALL10] a call that follows another in the same moment is announced after it, and its people are busy', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  const first = await startCall(visit, 'voice');
  const { held } = await holdBack(gate, visit);
  const hangUp = doctor.request('call.hangUp', { consultationId: id, callId: first });
  await readUpTo(visit, doctor);
  const redial = patient.request('call.start', { consultationId: id, media: 'voice' });
  await readUpTo(visit, patient);
  gate.open();
  const second = (await redial).call.callId;
  await Promise.all([held, hangUp]);
  await patient.fact('call.changed', (call) => call.callId === second);
  const told = patient.of('call.changed').map(({ callId, state }) => [callId, state]);
  expect(told.slice(-2)).toEqual([
    [first, 'ended'],
    [second, 'ringing'],
  ]);
  const other = await app.createConsultation(peopleOf(view).doctor.replace('doctor-', ''));
  await doctor.request('consultation.accept', { consultationId: other.consultationId });
  await expect(
    doctor.request('call.start', { consultationId: other.consultationId, media: 'voice' }),
  ).rejects.toThrow('BUSY');
});

test('[CALL11] a call that ends while a seat is being joined leaves no media behind', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const callId = await startCall(visit);
  app.sfu.killWorker();
  const { held } = await holdBack(gate, visit);
  const join = patient.emit('seat.join', { consultationId: id, callId, resumeTicket: ticketOf(patient) });
  await readUpTo(visit, patient);
  const hangUp = doctor.request('call.hangUp', { consultationId: id, callId });
  await readUpTo(visit, doctor);
  gate.open();
  await Promise.all([held, join, hangUp]);
  await eventually('no room is left', () => app.sfu.rooms.length === 0);
});

test('[CALL12] a call is live only when seats have media: joins that fail leave it connecting until its time', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'voice' });
  await patient.request('call.accept', { consultationId: id, callId: call.callId });
  for (const client of [doctor, patient]) {
    app.sfu.failNext('openSeat', 'no_worker');
    await expect(client.request('seat.join', { consultationId: id, callId: call.callId })).rejects.toThrow(
      'MEDIA_UNAVAILABLE',
    );
  }
  expect((await callOf(visit))?.state).toBe('connecting');
  app.advance(31_000);
  await patient.fact('call.changed', ({ state, endReason }) => state === 'ended' && endReason === 'failed');
});

test('[SEAT7] what a person has switched off is not forwarded, whatever the device sends', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor } = visit;
  const callId = await startCall(visit, 'voice');
  const call = { consultationId: id, callId };
  await expect(doctor.request('seat.produce', { ...call, ...track('camera') })).rejects.toThrow(
    'WRONG_STATE',
  );
  await doctor.request('seat.setSource', { ...call, source: 'microphone', on: false });
  await doctor.request('seat.produce', { ...call, ...track('microphone'), paused: false });
  expect(paused(app)).toEqual(['microphone true']);
  await doctor.request('call.setMedia', { ...call, media: 'video' });
  await doctor.request('seat.produce', { ...call, ...track('camera') });
  expect(paused(app)).toEqual(['microphone true', 'camera true']);
  await doctor.request('seat.setSource', { ...call, source: 'camera', on: true });
  expect(paused(app)).toEqual(['microphone true', 'camera false']);
  await doctor.request('call.setMedia', { ...call, media: 'voice' });
  await eventually('the camera to be off', () => paused(app)[1] === 'camera true');
});

test('[SEAT8] a device that is lost while its own call starts is noticed', async () => {
  const gate = new Gate();
  await using app = await startTestApp({}, gate.wrap);
  await using visit = await startVisit(app);
  const { id, doctor, patient } = visit;
  gate.shut();
  doctor.socket.emit('call.start', { consultationId: id, media: 'voice' }, () => undefined);
  await eventually('the commit to wait', () => gate.waiting > 0);
  doctor.socket.disconnect();
  await eventually('the server to see it', async () => {
    const text = await (await fetch(`${app.origin}/metrics`)).text();
    return /teleconsult_connections 1\b/.test(text);
  });
  gate.open();
  await patient.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'reconnecting'));
  app.advance(11_000);
  await patient.fact('call.changed', ({ state }) => state === 'ended');
});

test('[SEAT9] devices that never joined come back connecting, and make no call live', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'voice' });
  await patient.request('call.accept', { consultationId: id, callId: call.callId });
  const states = async (client: RawClient) =>
    (await client.request('consultation.watch', { consultationId: id })).call?.seats.map(
      ({ state }) => state,
    );
  patient.socket.disconnect();
  await eventually('the seat to wait', async () => (await states(doctor))?.includes('reconnecting'));
  await using back = await RawClient.connect(app.origin, personToken(peopleOf(view).patient), {
    deviceId: patient.deviceId,
  });
  await eventually('the device to be back', async () => !(await states(back))?.includes('reconnecting'));
  expect(await states(back)).toEqual(['connecting', 'connecting']);
});

test('[SIG20] a token for one consultation neither replaces the person’s device nor reaches its other calls', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { doctor, view } = visit;
  const callId: CallId = await startCall(visit, 'voice');
  const doctorId = peopleOf(view).doctor;
  const other = await app.createConsultation(doctorId.replace('doctor-', ''));
  await using limited = await RawClient.connect(app.origin, personToken(doctorId, other.consultationId), {
    deviceId: doctor.deviceId,
  });
  for (const direction of ['send', 'receive'] as const)
    await expect(
      limited.request('seat.restartIce', { consultationId: other.consultationId, callId, direction }),
    ).rejects.toThrow('NOT_FOUND');
  expect(doctor.socket.connected).toBe(true);
  expect((await callOf(visit))?.seats.every(({ state }) => state === 'present')).toBe(true);
});
