import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError, type ClientMessageId } from '@teleconsult/protocol';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { steadyClock } from '@teleconsult/server/steady-clock';
import { FolderLock } from '@teleconsult/server/storage/folder-lock';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { freePort, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit, textDraft } from '../../helpers/visit.ts';

/** Makes a consultation's sealed state unreadable, as a damaged disk would. */
function damage(dataDir: string, consultationId: string): void {
  const db = new DatabaseSync(join(dataDir, 'teleconsult.db'));
  db.prepare('UPDATE consultation SET sealed_state = ? WHERE consultation_id = ?').run(
    new Uint8Array(100),
    consultationId,
  );
  db.close();
}

test('[HST1] one consultation that cannot be read keeps neither the server from starting nor the others from the list', async () => {
  await using dir = await tempDir();
  let damaged = '';
  let doctorId = '';
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using visit = await startVisit(app);
    await startCall(visit);
    damaged = visit.id;
    doctorId = peopleOf(visit.view).doctor;
    await app.createConsultation(doctorId.replace('doctor-', ''));
  }
  damage(dir.path, damaged);
  await using app = await startTestApp({ dataDir: dir.path });
  await using doctor = await RawClient.connect(app.origin, personToken(doctorId));
  const { consultations } = await doctor.request('consultation.list', {});
  expect(consultations).toHaveLength(1);
  await expect(doctor.request('consultation.watch', { consultationId: damaged as never })).rejects.toThrow(
    'INTEGRITY',
  );
});

test('[HST2] a full disk does not keep the server from starting, and the calls are taken up when there is room', async () => {
  await using dir = await tempDir();
  let doctorId = '';
  let id = '';
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using visit = await startVisit(app);
    await startCall(visit);
    doctorId = peopleOf(visit.view).doctor;
    id = visit.id;
  }
  let full = true;
  await using app = await startTestApp({ dataDir: dir.path }, (store) => ({
    append: async (commit) => {
      if (full) throw new AppError('STORAGE_FULL');
      return store.append(commit);
    },
  }));
  await using doctor = await RawClient.connect(app.origin, personToken(doctorId));
  full = false;
  await eventually('the seats to wait for their devices', async () => {
    const { call } = await doctor.request('consultation.watch', { consultationId: id as never });
    return call?.seats.some(({ state }) => state === 'reconnecting');
  });
});

test('[HST3] deadlines that no longer hold do not stand in the way of others', async () => {
  await using dir = await tempDir();
  {
    await using app = await startTestApp({
      dataDir: dir.path,
      timings: { ...DEFAULT_TIMINGS, waitingMs: 1_000 },
    });
    await Promise.all(Array.from({ length: 210 }, () => app.createConsultation()));
  }
  await using app = await startTestApp({ dataDir: dir.path, timings: { ...DEFAULT_TIMINGS, ringMs: 500 } });
  app.advance(2_000);
  await using visit = await startVisit(app);
  await visit.doctor.request('call.start', { consultationId: visit.id, media: 'voice' });
  await visit.patient.fact('call.changed', ({ endReason }) => endReason === 'no_answer');
});

test('[HST4] a second server is refused a data folder that one is using, and gets it when that one is killed', async () => {
  await using dir = await tempDir();
  const first = await startServerProcess({ dataDir: dir.path, port: await freePort() });
  await expect(startServerProcess({ dataDir: dir.path, port: await freePort() })).rejects.toThrow(
    'Another server uses the data folder',
  );
  await first.kill();
  await using second = await startServerProcess({ dataDir: dir.path, port: await freePort() });
  expect(second.child.exitCode).toBeNull();
  expect(() => new FolderLock(dir.path)).toThrow('Another server');
});

test('[HST5] the server’s clock begins at the time of day and never runs backwards', () => {
  const clock = steadyClock();
  expect(Math.abs(clock() - Date.now())).toBeLessThan(50);
  const readings = Array.from({ length: 10_000 }, clock);
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
});

test('[MSG9] a message that was taken before the end is acknowledged again after it, and a new one is refused', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  const message = (clientMessageId: string) => ({
    consultationId: id,
    clientMessageId: clientMessageId as ClientMessageId,
    content: textDraft('x'),
  });
  const first = await patient.request('message.send', message('message-before'));
  await doctor.request('consultation.end', { consultationId: id });
  expect(await patient.request('message.send', message('message-before'))).toEqual(first);
  await expect(patient.request('message.send', message('message-after'))).rejects.toThrow('WRONG_STATE');
});

test('[MSG10] the list pages through consultations of one moment without leaving any out', async () => {
  await using app = await startTestApp({ clock: () => 1_700_000_000_000 });
  const views = [await app.createConsultation('same'), await app.createConsultation('same')];
  await using patient = await RawClient.connect(app.origin, personToken('patient-same'));
  const { consultations, hasMore } = await patient.request('consultation.list', { limit: 1 });
  expect(consultations.map(({ consultationId }) => consultationId).sort()).toEqual(
    views.map(({ consultationId }) => consultationId).sort(),
  );
  expect(hasMore).toBe(false);
});
