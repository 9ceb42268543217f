import { expect, test } from 'vitest';
import { createFakeSfu } from '../../media/index.ts';
import { camera, dtls, microphone, openRoom, openSeat } from './sfu.fixtures.ts';
import { sfuContract } from './sfu.suite.ts';

sfuContract('fake', async ({ workers }) => {
  const sfu = createFakeSfu({ workers });
  return {
    sfu,
    killOneWorker: () => sfu.killWorker(),
    processesLeft: async () => 0,
    isSecondPaused: (room, seatId) =>
      sfu.rooms.find((one) => one === room)?.seats.get(seatId)?.second?.paused ?? null,
    [Symbol.asyncDispose]: () => sfu.close(),
  };
});

test('[SFU20] a fake transport connects by itself, and the seat hears of it once', async () => {
  await using sfu = disposable(createFakeSfu());
  const { room } = await openRoom(sfu.fake);
  const { seat, events } = await openSeat(room, 'patient');
  await seat.connectTransport('send', dtls());
  await seat.connectTransport('send', dtls());
  await expect
    .poll(() => events)
    .toEqual([{ type: 'transportChanged', direction: 'send', state: 'connected' }]);
});

test('[SFU20] a test can hold a path back, cut it and heal it', async () => {
  await using sfu = disposable(createFakeSfu({ connectsByItself: false }));
  const { room } = await openRoom(sfu.fake);
  const { seat, events } = await openSeat(room, 'patient');
  await seat.connectTransport('receive', dtls());
  expect(events).toEqual([]);
  sfu.fake.connect('patient', 'receive');
  sfu.fake.changePath('patient', 'receive', 'disconnected');
  sfu.fake.connect('patient', 'receive');
  expect(events.map((event) => event.type === 'transportChanged' && event.state)).toEqual([
    'connected',
    'disconnected',
    'connected',
  ]);
  seat.close();
  expect(() => sfu.fake.connect('patient', 'receive')).toThrow('no open seat');
});

test('[SFU20] a test can make the next call of an operation fail', async () => {
  await using sfu = disposable(createFakeSfu());
  sfu.fake.failNext('openRoom', 'no_worker');
  await expect(openRoom(sfu.fake)).rejects.toMatchObject({ reason: 'no_worker' });
  const { room } = await openRoom(sfu.fake);
  const { seat } = await openSeat(room, 'patient');
  sfu.fake.failNext('produce', 'invalid_parameters');
  await expect(seat.produce(microphone())).rejects.toMatchObject({ reason: 'invalid_parameters' });
  await seat.produce(microphone());
});

test('[SFU20] a test can look at what a seat sends and receives', async () => {
  await using sfu = disposable(createFakeSfu());
  const { room } = await openRoom(sfu.fake);
  const patient = await openSeat(room, 'patient');
  const doctor = await openSeat(room, 'doctor');
  await patient.seat.produce(camera());
  const [offer] = await doctor.seat.setCapabilities(sfu.fake.capabilities);
  await patient.seat.setSourcePaused('camera', true);
  await doctor.seat.resumeConsumer(offer?.consumerId ?? '');

  const [inside] = sfu.fake.rooms;
  expect(inside?.seats.get('patient')?.tracks.get('camera')?.paused).toBe(true);
  expect([...(inside?.seats.get('doctor')?.subscriptions.values() ?? [])]).toMatchObject([
    { consumerId: offer?.consumerId, resumed: true },
  ]);
});

function disposable(fake: ReturnType<typeof createFakeSfu>) {
  return { fake, [Symbol.asyncDispose]: () => fake.close() };
}
