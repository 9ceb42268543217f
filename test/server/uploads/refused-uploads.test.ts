import { type ConsultationId, MAX_UPLOAD_BYTES } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { personToken } from '../../helpers/test-tokens.ts';
import { pdf } from './samples.ts';
import { type TusAnswer, TusClient } from './tus-client.ts';
import { startUploading, type Uploading } from './uploading.ts';

const metadata = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');

const create = (client: TusClient, headers: Readonly<Record<string, string>>): Promise<TusAnswer> =>
  client.send('POST', '/v1/uploads', headers);

const image = (id: ConsultationId) => ({ consultationId: id, kind: 'image' as const, byteSize: 1_000 });

test.each(Object.keys(MAX_UPLOAD_BYTES) as (keyof typeof MAX_UPLOAD_BYTES)[])(
  '[UPL7] an upload of kind %s may be as large as its kind allows and not a byte larger',
  async (kind) => {
    await using uploading = await startUploading();
    const { id, patient } = uploading;
    const announce = (byteSize: number) => patient.create({ consultationId: id, kind, byteSize });
    expect(await announce(MAX_UPLOAD_BYTES[kind])).toMatchObject({ status: 201 });
    expect(await announce(MAX_UPLOAD_BYTES[kind] + 1)).toMatchObject({ status: 413, location: '' });
    expect(await announce(Number.MAX_SAFE_INTEGER)).toMatchObject({ status: 413, location: '' });
  },
);

test('[UPL7] an upload without a byte is refused', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  expect(await patient.create({ ...image(id), byteSize: 0 })).toMatchObject({ status: 400, code: 'INVALID' });
});

test('[UPL7] an upload that is not described as documented is refused, and its words are not repeated', async () => {
  await using uploading = await startUploading();
  const { id, patient } = uploading;
  const length = { 'upload-length': '1000' };
  const described = (fields: Readonly<Record<string, string>>) =>
    create(patient, { ...length, 'upload-metadata': metadata(fields) });
  const answers = {
    'no metadata': await create(patient, length),
    'metadata that is none': await create(patient, { ...length, 'upload-metadata': 'kind !!' }),
    'no consultation': await described({ kind: 'image' }),
    'an odd consultation': await described({ kind: 'image', consultationId: 'cns_CANARY' }),
    'no kind': await described({ consultationId: id }),
    'an unknown kind': await described({ consultationId: id, kind: 'CANARY' }),
    'a name that is too long': await described({
      consultationId: id,
      kind: 'image',
      fileName: 'CANARY'.repeat(500),
    }),
    'no length': await create(patient, {
      'upload-metadata': metadata({ consultationId: id, kind: 'image' }),
    }),
    'a negative length': await create(patient, {
      'upload-length': '-1',
      'upload-metadata': metadata({ consultationId: id, kind: 'image' }),
    }),
  };
  for (const [what, { status, text, location }] of Object.entries(answers)) {
    expect({ what, status, location }).toEqual({ what, status: 400, location: '' });
    expect(text).not.toContain('CANARY');
  }
});

/** Every request that can be made of an upload, by this client. */
async function everyRequest(client: TusClient, location: string): Promise<number[]> {
  const answers = [
    await client.head(location),
    await client.patch(location, 0, Buffer.alloc(10)),
    await client.remove(location),
  ];
  return answers.map(({ status }) => status);
}

test('[UPL8] an upload is its sender’s alone: to everybody else it looks like none', async () => {
  await using uploading = await startUploading();
  const { app, id, patient, doctor } = uploading;
  const stranger = new TusClient(app.origin, personToken('stranger'));
  const { location } = await patient.create(image(id));
  const missing = '/v1/uploads/att_0000000000000000000000';
  for (const client of [doctor, stranger]) {
    expect(await everyRequest(client, location)).toEqual([404, 404, 404]);
    const answers = [
      await client.patch(location, 0, Buffer.alloc(10)),
      await client.patch(missing, 0, Buffer.alloc(10)),
    ].map(({ status, code }) => ({ status, code }));
    expect(answers[0]).toEqual(answers[1]);
  }
  expect(await everyRequest(patient, '/v1/uploads/nonsense')).toEqual([404, 404, 404]);
  expect(await patient.head(location)).toMatchObject({ status: 200, offset: 0 });
  expect(await stranger.create(image(id))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  expect((await stranger.get(`/v1/consultations/${id}/attachments/${location.slice(-26)}`)).status).toBe(404);
});

test('[UPL8] a token for one consultation reaches no upload of another', async () => {
  await using first = await startUploading();
  const { app, id, patient } = first;
  const person = first.visit.view.participants[0]?.personId ?? '';
  const other = await app.createConsultation();
  const narrow = new TusClient(app.origin, personToken(person, other.consultationId));
  const { location } = await patient.create(image(id));
  expect(await everyRequest(narrow, location)).toEqual([404, 404, 404]);
  expect(await narrow.create(image(id))).toMatchObject({ status: 404 });
});

test('[UPL8] without a good token nothing is answered but 401', async () => {
  await using uploading = await startUploading();
  const { app, id, patient } = uploading;
  const { location } = await patient.create(image(id));
  for (const token of ['', 'nonsense', `${personToken('stranger')}x`]) {
    const client = new TusClient(app.origin, token);
    expect(await everyRequest(client, location)).toEqual([401, 401, 401]);
    expect((await client.create(image(id))).status).toBe(401);
  }
});

async function refusedAfterEnding({ id, visit, patient }: Uploading): Promise<TusAnswer> {
  await visit.doctor.request('consultation.end', { consultationId: id });
  return patient.create(image(id));
}

test('[UPL8] nothing new is uploaded to a consultation that has ended', async () => {
  await using uploading = await startUploading();
  expect(await refusedAfterEnding(uploading)).toMatchObject({ status: 409, code: 'WRONG_STATE' });
});

test('[UPL8] a consultation that waits takes uploads already', async () => {
  await using uploading = await startUploading();
  const view = await uploading.app.createConsultation('waiting');
  const waiting = new TusClient(uploading.app.origin, personToken('patient-waiting'));
  const attachmentId = await waiting.upload(
    { consultationId: view.consultationId, kind: 'file', fileName: 'a.pdf' },
    pdf(),
  );
  expect(await waiting.ended(view.consultationId, attachmentId)).toMatchObject({ status: 'ready' });
});
