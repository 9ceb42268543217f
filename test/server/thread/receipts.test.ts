import type { ConsultationId, ThreadMarks } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { freePort, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { createConsultation, peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';
import { FailingWrites } from '../storage/failing-writes.ts';
import { join, say } from './conversation.ts';

const mark = (
  client: RawClient,
  consultationId: ConsultationId,
  marks: { delivered?: number; read?: number },
) => client.request('thread.mark', { consultationId, ...marks });

const marksIn = async (client: RawClient, consultationId: ConsultationId): Promise<ThreadMarks[]> =>
  (await client.request('consultation.watch', { consultationId })).marks;

test('[RCP1] the others see how far a person has received and read, live and in the snapshot', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  const people = peopleOf(view);
  const { sequence } = await say(patient, id, 'read me');
  await mark(doctor, id, { delivered: sequence });
  await patient.fact('marks.changed', ({ delivered, read }) => delivered === sequence && read === 0);
  const unread = await mark(doctor, id, { read: sequence });
  expect(unread).toEqual({ consultationId: id, unread: 0, read: sequence });
  const fact = await patient.fact('marks.changed', ({ read }) => read === sequence);
  expect(fact).toEqual({ consultationId: id, personId: people.doctor, delivered: sequence, read: sequence });
  expect(await marksIn(patient, id)).toEqual([
    { personId: people.patient, delivered: 0, read: 0 },
    { personId: people.doctor, delivered: sequence, read: sequence },
  ]);
});

test('[RCP2] what was read was received, and nothing beyond the thread’s end is either', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(patient, id, 'last');
  expect(await mark(doctor, id, { read: 1_000_000 })).toMatchObject({ read: sequence });
  const fact = await patient.fact('marks.changed');
  expect(fact).toMatchObject({ delivered: sequence, read: sequence });
  // What comes later is not read by that.
  await say(patient, id, 'later');
  expect(await mark(doctor, id, {})).toMatchObject({ read: sequence, unread: 1 });
  await using stranger = await RawClient.connect(app.origin, personToken('stranger'));
  await expect(mark(stranger, id, { read: 1 })).rejects.toThrow('NOT_FOUND');
});

test('[RCP3] marks never go back, whatever 200 requests of two devices ask at once', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor, view } = visit;
  await using other = await RawClient.connect(app.origin, personToken(peopleOf(view).doctor));
  for (let count = 0; count < 40; count += 1) await say(patient, id, `n${count}`);
  const { consultation } = await patient.request('consultation.watch', { consultationId: id });
  const last = consultation.lastSequence;
  for (let turn = 0; turn < 4; turn += 1)
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const read = ((index + turn) * 17) % (last + 1);
        const answer = await mark(index % 2 === 0 ? doctor : other, id, {
          read,
          delivered: last - read,
        });
        expect(answer.read).toBeGreaterThanOrEqual(read);
      }),
    );
  const told = patient.of('marks.changed').map(({ delivered, read }) => [delivered, read ?? -1] as const);
  for (const [index, [delivered, read]] of told.entries()) {
    expect(delivered).toBeGreaterThanOrEqual(told[index - 1]?.[0] ?? 0);
    expect(read).toBeGreaterThanOrEqual(told[index - 1]?.[1] ?? 0);
  }
  expect((await marksIn(patient, id))[1]?.read).toBe(told.at(-1)?.[1]);
});

test('[RCP4] what somebody has read is hidden while they do not tell it, and their own devices know it', async () => {
  await using app = await startTestApp();
  await app.store.people.setPreferences('doctor-quiet' as never, {
    readReceipts: false,
    push: { calls: true, messages: true, consultations: true },
  });
  const view = await app.createConsultation('quiet');
  const id = view.consultationId;
  await using patient = await RawClient.connect(app.origin, personToken('patient-quiet'));
  await using doctor = await RawClient.connect(app.origin, personToken('doctor-quiet'));
  await using tablet = await RawClient.connect(app.origin, personToken('doctor-quiet'));
  await patient.request('consultation.watch', { consultationId: id });
  const { sequence } = await say(patient, id, 'seen?');
  await mark(doctor, id, { delivered: sequence });
  await patient.fact('marks.changed', ({ delivered, read }) => delivered === sequence && read === null);
  await mark(doctor, id, { read: sequence });
  expect(await tablet.fact('unread.changed', ({ read }) => read === sequence)).toMatchObject({ unread: 0 });
  // Not even that something was read is told.
  await patient.request('session.ping', {});
  expect(patient.of('marks.changed')).toHaveLength(1);
  expect((await marksIn(patient, id))[1]).toEqual({
    personId: 'doctor-quiet',
    delivered: sequence,
    read: null,
  });
  const { unread } = await doctor.request('consultation.watch', { consultationId: id });
  expect(unread.read).toBe(sequence);
});

test('[RCP5] a mark that could not be written was not made, and nobody hears of it', async () => {
  let broken = false;
  const writes = new FailingWrites();
  await using app = await startTestApp({}, (store) => ({
    ...writes.over(store),
    raiseMarks: async (...args) => {
      if (broken) throw new Error('the disk said no');
      return store.raiseMarks(...args);
    },
  }));
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const { sequence } = await say(patient, id, 'x');
  broken = true;
  await expect(mark(doctor, id, { read: sequence })).rejects.toThrow('INTERNAL');
  broken = false;
  expect(patient.of('marks.changed')).toEqual([]);
  expect(await mark(doctor, id, {})).toMatchObject({ read: 0, unread: 1 });
});

test('[RCP6] marks that were acknowledged are there after the server was killed', async () => {
  await using dir = await tempDir();
  const port = await freePort();
  let server = await startServerProcess({ dataDir: dir.path, port });
  try {
    const view = await createConsultation(server.origin, hostToken(), 'kill');
    const id = view.consultationId;
    const people = peopleOf(view);
    let acked = 0;
    for (let kill = 0; kill < 3; kill += 1) {
      const { origin } = server;
      const patient = await RawClient.connect(origin, personToken(people.patient));
      const doctor = await RawClient.connect(origin, personToken(people.doctor));
      const { unread } = await doctor.request('consultation.watch', { consultationId: id });
      expect(unread.read).toBeGreaterThanOrEqual(acked);
      const before = acked;
      const reading = (async () => {
        for (;;) {
          const { sequence } = await say(patient, id, 'x');
          const marked = mark(doctor, id, { read: sequence });
          acked = Math.max(acked, (await marked).read);
        }
      })().catch(() => undefined);
      await eventually('some marks to be acknowledged', () => acked > before + 20);
      await server.kill();
      for (const client of [patient, doctor]) client.socket.disconnect();
      await reading;
      server = await startServerProcess({ dataDir: dir.path, port });
    }
    await using doctor = await RawClient.connect(server.origin, personToken(people.doctor));
    const { unread } = await doctor.request('consultation.watch', { consultationId: id });
    expect(unread.read).toBeGreaterThanOrEqual(acked);
  } finally {
    await server.kill();
  }
}, 90_000);

test('[RCP7] who was drawn in marks like everybody, and marks of those who left are not shown', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  const relative = await join(app, id, 'relative-1');
  await using _relative = relative;
  const { sequence } = await say(patient, id, 'hello');
  await mark(relative, id, { read: sequence });
  expect(await marksIn(patient, id)).toContainEqual({
    personId: 'relative-1',
    delivered: sequence,
    read: sequence,
  });
  await app.app.host.removeParticipant(id, 'relative-1' as never);
  expect((await marksIn(patient, id)).map(({ personId }) => personId)).not.toContain('relative-1');
  await expect(mark(relative, id, { read: sequence })).rejects.toThrow('NOT_FOUND');
});

test('[RCP7] the mark of a person who is taken out while it is written is told to nobody', async () => {
  const written = Promise.withResolvers<void>();
  let writing = 0;
  await using app = await startTestApp({}, (store) => ({
    raiseMarks: async (id, marks) => {
      writing += 1;
      await written.promise;
      return store.raiseMarks(id, marks);
    },
  }));
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  await using relative = await join(app, id, 'relative-1');
  const { sequence } = await say(patient, id, 'hello');
  const marking = mark(relative, id, { read: sequence });
  const refused = expect(marking).rejects.toThrow('NOT_FOUND');
  await eventually('the mark to be on its way', () => writing === 1);
  await app.app.host.removeParticipant(id, 'relative-1' as never);
  written.resolve();
  await refused;
  await mark(doctor, id, { read: sequence });
  await patient.fact('marks.changed', ({ personId }) => personId === peopleOf(visit.view).doctor);
  expect(patient.of('marks.changed').map(({ personId }) => personId)).not.toContain('relative-1');
});
