import { AppError, type NoteId } from '@teleconsult/protocol';
import type { AuditRecord, AuditTrail } from '@teleconsult/server/audit/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit } from '../../helpers/visit.ts';
import { clipRequest, dictated, doctorToken, openChannel } from './channel-stage.ts';

/** A trail that can be read, and can be full. */
function readableTrail() {
  const rows: AuditRecord[] = [];
  const trail = {
    isFull: false,
    said: () => rows.map(({ who, action, result }) => `${who} ${action} ${result}`),
  };
  const audit: AuditTrail = {
    append: async (record) => {
      if (trail.isFull) throw new AppError('STORAGE_FULL');
      rows.push(record);
    },
  };
  return Object.assign(trail, { audit });
}

const problemOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
];

test('[HCH10] a purpose belongs where it is: clips in health channels alone, summaries and follow-ups in visits alone', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  await using visit = await startVisit(app);
  const content = { text: 'a text', audio: null };
  const dictation = { contentType: 'audio/ogg;codecs=opus', startedAt: Date.now() } as const;
  for (const purpose of ['summary', 'follow_up'] as const) {
    const of = { consultationId: channel.id, purpose };
    const wrong = { body: { detail: expect.stringContaining('purpose') } };
    await expect(
      channel.doctor.request('note.create', { ...of, clientNoteId: 'a-wrong-note', ...content }),
    ).rejects.toMatchObject({ message: 'INVALID', ...wrong });
    await expect(
      channel.doctor.request('dictation.begin', { ...of, clientDictationId: 'a-wrong-one', ...dictation }),
    ).rejects.toMatchObject({ message: 'INVALID', ...wrong });
  }
  const of = { consultationId: visit.id, purpose: 'health_channel' as const };
  await expect(
    visit.doctor.request('note.create', { ...of, clientNoteId: 'a-wrong-note', ...content }),
  ).rejects.toThrow('INVALID');
  await expect(
    visit.doctor.request('dictation.begin', { ...of, clientDictationId: 'a-wrong-one', ...dictation }),
  ).rejects.toThrow('INVALID');
});

test('[HCH11] a clip is written, saved anew and published by signing it; then it never changes, and nothing is added to it', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { doctor, id: consultationId } = channel;
  const { note, recordingId } = await channel.draft('first');
  const { noteId } = note;
  const audio = { recordingId, startMs: 250, endMs: 1_500 };
  const saved = await doctor.request('note.save', { consultationId, noteId, from: 1, text: 'New', audio });
  const signed = await doctor.request('note.sign', { consultationId, noteId, version: 2 });
  expect(signed.note).toMatchObject({
    state: 'signed',
    purpose: 'health_channel',
    current: { text: 'New', audio },
  });
  expect(saved.note.current.version).toBe(2);
  const again = await doctor.request('note.sign', { consultationId, noteId, version: 2 });
  expect(again.note).toEqual(signed.note);
  const refused = {
    save: doctor.request('note.save', { consultationId, noteId, from: 2, text: 'Newer', audio }),
    add: doctor.request('note.add', {
      consultationId,
      noteId,
      clientNoteId: 'an-addition',
      text: 'P.S.',
      audio: null,
    }),
    discard: doctor.request('note.discard', { consultationId, noteId }),
    erase: doctor.request('recording.delete', { consultationId, recordingId }),
  };
  for (const [what, asking] of Object.entries(refused))
    await expect(asking, what).rejects.toThrow('WRONG_STATE');
  const { recordings } = await doctor.request('recording.list', { consultationId });
  expect(recordings).toMatchObject([{ purpose: 'health_channel', rights: ['play', 'download'] }]);
});

test('[HCH12] nothing is published without sound, before its dictation is finished, or twice', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { doctor, id: consultationId } = channel;
  const create = (clientNoteId: string, recordingId: string | null) =>
    doctor.request('note.create', {
      consultationId,
      clientNoteId,
      purpose: 'health_channel',
      text: 'Words alone',
      audio: recordingId === null ? null : { recordingId: recordingId as never, startMs: 0, endMs: null },
    });
  const { note: words } = await create('words-alone', null);
  const sign = (noteId: NoteId) => doctor.request('note.sign', { consultationId, noteId, version: 1 });
  await expect(sign(words.noteId)).rejects.toMatchObject({
    message: 'WRONG_STATE',
    body: { detail: expect.stringContaining('without sound') },
  });
  const { recording } = await doctor.request('dictation.begin', {
    consultationId,
    clientDictationId: 'not-finished',
    purpose: 'health_channel',
    contentType: 'audio/ogg;codecs=opus',
    startedAt: Date.now(),
  });
  await expect(create('not-finished', recording.recordingId)).rejects.toThrow('WRONG_STATE');
  const clip = await channel.draft('published');
  const { note: copy } = await create('the-same-sound', clip.recordingId);
  // At the same time, too: one is published.
  const both = await Promise.allSettled([channel.publish(clip), sign(copy.noteId)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

test('[HCH13] a draft is thrown away with its sound, which the host application may erase as well but neither see nor hear', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  const { doctor, id } = channel;
  const { note, recordingId } = await channel.draft('draft');
  const at = { id, noteId: note.noteId };
  expect(await problemOf(await clipRequest(app.origin, at))).toEqual([404, 'NOT_FOUND']);
  expect(await problemOf(await clipRequest(app.origin, { ...at, path: '/files/0' }))).toEqual([
    404,
    'NOT_FOUND',
  ]);
  expect(await problemOf(await clipRequest(app.origin, at, { method: 'DELETE' }))).toEqual([
    404,
    'NOT_FOUND',
  ]);
  expect(await (await clipRequest(app.origin, { id })).json()).toEqual({ clips: [] });
  await doctor.request('note.discard', { consultationId: id, noteId: note.noteId });
  const { recordings } = await doctor.request('recording.list', { consultationId: id });
  expect(recordings).toMatchObject([{ recordingId, state: 'erased', files: [] }]);
});

test('[HCH14] the host application reads a published clip and fetches its sound, whole and by ranges, each on record', async () => {
  const trail = readableTrail();
  await using app = await startTestApp({ audit: trail.audit });
  await using channel = await openChannel(app);
  const clip = await channel.draft('published', 'Title\nDescription.');
  await channel.publish(clip);
  const { id } = channel;
  const { noteId } = clip.note;
  const read = (await (await clipRequest(app.origin, { id, noteId })).json()) as object;
  expect(read).toMatchObject({
    noteId,
    consultationId: id,
    author: 'dr-an',
    state: 'published',
    text: 'Title\nDescription.',
    trim: { startMs: 0, endMs: null },
    files: [{ number: 0, contentType: 'audio/ogg;codecs=opus', durationMs: expect.any(Number) }],
  });
  expect(await (await clipRequest(app.origin, { id })).json()).toEqual({ clips: [read] });
  const at = { id, noteId, path: '/files/0' };
  const whole = await clipRequest(app.origin, at);
  expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'audio/ogg;codecs=opus']);
  expect(whole.headers.get('cache-control')).toContain('no-store');
  expect(whole.headers.get('content-security-policy')).toContain('sandbox');
  expect(Buffer.from(await whole.arrayBuffer()).equals(clip.sound)).toBe(true);
  const part = await clipRequest(app.origin, at, { headers: { range: 'bytes=10-19' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([
    206,
    `bytes 10-19/${clip.sound.byteLength}`,
  ]);
  expect(Buffer.from(await part.arrayBuffer()).equals(clip.sound.subarray(10, 20))).toBe(true);
  const beyond = await clipRequest(app.origin, at, { headers: { range: `bytes=${clip.sound.byteLength}-` } });
  expect(beyond.status).toBe(416);
  for (const path of ['/files/1', '/files/-1', '/files/x', '/files/0.5'])
    expect((await clipRequest(app.origin, { id, noteId, path })).status, path).toBe(404);
  const said = trail.said();
  expect(said.filter((line) => line === 'host clip.read granted')).toHaveLength(1);
  expect(said.filter((line) => line === 'host clip.list granted')).toHaveLength(1);
  expect(said.filter((line) => line === 'host clip.download granted')).toHaveLength(3);
  expect(said).toContain('host clip.download refused');
});

test('[HCH15] no person fetches a clip over REST, and the host application reaches nothing of a visit by this way', async () => {
  await using app = await startTestApp();
  await using channel = await openChannel(app);
  await using visit = await startVisit(app);
  const clip = await channel.draft('published');
  await channel.publish(clip);
  const { noteId } = clip.note;
  for (const token of [doctorToken(), personToken('stranger')])
    for (const path of ['', '/files/0'])
      expect((await clipRequest(app.origin, { id: channel.id, noteId, path }, { token })).status).toBe(403);
  const doctor = visit.view.participants.find(({ role }) => role === 'doctor')?.personId ?? '';
  const { recordingId } = await dictated(app.origin, visit.doctor, {
    id: visit.id,
    name: 'summary-of-a-patient',
    token: personToken(doctor),
    purpose: 'summary',
  });
  const { note } = await visit.doctor.request('note.create', {
    consultationId: visit.id,
    clientNoteId: 'summary-of-a-patient',
    purpose: 'summary',
    text: 'a finding',
    audio: { recordingId, startMs: 0, endMs: null },
  });
  await visit.doctor.request('note.sign', { consultationId: visit.id, noteId: note.noteId, version: 1 });
  for (const id of [visit.id, channel.id])
    for (const path of ['', '/files/0']) {
      const found = await clipRequest(app.origin, { id, noteId: note.noteId, path });
      expect(await problemOf(found)).toEqual([404, 'NOT_FOUND']);
    }
  expect((await clipRequest(app.origin, { id: visit.id })).status).toBe(404);
  const taken = await clipRequest(app.origin, { id: visit.id, noteId: note.noteId }, { method: 'DELETE' });
  expect(taken.status).toBe(404);
  // In its own visit the clip is not found either.
  expect((await clipRequest(app.origin, { id: visit.id, noteId })).status).toBe(404);
});

test('[HCH16] a clip that is taken back is erased for good, says so to its doctor at once, and stays so after a restart', async () => {
  await using dir = await tempDir();
  const kept: { id: never; noteId: never }[] = [];
  {
    const trail = readableTrail();
    await using app = await startTestApp({ dataDir: dir.path, audit: trail.audit });
    await using channel = await openChannel(app);
    const clip = await channel.draft('withdrawn');
    await channel.publish(clip);
    const at = { id: channel.id, noteId: clip.note.noteId };
    kept.push(at as never);
    const withdraw = () => clipRequest(app.origin, at, { method: 'DELETE' });
    const { doctor } = channel;
    const told = doctor.of('recording.changed').length;
    const first = await withdraw();
    expect([first.status, await first.json()]).toMatchObject([200, { state: 'withdrawn', files: [] }]);
    await eventually('the doctor to be told', () => doctor.of('recording.changed').length > told);
    expect((await withdraw()).status).toBe(200);
    const { recordings } = await doctor.request('recording.list', { consultationId: channel.id });
    expect(recordings).toMatchObject([{ state: 'erased', files: [], rights: [] }]);
    expect((await doctor.request('note.list', { consultationId: channel.id })).notes).toMatchObject([
      { state: 'signed', noteId: at.noteId },
    ]);
    const said = trail.said();
    expect(said.filter((line) => line === 'host recording.delete granted')).toHaveLength(1);
  }
  await using app = await startTestApp({ dataDir: dir.path });
  for (const at of kept) {
    expect(await problemOf(await clipRequest(app.origin, { ...at, path: '/files/0' }))).toEqual([
      410,
      'EXPIRED',
    ]);
    const read = await clipRequest(app.origin, at);
    expect([read.status, await read.json()]).toMatchObject([200, { state: 'withdrawn', files: [] }]);
  }
});

test('[HCH17] what cannot be recorded in the trail is neither read, nor fetched, nor taken back', async () => {
  const trail = readableTrail();
  await using app = await startTestApp({ audit: trail.audit });
  await using channel = await openChannel(app);
  const clip = await channel.draft('published');
  await channel.publish(clip);
  const at = { id: channel.id, noteId: clip.note.noteId };
  trail.isFull = true;
  for (const asking of [
    clipRequest(app.origin, { id: channel.id }),
    clipRequest(app.origin, at),
    clipRequest(app.origin, { ...at, path: '/files/0' }),
    clipRequest(app.origin, at, { method: 'DELETE' }),
  ])
    expect(await problemOf(await asking)).toEqual([507, 'STORAGE_FULL']);
  trail.isFull = false;
  expect((await clipRequest(app.origin, { ...at, path: '/files/0' })).status).toBe(200);
});
