import { createHash } from 'node:crypto';
import {
  AppError,
  FollowUpId,
  MAX_DICTATION_BYTES,
  MAX_DICTATION_PART_BYTES,
  type PersonId,
  type RecordingId,
  type RecordingView,
} from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { createLog } from '@teleconsult/server/log';
import { OffsetMismatch } from '@teleconsult/server/notes/dictation-files';
import { Dictations } from '@teleconsult/server/notes/dictations';
import { RecordingTurns } from '@teleconsult/server/playback/recording-turns';
import { openFileFacts, sealRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeTrackFiles } from './fake-files.ts';
import { colleague, doctor, FakeVisit, interpreter, patient, stranger, VISIT } from './fake-visit.ts';

const followUpId = FollowUpId.parse(`fup_${'F'.repeat(22)}`);
const EBML = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);

function room(visit = new FakeVisit(), recordings = new MemoryRecordings(), files = new FakeTrackFiles()) {
  const measured: string[] = [];
  const turns = new RecordingTurns();
  const dictations = new Dictations({
    recordings,
    files,
    host: visit.host,
    ids: randomIds,
    clock: visit.clock,
    log: createLog({ level: 'error', destination: { write: () => undefined } }),
    publisher: visit.publisher,
    hasFollowUp: async (_id, id) => id === followUpId,
    measuring: ({ fileId }) => void measured.push(fileId),
    inTurn: (recordingId, task) => turns.take(recordingId, task),
    view: async (recordingId) => {
      const stored = await recordings.loadRecording(recordingId);
      return { recordingId, state: stored?.state, purpose: stored?.purpose } as RecordingView;
    },
  });
  return { visit, recordings, files, dictations, measured, turns };
}

type Room = ReturnType<typeof room>;
let begun = 0;

const begin = ({ dictations }: Room, change: object = {}, by: PersonId = doctor) =>
  dictations.begin(by, {
    consultationId: VISIT,
    clientDictationId: `dictation-${++begun}`,
    purpose: 'summary',
    contentType: 'audio/webm;codecs=opus',
    startedAt: 1_000,
    ...change,
  });

async function* bodyOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const put = (
  { dictations }: Room,
  recordingId: RecordingId,
  offset: number,
  bytes: Uint8Array,
  { number = 0, by = doctor as PersonId } = {},
) => dictations.append(by, { consultationId: VISIT, recordingId, number, offset, bytes: bodyOf(bytes) });

const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'ok',
    (error: AppError) => error.code ?? String(error),
  );

/** As a recorder writes it: a beginning and then whatever comes. */
const sound = (byteSize: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(byteSize);
  for (let at = 0; at < byteSize; at++) bytes[at] = (at * 7 + seed * 13) % 251;
  EBML.copy(bytes);
  return bytes;
};

async function bytesOf({ recordings, files }: Room, recordingId: RecordingId): Promise<Buffer[]> {
  return (await recordings.filesOf(recordingId)).map(({ fileId }) => files.bytesOf(fileId));
}

const finish = ({ dictations }: Room, recordingId: RecordingId, ...byteSizes: readonly number[]) =>
  dictations.finish(doctor, {
    consultationId: VISIT,
    recordingId,
    files: byteSizes.map((byteSize) => ({ byteSize, durationMs: 5_000 })),
  });

test('[DICT1] a dictation grows by what its device appends, and is finished with its length', async () => {
  const r = room();
  const { recording, byteSizes } = await begin(r);
  expect(byteSizes).toEqual([]);
  const { recordingId } = recording;
  const bytes = sound(3_000);
  expect(await put(r, recordingId, 0, bytes.subarray(0, 1_000))).toBe(1_000);
  expect(await put(r, recordingId, 1_000, bytes.subarray(1_000))).toBe(3_000);
  expect((await finish(r, recordingId, 3_000)).recording).toMatchObject({ state: 'ready' });
  expect((await bytesOf(r, recordingId))[0]?.equals(bytes)).toBe(true);
  const [file] = await r.recordings.filesOf(recordingId);
  if (file === undefined) throw new Error('no file');
  expect(file).toMatchObject({ state: 'whole', byteSize: 3_000 });
  expect(openFileFacts(r.visit.key, file)).toMatchObject({
    personId: doctor,
    durationMs: 5_000,
    truncated: null,
  });
  expect(r.measured).toEqual([file.fileId]);
  expect(r.visit.told).toContain('recording.changed');
});

test('[DICT2] the same clientDictationId is the same dictation, and answers what the server has of it', async () => {
  const r = room();
  const wish = { clientDictationId: 'dictation-same' };
  const { recording } = await begin(r, wish);
  await put(r, recording.recordingId, 0, sound(700));
  const again = await begin(r, wish);
  expect(again.recording.recordingId).toBe(recording.recordingId);
  expect(again.byteSizes).toEqual([700]);
  expect(await codeOf(begin(r, { ...wish, contentType: 'audio/mp4' }))).toBe('CONFLICT');
  expect(await codeOf(begin(r, { ...wish, purpose: 'follow_up', followUpId }))).toBe('CONFLICT');
});

test('[DICT3] bytes that do not go where the file stands are answered with where it stands', async () => {
  const r = room();
  const { recording } = await begin(r);
  await put(r, recording.recordingId, 0, sound(500));
  const ahead = await put(r, recording.recordingId, 900, sound(10)).catch((error: unknown) => error);
  expect(ahead).toBeInstanceOf(OffsetMismatch);
  expect(ahead).toMatchObject({ code: 'CONFLICT', byteSize: 500 });
});

test('[DICT4] bytes said again are not written again, and other bytes at their place are refused', async () => {
  const r = room();
  const { recording } = await begin(r);
  const { recordingId } = recording;
  const bytes = sound(2_000);
  await put(r, recordingId, 0, bytes.subarray(0, 1_000));
  expect(await put(r, recordingId, 0, bytes.subarray(0, 1_000))).toBe(1_000);
  expect(await put(r, recordingId, 500, bytes.subarray(500, 1_500))).toBe(1_500);
  expect(await codeOf(put(r, recordingId, 500, sound(1_000, 9)))).toBe('CONFLICT');
  expect(await put(r, recordingId, 1_500, bytes.subarray(1_500))).toBe(2_000);
  expect((await bytesOf(r, recordingId))[0]?.equals(bytes)).toBe(true);
});

test('[DICT5] a dictation that is continued after a crash of its device goes on in a further file', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  await put(r, recordingId, 0, sound(300));
  expect(await codeOf(put(r, recordingId, 0, sound(10), { number: 2 }))).toBe('NOT_FOUND');
  await put(r, recordingId, 0, sound(400, 2), { number: 1 });
  await put(r, recordingId, 300, sound(50, 3));
  expect(await codeOf(finish(r, recordingId, 350))).toBe('WRONG_STATE');
  expect(await codeOf(finish(r, recordingId, 350, 999))).toBe('WRONG_STATE');
  expect(await codeOf(finish(r, recordingId, 350, 400))).toBe('ok');
  expect((await bytesOf(r, recordingId)).map(({ byteLength }) => byteLength)).toEqual([350, 400]);
});

test('[DICT6] a finished dictation takes no more bytes, and finishing it again changes nothing', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  await put(r, recordingId, 0, sound(300));
  await finish(r, recordingId, 300);
  expect(await codeOf(put(r, recordingId, 300, sound(10)))).toBe('WRONG_STATE');
  expect((await finish(r, recordingId, 300)).recording.state).toBe('ready');
  expect(r.measured).toHaveLength(1);
});

test('[DICT7] what does not begin as the announced file does is refused before anything is kept', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  expect(await codeOf(put(r, recordingId, 0, Buffer.from('<html>')))).toBe('UNSUPPORTED_MEDIA');
  expect(await codeOf(put(r, recordingId, 0, Buffer.from('OggS and so on')))).toBe('UNSUPPORTED_MEDIA');
  expect(await r.recordings.filesOf(recordingId)).toEqual([]);
  const ogg = await begin(r, { contentType: 'audio/ogg;codecs=opus' });
  expect(await codeOf(put(r, ogg.recording.recordingId, 0, Buffer.from('OggS and so on')))).toBe('ok');
  const mp4 = await begin(r, { contentType: 'audio/mp4' });
  expect(await codeOf(put(r, mp4.recording.recordingId, 0, Buffer.from('\0\0\0\x18ftypiso5')))).toBe('ok');
});

test('[DICT8] one append, one dictation and the unfinished ones of a person are bounded', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  expect(await codeOf(put(r, recordingId, 0, Buffer.alloc(0)))).toBe('INVALID');
  expect(await codeOf(put(r, recordingId, 0, sound(MAX_DICTATION_PART_BYTES + 1)))).toBe('TOO_LARGE');
  const part = sound(MAX_DICTATION_PART_BYTES);
  const [file] = [await put(r, recordingId, 0, part)];
  expect(file).toBe(MAX_DICTATION_PART_BYTES);
  const [stored] = await r.recordings.filesOf(recordingId);
  if (stored === undefined) throw new Error('no file');
  await r.recordings.updateFile({ ...stored, byteSize: MAX_DICTATION_BYTES, state: 'growing' });
  expect(await codeOf(put(r, recordingId, 0, sound(10), { number: 1 }))).toBe('TOO_LARGE');
  for (let count = 1; count < 10; count++) await begin(r);
  expect(await codeOf(begin(r))).toBe('RATE_LIMITED');
});

test('[DICT9] a full disk keeps what was answered, and the dictation goes on when there is room', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  const bytes = sound(2_000);
  await put(r, recordingId, 0, bytes.subarray(0, 1_000));
  r.files.full = true;
  expect(await codeOf(put(r, recordingId, 1_000, bytes.subarray(1_000)))).toBe('STORAGE_FULL');
  r.files.full = false;
  expect(await put(r, recordingId, 1_000, bytes.subarray(1_000))).toBe(2_000);
  expect((await bytesOf(r, recordingId))[0]?.equals(bytes)).toBe(true);
});

test('[DICT10] another person’s dictation looks like none, and only the doctor of the visit dictates', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  for (const by of [patient, colleague, interpreter, stranger]) {
    expect(await codeOf(begin(r, {}, by))).toMatch(by === stranger ? /NOT_FOUND/ : /FORBIDDEN/);
    expect(await codeOf(put(r, recordingId, 0, sound(10), { by }))).toBe('NOT_FOUND');
    const finishing = r.dictations.finish(by, {
      consultationId: VISIT,
      recordingId,
      files: [{ byteSize: 1, durationMs: 1 }],
    });
    expect(await codeOf(finishing)).toBe('NOT_FOUND');
  }
  r.visit.phase = 'waiting';
  expect(await codeOf(begin(r))).toBe('WRONG_STATE');
});

test('[DICT11] the dictation of a follow-up names one that there is', async () => {
  const r = room();
  expect(await codeOf(begin(r, { purpose: 'follow_up' }))).toBe('INVALID');
  expect(await codeOf(begin(r, { followUpId }))).toBe('INVALID');
  expect(await codeOf(begin(r, { purpose: 'follow_up', followUpId }))).toBe('ok');
  const other = FollowUpId.parse(`fup_${'G'.repeat(22)}`);
  expect(await codeOf(begin(r, { purpose: 'follow_up', followUpId: other }))).toBe('NOT_FOUND');
});

test('[DICT12] a dictation nobody went on with for a week is finished with what there is', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  await put(r, recordingId, 0, sound(300));
  const fresh = (await begin(r, { startedAt: r.visit.now + 8 * 24 * 3_600_000 })).recording;
  r.visit.now += 6 * 24 * 3_600_000;
  await r.dictations.sweep();
  expect(await r.recordings.loadRecording(recordingId)).toMatchObject({ state: 'running' });
  r.visit.now += 1.5 * 24 * 3_600_000;
  const still = (await begin(r, { startedAt: r.visit.now })).recording;
  await r.dictations.sweep();
  expect(await r.recordings.loadRecording(recordingId)).toMatchObject({ state: 'ready' });
  expect(await r.recordings.loadRecording(still.recordingId)).toMatchObject({ state: 'running' });
  const [file] = await r.recordings.filesOf(recordingId);
  if (file === undefined) throw new Error('no file');
  expect(file.state).toBe('truncated');
  expect(openFileFacts(r.visit.key, file).truncated).toMatchObject({ reason: 'device_lost' });
  expect(fresh.recordingId).not.toBe(recordingId);
});

test('[DICT13] a note takes a finished dictation of its author, and no more of it than there is', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  const of = { consultationId: VISIT, author: doctor as PersonId };
  const check = (startMs: number, endMs: number | null, author: PersonId = doctor) =>
    codeOf(r.dictations.checkAudio({ recordingId, startMs, endMs }, { ...of, author }));
  await put(r, recordingId, 0, sound(300));
  expect(await check(0, null)).toBe('WRONG_STATE');
  await finish(r, recordingId, 300);
  expect(await check(0, null)).toBe('ok');
  expect(await check(1_000, 5_500)).toBe('ok');
  expect(await check(0, 7_001)).toBe('INVALID');
  expect(await check(9_000, null)).toBe('INVALID');
  expect(await check(0, null, colleague)).toBe('NOT_FOUND');
});

test('[DICT14] whatever order, repeats and kills a device’s requests meet, its bytes arrive once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 4, max: 400 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom('repeat', 'kill', 'stale', 'together', 'none'), { maxLength: 30 }),
      async (lengths, fates) => {
        let r = room();
        const { recordingId } = (await begin(r)).recording;
        const whole = sound(lengths.reduce((sum, length) => sum + length, 4));
        let offset = 0;
        for (const [index, length] of [...lengths, 4].entries()) {
          const part = whole.subarray(offset, offset + length);
          const fate = fates[index];
          if (fate === 'stale') await put(r, recordingId, 0, whole.subarray(0, offset + length));
          else if (fate === 'together')
            await Promise.allSettled([put(r, recordingId, offset, part), put(r, recordingId, offset, part)]);
          else await put(r, recordingId, offset, part);
          if (fate === 'repeat') await put(r, recordingId, offset, part);
          if (fate === 'kill') r = room(r.visit, r.recordings, r.files);
          offset += length;
        }
        await finish(r, recordingId, whole.byteLength);
        const [bytes] = await bytesOf(r, recordingId);
        expect(digest(bytes)).toBe(digest(whole));
      },
    ),
    { numRuns: 300 },
  );
});

test('[DICT15] a stop leaves no file open, and the dictation goes on after it', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  await put(r, recordingId, 0, sound(300));
  await r.dictations.close();
  expect(r.files.opened).toBe(0);
  const after = room(r.visit, r.recordings, r.files);
  expect(await put(after, recordingId, 300, sound(100))).toBe(400);
  expect(await codeOf(finish(after, recordingId, 400))).toBe('ok');
});

const digest = (bytes: Buffer | undefined): string =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');

test('[DICT2] a device that asks while bytes are being written is told of those on disk alone', async () => {
  const r = room();
  const wish = { clientDictationId: 'dictation-asked' };
  const { recordingId } = (await begin(r, wish)).recording;
  await put(r, recordingId, 0, sound(100));
  const writing = put(r, recordingId, 100, sound(50));
  // The part is with the file, and not on disk.
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
  const { byteSizes } = await begin(r, wish);
  const [onDisk] = await bytesOf(r, recordingId);
  expect(byteSizes[0]).toBeLessThanOrEqual(onDisk?.byteLength ?? 0);
  expect(await writing).toBe(150);
});

test('[DICT15] a device that asks while its dictation is finished leaves no file open', async () => {
  for (let turns = 0; turns < 60; turns++) {
    const r = room();
    const wish = { clientDictationId: 'dictation-asked' };
    const { recordingId } = (await begin(r, wish)).recording;
    await put(r, recordingId, 0, sound(100));
    const finished = finish(r, recordingId, 100);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await Promise.all([begin(r, wish), finished]);
    expect(r.files.opened).toBe(0);
  }
});

test('[DICT6] a file that is finished takes nothing more, also when finishing was cut off behind it', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  await put(r, recordingId, 0, sound(100));
  const update = r.recordings.updateRecording.bind(r.recordings);
  r.recordings.updateRecording = async () => {
    throw new AppError('STORAGE_FULL');
  };
  expect(await codeOf(finish(r, recordingId, 100))).toBe('STORAGE_FULL');
  r.recordings.updateRecording = update;
  expect(await put(r, recordingId, 0, sound(100))).toBe(100);
  expect(r.files.opened).toBe(0);
  expect(await codeOf(put(r, recordingId, 100, sound(20)))).toBe('WRONG_STATE');
  expect(await codeOf(put(r, recordingId, 120, sound(20)))).toBe('CONFLICT');
  expect(r.files.opened).toBe(0);
  expect(await codeOf(finish(r, recordingId, 100))).toBe('ok');
});

test('[DICT7] the beginning of a file is looked at, also when an attempt before found no room', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  r.files.full = true;
  expect(await codeOf(put(r, recordingId, 0, sound(100)))).toBe('STORAGE_FULL');
  r.files.full = false;
  expect(await codeOf(put(r, recordingId, 0, Buffer.from('<script>nothing of the kind')))).toBe(
    'UNSUPPORTED_MEDIA',
  );
  expect(await put(r, recordingId, 0, sound(100))).toBe(100);
});

test('[DICT2] a dictation that was erased meanwhile is answered as it is', async () => {
  const r = room();
  const wish = { clientDictationId: 'dictation-erased' };
  const { recordingId } = (await begin(r, wish)).recording;
  await put(r, recordingId, 0, sound(100));
  await finish(r, recordingId, 100);
  const nothing = { callId: null, followUpId: null, composition: { state: 'none' } } as const;
  const sealed = sealRecordingFacts(r.visit.key, recordingId, nothing);
  await r.recordings.updateRecording({ recordingId, state: 'erased', endedAt: 1, sealed }, ['ready']);
  expect((await begin(r, wish)).recording).toMatchObject({ recordingId, state: 'erased' });
});

test('[DICT12] a dictation that was gone on with is not given up, however long ago it began', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  await put(r, recordingId, 0, sound(300));
  r.visit.now += 8 * 24 * 3_600_000;
  await put(r, recordingId, 300, sound(100));
  await r.dictations.sweep();
  expect(await r.recordings.loadRecording(recordingId)).toMatchObject({ state: 'running' });
  expect(await put(r, recordingId, 400, sound(100))).toBe(500);
});

test('[DICT12] a dictation that its device kept for a week before it could send is not given up at once', async () => {
  const r = room();
  const { recordingId } = (await begin(r, { startedAt: r.visit.now - 8 * 24 * 3_600_000 })).recording;
  await r.dictations.sweep();
  expect(await put(r, recordingId, 0, sound(100))).toBe(100);
});

test('[DICT10] whoever may not append has nothing read of what they send', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  let read = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    read += 1;
    yield sound(100);
  }
  for (const by of [patient, stranger]) {
    const wish = { consultationId: VISIT, recordingId, number: 0, offset: 0, bytes: body() };
    expect(await codeOf(r.dictations.append(by, wish))).toBe('NOT_FOUND');
  }
  expect(read).toBe(0);
});

test('[DICT16] a body that is cut off is nothing that the server did wrong, and nothing of it is kept', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  async function* body(): AsyncGenerator<Uint8Array> {
    yield sound(100);
    throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  }
  const wish = { consultationId: VISIT, recordingId, number: 0, offset: 0, bytes: body() };
  expect(await codeOf(r.dictations.append(doctor, wish))).toBe('INVALID');
  expect(await put(r, recordingId, 0, sound(50))).toBe(50);
});

test('[DICT8] of dictations that are begun at once no more are unfinished than may be', async () => {
  const r = room();
  const codes = await Promise.all(Array.from({ length: 14 }, () => codeOf(begin(r))));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(10);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(4);
});

test('[DICT8] of one person so many appends are on their way at once, and no more', async () => {
  const r = room();
  const { recordingId } = (await begin(r)).recording;
  const rest = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield sound(50);
    await rest.promise;
  }
  const sending = () =>
    r.dictations.append(doctor, { consultationId: VISIT, recordingId, number: 0, offset: 0, bytes: slow() });
  const codes = Array.from({ length: 20 }, () => codeOf(sending()));
  await new Promise((resolve) => setImmediate(resolve));
  rest.resolve();
  const answered = await Promise.all(codes);
  expect(answered.filter((code) => code === 'RATE_LIMITED')).toHaveLength(4);
  expect(answered.filter((code) => code === 'ok')).toHaveLength(16);
  expect(await put(r, recordingId, 50, sound(50))).toBe(100);
});

test('[DICT19] bytes that arrive as a dictation is thrown away leave nothing of it behind', async () => {
  for (let turns = 0; turns < 60; turns++) {
    const r = room();
    const { recordingId } = (await begin(r)).recording;
    const nothing = { callId: null, followUpId: null, composition: { state: 'none' } } as const;
    const sealed = sealRecordingFacts(r.visit.key, recordingId, nothing);
    const appended = codeOf(put(r, recordingId, 0, sound(100)));
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    // As server/playback/erasing.ts does it.
    await r.turns.take(recordingId, async () => {
      await r.recordings.updateRecording({ recordingId, state: 'erased', endedAt: 1, sealed }, ['running']);
      for (const { fileId } of await r.recordings.filesOf(recordingId)) {
        await r.files.remove({ fileId });
        await r.recordings.removeFile(fileId);
      }
    });
    expect(await appended).toMatch(/^(ok|WRONG_STATE)$/);
    expect([await r.recordings.filesOf(recordingId), r.files.files.size]).toEqual([[], 0]);
  }
});
