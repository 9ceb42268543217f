import type { AttachmentKind, MessageEntry } from '@teleconsult/protocol';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { personToken } from '../../helpers/test-tokens.ts';
import { exe, html, jpeg, pdf, svg, tone } from './samples.ts';
import { bytesOf, TusClient } from './tus-client.ts';
import { startUploading, type Uploading } from './uploading.ts';

const send = ({ visit, id }: Uploading, by: 'patient' | 'doctor', content: object) =>
  visit[by].emit('message.send', {
    consultationId: id,
    clientMessageId: `message-${Math.random().toString(36).slice(2, 10).padEnd(8, '0')}`,
    content,
  });

const refusedWith = (code: string, detail?: string) => ({
  ok: false,
  error: { code, ...(detail === undefined ? {} : { detail }) },
});

test('[UPL9] a picture becomes ready with its size, a placeholder and a small variant', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const attachmentId = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg(1200, 800));
  const status = await patient.ended(id, attachmentId);
  expect(status).toMatchObject({
    status: 'ready',
    attachment: { attachmentId, kind: 'image', contentType: 'image/jpeg', width: 1200, height: 800 },
  });
  const attachment =
    status.status === 'ready' && status.attachment.kind === 'image' ? status.attachment : null;
  expect(Buffer.from(attachment?.thumbhash ?? '', 'base64').byteLength).toBeGreaterThan(4);
  const original = await patient.content(id, attachmentId);
  const bytes = await bytesOf(original);
  expect(original.headers.get('content-type')).toBe('image/jpeg');
  expect(bytes.byteLength).toBe(attachment?.byteSize);
  expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width: 1200, height: 800 });
  const small = await patient.content(id, attachmentId, { variant: 'thumbnail' });
  expect(small.headers.get('content-type')).toBe('image/webp');
  expect(await sharp(await bytesOf(small)).metadata()).toMatchObject({ format: 'webp', width: 480 });
});

test('[UPL9] a voice message becomes ready with its duration and its loudness over time', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const attachmentId = await patient.upload({ consultationId: id, kind: 'voice' }, await tone(2));
  const status = await patient.ended(id, attachmentId);
  if (status.status !== 'ready' || status.attachment.kind !== 'voice') throw new Error(status.status);
  const { durationMs, peaks, contentType } = status.attachment;
  expect(contentType).toBe('audio/webm; codecs=opus');
  expect(Math.abs(durationMs - 2_000)).toBeLessThan(150);
  expect(peaks).toHaveLength(64);
  expect(Math.min(...peaks.slice(2, 30))).toBeGreaterThan(20);
  expect(Math.max(...peaks.slice(34, 62))).toBeLessThan(5);
  expect((await patient.content(id, attachmentId, { variant: 'thumbnail' })).status).toBe(404);
});

test('[UPL9] [UPL12] a file stays byte for byte, and is given out as a thing to save, never to run', async () => {
  await using uploading = await startUploading();
  const { id, patient, doctor } = uploading;
  const bytes = pdf(100_000);
  const attachmentId = await patient.upload(
    { consultationId: id, kind: 'file', fileName: '报告 "x".pdf', contentType: 'text/html' },
    bytes,
  );
  expect(await patient.ended(id, attachmentId)).toMatchObject({
    status: 'ready',
    attachment: { kind: 'file', contentType: 'application/pdf', byteSize: 100_000 },
  });
  const response = await doctor.content(id, attachmentId);
  expect((await bytesOf(response)).equals(bytes)).toBe(true);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/pdf',
    'content-length': '100000',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
    'content-disposition': expect.stringMatching(/^attachment; filename="/),
  });
});

test.each<[string, AttachmentKind, () => Buffer | Promise<Buffer>, string]>([
  ['SVG', 'image', svg, 'picture.png'],
  ['MP3 called PNG', 'image', () => tone(1, 'mp3'), 'picture.png'],
  ['a PDF called JPEG', 'image', pdf, 'picture.jpg'],
  ['a picture', 'voice', () => jpeg(), 'voice.ogg'],
  ['a web page', 'file', html, 'report.txt'],
  ['a program', 'file', exe, 'report.pdf'],
  ['a document called a program', 'file', pdf, 'report.exe'],
  ['a picture', 'file', () => jpeg(), 'report.pdf'],
])(
  '[UPL10] %s is refused as %s with a reason for people, and cannot be sent',
  async (_what, kind, make, fileName) => {
    await using uploading = await startUploading();
    const { id, patient, doctor } = uploading;
    const attachmentId = await patient.upload({ consultationId: id, kind, fileName }, await make());
    const status = await patient.ended(id, attachmentId);
    expect(status).toMatchObject({ status: 'refused', code: 'UNSUPPORTED_MEDIA' });
    expect(status.status === 'refused' && status.detail).toMatch(/^[A-Z].*\.$/);
    expect(await send(uploading, 'patient', { type: kind, attachmentId })).toMatchObject(
      refusedWith('ATTACHMENT_NOT_READY', 'refused'),
    );
    for (const client of [patient, doctor]) {
      const response = await client.content(id, attachmentId);
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({ code: 'ATTACHMENT_NOT_READY' });
    }
  },
);

test('[UPL11] a ready attachment is sent with a caption, and the others read what the sender saw', async () => {
  await using uploading = await startUploading();
  const { visit, id, patient, doctor } = uploading;
  const attachmentId = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  const status = await patient.ended(id, attachmentId);
  const content = { type: 'image', attachmentId, caption: 'my foot' };
  expect(await send(uploading, 'patient', content)).toMatchObject({ ok: true });
  const entry = await visit.doctor.fact('entry.added', ({ kind }) => kind === 'message.sent');
  expect((entry as MessageEntry).content).toEqual({
    type: 'image',
    caption: 'my foot',
    attachment: status.status === 'ready' && status.attachment,
  });
  expect((await doctor.content(id, attachmentId)).status).toBe(200);
});

test('[UPL11] an upload that is not complete cannot be sent or read', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const { location } = await patient.create({ consultationId: id, kind: 'image', byteSize: 1_000 });
  const attachmentId = location.slice(-26);
  await patient.patch(location, 0, Buffer.alloc(999));
  expect(await send(uploading, 'patient', { type: 'image', attachmentId })).toMatchObject(
    refusedWith('ATTACHMENT_NOT_READY', 'processing'),
  );
  expect((await patient.content(id, attachmentId)).status).toBe(409);
});

test('[UPL11] only one’s own attachment, of this consultation and of the kind it is sent as, can be sent', async () => {
  await using uploading = await startUploading();
  const { app, visit, id, patient } = uploading;
  const attachmentId = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  await patient.ended(id, attachmentId);
  const asImage = { type: 'image', attachmentId };
  expect(await send(uploading, 'doctor', asImage)).toMatchObject(refusedWith('NOT_FOUND'));
  for (const type of ['voice', 'file'])
    expect(await send(uploading, 'patient', { type, attachmentId })).toMatchObject(refusedWith('INVALID'));
  const nowhere = { type: 'image', attachmentId: 'att_0000000000000000000000' };
  expect(await send(uploading, 'patient', nowhere)).toMatchObject(refusedWith('NOT_FOUND'));

  const suffix = visit.view.participants[0]?.personId.replace('patient-', '') ?? '';
  const other = await app.createConsultation(suffix);
  const same = new TusClient(app.origin, personToken(`patient-${suffix}`));
  expect((await same.content(other.consultationId, attachmentId)).status).toBe(404);
  expect(await send({ ...uploading, id: other.consultationId }, 'patient', asImage)).toMatchObject(
    refusedWith('NOT_FOUND'),
  );
  const { entries } = await visit.patient.request('thread.page', { consultationId: id, afterSequence: 0 });
  expect(entries.some(({ kind }) => kind === 'message.sent')).toBe(false);
});
