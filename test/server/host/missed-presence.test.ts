import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import { FailingWrites } from '../storage/failing-writes.ts';

const patientSeat = async ({ id, doctor, view }: Visit) => {
  const { call } = await doctor.request('consultation.watch', { consultationId: id });
  return call?.seats.find(({ personId }) => personId === peopleOf(view).patient);
};

test('[SEAT34] a device that is lost while nothing can be written does not stay as a ghost', async () => {
  const writes = new FailingWrites();
  await using app = await startTestApp({}, writes.over);
  await using visit = await startVisit(app);
  await startCall(visit);
  writes.begin('STORAGE_FULL');
  visit.patient.socket.disconnect();
  await eventually('the loss to be refused by the disk', () =>
    app.logs.some((line) => line.includes('presence.failed')),
  );
  expect(await patientSeat(visit)).toMatchObject({ state: 'present' });
  writes.end();
  await visit.doctor.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'reconnecting'));
  expect(await patientSeat(visit)).toMatchObject({ state: 'reconnecting' });
});

test('[SEAT34] a device that comes back while nothing can be written is there as soon as something can', async () => {
  const writes = new FailingWrites();
  await using app = await startTestApp({}, writes.over);
  await using visit = await startVisit(app);
  await startCall(visit);
  const { patient, doctor, view } = visit;
  patient.socket.disconnect();
  await doctor.fact('call.changed', ({ seats }) => seats.some(({ state }) => state === 'reconnecting'));
  writes.begin('STORAGE_UNAVAILABLE');
  await using _page = await RawClient.connect(app.origin, personToken(peopleOf(view).patient), {
    deviceId: patient.deviceId,
  });
  await eventually('the return to be refused by the disk', () =>
    app.logs.some((line) => line.includes('presence.failed')),
  );
  const revision = Math.max(...doctor.of('call.changed').map((call) => call.revision));
  writes.end();
  await doctor.fact(
    'call.changed',
    (call) => call.revision > revision && call.seats.every(({ state }) => state === 'present'),
  );
});

test('[SEAT34] a call that is taken up late, because the disk was full at the start, loses nobody who is back by then', async () => {
  await using dir = await tempDir();
  const stopped = await visitBeforeAStop(dir.path);
  const writes = new FailingWrites();
  writes.begin('STORAGE_FULL');
  await using again = await startTestApp({ dataDir: dir.path }, writes.over);
  const back = (person: string, deviceId: string) =>
    RawClient.connect(again.origin, personToken(person), { deviceId });
  await using _patient = await back(stopped.people.patient, stopped.patientDevice);
  await using doctor = await back(stopped.people.doctor, stopped.doctorDevice);
  writes.end();
  const takenUp = await doctor.fact('call.changed', ({ seats }) =>
    seats.every(({ state }) => state === 'reconnecting'),
  );
  await doctor.fact(
    'call.changed',
    ({ revision, seats }) => revision > takenUp.revision && seats.every(({ state }) => state === 'present'),
  );
});

/** A call of two devices whose server was stopped. */
async function visitBeforeAStop(dataDir: string) {
  await using app = await startTestApp({ dataDir });
  await using visit = await startVisit(app);
  await startCall(visit);
  await app.app.close();
  return {
    people: peopleOf(visit.view),
    patientDevice: visit.patient.deviceId,
    doctorDevice: visit.doctor.deviceId,
  };
}

test('[SEAT35] the calls that ran when the server stopped are taken up side by side', async () => {
  await using dir = await tempDir();
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using visits = new AsyncDisposableStack();
    for (let n = 0; n < 20; n += 1) {
      const visit = visits.use(await startVisit(app));
      await visit.doctor.request('call.start', { consultationId: visit.id, media: 'voice' });
    }
    await app.app.close();
  }
  let [writing, most] = [0, 0];
  await using again = await startTestApp({ dataDir: dir.path }, (store) => ({
    append: async (commit) => {
      writing += 1;
      most = Math.max(most, writing);
      try {
        return await store.append(commit);
      } finally {
        writing -= 1;
      }
    },
  }));
  // One after the other, thousands of calls would keep everybody out for as long as a grace lasts.
  expect(most).toBeGreaterThan(10);
  expect(again.logs.filter((line) => line.includes('call.notResumed'))).toEqual([]);
});
