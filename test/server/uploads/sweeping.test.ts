import type { AttachmentId, ConsultationId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Announces a file of `byteSize` bytes; answers the response. */
function announce(
  app: TestApp,
  consultationId: ConsultationId,
  token: string,
  byteSize: number,
): Promise<Response> {
  return fetch(`${app.origin}/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'tus-resumable': '1.0.0',
      'upload-length': String(byteSize),
      'upload-metadata': `consultationId ${encode(consultationId)},kind ${encode('file')},fileName ${encode('a.txt')}`,
    },
  });
}

const append = (
  app: TestApp,
  location: string,
  token: string,
  text: string,
  offset: number,
): Promise<Response> =>
  fetch(new URL(location, app.origin), {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      'content-type': 'application/offset+octet-stream',
    },
    body: text,
  });

test('[UPL20] an upload that is completed while old ones are swept is kept, with its bytes', async () => {
  await using app = await startTestApp();
  const view = await app.createConsultation();
  const token = personToken(peopleOf(view).patient);
  const text = 'a report of several words\n';
  const location =
    (await announce(app, view.consultationId, token, text.length)).headers.get('location') ?? '';
  await append(app, location, token, text.slice(0, 5), 0);
  const attachmentId = location.split('/').at(-1) as AttachmentId;
  // What the sweep listed when the upload was old and unfinished …
  const [listed] = await app.store.attachments.staleAttachments(Number.MAX_SAFE_INTEGER, 10);
  expect(listed?.receivedBytes).toBe(5);
  await append(app, location, token, text.slice(5), 5);
  const path = `${app.origin}/v1/consultations/${view.consultationId}/attachments/${attachmentId}`;
  const headers = { authorization: `Bearer ${token}` };
  await eventually('the upload to be ready', async () =>
    (await (await fetch(path, { headers })).text()).includes('"ready"'),
  );
  // … no longer removes anything.
  expect(await app.store.attachments.removeAttachment(attachmentId, listed?.receivedBytes ?? 0)).toBe(false);
  expect(await (await fetch(`${path}/content`, { headers })).text()).toBe(text);
});

test('[UPL21] a person cannot fill the disk with uploads that are never finished', async () => {
  await using app = await startTestApp();
  const view = await app.createConsultation();
  const token = personToken(peopleOf(view).patient);
  const answers: number[] = [];
  for (let index = 0; index < 12; index++)
    answers.push((await announce(app, view.consultationId, token, 50 * 1024 * 1024)).status);
  expect(answers.filter((status) => status === 201)).toHaveLength(10);
  expect(answers.at(-1)).toBe(429);
  const other = await announce(app, view.consultationId, personToken(peopleOf(view).doctor), 1_000);
  expect(other.status).toBe(201);
});
