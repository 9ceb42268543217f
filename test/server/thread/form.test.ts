import type { ConsultationId, MessageDraft } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { jpeg, pdf, svg, tone } from '../uploads/samples.ts';
import { startUploading, type Uploading } from '../uploads/uploading.ts';
import { newId, send, threadOf } from './conversation.ts';

type FormDraft = Extract<MessageDraft, { type: 'form' }>['form'];
type Purpose = FormDraft['attachments'][number]['purpose'];

const form = (
  attachments: readonly (readonly [Purpose, string])[] = [],
  change: Partial<FormDraft> = {},
): MessageDraft => ({
  type: 'form',
  form: {
    chiefComplaint: 'Headache since Monday',
    duration: { value: 3, unit: 'days' },
    symptoms: ['dizzy'],
    temperatureCelsius: 38.5,
    ...change,
    attachments: attachments.map(([purpose, attachmentId]) => ({
      purpose,
      attachmentId: attachmentId as never,
    })),
  },
});

async function uploaded(
  { patient, id }: Pick<Uploading, 'patient'> & { id: ConsultationId },
  kind: 'image' | 'file' | 'voice',
): Promise<string> {
  const bytes = { image: () => jpeg(), file: async () => pdf(), voice: () => tone(1) }[kind];
  const attachmentId = await patient.upload(
    { consultationId: id, kind, ...(kind === 'file' ? { fileName: 'a.pdf' } : {}) },
    await bytes(),
  );
  await patient.ended(id, attachmentId);
  return attachmentId;
}

test('[FORM1] a form is read with its fields, and its pictures and documents in order', async () => {
  await using uploading = await startUploading();
  const { id, visit } = uploading;
  const [tongue, face, report] = [
    await uploaded(uploading, 'image'),
    await uploaded(uploading, 'image'),
    await uploaded(uploading, 'file'),
  ];
  await send(
    visit.patient,
    id,
    form([
      ['report', report],
      ['tongue', tongue],
      ['face', face],
    ]),
  );
  const entry = (await threadOf(visit.doctor, id)).at(-1);
  expect(entry).toMatchObject({
    content: {
      type: 'form',
      form: {
        chiefComplaint: 'Headache since Monday',
        temperatureCelsius: 38.5,
        attachments: [
          { purpose: 'report', attachment: { attachmentId: report, kind: 'file', fileName: 'a.pdf' } },
          { purpose: 'tongue', attachment: { attachmentId: tongue, kind: 'image' } },
          { purpose: 'face', attachment: { attachmentId: face, kind: 'image' } },
        ],
      },
    },
  });
  await visit.doctor.fact('entry.added', ({ sequence }) => sequence === entry?.sequence);
});

test('[FORM2] a form shows only the patient’s own ready pictures and documents', async () => {
  await using uploading = await startUploading();
  const { id, visit, patient, doctor } = uploading;
  const sending = (attachmentId: string) => send(visit.patient, id, form([['other', attachmentId]]));
  const mine = await uploaded(uploading, 'image');
  const voice = await uploaded(uploading, 'voice');
  await expect(sending(voice)).rejects.toThrow('INVALID');
  const theirs = await doctor.upload({ consultationId: id, kind: 'image' }, await jpeg());
  await doctor.ended(id, theirs);
  await expect(sending(theirs)).rejects.toThrow('NOT_FOUND');
  await expect(sending(`att_${'0'.repeat(22)}`)).rejects.toThrow('NOT_FOUND');
  const refused = await patient.upload({ consultationId: id, kind: 'image' }, svg());
  await patient.ended(id, refused);
  await expect(sending(refused)).rejects.toThrow('ATTACHMENT_NOT_READY');
  const forDoctor = send(visit.doctor, id, form([['other', theirs]]));
  await expect(forDoctor).rejects.toThrow('FORBIDDEN');
  await sending(mine);
});

test('[FORM3] a form is sent once whatever is repeated, and recalled with all it shows', async () => {
  await using uploading = await startUploading();
  const { id, visit, doctor } = uploading;
  const [one, two] = [await uploaded(uploading, 'image'), await uploaded(uploading, 'file')];
  const draft = form([
    ['tongue', one],
    ['record', two],
  ]);
  const clientMessageId = newId();
  const [first, again] = await Promise.all([1, 2].map(() => send(visit.patient, id, draft, clientMessageId)));
  expect(again).toEqual(first);
  const other = form([['tongue', one]], { chiefComplaint: 'Other' });
  await expect(send(visit.patient, id, other, clientMessageId)).rejects.toThrow('CONFLICT');
  await visit.patient.request('message.recall', { consultationId: id, sequence: first?.sequence ?? 0 });
  for (const attachmentId of [one, two]) expect((await doctor.content(id, attachmentId)).status).toBe(404);
  expect(await send(visit.patient, id, draft, clientMessageId)).toEqual(first);
  await expect(send(visit.patient, id, other, clientMessageId)).rejects.toThrow('CONFLICT');
});
