import { request } from 'node:http';
import type { AttachmentKind, AttachmentStatus, ConsultationId, Problem } from '@teleconsult/protocol';
import { eventually } from '../../helpers/eventually.ts';

export interface Announcement {
  readonly consultationId: ConsultationId;
  readonly kind: AttachmentKind;
  readonly byteSize: number;
  readonly fileName?: string;
  readonly contentType?: string;
}

/** An answer with what tells how an upload stands. */
export interface TusAnswer {
  readonly status: number;
  readonly location: string;
  /** NaN where the answer names none. */
  readonly offset: number;
  readonly text: string;
  /** The code of a problem, or an empty text. */
  readonly code: string;
}

const PART_TYPE = 'application/offset+octet-stream';

const encode = (metadata: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(metadata)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${Buffer.from(value).toString('base64')}`],
    )
    .join(',');

/** The tus protocol by hand, for what a client library would never send. */
export class TusClient {
  readonly #origin: string;
  readonly #token: string;

  constructor(origin: string, token: string) {
    this.#origin = origin;
    this.#token = token;
  }

  create(announced: Announcement): Promise<TusAnswer> {
    const { byteSize, ...metadata } = announced;
    return this.send('POST', '/v1/uploads', {
      'upload-length': String(byteSize),
      'upload-metadata': encode(metadata),
    });
  }

  patch(location: string, offset: number, bytes: Uint8Array): Promise<TusAnswer> {
    return this.send(
      'PATCH',
      location,
      { 'upload-offset': String(offset), 'content-type': PART_TYPE },
      bytes,
    );
  }

  head(location: string): Promise<TusAnswer> {
    return this.send('HEAD', location, {});
  }

  remove(location: string): Promise<TusAnswer> {
    return this.send('DELETE', location, {});
  }

  /** Any request of the protocol. */
  async send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Promise<TusAnswer> {
    const response = await fetch(this.#origin + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'tus-resumable': '1.0.0', ...headers },
      ...(body === undefined ? {} : { body: Uint8Array.from(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      location: response.headers.get('location') ?? '',
      offset: Number(response.headers.get('upload-offset') ?? Number.NaN),
      text,
      code: codeOf(text),
    };
  }

  /** Begins a PATCH of all these bytes, sends the first `count` of them, waits a sign, and breaks the connection. */
  async breakOff(
    location: string,
    part: { offset: number; bytes: Uint8Array; count: number },
    sign: () => Promise<unknown>,
  ): Promise<void> {
    const { offset, bytes, count } = part;
    const sending = request(this.#origin + location, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${this.#token}`,
        'tus-resumable': '1.0.0',
        'upload-offset': String(offset),
        'content-type': PART_TYPE,
        'content-length': String(bytes.byteLength),
      },
    });
    sending.on('error', () => undefined);
    sending.write(bytes.subarray(0, count));
    await sign();
    sending.destroy();
  }

  /** The whole of it in one request; answers the attachment's id. */
  async upload(announced: Omit<Announcement, 'byteSize'>, bytes: Uint8Array): Promise<string> {
    const created = await this.create({ ...announced, byteSize: bytes.byteLength });
    if (created.status !== 201) throw new Error(`creating answered ${created.status}: ${created.text}`);
    const sent = await this.patch(created.location, 0, bytes);
    if (sent.status !== 204) throw new Error(`sending answered ${sent.status}: ${sent.text}`);
    return idOf(created.location);
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(this.#origin + path, { headers: { authorization: `Bearer ${this.#token}`, ...headers } });
  }

  async status(consultationId: ConsultationId, attachmentId: string): Promise<AttachmentStatus> {
    const response = await this.get(attachmentPath(consultationId, attachmentId));
    const answer = (await response.json()) as AttachmentStatus | Problem;
    if ('code' in answer && !('attachmentId' in answer)) throw new Error(answer.code);
    return answer as AttachmentStatus;
  }

  /** How it ended: `ready` or `refused`. */
  ended(
    consultationId: ConsultationId,
    attachmentId: string,
  ): Promise<Exclude<AttachmentStatus, { status: 'processing' }>> {
    return eventually(
      'the attachment to be processed',
      async () => {
        const status = await this.status(consultationId, attachmentId);
        return status.status === 'processing' ? null : status;
      },
      { withinMs: 20_000 },
    );
  }

  content(
    consultationId: ConsultationId,
    attachmentId: string,
    options: { range?: string; variant?: string } = {},
  ): Promise<Response> {
    const query = options.variant === undefined ? '' : `?variant=${options.variant}`;
    return this.get(
      `${attachmentPath(consultationId, attachmentId)}/content${query}`,
      options.range === undefined ? {} : { range: options.range },
    );
  }
}

export const idOf = (location: string): string => location.split('/').at(-1) ?? '';

export const attachmentPath = (consultationId: ConsultationId, attachmentId: string): string =>
  `/v1/consultations/${consultationId}/attachments/${attachmentId}`;

export const bytesOf = async (response: Response): Promise<Buffer> =>
  Buffer.from(await response.arrayBuffer());

function codeOf(text: string): string {
  try {
    return (JSON.parse(text) as Partial<Problem>).code ?? '';
  } catch {
    return '';
  }
}
