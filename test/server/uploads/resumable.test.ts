import { randomBytes } from 'node:crypto';
import { AttachmentId } from '@teleconsult/protocol';
import { MemoryObjectStore } from '@teleconsult/server/storage/objects/memory';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { jpeg, pdf } from './samples.ts';
import { bytesOf, idOf } from './tus-client.ts';
import { objectsIn, restart, startUploading } from './uploading.ts';

const MEGABYTE = 1024 * 1024;
/** A PDF of which no two parts are equal. */
const fileOf = (byteSize: number) => pdf(byteSize, randomBytes(byteSize));
const file = (byteSize: number) => ({ kind: 'file' as const, fileName: 'report.pdf', byteSize });

test('[UPL1] an upload arrives in pieces, each answer says how far it is on disk, and the bytes are the same', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const bytes = fileOf(2 * MEGABYTE + 777);
  const created = await patient.create({ consultationId: id, ...file(bytes.byteLength) });
  expect(created).toMatchObject({ status: 201 });
  expect(created.location).toMatch(/^\/v1\/uploads\/att_[0-9A-Za-z]{22}$/);
  const attachmentId = idOf(created.location);
  let offset = 0;
  for (const length of [1, 0, 100_000, MEGABYTE + 1, bytes.byteLength]) {
    expect(await patient.head(created.location)).toMatchObject({ status: 200, offset });
    expect(await patient.status(id, attachmentId)).toEqual({
      status: 'processing',
      attachmentId,
      receivedBytes: offset,
      byteSize: bytes.byteLength,
    });
    const piece = bytes.subarray(offset, offset + length);
    offset += piece.byteLength;
    expect(await patient.patch(created.location, offset - piece.byteLength, piece)).toMatchObject({
      status: 204,
      offset,
    });
  }
  expect(await patient.ended(id, attachmentId)).toMatchObject({ status: 'ready' });
  expect((await bytesOf(await patient.content(id, attachmentId))).equals(bytes)).toBe(true);
  // Nothing of the pieces is left.
  expect(await objectsIn(uploading.app.dataDir, 'uploads')).toEqual([]);
});

test('[UPL2] after a broken connection the upload goes on from what had arrived', async () => {
  await using uploading = await startUploading();
  const { app, id, patient } = uploading;
  const bytes = fileOf(6 * MEGABYTE);
  const { location } = await patient.create({ consultationId: id, ...file(bytes.byteLength) });
  const attachmentId = AttachmentId.parse(idOf(location));
  let offset = 0;
  while (offset < 4 * MEGABYTE) {
    const before = offset;
    const arrived = () =>
      eventually('a part to be on disk', async () => {
        const record = await app.store.attachments.loadAttachment(attachmentId);
        return (record?.receivedBytes ?? 0) > before;
      });
    await patient.breakOff(location, { offset, bytes: bytes.subarray(offset), count: 1_500_000 }, arrived);
    ({ offset } = await patient.head(location));
    expect(offset).toBeGreaterThanOrEqual(before + MEGABYTE);
    expect(offset).toBeLessThanOrEqual(before + 1_500_000);
  }
  expect(await patient.patch(location, offset, bytes.subarray(offset))).toMatchObject({ status: 204 });
  expect(await patient.ended(id, attachmentId)).toMatchObject({ status: 'ready' });
  expect((await bytesOf(await patient.content(id, attachmentId))).equals(bytes)).toBe(true);
});

test('[UPL3] an upload that was begun before a restart of the server goes on after it', async () => {
  await using dir = await tempDir();
  const bytes = fileOf(2 * MEGABYTE);
  const before = await startUploading({ dataDir: dir.path });
  const { location } = await before.patient.create({ consultationId: before.id, ...file(bytes.byteLength) });
  await before.patient.patch(location, 0, bytes.subarray(0, 1_200_000));
  await before[Symbol.asyncDispose]();

  await using after = await restart(before, { dataDir: dir.path });
  const { id, patient } = after;
  expect(await patient.head(location)).toMatchObject({ status: 200, offset: 1_200_000 });
  await patient.patch(location, 1_200_000, bytes.subarray(1_200_000));
  expect(await patient.ended(id, idOf(location))).toMatchObject({ status: 'ready' });
  expect((await bytesOf(await patient.content(id, idOf(location)))).equals(bytes)).toBe(true);
});

test('[UPL4] a piece for another place than where the upload stands is refused and changes nothing', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const bytes = fileOf(10_000);
  const { location } = await patient.create({ consultationId: id, ...file(bytes.byteLength) });
  await patient.patch(location, 0, bytes.subarray(0, 4_000));
  for (const offset of [0, 3_999, 4_001, 10_000])
    expect(await patient.patch(location, offset, bytes.subarray(0, 1_000))).toMatchObject({ status: 409 });
  expect(await patient.head(location)).toMatchObject({ offset: 4_000 });
  // A piece that is longer than what is missing.
  expect(await patient.patch(location, 4_000, bytes)).toMatchObject({ status: 413 });
  expect(await patient.head(location)).toMatchObject({ offset: 4_000 });
});

test('[UPL4] of pieces for one place at once one wins, and the bytes are its', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const bytes = fileOf(300_000);
  const { location } = await patient.create({ consultationId: id, ...file(bytes.byteLength) });
  const pieces = [1, 2, 3, 4].map((number) => bytes.subarray(0, number * 50_000));
  const answers = await Promise.all(pieces.map((piece) => patient.patch(location, 0, piece)));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409, 409, 409]);
  const winner = answers.findIndex(({ status }) => status === 204);
  const { offset } = await patient.head(location);
  expect(offset).toBe(pieces[winner]?.byteLength);
  await patient.patch(location, offset, bytes.subarray(offset));
  expect(await patient.ended(id, idOf(location))).toMatchObject({ status: 'ready' });
  expect((await bytesOf(await patient.content(id, idOf(location)))).equals(bytes)).toBe(true);
});

test('[UPL5] a sender that is still sending when a piece fails sees why, and goes on where it stood', async () => {
  const objects = new MemoryObjectStore();
  await using uploading = await startUploading({ objects });
  const { id, patient } = uploading;
  // More than a part: the first fails while the rest is on its way.
  const bytes = fileOf(1_500_000);
  const { location } = await patient.create({ consultationId: id, ...file(bytes.byteLength) });
  for (let time = 0; time < 8; time += 1) {
    objects.nextCall('full');
    expect(await patient.patch(location, 0, bytes)).toMatchObject({ status: 507, code: 'STORAGE_FULL' });
    expect(await patient.head(location)).toMatchObject({ offset: 0 });
  }
  objects.nextCall('unavailable');
  expect(await patient.patch(location, 0, bytes)).toMatchObject({ status: 503, code: 'STORAGE_UNAVAILABLE' });
  expect(await patient.patch(location, 0, bytes)).toMatchObject({ status: 204, offset: bytes.byteLength });
});

test('[UPL6] an upload that was withdrawn is gone, with its bytes', async () => {
  await using uploading = await startUploading();
  const { app, id, patient } = uploading;
  const bytes = fileOf(3 * MEGABYTE);
  const { location } = await patient.create({ consultationId: id, ...file(bytes.byteLength) });
  await patient.patch(location, 0, bytes.subarray(0, 2_500_000));
  expect(await objectsIn(app.dataDir, 'uploads')).not.toEqual([]);
  expect(await patient.remove(location)).toMatchObject({ status: 204 });
  expect(await objectsIn(app.dataDir, 'uploads')).toEqual([]);
  for (const answer of [
    await patient.head(location),
    await patient.patch(location, 2_500_000, bytes.subarray(2_500_000)),
    await patient.remove(location),
  ])
    expect(answer.status).toBe(404);
  await expect(patient.status(id, idOf(location))).rejects.toThrow('NOT_FOUND');
});

test('[UPL6] what has become an attachment cannot be withdrawn', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const ready = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  const refused = await patient.upload({ consultationId: id, kind: 'image' }, Buffer.from('no picture'));
  for (const [attachmentId, status] of [
    [ready, 'ready'],
    [refused, 'refused'],
  ] as const) {
    expect(await patient.ended(id, attachmentId)).toMatchObject({ status });
    expect(await patient.remove(`/v1/uploads/${attachmentId}`)).toMatchObject({
      status: 409,
      code: 'WRONG_STATE',
    });
    expect(await patient.status(id, attachmentId)).toMatchObject({ status });
  }
});
