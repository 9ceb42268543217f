import { createHash } from 'node:crypto';
import type { ConsultationId, RecordingId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../helpers/raw-client.ts';
import { freePort, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { createConsultation, peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';
import { scan } from '../storage/plaintext-scan.ts';
import { tone } from '../uploads/samples.ts';

interface Place {
  readonly origin: string;
  readonly id: ConsultationId;
  readonly recordingId: RecordingId;
  readonly token: string;
}

const putAt = (
  { origin, id, recordingId, token }: Place,
  query: string,
  bytes: Uint8Array,
  { number = '0', headers = {} as Record<string, string> } = {},
): Promise<Response> =>
  fetch(`${origin}/v1/consultations/${id}/dictations/${recordingId}/files/${number}${query}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: Buffer.from(bytes),
  });

const put = (place: Place, offset: number, bytes: Uint8Array) => putAt(place, `?offset=${offset}`, bytes);

const begin = (doctor: RawClient, consultationId: ConsultationId, clientDictationId = 'dictation-1') =>
  doctor.request('dictation.begin', {
    consultationId,
    clientDictationId,
    purpose: 'summary',
    contentType: 'audio/ogg;codecs=opus',
    startedAt: Date.now(),
  });

test('[DICT16] bytes are appended over HTTP by the dictation’s author alone, and every refusal has its code', async () => {
  await using app = await startTestApp({ allowedOrigins: ['https://clinic.example'] });
  await using visit = await startVisit(app);
  const { id, doctor, view } = visit;
  const people = peopleOf(view);
  const { recording } = await begin(doctor, id);
  const place: Place = {
    origin: app.origin,
    id,
    recordingId: recording.recordingId,
    token: personToken(people.doctor),
  };
  const sound = await tone(2);
  const first = await put(place, 0, sound.subarray(0, 500));
  expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '500']);
  const ahead = await put(place, 900, sound.subarray(900, 950));
  expect([ahead.status, ahead.headers.get('upload-offset')]).toEqual([409, '500']);
  expect(await ahead.json()).toMatchObject({ code: 'CONFLICT', requestId: expect.any(String) });
  const refused = async (response: Promise<Response>) => {
    const { status, headers } = await response;
    return [status, headers.get('content-type')?.split(';')[0]];
  };
  const problem = 'application/problem+json';
  const bytes = sound.subarray(500, 600);
  expect(await refused(put({ ...place, token: personToken(people.patient) }, 500, bytes))).toEqual([
    404,
    problem,
  ]);
  expect(await refused(put({ ...place, token: personToken('stranger') }, 500, bytes))).toEqual([
    404,
    problem,
  ]);
  expect(await refused(put({ ...place, token: hostToken() }, 500, bytes))).toEqual([403, problem]);
  expect(await refused(put({ ...place, token: 'nonsense' }, 500, bytes))).toEqual([401, problem]);
  expect(await refused(putAt(place, '?offset=-1', bytes))).toEqual([400, problem]);
  expect(await refused(putAt(place, '', bytes))).toEqual([400, problem]);
  expect(await refused(putAt(place, '?offset=500', bytes, { number: 'x' }))).toEqual([404, problem]);
  expect(await refused(put(place, 500, Buffer.alloc(1024 * 1024 + 1)))).toEqual([413, problem]);
  const elsewhere = await putAt(place, '?offset=500', bytes, {
    headers: { origin: 'https://clinic.example' },
  });
  expect(elsewhere.status).toBe(204);
  expect(elsewhere.headers.get('access-control-allow-origin')).toBe('https://clinic.example');
  expect(elsewhere.headers.get('access-control-expose-headers')).toContain('Upload-Offset');
  expect((await put(place, 600, sound.subarray(600))).status).toBe(204);
  const finished = await doctor.request('dictation.finish', {
    consultationId: id,
    recordingId: recording.recordingId,
    files: [{ byteSize: sound.byteLength, durationMs: 2_000 }],
  });
  expect(finished.recording).toMatchObject({
    state: 'ready',
    purpose: 'summary',
    rights: expect.arrayContaining(['play', 'download', 'delete']),
    files: [{ byteSize: sound.byteLength, state: 'whole', source: 'microphone' }],
  });
});

test('[DICT17] a dictation is played by its author as it was said, and by the patient once a note that holds it is signed', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor, patient, view } = visit;
  const { recording } = await begin(doctor, id);
  const { recordingId } = recording;
  const sound = await tone(2);
  await put({ origin: app.origin, id, recordingId, token: personToken(peopleOf(view).doctor) }, 0, sound);
  const finished = await doctor.request('dictation.finish', {
    consultationId: id,
    recordingId,
    files: [{ byteSize: sound.byteLength, durationMs: 2_000 }],
  });
  const fileId = finished.recording.files[0]?.fileId;
  if (fileId === undefined) throw new Error('no file');
  const link = { consultationId: id, recordingId, fileId, right: 'play' as const };
  await expect(patient.request('recording.link', link)).rejects.toThrow('NOT_FOUND');
  expect((await patient.request('recording.list', { consultationId: id })).recordings).toEqual([]);
  const { note } = await doctor.request('note.create', {
    consultationId: id,
    clientNoteId: 'client-note-1',
    purpose: 'summary',
    text: 'as dictated',
    audio: { recordingId, startMs: 0, endMs: null },
  });
  await doctor.request('note.sign', { consultationId: id, noteId: note.noteId, version: 1 });
  await patient.fact('entry.added', ({ kind }) => kind === 'note.signed');
  for (const client of [doctor, patient]) {
    const { url } = await client.request('recording.link', link);
    const played = await fetch(new URL(url, app.origin));
    expect(played.status).toBe(200);
    expect(digest(new Uint8Array(await played.arrayBuffer()))).toBe(digest(sound));
  }
  await expect(doctor.request('recording.delete', { consultationId: id, recordingId })).rejects.toThrow(
    'WRONG_STATE',
  );
});

test('[DICT19] a dictation that is thrown away in the middle is gone at once, and takes nothing more', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor, view } = visit;
  const { recording } = await begin(doctor, id);
  const { recordingId } = recording;
  const token = personToken(peopleOf(view).doctor);
  const sound = await tone(1);
  const place: Place = { origin: app.origin, id, recordingId, token };
  await put(place, 0, sound.subarray(0, 500));
  const empty = await begin(doctor, id, 'dictation-without-bytes');
  for (const one of [recording, empty.recording]) {
    const erased = await doctor.request('recording.delete', {
      consultationId: id,
      recordingId: one.recordingId,
    });
    expect(erased.recording).toMatchObject({ state: 'erased', files: [] });
  }
  expect((await put(place, 500, sound.subarray(500))).status).toBe(409);
  expect((await begin(doctor, id)).recording.state).toBe('erased');
  const finishing = { consultationId: id, recordingId, files: [{ byteSize: 500, durationMs: 10 }] };
  await expect(doctor.request('dictation.finish', finishing)).rejects.toThrow('WRONG_STATE');
  expect(await app.store.recordings.growingFiles()).toEqual([]);
});

test('[DICT18] what was answered to a dictating device is there after the server was killed, however often', async () => {
  await using dir = await tempDir();
  const port = await freePort();
  const sound = await tone(20);
  let server = await startServerProcess({ dataDir: dir.path, port });
  const view = await createConsultation(server.origin, hostToken(), 'dictating');
  const id = view.consultationId;
  const people = peopleOf(view);
  const token = personToken(people.doctor);
  {
    await using patient = await RawClient.connect(server.origin, personToken(people.patient));
    await using doctor = await RawClient.connect(server.origin, token);
    await patient.request('consultation.enter', { consultationId: id });
    await doctor.request('consultation.accept', { consultationId: id });
  }
  let reached = 0;
  let recordingId: RecordingId | undefined;
  for (let life = 0; life < 4; life++) {
    await using doctor = await RawClient.connect(server.origin, token);
    const begun = await begin(doctor, id);
    recordingId ??= begun.recording.recordingId;
    expect(begun.recording.recordingId).toBe(recordingId);
    // What was answered is there; what was under way may be, too.
    expect(begun.byteSizes[0] ?? 0).toBeGreaterThanOrEqual(reached);
    reached = begun.byteSizes[0] ?? 0;
    const place = { origin: server.origin, id, recordingId, token };
    for (let part = 0; part < 12; part++) {
      const answer = await put(place, reached, sound.subarray(reached, reached + 700));
      expect(answer.status).toBe(204);
      reached = Number(answer.headers.get('upload-offset'));
    }
    const unanswered = put(place, reached, sound.subarray(reached, reached + 700)).catch(() => undefined);
    await server.kill();
    await unanswered;
    server = await startServerProcess({ dataDir: dir.path, port });
  }
  if (recordingId === undefined) throw new Error('never begun');
  await using doctor = await RawClient.connect(server.origin, token);
  const [standing = 0] = (await begin(doctor, id)).byteSizes;
  await put({ origin: server.origin, id, recordingId, token }, standing, sound.subarray(standing));
  const { recording } = await doctor.request('dictation.finish', {
    consultationId: id,
    recordingId,
    files: [{ byteSize: sound.byteLength, durationMs: 20_000 }],
  });
  const [file] = recording.files;
  if (file === undefined) throw new Error('no file');
  const link = { consultationId: id, recordingId, fileId: file.fileId, right: 'download' as const };
  const { url } = await doctor.request('recording.link', link);
  const whole = Buffer.from(await (await fetch(new URL(url, server.origin))).arrayBuffer());
  expect(digest(whole)).toBe(digest(sound));
  await server[Symbol.asyncDispose]();
}, 60_000);

test('[NOTE26] [E11] nothing of a note or of a dictation lies in the clear in any file of the server', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor, view } = visit;
  const since = Date.now() - 1_000;
  const words = ['canary-note-text', 'canary-note-addition'];
  const { recording } = await begin(doctor, id);
  const sound = await tone(3);
  const token = personToken(peopleOf(view).doctor);
  await put({ origin: app.origin, id, recordingId: recording.recordingId, token }, 0, sound);
  const growing = await scan(app.dataDir, words, since);
  await doctor.request('dictation.finish', {
    consultationId: id,
    recordingId: recording.recordingId,
    files: [{ byteSize: sound.byteLength, durationMs: 3_000 }],
  });
  const audio = { recordingId: recording.recordingId, startMs: 0, endMs: null };
  const draft = { consultationId: id, clientNoteId: 'client-note-1', purpose: 'summary' as const };
  const { note } = await doctor.request('note.create', { ...draft, text: words[0] ?? '', audio });
  const place = { consultationId: id, noteId: note.noteId };
  await doctor.request('note.sign', { ...place, version: 1 });
  await doctor.request('note.add', {
    ...place,
    clientNoteId: 'addition-1',
    text: words[1] ?? '',
    audio: null,
  });
  const finished = await scan(app.dataDir, words, since);
  for (const found of [growing, finished]) {
    expect(found.words).toEqual([]);
    expect(found.formats).toEqual([]);
    expect(found.filesRead).toBeGreaterThan(2);
  }
  expect(app.logs.join()).not.toContain('canary');
});

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('[NOTE20] of signing, throwing away and erasing at the same moment a signed note keeps its dictation, and nobody waits for ever', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id: consultationId, doctor, view } = visit;
  const token = personToken(peopleOf(view).doctor);
  const sound = await tone(1);
  for (let round = 0; round < 12; round++) {
    const { recordingId } = (await begin(doctor, consultationId, `dictation-${round}`)).recording;
    await put({ origin: app.origin, id: consultationId, recordingId, token }, 0, sound);
    const files = [{ byteSize: sound.byteLength, durationMs: 1_000 }];
    await doctor.request('dictation.finish', { consultationId, recordingId, files });
    const audio = { recordingId, startMs: 0, endMs: null };
    const clientNoteId = `client-note-${round}`;
    const { note } = await doctor.request('note.create', {
      consultationId,
      clientNoteId,
      purpose: 'summary',
      text: '',
      audio,
    });
    const { noteId } = note;
    const wishes = [
      () => doctor.request('note.sign', { consultationId, noteId, version: 1 }),
      () => doctor.request('note.discard', { consultationId, noteId }),
      () => doctor.request('recording.delete', { consultationId, recordingId }),
    ];
    const order = [0, 1, 2].map((index) => (index + round) % 3);
    if (round % 2 === 1) order.reverse();
    await Promise.allSettled(order.map(async (index) => wishes[index]?.()));
    const { notes } = await doctor.request('note.list', { consultationId });
    const { recordings } = await doctor.request('recording.list', { consultationId });
    const left = notes.find((one) => one.noteId === noteId)?.state;
    const recording = recordings.find((one) => one.recordingId === recordingId)?.state;
    expect([left, recording]).toEqual(left === 'signed' ? ['signed', 'ready'] : [undefined, 'erased']);
  }
});
