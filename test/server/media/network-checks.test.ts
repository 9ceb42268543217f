import { createFakeSfu, type FakeSfu, type Sfu } from '@teleconsult/media';
import { type CheckId, DeviceId, PersonId } from '@teleconsult/protocol';
import { MAX_CHECK_MS } from '@teleconsult/protocol/limits';
import { type CheckedDevice, NetworkChecks } from '@teleconsult/server/checks/network-checks';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { afterEach, expect, test, vi } from 'vitest';
import { camera, dtls, microphone } from '../../contract/sfu.fixtures.ts';

afterEach(() => void vi.useRealTimers());

const patient = device('patient', 'device-1');
const turnServer = { urls: ['turn:turn.example.org'], username: 'u', credential: 'c' };
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

test('[CHK1] what a device sends comes back to it, over the transports of the check', async () => {
  const { sfu, checks } = stage();
  const opened = await checks.open(patient);
  const { checkId } = opened;
  const [room] = sfu.rooms;
  const [sender, receiver] = [room?.seats.get('sender'), room?.seats.get('receiver')];
  expect(opened).toMatchObject({
    send: sender?.send,
    receive: receiver?.receive,
    routerRtpCapabilities: sfu.capabilities,
    iceServers: [turnServer],
  });
  await checks.connectTransport(patient, { checkId, direction: 'send', dtlsParameters: dtls('01') });
  await checks.connectTransport(patient, { checkId, direction: 'receive', dtlsParameters: dtls('02') });
  await expect
    .poll(() => [sender?.path('send'), receiver?.path('receive')])
    .toEqual(Array(2).fill('connected'));
  expect([sender?.path('receive'), receiver?.path('send')]).toEqual([undefined, undefined]);

  const { producerId } = await checks.produce(patient, { checkId, ...microphone() });
  await checks.produce(patient, { checkId, ...camera() });
  const { consumers } = await checks.consume(patient, { checkId, rtpCapabilities: sfu.capabilities });
  expect(consumers.map(({ source }) => source).toSorted()).toEqual(['camera', 'microphone']);
  expect(consumers.map((consumer) => consumer.producerId)).toContain(producerId);
  for (const { consumerId } of consumers)
    expect(receiver?.consumer(consumerId)).toMatchObject({ paused: false, producerPaused: false });
});

test('[CHK2] a check is its device’s alone: for anybody else, and any other id, there is none', async () => {
  const { sfu, checks } = stage();
  const mine = await checks.open(patient);
  const others = await checks.open(device('doctor', 'device-1'));
  const strangers = [device('patient', 'device-2'), device('doctor', 'device-1')];
  for (const stranger of strangers) await expectNone(checks, stranger, mine.checkId);
  await expectNone(checks, patient, others.checkId);
  await expectNone(checks, patient, randomIds.checkId());
  expect(sfu.health().rooms).toBe(2);
  await checks.close(patient, mine.checkId);
  expect(sfu.health().rooms).toBe(1);
  await expectNone(checks, patient, mine.checkId);
});

test('[CHK2] a page with a token for one consultation neither replaces, reaches nor ends the check of the whole device', async () => {
  const { sfu, checks } = stage();
  const mine = await checks.open(patient);
  const scoped = { ...patient, onlyConsultation: randomIds.consultationId() };
  await expectNone(checks, scoped, mine.checkId);
  await checks.open(scoped);
  expect(sfu.health().rooms).toBe(2);
  checks.handleDeviceLost(scoped);
  expect(sfu.health().rooms).toBe(1);
  await checks.close(patient, mine.checkId);
  expect(sfu.health().rooms).toBe(0);
});

test('[CHK3] a device has one check: a newer one ends the former', async () => {
  const { sfu, checks } = stage();
  const first = await checks.open(patient);
  const second = await checks.open(patient);
  expect(sfu.health().rooms).toBe(1);
  await expectNone(checks, patient, first.checkId);
  await checks.produce(patient, { checkId: second.checkId, ...microphone() });
});

test('[CHK3] of two opened at once the later stays, and the former leaves no room', async () => {
  const { sfu, checks } = stage();
  const [former, later] = await Promise.allSettled([checks.open(patient), checks.open(patient)]);
  expect(former).toMatchObject({ status: 'rejected', reason: { code: 'WRONG_STATE' } });
  expect(later.status).toBe('fulfilled');
  expect([sfu.health().rooms, checks.size]).toEqual([1, 1]);
});

test('[CHK4] a check ends after a minute, whatever is done in it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { sfu, checks, clock } = stage();
  const { checkId, until } = await checks.open(patient);
  expect(until).toBe(clock.now + MAX_CHECK_MS);
  vi.advanceTimersByTime(MAX_CHECK_MS - 1);
  await checks.produce(patient, { checkId, ...microphone() });
  vi.advanceTimersByTime(1);
  expect([sfu.health().rooms, checks.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
  await expectNone(checks, patient, checkId);
});

test('[CHK4] a check ends with its device and with its worker, and no other does', async () => {
  const { sfu, checks } = stage({ workers: 2 });
  const other = device('doctor', 'device-9');
  const lost = await checks.open(patient);
  const kept = await checks.open(other);
  checks.handleDeviceLost(device('patient', 'device-2'));
  checks.handleDeviceLost(patient);
  checks.handleDeviceLost(patient);
  await expectNone(checks, patient, lost.checkId);
  await checks.produce(other, { checkId: kept.checkId, ...microphone() });

  sfu.killWorker(0);
  sfu.killWorker(1);
  await expectNone(checks, other, kept.checkId);
  expect(checks.size).toBe(0);
  await checks.open(other);
});

test('[CHK4] a device that is lost while its check is being opened leaves nothing', async () => {
  const { sfu, checks } = stage();
  const opening = checks.open(patient);
  checks.handleDeviceLost(patient);
  await expect(opening).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
  expect([sfu.health().rooms, checks.size]).toEqual([0, 0]);
});

test('[CHK5] a person opens six checks a minute and no more; others are not held up', async () => {
  const { checks, clock } = stage();
  for (let opened = 0; opened < 6; opened += 1) {
    await checks.open(device('patient', `device-${opened}`));
    clock.now += 1_000;
  }
  await expect(checks.open(patient)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await checks.open(device('doctor', 'device-1'));
  clock.now += 54_000;
  await checks.open(patient);
  await expect(checks.open(patient)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
});

test('[CHK5] the server runs 200 checks at once; one more is refused until one has ended', async () => {
  const { sfu, checks } = stage();
  const first = await checks.open(patient);
  await Promise.all(Array.from({ length: 199 }, (_, index) => checks.open(device(`p${index}`, 'device-1'))));
  await expect(checks.open(device('late', 'device-1'))).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
  expect(sfu.health().rooms).toBe(200);
  // A device that has a place already may begin anew in it.
  const again = await checks.open(patient);
  expect(again.checkId).not.toBe(first.checkId);
  await checks.close(patient, again.checkId);
  await checks.open(device('late', 'device-1'));
});

test('[CHK6] closing ends all checks, also those being opened, and takes no more', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { sfu, checks } = stage();
  await checks.open(patient);
  const opening = checks.open(device('doctor', 'device-1'));
  checks.closeAll();
  checks.closeAll();
  await expect(opening).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  await expect(checks.open(patient)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  expect([sfu.health().rooms, checks.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
});

test('[CHK7] a check that media refuses says why and leaves nothing', async () => {
  const { sfu, checks } = stage();
  for (const operation of ['openRoom', 'openSeat'] as const) {
    sfu.failNext(operation, operation === 'openRoom' ? 'no_worker' : 'room_closed');
    await expect(checks.open(patient)).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
    expect([sfu.health().rooms, checks.size]).toEqual([0, 0]);
  }
  const { checkId } = await checks.open(patient);
  const wrong = { ...microphone(), source: 'camera' } as const;
  await expect(checks.produce(patient, { checkId, ...wrong })).rejects.toMatchObject({ code: 'INVALID' });
  await checks.produce(patient, { checkId, ...microphone() });
});

function stage(options: { workers?: number } = {}) {
  const sfu: FakeSfu & Sfu = createFakeSfu(options);
  const clock = { now: 1_000_000 };
  const turn = { forPerson: () => [turnServer] };
  const checks = new NetworkChecks({ sfu, turn, ids: randomIds, clock: () => clock.now, log: quiet });
  return { sfu, checks, clock };
}

function device(person: string, id: string): CheckedDevice {
  return { personId: PersonId.parse(person), deviceId: DeviceId.parse(id) };
}

/** Every request of a check is answered as if there were none. */
async function expectNone(checks: NetworkChecks, of: CheckedDevice, checkId: CheckId): Promise<void> {
  const requests = [
    checks.connectTransport(of, { checkId, direction: 'send', dtlsParameters: dtls() }),
    checks.produce(of, { checkId, ...microphone() }),
    checks.consume(of, { checkId, rtpCapabilities: {} }),
    checks.close(of, checkId),
  ];
  for (const outcome of await Promise.allSettled(requests))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'NOT_FOUND' } });
}
