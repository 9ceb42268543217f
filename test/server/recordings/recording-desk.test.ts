import { AppError, type RecordingId } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { CallRecordings } from '@teleconsult/server/recordings/call-recordings';
import { Retries } from '@teleconsult/server/recordings/retries';
import { expect, test } from 'vitest';
import { clientMessageId } from '../../contract/store.fixtures.ts';
import { noLog } from '../../contract/track-files.fixtures.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { joinSeat, takeOverSeat, textDraft } from '../../helpers/visit.ts';
import {
  askForRecording,
  contentOf,
  filesOf,
  type ReadFile,
  type RecordedVisit,
  segmentOf,
  sendSound,
  startRecording,
  startSoundCall,
} from './recorded-visit.ts';

const finished = (recorded: RecordedVisit, recordingId: RecordingId, count: number): Promise<ReadFile[]> =>
  eventually(
    `${count} finished files`,
    async () => {
      const files = await filesOf(recorded, recordingId);
      const isDone = files.length === count && files.every(({ stored }) => stored.state !== 'growing');
      return isDone ? files : null;
    },
    { lastSeen: async () => (await filesOf(recorded, recordingId)).map(({ stored }) => stored.state) },
  );

const grown = (recorded: RecordedVisit, recordingId: RecordingId, count: number) =>
  eventually(`${count} files`, async () => (await filesOf(recorded, recordingId)).length === count);

test('[RECS20] each track of a call becomes a file of its own, and the recording is ready when it has stopped', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  for (const [role, person] of Object.entries(people)) (await segmentOf(app, person)).emit(Buffer.from(role));
  await grown(recorded, recordingId, 2);
  expect(await app.store.recordings.loadRecording(recordingId)).toMatchObject({ state: 'running' });
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  await eventually('the recording to be ready', async () => {
    const recording = await app.store.recordings.loadRecording(recordingId);
    return recording?.state === 'ready' && recording.endedAt !== null;
  });
  // Ready means that every file is there.
  const files = await filesOf(recorded, recordingId);
  expect(files.map(({ stored }) => stored.state)).toEqual(['whole', 'whole']);
  for (const file of files) {
    const role = file.facts.personId === people.patient ? 'patient' : 'doctor';
    expect(await contentOf(recorded, file)).toBe(role);
    expect(file.facts).toMatchObject({ source: 'microphone', truncated: null });
    expect(file.facts.startedAt).not.toBeNull();
    expect(file.facts.contentType).toContain('opus');
  }
  expect(app.recorder.running).toBe(0);
  await visit.patient.fact('recording.changed', (fact) => fact.recordingId === recordingId);
});

test('[M9] [RECS21] no byte is taken before everybody in the call has agreed', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await askForRecording(recorded);
  await visit.patient.fact('call.changed', ({ recording }) => recording?.phase === 'asking');
  expect(app.recorder.segments).toEqual([]);
  expect(await app.store.recordings.loadRecording(recordingId)).toBeNull();
  await visit.patient.request('recording.answer', { ...call, recordingId, granted: true });
  await segmentOf(app, people.patient);
  await segmentOf(app, people.doctor);
});

test('[M9 sabotage] a desk that takes a call’s asking for its agreement is noticed', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, people, call } = recorded;
  const recordingId = await askForRecording(recorded);
  await visit.patient.fact('call.changed', ({ recording }) => recording?.phase === 'asking');
  // What such a desk would do, by way of a change that says that everybody agreed.
  const eager = new CallRecordings({
    store: app.store.recordings,
    files: app.trackFiles,
    recorder: app.recorder,
    ids: randomIds,
    clock: Date.now,
    log: noLog,
    publisher: { toWatchers: () => {} },
    maxTracks: 8,
    measuring: () => {},
    host: app.app.host,
  });
  const seats = [people.patient, people.doctor].map((personId) => ({ personId, state: 'present' }));
  const consents = seats.map(({ personId }) => ({ personId, state: 'granted', since: 0 }));
  const recording = { recordingId, startedBy: people.doctor, phase: { name: 'running', since: 0 }, consents };
  const after = { id: visit.id, call: { callId: call.callId, seats, recording } };
  const change = { before: { ...after, call: null }, after, entries: [], effects: [] };
  eager.handleChange(JSON.parse(JSON.stringify(change)) as Parameters<typeof eager.handleChange>[0]);
  await eventually('what the test above would see', () => app.recorder.segments.length === 2);
  await eager.close();
});

test('[RECS22] a consent that is taken back ends every segment within a second, and nothing later is kept', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  const segment = await segmentOf(app, people.patient);
  segment.emit(Buffer.from('before'));
  await grown(recorded, recordingId, 1);
  await visit.patient.request('recording.answer', { ...call, recordingId, granted: false });
  const since = performance.now();
  await eventually('nothing to be recorded', () => app.recorder.running === 0);
  expect(performance.now() - since).toBeLessThan(1_000);
  segment.emit(Buffer.from('after'));
  segment.options.onBytes(Buffer.from('much later'));
  const [file] = await finished(recorded, recordingId, 1);
  if (file === undefined) throw new Error('no file');
  expect(await contentOf(recorded, file)).toBe('before');
});

test('[RECS22] a recorder that does not stop is cut off after a second', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  const segment = await segmentOf(app, people.patient);
  segment.emit(Buffer.from('before'));
  await grown(recorded, recordingId, 1);
  const stop = segment.stop.bind(segment);
  segment.stop = () => new Promise(() => {});
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  const since = performance.now();
  const [file] = await finished(recorded, recordingId, 1);
  expect(performance.now() - since).toBeLessThan(3_000);
  segment.emit(Buffer.from('still there'));
  segment.stop = stop;
  if (file === undefined) throw new Error('no file');
  expect(await contentOf(recorded, file)).toBe('before');
});

test('[RECS23] a pause ends the files and a resumption begins new ones of the same recording', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  (await segmentOf(app, people.patient)).emit(Buffer.from('one'));
  await grown(recorded, recordingId, 1);
  await visit.doctor.request('recording.pause', { ...call, recordingId });
  await eventually('the pause', () => app.recorder.running === 0);
  expect(await app.store.recordings.loadRecording(recordingId)).toMatchObject({ state: 'running' });
  await visit.doctor.request('recording.resume', { ...call, recordingId });
  (await segmentOf(app, people.patient)).emit(Buffer.from('two'));
  await grown(recorded, recordingId, 2);
  await visit.doctor.request('call.leave', call);
  const files = await finished(recorded, recordingId, 2);
  expect(await Promise.all(files.map((file) => contentOf(recorded, file)))).toEqual(['one', 'two']);
  expect(files.every(({ facts }) => facts.truncated === null)).toBe(true);
});

test('[M6] [RECS24] a segment that dies is marked as cut off and goes on in a new file within 5 s', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { people } = recorded;
  const recordingId = await startRecording(recorded);
  for (const end of ['recorder_died', 'recorder_stalled'] as const) {
    const segment = await segmentOf(app, people.patient);
    segment.emit(Buffer.from(end));
    await eventually('its file', async () =>
      (await filesOf(recorded, recordingId)).some(({ stored }) => stored.state === 'growing'),
    );
    segment.finish(end);
    const since = performance.now();
    await eventually('a new segment', async () => (await segmentOf(app, people.patient)) !== segment);
    expect(performance.now() - since).toBeLessThan(5_000);
  }
  const files = await finished(recorded, recordingId, 2);
  for (const { stored, facts } of files) {
    expect(stored.state).toBe('truncated');
    expect(facts.truncated).toMatchObject({ reason: 'recorder_failed' });
  }
});

test('[RECS24] what always fails is tried a bounded number of times a minute', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  for (let index = 0; index < 200; index += 1) app.recorder.failNext('no_ports');
  await startRecording(recorded);
  const tries = () => app.logs.filter((line) => line.includes('recording.notBegun')).length;
  await eventually('some tries', () => tries() >= 6);
  const retries = new Retries();
  let now = 0;
  let count = 0;
  while (now < 60_000) {
    now += retries.failed(now, 0, 'media');
    count += 1;
  }
  expect(count).toBeLessThan(25);
  expect(tries()).toBeLessThan(20);
});

test('[RECS25] a sender whose clock jumps with each mute does not wait for its next file', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { people } = recorded;
  await startRecording(recorded);
  let longestMs = 0;
  for (let jump = 0; jump < 5; jump += 1) {
    const segment = await segmentOf(app, people.patient);
    segment.emit(Buffer.from(`part ${jump}`));
    // Time goes by between two mutes; by the server's clock, not by this one.
    app.advance(1_500);
    segment.finish('clock_jumped');
    const since = performance.now();
    await eventually('a new segment', async () => (await segmentOf(app, people.patient)) !== segment);
    longestMs = Math.max(longestMs, performance.now() - since);
  }
  expect(longestMs).toBeLessThan(1_500);
}, 60_000);

test('[RECS25] a clock that jumped, another device and a return to the call begin new files, whole ones before them', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  const first = await segmentOf(app, people.patient);
  first.emit(Buffer.from('one'));
  await grown(recorded, recordingId, 1);
  first.finish('clock_jumped');
  const next = async (former: unknown, text: string, count: number) => {
    const segment = await eventually('the next segment', async () => {
      const found = await segmentOf(app, people.patient);
      return found === former ? null : found;
    });
    segment.emit(Buffer.from(text));
    await grown(recorded, recordingId, count);
    return segment;
  };
  const second = await next(first, 'two', 2);
  await sendSound(visit.patient, call);
  const third = await next(second, 'three', 3);
  await takeOverSeat(visit.patient, call);
  await sendSound(visit.patient, call);
  await next(third, 'four', 4);
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  const files = await finished(recorded, recordingId, 4);
  expect(await Promise.all(files.map((file) => contentOf(recorded, file)))).toEqual([
    'one',
    'two',
    'three',
    'four',
  ]);
  expect(files.every(({ stored }) => stored.state === 'whole')).toBe(true);
});

test('[RECS26] a media worker that dies cuts the files off; the call goes on recorded in the next room, each track once', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  const first = await segmentOf(app, people.patient);
  first.emit(Buffer.from('one'));
  await grown(recorded, recordingId, 1);
  app.sfu.killWorker(0);
  for (const client of [visit.patient, visit.doctor]) {
    await client.fact('seat.mediaLost');
    await joinSeat(client, call);
    await sendSound(client, call);
  }
  const second = await eventually('the next segment', async () => {
    const found = await segmentOf(app, people.patient);
    return found === first ? null : found;
  });
  second.emit(Buffer.from('two'));
  await grown(recorded, recordingId, 2);
  expect(app.recorder.running).toBe(2);
  const names = app.recorder.segments.map(({ options }) => options.seatId);
  expect(new Set(names).size).toBe(names.length);
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  const files = await finished(recorded, recordingId, 2);
  expect(files.map(({ facts }) => facts.truncated?.reason ?? null)).toEqual(['recorder_failed', null]);
});

test('[RECS27] a muted track leaves no file', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const recordingId = await startRecording(recorded);
  (await segmentOf(app, people.doctor)).emit(Buffer.from('doctor'));
  await segmentOf(app, people.patient);
  await grown(recorded, recordingId, 1);
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  const [file] = await finished(recorded, recordingId, 1);
  expect(file?.facts.personId).toBe(people.doctor);
});

test('[RECS28] without a recording program, and beyond the most tracks, a recording is refused; one that runs is answered', async () => {
  await using without = await startTestApp({ recorder: null });
  await using unrecorded = await startSoundCall(without);
  await expect(unrecorded.visit.doctor.request('recording.start', unrecorded.call)).rejects.toThrow(
    'NOT_CONFIGURED',
  );
  await using app = await startTestApp({ maxRecordingTracks: 3 });
  await using one = await startSoundCall(app);
  const recordingId = await startRecording(one);
  await eventually('two tracks', () => app.recorder.running === 2);
  await using other = await startSoundCall(app);
  await expect(other.visit.doctor.request('recording.start', other.call)).rejects.toThrow('OVERLOADED');
  const again = await one.visit.doctor.request('recording.start', one.call);
  expect(again.call.recording?.recordingId).toBe(recordingId);
});

test('[RECS29] [D4] a store that cannot be written costs files, not the call; the recording goes on when it heals', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const { recordings } = app.store;
  const create = recordings.createFile.bind(recordings);
  let refusals = 0;
  recordings.createFile = async () => {
    refusals += 1;
    throw new AppError('STORAGE_FULL');
  };
  const recordingId = await startRecording(recorded);
  (await segmentOf(app, people.patient)).emit(Buffer.from('lost'));
  await eventually('a refusal', () => refusals > 0);
  const sent = await visit.patient.request('message.send', {
    consultationId: visit.id,
    clientMessageId: clientMessageId('while-full'),
    content: textDraft('still here'),
  });
  expect(sent.sequence).toBeGreaterThan(0);
  await eventually('the segment to end', () => app.recorder.segments.length < 2);
  recordings.createFile = create;
  (await segmentOf(app, people.patient)).emit(Buffer.from('kept'));
  await grown(recorded, recordingId, 1);
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  const [file] = await finished(recorded, recordingId, 1);
  if (file === undefined) throw new Error('no file');
  expect(await contentOf(recorded, file)).toBe('kept');
});

test('[RECS30] a file that cannot be written any more is kept as far as it goes, marked, and followed by another', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { people, visit, call } = recorded;
  const recordingId = await startRecording(recorded);
  const segment = await segmentOf(app, people.patient);
  segment.emit(Buffer.from('kept'));
  const [file] = await eventually('the file', async () => {
    const files = await filesOf(recorded, recordingId);
    return files.length === 1 ? files : null;
  });
  if (file === undefined) throw new Error('no file');
  const { key } = await app.app.host.sealing(visit.id, null);
  const { fileId, consultationId } = file.stored;
  const growing = await app.trackFiles.resume({ consultationId, recordingId, fileId, key }, 0);
  await growing.flush();
  growing.append = () => {
    throw new AppError('STORAGE_UNAVAILABLE');
  };
  segment.emit(Buffer.from('refused'));
  expect(segment.end).toBe('sink_failed');
  const second = await eventually(
    'the next segment',
    async () => {
      const found = await segmentOf(app, people.patient);
      return found === segment ? null : found;
    },
    { withinMs: 5_000 },
  );
  second.emit(Buffer.from('next'));
  await grown(recorded, recordingId, 2);
  await visit.doctor.request('recording.stop', { ...call, recordingId });
  const files = await finished(recorded, recordingId, 2);
  expect(files.map(({ facts }) => facts.truncated?.reason ?? null)).toEqual(['storage_failed', null]);
  expect(await Promise.all(files.map((one) => contentOf(recorded, one)))).toEqual(['kept', 'next']);
});

test('[RECS22] a third recording waits for the first to let go of its tracks, also when the second never had any', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call, people } = recorded;
  const first = await startRecording(recorded);
  const segment = await segmentOf(app, people.patient);
  segment.emit(Buffer.from('first'));
  await grown(recorded, first, 1);
  const stop = segment.stop.bind(segment);
  segment.stop = () => new Promise(() => {});
  using _restored = { [Symbol.dispose]: () => void (segment.stop = stop) };
  await visit.doctor.request('recording.stop', { ...call, recordingId: first });
  const second = await startRecording(recorded);
  await visit.doctor.request('recording.stop', { ...call, recordingId: second });
  const third = await startRecording(recorded);
  const next = await eventually('the next segment', () =>
    app.recorder.segments.find(
      ({ options }) => options.seatId === people.patient && options !== segment.options,
    ),
  );
  segment.emit(Buffer.from(' and twice'));
  next.emit(Buffer.from('third'));
  await grown(recorded, third, 1);
  const [file] = await finished(recorded, first, 1);
  if (file === undefined) throw new Error('no file');
  expect(await contentOf(recorded, file)).toBe('first');
});

test('[RECS22] a consent that is taken back while a segment only begins leaves no file and no segment', async () => {
  await using app = await startTestApp();
  await using recorded = await startSoundCall(app);
  const { visit, call } = recorded;
  const go = Promise.withResolvers<void>();
  const begin = app.recorder.begin.bind(app.recorder);
  let waiting = 0;
  app.recorder.begin = async (options) => {
    waiting += 1;
    await go.promise;
    const segment = await begin(options);
    // What a device sent while it began comes with the beginning.
    segment.emit(Buffer.from('too late'));
    return segment;
  };
  const recordingId = await startRecording(recorded);
  await eventually('both to begin', () => waiting === 2);
  await visit.patient.request('recording.answer', { ...call, recordingId, granted: false });
  go.resolve();
  app.recorder.begin = begin;
  const next = await startRecording(recorded);
  await eventually('the next recording to have both', () => app.recorder.running === 2);
  expect(await filesOf(recorded, recordingId)).toEqual([]);
  expect(await app.store.recordings.loadRecording(recordingId)).toBeNull();
  for (const segment of app.recorder.segments) segment.emit(Buffer.from('agreed'));
  await grown(recorded, next, 2);
});

test('[R8] [RECS20] a file says by the server’s clock when it began, whatever became of the machine’s', async () => {
  await using app = await startTestApp();
  app.advance(-3_600_000);
  await using recorded = await startSoundCall(app);
  const { people } = recorded;
  const recordingId = await startRecording(recorded);
  const segment = await segmentOf(app, people.patient);
  segment.begins(Date.now() - 40);
  segment.emit(Buffer.from('heard'));
  await grown(recorded, recordingId, 1);
  const [file] = await filesOf(recorded, recordingId);
  const age = Date.now() - 3_600_000 - (file?.facts.startedAt ?? 0);
  expect(age).toBeGreaterThanOrEqual(39);
  expect(age).toBeLessThan(10_000);
});
