import { randomBytes, randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConsultationId, type FileId, PersonId, type RecordingId } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { sealFileFacts, sealRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { call } from '../http/rest-client.ts';
import { tone } from './playback.fixtures.ts';

interface Recorded {
  readonly consultationId: ConsultationId;
  readonly recordingId: RecordingId;
  readonly fileId: FileId;
  readonly patient: string;
  readonly doctor: string;
}

/** A visit with a recording of one file, sealed as the recorder seals it. */
async function recordedVisit(app: TestApp, bytes: Buffer): Promise<Recorded> {
  const view = await app.createConsultation();
  const { consultationId } = view;
  const { patient, doctor } = peopleOf(view);
  const { key } = await app.app.host.sealing(consultationId, null);
  const [recordingId, fileId] = [randomIds.recordingId(), randomIds.fileId()];
  const { recordings } = app.store;
  await recordings.createRecording({
    recordingId,
    consultationId,
    purpose: 'consultation',
    startedBy: PersonId.parse(doctor),
    startedAt: 1_000,
    endedAt: 2_000,
    state: 'ready',
    clientId: null,
    sealed: sealRecordingFacts(key, recordingId, {
      callId: null,
      followUpId: null,
      composition: { state: 'none' },
    }),
  });
  const growing = await app.trackFiles.create({ consultationId, recordingId, fileId, key });
  for (let at = 0; at < bytes.byteLength; at += 500_000) {
    growing.append(bytes.subarray(at, at + 500_000));
    await growing.flush();
  }
  const { byteSize, parts } = await growing.close();
  const sealed = sealFileFacts(key, fileId, {
    personId: PersonId.parse(doctor),
    source: 'microphone',
    contentType: 'audio/webm;codecs=opus',
    startedAt: 1_000,
    durationMs: null,
    truncated: null,
    waveform: null,
  });
  const file = { fileId, recordingId, consultationId, kind: 'track', createdAt: 1_000, sealed } as const;
  await recordings.createFile({ ...file, state: 'growing', byteSize: 0, parts: 0 });
  await recordings.updateFile({ fileId, state: 'whole', byteSize, parts, sealed });
  return { consultationId, recordingId, fileId, patient, doctor };
}

const linkTo = async (app: TestApp, client: RawClient, { consultationId, recordingId, fileId }: Recorded) => {
  const wish = { consultationId, recordingId, fileId, right: 'play' } as const;
  return app.origin + (await client.request('recording.link', wish)).url;
};

test('[PLAY36] through the whole server: random ranges of a sealed file are its bytes, and fetch only what they touch', async () => {
  await using app = await startTestApp();
  const bytes = randomBytes(6 * 1024 * 1024);
  const visit = await recordedVisit(app, bytes);
  await using client = await RawClient.connect(app.origin, personToken(visit.patient));
  const url = await linkTo(app, client, visit);
  await eventually('the part is in the object store', () => app.trackFiles.pending === 0);
  const fetched = countReads();
  for (let count = 0; count < 500; count += 1) {
    const start = randomInt(bytes.byteLength);
    const end = Math.min(start + randomInt(1, 100_000), bytes.byteLength);
    const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    expect(response.status).toBe(206);
    if (Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes.subarray(start, end)) !== 0)
      throw new Error(`${start}-${end} is wrong`);
  }
  fetched.bytes = 0;
  await (await fetch(url, { headers: { range: 'bytes=3000000-3000099' } })).arrayBuffer();
  // One frame, and headers and last frames of the part to prove what it is.
  expect(fetched.bytes).toBeGreaterThan(0);
  expect(fetched.bytes).toBeLessThan(600 * 1024);
  fetched.restore();
});

test('[PLAY36] a recording is measured, played and composed through the whole server, and no sound lies on the disk', async () => {
  await using app = await startTestApp();
  const sound = await tone(4);
  const visit = await recordedVisit(app, sound);
  const { consultationId, recordingId, fileId } = visit;
  await using doctor = await RawClient.connect(app.origin, personToken(visit.doctor));
  await doctor.request('consultation.watch', { consultationId });
  const { recordings } = await doctor.request('recording.list', { consultationId });
  expect(recordings).toMatchObject([{ recordingId, rights: ['play', 'download', 'delete'] }]);
  await doctor.request('recording.compose', { consultationId, recordingId });
  const ready = await eventually('the composition is ready', async () => {
    const listed = await doctor.request('recording.list', { consultationId });
    const composition = listed.recordings[0]?.composition;
    return composition?.state === 'ready' && composition;
  });
  expect(doctor.facts.some(({ name }) => name === 'recording.changed')).toBe(true);
  const wave = await doctor.request('recording.waveform', { consultationId, recordingId, fileId });
  expect(wave.peaks.length).toBeGreaterThan(35);
  const wish = { consultationId, recordingId, fileId: ready.fileId, right: 'download' } as const;
  const { url, contentType } = await doctor.request('recording.link', wish);
  const played = await fetch(app.origin + url);
  expect([played.status, contentType]).toEqual([200, 'audio/webm;codecs=opus']);
  expect((await played.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
  expect(await app.store.audit.verify()).toMatchObject({ sound: true });
  const disk = Buffer.concat(await everyFile(app.dataDir));
  expect(disk.includes('OpusHead')).toBe(false);
  expect(disk.includes(Buffer.from('1a45dfa3', 'hex'))).toBe(false);
  expect(disk.includes(sound.subarray(2_000, 2_064))).toBe(false);
  expect(app.logs.join('')).not.toContain('/media/');
});

test('[PLAY37] a leaked link gives a stranger nothing once its device has gone', async () => {
  await using app = await startTestApp();
  const visit = await recordedVisit(app, randomBytes(1_000));
  const client = await RawClient.connect(app.origin, personToken(visit.patient));
  const url = await linkTo(app, client, visit);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  await client[Symbol.asyncDispose]();
  await eventually(
    'the link is worth nothing',
    async () => (await fetch(url, { method: 'HEAD' })).status === 404,
  );
  await using stranger = await RawClient.connect(app.origin, personToken('stranger'));
  const { consultationId, recordingId, fileId } = visit;
  await expect(
    stranger.request('recording.link', { consultationId, recordingId, fileId, right: 'play' }),
  ).rejects.toMatchObject({ message: 'NOT_FOUND' });
});

test('[PLAY37] players of a configured origin may use links, pages of others may not, and no browser keeps what it was given', async () => {
  const friend = 'https://app.example.org';
  await using app = await startTestApp({ allowedOrigins: [friend] });
  const visit = await recordedVisit(app, randomBytes(1_000));
  await using client = await RawClient.connect(app.origin, personToken(visit.patient));
  const url = await linkTo(app, client, visit);
  const headersFor = async (origin: string) =>
    (await fetch(url, { method: 'HEAD', headers: { origin } })).headers;
  const allowed = await headersFor(friend);
  expect(allowed.get('access-control-allow-origin')).toBe(friend);
  expect(allowed.get('access-control-expose-headers')).toContain('Content-Range');
  expect((await headersFor('https://other.example.org')).get('access-control-allow-origin')).toBeNull();
  expect(allowed.get('cache-control')).toBe('private, no-store');
  expect(allowed.get('x-content-type-options')).toBe('nosniff');
});

test('[PLAY38] the host application lists and erases over REST, and plays nothing; people do neither there', async () => {
  await using app = await startTestApp();
  const visit = await recordedVisit(app, randomBytes(1_000));
  const path = `/v1/consultations/${visit.consultationId}/recordings` as const;
  const token = hostToken();
  const listed = await call(app, `GET ${path}`, { token });
  expect([listed.status, listed.body]).toMatchObject([200, { recordings: [{ rights: ['delete'] }] }]);
  const person = personToken(visit.doctor);
  expect((await call(app, `GET ${path}`, { token: person })).status).toBe(403);
  expect((await call(app, `DELETE ${path}/${visit.recordingId}`, { token: person })).status).toBe(403);
  for (let times = 0; times < 2; times += 1) {
    const erased = await call(app, `DELETE ${path}/${visit.recordingId}`, { token });
    expect([erased.status, erased.body]).toMatchObject([200, { state: 'erased', files: [] }]);
  }
  expect((await call(app, `DELETE ${path}/rec_${'z'.repeat(22)}`, { token })).status).toBe(404);
  expect(await readdir(join(app.dataDir, 'recordings'))).toEqual(['unknown']);
});

test('[PLAY39] the server answers others while it plays: its event loop is held up for less than 50 ms', async () => {
  await using app = await startTestApp();
  const visit = await recordedVisit(app, randomBytes(24 * 1024 * 1024));
  await using client = await RawClient.connect(app.origin, personToken(visit.patient));
  const url = await linkTo(app, client, visit);
  await eventually('the part is in the object store', () => app.trackFiles.pending === 0, {
    withinMs: 20_000,
  });
  const turns = measureTurns();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { body } = await fetch(url);
      if (body !== null) for await (const _ of body);
    }),
  );
  const { longest, count } = turns.stop();
  console.log(`the longest turn while 96 MB were played: ${longest.toFixed(1)} ms of ${count} turns`);
  expect(count).toBeGreaterThan(100);
  expect(longest).toBeLessThan(50);
});

/** How long this thread works in each turn of its event loop, in milliseconds: of the processor, whoever else uses it. */
function measureTurns(): { stop(): { longest: number; count: number } } {
  const turns: number[] = [];
  let isOver = false;
  let before = process.threadCpuUsage();
  const turn = (): void => {
    const now = process.threadCpuUsage();
    turns.push((now.user + now.system - before.user - before.system) / 1_000);
    before = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isOver = true;
      return { longest: turns.reduce((most, each) => Math.max(most, each), 0), count: turns.length };
    },
  };
}

/** Counts the bytes that are read of objects. */
function countReads(): { bytes: number; restore(): void } {
  const original = Reflect.get(DiskObjectStore.prototype, 'open') as DiskObjectStore['open'];
  const counted = {
    bytes: 0,
    restore: () => {
      DiskObjectStore.prototype.open = original;
    },
  };
  DiskObjectStore.prototype.open = async function open(key) {
    const source = await original.call(this, key);
    const read: typeof source.read = (start, endExclusive) => {
      counted.bytes += endExclusive - start;
      return source.read(start, endExclusive);
    };
    return {
      byteSize: source.byteSize,
      read,
      close: () => source.close(),
      [Symbol.asyncDispose]: () => source.close(),
    };
  };
  return counted;
}

async function everyFile(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))),
  );
}
