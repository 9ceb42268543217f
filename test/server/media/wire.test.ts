/** The media side over the socket, with the whole server. */
import type { FakeSeat } from '@teleconsult/media';
import { expect, test } from 'vitest';
import { camera, dtls, microphone, simulcastCamera } from '../../contract/sfu.fixtures.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit } from '../../helpers/visit.ts';

test('[CHK8] a device checks its network before any call, over the socket', async () => {
  await using app = await startTestApp();
  await using client = await RawClient.connect(app.origin, personToken('patient-1'));
  const opened = await client.request('check.open', {});
  const { checkId, routerRtpCapabilities } = opened;
  for (const direction of ['send', 'receive'] as const)
    await client.request('check.connectTransport', { checkId, direction, dtlsParameters: dtls() });
  const { source, kind, rtpParameters } = camera();
  const { producerId } = await client.request('check.produce', { checkId, source, kind, rtpParameters });
  const { consumers } = await client.request('check.consume', {
    checkId,
    rtpCapabilities: routerRtpCapabilities,
  });
  expect(consumers).toMatchObject([{ producerId, source: 'camera', producerPaused: false }]);
  await client.request('check.close', { checkId });
  await expect(client.request('check.close', { checkId })).rejects.toThrow('NOT_FOUND');
  expect(app.sfu.health().rooms).toBe(0);
});

test('[CHK8] a check ends with the connection of its device', async () => {
  await using app = await startTestApp();
  const client = await RawClient.connect(app.origin, personToken('patient-1'));
  await client.request('check.open', {});
  expect(app.sfu.health().rooms).toBe(1);
  await client[Symbol.asyncDispose]();
  await expect.poll(() => app.sfu.health().rooms).toBe(0);
});

test('[TURN8] joining a call and opening a check answer the person’s own relay credentials', async () => {
  const urls = ['turn:turn.example.org:3478?transport=udp', 'turn:turn.example.org:3478?transport=tcp'];
  await using app = await startTestApp({ turn: { urls, secret: 'shared', lifetimeMs: 3_600_000 } });
  await using visit = await startVisit(app);
  const callId = await startCall(visit);
  const usernames = new Set<string | undefined>();
  for (const client of [visit.patient, visit.doctor]) {
    const joined = await joinSeat(client, { consultationId: visit.id, callId });
    const { iceServers } = await client.request('check.open', {});
    for (const servers of [joined.iceServers, iceServers])
      expect(servers).toEqual([{ urls, username: expect.any(String), credential: expect.any(String) }]);
    usernames.add(joined.iceServers[0]?.username?.split(':')[1]);
    expect(JSON.stringify(joined.iceServers)).not.toMatch(/patient-|doctor-/);
  }
  expect(usernames.size).toBe(2);
  expect(app.logs.join('\n')).not.toMatch(/shared|credential/);
});

test('[SFU39] a device pauses a track, chooses its layer, and hides all video by its view', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const callId = await startCall(visit);
  const call = { consultationId: visit.id, callId };
  const { patient, doctor } = visit;
  const rtpCapabilities = app.sfu.capabilities;
  await doctor.request('seat.setCapabilities', { ...call, rtpCapabilities });
  await patient.request('seat.setSource', { ...call, source: 'camera', on: true });
  await patient.request('seat.produce', { ...call, ...simulcastCamera() });
  await patient.request('seat.produce', { ...call, ...microphone() });
  const { consumer } = await doctor.fact('seat.consumerAdded', (fact) => fact.consumer.kind === 'video');
  const { consumerId } = consumer;
  const state = () => seatOf(app, 'doctor').consumer(consumerId);

  await doctor.request('seat.resumeConsumer', { ...call, consumerId });
  await doctor.request('seat.setLayers', { ...call, consumerId, spatialLayer: 1 });
  expect(state()).toMatchObject({ paused: false, preferredLayer: 1 });
  await doctor.request('seat.setView', { ...call, view: 'floating' });
  await expect.poll(state).toMatchObject({ paused: false, preferredLayer: 0 });
  await doctor.request('seat.setView', { ...call, view: 'background' });
  await expect.poll(state).toMatchObject({ paused: true });
  await doctor.request('seat.setView', { ...call, view: 'full' });
  await expect.poll(state).toMatchObject({ paused: false, preferredLayer: 1 });
  await doctor.request('seat.pauseConsumer', { ...call, consumerId });
  expect(state()).toMatchObject({ paused: true });
});

test('[SFU39] the view of a seat outlives its media', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const callId = await startCall(visit);
  const call = { consultationId: visit.id, callId };
  const { patient, doctor } = visit;
  const rtpCapabilities = app.sfu.capabilities;
  await patient.request('seat.setSource', { ...call, source: 'camera', on: true });
  await doctor.request('seat.setView', { ...call, view: 'audio_only' });
  app.sfu.killWorker();
  for (const client of [patient, doctor]) {
    await client.fact('seat.mediaLost');
    await joinSeat(client, { ...call, rtpCapabilities });
  }
  await patient.request('seat.produce', { ...call, ...camera() });
  const { consumer } = await doctor.fact('seat.consumerAdded');
  await doctor.request('seat.resumeConsumer', { ...call, consumerId: consumer.consumerId });
  expect(seatOf(app, 'doctor').consumer(consumer.consumerId)).toMatchObject({ paused: true });
});

test('[SFU35] who speaks reaches the devices in the call and no other device', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const callId = await startCall(visit);
  const call = { consultationId: visit.id, callId };
  const { patient, doctor } = visit;
  const speaker = visit.view.participants.find(({ role }) => role === 'patient')?.personId ?? '';
  await using elsewhere = await RawClient.connect(app.origin, personToken(speaker));
  await elsewhere.request('consultation.watch', { consultationId: visit.id });
  await patient.request('seat.produce', { ...call, ...microphone() });
  const [room] = app.sfu.rooms;
  if (room === undefined) throw new Error('no room is open');
  app.sfu.speak(room, speaker);
  for (const client of [patient, doctor])
    expect(await client.fact('call.activeSpeaker')).toEqual({ ...call, personId: speaker });
  await patient.request('seat.setSource', { ...call, source: 'microphone', on: false });
  await doctor.fact('call.activeSpeaker', ({ personId }) => personId === null);
  expect(elsewhere.of('call.activeSpeaker')).toEqual([]);
});

function seatOf(app: TestApp, role: 'patient' | 'doctor'): FakeSeat {
  const seats = app.sfu.rooms.flatMap((room) => [...room.seats.values()]);
  const seat = seats.find(({ seatId }) => seatId.startsWith(role));
  if (seat === undefined) throw new Error(`the ${role} holds no seat`);
  return seat;
}
