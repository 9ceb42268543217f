import { chmod, cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AttachmentId, type ConsultationId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { freePort, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { attachmentTools, findFfmpeg, jpeg, pdf, tone } from './samples.ts';
import { bytesOf, idOf, TusClient } from './tus-client.ts';
import { objectsIn, restart, startUploading } from './uploading.ts';

const DAY_MS = 24 * 3_600_000;
const file = (consultationId: ConsultationId) => ({
  consultationId,
  kind: 'file' as const,
  fileName: 'a.pdf',
});

/** Tools that wait for a sign before they look at an upload, and tell that one waits. */
async function heldTools() {
  const begun = Promise.withResolvers<void>();
  const sign = Promise.withResolvers<void>();
  const tools = await attachmentTools();
  const run: typeof tools.gate.run = async (task) => {
    begun.resolve();
    await sign.promise;
    return tools.gate.run(task);
  };
  return { tools: { ...tools, gate: { ...tools.gate, run } }, begun: begun.promise, release: sign.resolve };
}

test('[UPL3] [UPL13] a server that is killed keeps what it acknowledged of an upload, and processes it once it is back', async () => {
  await using dir = await tempDir();
  const dataDir = join(dir.path, 'data');
  // Takes the sound and never answers, until its server is gone.
  const stuck = join(dir.path, 'stuck-ffmpeg');
  await writeFile(stuck, '#!/bin/sh\nexec tail --pid=$PPID -f /dev/null\n');
  await chmod(stuck, 0o755);
  const port = await freePort();
  await using first = await startServerProcess({ dataDir, port, env: { FFMPEG_PATH: stuck } });
  const view = await createConsultation(first.origin, hostToken());
  const { consultationId: id } = view;
  const patient = new TusClient(first.origin, personToken(peopleOf(view).patient));
  const sound = await tone(1);
  const voice = await patient.upload({ consultationId: id, kind: 'voice' }, sound);
  const bytes = pdf(2_000_000);
  const { location } = await patient.create({ ...file(id), byteSize: bytes.byteLength });
  await patient.patch(location, 0, bytes.subarray(0, 1_234_567));
  expect(await patient.status(id, voice)).toMatchObject({
    status: 'processing',
    receivedBytes: sound.byteLength,
  });
  await first.kill();

  await using _second = await startServerProcess({
    dataDir,
    port,
    env: { FFMPEG_PATH: await findFfmpeg() },
  });
  expect(await patient.ended(id, voice)).toMatchObject({ status: 'ready', attachment: { kind: 'voice' } });
  expect(await patient.head(location)).toMatchObject({ status: 200, offset: 1_234_567 });
  await patient.patch(location, 1_234_567, bytes.subarray(1_234_567));
  expect(await patient.ended(id, idOf(location))).toMatchObject({ status: 'ready' });
  expect((await bytesOf(await patient.content(id, idOf(location)))).equals(bytes)).toBe(true);
}, 60_000);

test('[UPL13] what cannot be processed for the time being is processed at a later question', async () => {
  const tools = await attachmentTools();
  await using dir = await tempDir();
  const before = await startUploading({ dataDir: dir.path, tools: { ...tools, ffmpegPath: null } });
  const voice = await before.patient.upload({ consultationId: before.id, kind: 'voice' }, await tone(1));
  await expect(before.patient.status(before.id, voice)).rejects.toThrow('MEDIA_UNAVAILABLE');
  await expect(before.patient.status(before.id, voice)).rejects.toThrow('MEDIA_UNAVAILABLE');
  await before[Symbol.asyncDispose]();
  await using after = await restart(before, { dataDir: dir.path });
  expect(await after.patient.ended(after.id, voice)).toMatchObject({ status: 'ready' });
});

test('[UPL13] many questions at once process an upload once', async () => {
  const held = await heldTools();
  await using uploading = await startUploading({ tools: held.tools });
  const { app, id, patient } = uploading;
  const picture = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  await held.begun;
  const asked = Array.from({ length: 10 }, () => patient.status(id, picture));
  held.release();
  for (const status of await Promise.all(asked)) expect(status).toMatchObject({ status: 'ready' });
  expect(app.logs.filter((line) => line.includes('attachment.ready'))).toHaveLength(1);
});

test('[UPL6] who withdraws an upload that is just being processed learns that it has ended', async () => {
  const held = await heldTools();
  await using uploading = await startUploading({ tools: held.tools });
  const { id, patient } = uploading;
  const picture = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  await held.begun;
  const withdrawing = patient.remove(`/v1/uploads/${picture}`);
  held.release();
  expect(await withdrawing).toMatchObject({ status: 409, code: 'WRONG_STATE' });
  expect(await patient.status(id, picture)).toMatchObject({ status: 'ready' });
  expect((await patient.content(id, picture)).status).toBe(200);
});

test('[UPL6] a complete upload that cannot be processed for the time being can be withdrawn', async () => {
  const tools = await attachmentTools();
  await using uploading = await startUploading({ tools: { ...tools, ffmpegPath: null } });
  const { app, id, patient } = uploading;
  const voice = await patient.upload({ consultationId: id, kind: 'voice' }, await tone(1));
  await expect(patient.status(id, voice)).rejects.toThrow('MEDIA_UNAVAILABLE');
  expect(await patient.remove(`/v1/uploads/${voice}`)).toMatchObject({ status: 204 });
  await expect(patient.status(id, voice)).rejects.toThrow('NOT_FOUND');
  expect(await objectsIn(app.dataDir, 'uploads')).toEqual([]);
  expect(await objectsIn(app.dataDir, 'attachments')).toEqual([]);
});

test('[UPL14] an upload that nobody finishes within a day is forgotten, with its bytes; others stay', async () => {
  await using dir = await tempDir();
  const tools = await attachmentTools();
  const before = await startUploading({ dataDir: dir.path, tools: { ...tools, ffmpegPath: null } });
  const { id, patient } = before;
  const ready = await patient.upload(file(id), pdf());
  expect(await patient.ended(id, ready)).toMatchObject({ status: 'ready' });
  const unfinished = await patient.create({ ...file(id), byteSize: 10_000 });
  await patient.patch(unfinished.location, 0, Buffer.alloc(5_000));
  // Complete, but its day ends before there is a tool for it.
  const sound = await patient.upload({ consultationId: id, kind: 'voice' }, await tone(1));
  await before[Symbol.asyncDispose]();

  const clock = () => Date.now() + DAY_MS + 1_000;
  await using after = await restart(before, {
    dataDir: dir.path,
    clock,
    tools: { ...tools, ffmpegPath: null },
  });
  for (const attachmentId of [idOf(unfinished.location), sound])
    await eventually('the upload to be forgotten', async () => {
      const record = await after.app.store.attachments.loadAttachment(AttachmentId.parse(attachmentId));
      return record === null;
    });
  await eventually('the bytes to be gone', async () => (await objectsIn(dir.path, 'uploads')).length === 0);
  expect((await bytesOf(await after.patient.content(id, ready))).equals(pdf())).toBe(true);
  expect(await objectsIn(dir.path, 'attachments')).toHaveLength(1);
});

test('[UPL14] a complete upload that waited for a day has one more chance before it is forgotten', async () => {
  await using dir = await tempDir();
  const tools = await attachmentTools();
  const before = await startUploading({ dataDir: dir.path, tools: { ...tools, ffmpegPath: null } });
  const { id, patient } = before;
  const sound = await patient.upload({ consultationId: id, kind: 'voice' }, await tone(1));
  await expect(patient.status(id, sound)).rejects.toThrow('MEDIA_UNAVAILABLE');
  await before[Symbol.asyncDispose]();
  await using after = await restart(before, { dataDir: dir.path, clock: () => Date.now() + DAY_MS + 1_000 });
  const ready = () => after.app.logs.some((line) => line.includes('attachment.ready'));
  await eventually('the upload to be processed', ready, { lastSeen: () => after.app.logs });
  expect(await after.patient.ended(id, sound)).toMatchObject({ status: 'ready' });
});

test('[UPL14] pieces that a crash has left of finished or withdrawn uploads are removed at the next start', async () => {
  await using dir = await tempDir();
  await using aside = await tempDir();
  const held = await heldTools();
  const before = await startUploading({ dataDir: dir.path, tools: held.tools });
  const { id, patient } = before;
  const objects = join(dir.path, 'objects');
  const bytes = pdf(10_000);
  const finished = await patient.upload(file(id), bytes);
  const withdrawn = await patient.create({ ...file(id), byteSize: 10_000 });
  await patient.patch(withdrawn.location, 0, bytes.subarray(0, 4_000));
  const going = await patient.create({ ...file(id), byteSize: 10_000 });
  await patient.patch(going.location, 0, bytes.subarray(0, 4_000));
  await cp(objects, aside.path, { recursive: true });
  held.release();
  await patient.remove(withdrawn.location);
  expect(await patient.ended(id, finished)).toMatchObject({ status: 'ready' });
  await before[Symbol.asyncDispose]();
  await cp(aside.path, objects, { recursive: true });
  expect(await objectsIn(dir.path, 'uploads')).toHaveLength(3);

  await using after = await restart(before, { dataDir: dir.path });
  const left = () => objectsIn(dir.path, 'uploads');
  await eventually('the leftovers to be removed', async () => (await left()).length === 1, {
    lastSeen: left,
  });
  await after.patient.patch(going.location, 4_000, bytes.subarray(4_000));
  for (const attachmentId of [finished, idOf(going.location)]) {
    expect(await after.patient.ended(id, attachmentId)).toMatchObject({ status: 'ready' });
    expect((await bytesOf(await after.patient.content(id, attachmentId))).equals(bytes)).toBe(true);
  }
});
