import { type CallId, type MediaSource, PersonId, type QualityReport } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import { drawIn } from './call-guests.ts';

const track = (source: MediaSource) => ({
  source,
  kind: source === 'microphone' ? ('audio' as const) : ('video' as const),
  rtpParameters: {
    mid: source,
    codecs: [
      source === 'microphone'
        ? { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }
        : { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 },
    ],
    encodings: [{ ssrc: { microphone: 1, camera: 2, screen: 3 }[source] }],
    rtcp: { cname: 'test' },
  },
});

/** Whether what a person sends reaches others; null when they send nothing of it. */
function isForwarded(app: TestApp, personId: string, source: MediaSource): boolean | null {
  for (const room of app.sfu.rooms) {
    const found = [...(room.seats.get(personId)?.tracks.values() ?? [])].find((one) => one.source === source);
    if (found !== undefined) return !found.paused;
  }
  return null;
}

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

test('[SEAT11] whom the doctor mutes is not heard until they unmute themselves, whatever their device sends', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const ref = { consultationId: id, callId: await startCall(visit, 'voice') };
  const people = peopleOf(visit.view);
  await patient.request('seat.produce', { ...ref, ...track('microphone') });
  expect(isForwarded(app, people.patient, 'microphone')).toBe(true);
  const { call } = await doctor.request('seat.mute', { ...ref, personId: PersonId.parse(people.patient) });
  expect(call.seats.find(({ personId }) => personId === people.patient)).toMatchObject({
    microphoneOn: false,
    mutedBy: people.doctor,
  });
  await eventually(
    'the microphone to be off',
    () => isForwarded(app, people.patient, 'microphone') === false,
  );
  await patient.request('seat.produce', { ...ref, ...track('microphone'), paused: false });
  expect(isForwarded(app, people.patient, 'microphone')).toBe(false);
  await expect(
    patient.request('seat.mute', { ...ref, personId: PersonId.parse(people.doctor) }),
  ).rejects.toThrow('FORBIDDEN');
  await patient.request('seat.setSource', { ...ref, source: 'microphone', on: true });
  expect(isForwarded(app, people.patient, 'microphone')).toBe(true);
});

test('[SEAT12] the microphone of an interrupted device is not forwarded, and is again as it was when that is over', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const ref = { consultationId: id, callId: await startCall(visit, 'video') };
  const name = peopleOf(visit.view).patient;
  await patient.request('seat.produce', { ...ref, ...track('microphone') });
  await patient.request('seat.produce', { ...ref, ...track('camera') });
  await patient.request('seat.setInterrupted', { ...ref, interrupted: true });
  await doctor.fact('call.changed', ({ seats }) => seats.some(({ interrupted }) => interrupted));
  await eventually('the microphone to be off', () => isForwarded(app, name, 'microphone') === false);
  // What is switched on meanwhile waits for the end of the interruption.
  await patient.request('seat.setSource', { ...ref, source: 'microphone', on: false });
  await patient.request('seat.setSource', { ...ref, source: 'microphone', on: true });
  expect(isForwarded(app, name, 'microphone')).toBe(false);
  expect(isForwarded(app, name, 'camera')).toBe(true);
  await patient.request('seat.setInterrupted', { ...ref, interrupted: false });
  await eventually('the microphone to be on', () => isForwarded(app, name, 'microphone'));
});

test('[SEAT13] one screen is shared at a time, and one that was not switched on is not forwarded', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const ref = { consultationId: id, callId: await startCall(visit, 'video') };
  const people = peopleOf(visit.view);
  const screen = (client: RawClient, on: boolean) =>
    client.request('seat.setSource', { ...ref, source: 'screen', on });
  await doctor.request('seat.produce', { ...ref, ...track('screen') });
  expect(isForwarded(app, people.doctor, 'screen')).toBe(false);
  const both = await Promise.allSettled([screen(doctor, true), screen(patient, true)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  for (const client of [doctor, patient]) await screen(client, false);
  await screen(doctor, true);
  expect(isForwarded(app, people.doctor, 'screen')).toBe(true);
  await patient.request('call.setMedia', { ...ref, media: 'voice' });
  await eventually('the screen to be off', () => isForwarded(app, people.doctor, 'screen') === false);
  await expect(screen(doctor, true)).rejects.toThrow('WRONG_STATE');
  await expect(doctor.request('seat.produce', { ...ref, ...track('screen') })).rejects.toThrow('WRONG_STATE');
});

/** Three in a voice call. */
async function threeInCall(app: TestApp, visit: Visit, relative: RawClient): Promise<CallId> {
  const { id, patient, doctor } = visit;
  const { call } = await doctor.request('call.start', { consultationId: id, media: 'voice' });
  const ref = { consultationId: id, callId: call.callId };
  for (const client of [patient, relative]) await client.request('call.accept', ref);
  for (const client of [doctor, patient, relative]) await joinSeat(client, ref);
  expect(app.sfu.rooms[0]?.seats.size).toBe(3);
  return call.callId;
}

test('[SEAT18] the others in a call are told how good a connection is when that changes, and nobody else', async () => {
  const seen: string[] = [];
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  await using tablet = await RawClient.connect(app.origin, personToken(peopleOf(view).patient));
  const callId = await threeInCall(app, visit, relative);
  const ref = { consultationId: id, callId };
  for (const level of ['good', 'good', 'poor', 'good'] as const)
    await patient.request('seat.reportQuality', { ...ref, report: report(level) });
  for (const client of [doctor, relative]) {
    await eventually('three changes', () => client.of('seat.qualityChanged').length === 3);
    expect(client.of('seat.qualityChanged').map(({ level }) => level)).toEqual(['good', 'poor', 'good']);
  }
  for (const client of [patient, tablet])
    seen.push(...client.of('seat.qualityChanged').map(({ level }) => level));
  expect(seen).toEqual([]);
  await expect(tablet.request('seat.reportQuality', { ...ref, report: report('lost') })).rejects.toThrow(
    'NOT_FOUND',
  );
  // Who comes back is told what the others have.
  await joinSeat(relative, ref);
  await eventually('the level to be told again', () => relative.of('seat.qualityChanged').length === 4);
  await doctor.request('call.hangUp', ref);
  await expect(patient.request('seat.reportQuality', { ...ref, report: report('poor') })).rejects.toThrow(
    'NOT_FOUND',
  );
});

test('[SEAT18] how good the connection of somebody is who comes back is told anew', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  await using relative = await drawIn(app, visit, { personId: 'relative' });
  const ref = { consultationId: id, callId: await threeInCall(app, visit, relative) };
  await relative.request('seat.reportQuality', { ...ref, report: report('good') });
  await eventually('the first level', () => doctor.of('seat.qualityChanged').length === 1);
  await relative.request('call.leave', ref);
  await patient.request('call.invite', { ...ref, personId: PersonId.parse('relative') });
  await relative.request('call.accept', ref);
  await joinSeat(relative, ref);
  await relative.request('seat.reportQuality', { ...ref, report: report('good') });
  await eventually('the level to be told again', () => doctor.of('seat.qualityChanged').length === 2);
});

test('[SEAT15] a device that shows the call in the background is sent no video, also after joining again', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  const ref = { consultationId: id, callId: await startCall(visit, 'video') };
  await doctor.request('seat.produce', { ...ref, ...track('camera') });
  const watching = async () => {
    const joined = await joinSeat(patient, { ...ref, rtpCapabilities: app.sfu.capabilities });
    for (const { consumerId } of joined.consumers)
      await patient.request('seat.resumeConsumer', { ...ref, consumerId });
    return joined.consumers.length;
  };
  const flows = () =>
    [...(app.sfu.rooms[0]?.seats.get(peopleOf(view).patient)?.subscriptions.values() ?? [])].some(
      ({ resumed }) => resumed,
    );
  expect(await watching()).toBe(1);
  expect(flows()).toBe(true);
  const { call } = await patient.request('seat.setView', { ...ref, view: 'background' });
  expect(call.seats.find(({ personId }) => personId === peopleOf(view).patient)).toMatchObject({
    view: 'background',
  });
  await doctor.fact('call.changed', ({ seats }) => seats.some((seat) => seat.view === 'background'));
  await eventually('the video to stop', () => !flows());
  expect(await watching()).toBe(1);
  expect(flows()).toBe(false);
  await patient.request('seat.setView', { ...ref, view: 'full' });
  await eventually('the video to flow', flows);
});
