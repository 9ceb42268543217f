import { createTeleconsultClient } from '@teleconsult/client-sdk';
import { expect, test } from 'vitest';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { eventually } from '../helpers/eventually.ts';
import { peopleOf, startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { FakeMedia } from './helpers/fake-media.ts';

test('[RSM23] a camera that was held back for the network is on again after a reload', async () => {
  await using app = await startTestApp();
  const view = await app.createConsultation();
  const people = peopleOf(view);
  await using stack = new AsyncDisposableStack();
  const page = (personId: string, deviceId: string, storage = createMemoryStorage()) => {
    const media = new FakeMedia();
    const client = createTeleconsultClient({
      url: app.origin,
      token: personToken(personId),
      deviceId,
      media,
      storage,
      reconnect: () => 5,
    });
    stack.defer(() => client.close());
    return { client, media };
  };
  const kept = createMemoryStorage();
  const patient = page(people.patient, 'patients-phone', kept);
  const doctor = page(people.doctor, 'doctors-desk');
  await Promise.all([patient.client.connect(), doctor.client.connect()]);
  const here = await patient.client.open(view.consultationId);
  const there = await doctor.client.open(view.consultationId);
  await here.enter();
  await there.accept();
  await there.startCall('video');
  const call = await eventually('a ring', () => here.call);
  await call.accept();
  const seat = () => there.call?.view.seats.find(({ personId }) => personId === people.patient);
  await eventually(
    'the camera to be on',
    () => seat()?.cameraOn === true && call.localTracks.camera !== null,
  );
  let packets = 0;
  patient.media.current.send.handler.getTransportStats = async () => {
    packets += 100;
    const sent = { id: 'out', type: 'outbound-rtp', kind: 'video', bytesSent: packets, packetsSent: packets };
    const heard = {
      id: 'r',
      type: 'remote-inbound-rtp',
      kind: 'video',
      localId: 'out',
      packetsLost: packets * 0.3,
    };
    return new Map<string, unknown>([
      ['out', sent],
      ['r', heard],
    ]);
  };
  await eventually('video to be held back', () => call.audioOnly.on && seat()?.cameraOn === false, {
    withinMs: 30_000,
  });

  const next = page(people.patient, 'patients-phone', kept);
  const restored = await next.client.restoreCall();
  expect(restored?.id).toBe(call.id);
  expect(restored?.cameraOn).toBe(true);
  await eventually('the camera to be on again', () => seat()?.cameraOn === true, { lastSeen: seat });
}, 90_000);
