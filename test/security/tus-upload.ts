import { AttachmentId, type ConsultationId } from '@teleconsult/protocol';

const TUS = { 'tus-resumable': '1.0.0' };

export interface TextUpload {
  readonly token: string;
  readonly consultationId: ConsultationId;
  readonly text: string;
  readonly fileName: string;
}

/** Uploads a text file in one piece, by the protocol's two requests. */
export async function uploadText(
  origin: string,
  { token, consultationId, text, fileName }: TextUpload,
): Promise<AttachmentId> {
  const authorization = `Bearer ${token}`;
  const metadata = { consultationId, kind: 'file', fileName, contentType: 'text/plain' };
  const created = await fetch(`${origin}/v1/uploads`, {
    method: 'POST',
    headers: {
      ...TUS,
      authorization,
      'upload-length': `${Buffer.byteLength(text)}`,
      'upload-metadata': Object.entries(metadata)
        .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
        .join(','),
    },
  });
  if (created.status !== 201) throw new Error(`creating answered ${created.status}: ${await created.text()}`);
  const location = new URL(created.headers.get('location') ?? '', origin);
  const sent = await fetch(location, {
    method: 'PATCH',
    headers: {
      ...TUS,
      authorization,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
    },
    body: text,
  });
  if (sent.status !== 204) throw new Error(`sending answered ${sent.status}: ${await sent.text()}`);
  return AttachmentId.parse(location.pathname.split('/').at(-1));
}
