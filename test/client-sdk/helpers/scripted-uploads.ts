import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  AppError,
  Attachment,
  AttachmentId,
  AttachmentStatus,
  type ErrorCode,
  errorCatalogue,
} from '@teleconsult/protocol';
import { minted } from './samples.ts';
import type { ScriptedServer } from './scripted-server.ts';

export interface ScriptedUpload {
  readonly id: AttachmentId;
  readonly metadata: Readonly<Record<string, string>>;
  readonly length: number;
  bytes: Buffer;
}

/** tus 1.0 with creation, and the two routes of attachments, on a scripted server. */
export class ScriptedUploads {
  readonly uploads: ScriptedUpload[] = [];
  /** Method and path of every request, in order. */
  readonly requests: string[] = [];
  /** Most transfers that ran at the same time. */
  mostAtOnce = 0;
  #running = 0;
  /** Answers what a request is refused with; null lets it through. */
  admit: (token: string, request: IncomingMessage) => ErrorCode | null = () => null;
  /** Asked after each piece of a chunk: true drops the connection there. */
  cuts: (upload: ScriptedUpload) => boolean | Promise<boolean> = () => false;
  /** What the server makes of a complete upload. */
  settle: (upload: ScriptedUpload) => AttachmentStatus = (upload) => this.ready(upload);

  constructor(server: ScriptedServer) {
    server.serve = (request, response) => this.#serve(request, response);
  }

  ready({ id, metadata, bytes }: ScriptedUpload): AttachmentStatus {
    const attachment = Attachment.parse({
      attachmentId: id,
      kind: 'file',
      contentType: metadata['contentType'],
      byteSize: Math.max(bytes.length, 1),
      fileName: metadata['fileName'],
    });
    return AttachmentStatus.parse({ status: 'ready', attachmentId: id, attachment });
  }

  /** As the real server after a day: the upload is gone. */
  forget(id: AttachmentId): void {
    const index = this.uploads.findIndex((upload) => upload.id === id);
    if (index >= 0) this.uploads.splice(index, 1);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    this.requests.push(`${method} ${url}`);
    try {
      const code = this.admit((request.headers.authorization ?? '').slice('Bearer '.length), request);
      if (code !== null) throw new AppError(code);
      if (method === 'POST') this.#create(request, response);
      else if (method === 'HEAD') this.#tellOffset(url, response);
      else if (method === 'PATCH') await this.#append(request, response);
      else if (url.includes('/content')) this.#answerContent(url, response);
      else this.#answerStatus(url, response);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { code, message: title } = error;
      const status = errorCatalogue[code].httpStatus;
      const problem = { type: 'about:blank', title, status, code, requestId: 'request-1' };
      response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    }
  }

  #create(request: IncomingMessage, response: ServerResponse): void {
    const pairs = String(request.headers['upload-metadata']).split(',');
    const metadata = Object.fromEntries(
      pairs.map((pair) => {
        const [key = '', value = ''] = pair.split(' ');
        return [key, Buffer.from(value, 'base64').toString()];
      }),
    );
    const id = AttachmentId.parse(minted('att'));
    const length = Number(request.headers['upload-length']);
    this.uploads.push({ id, metadata, length, bytes: Buffer.alloc(0) });
    response.writeHead(201, { location: `/v1/uploads/${id}`, 'tus-resumable': '1.0.0' }).end();
  }

  #tellOffset(url: string, response: ServerResponse): void {
    const { bytes, length } = this.#find(url);
    const headers = { 'upload-offset': bytes.length, 'upload-length': length, 'tus-resumable': '1.0.0' };
    response.writeHead(200, headers).end();
  }

  async #append(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const upload = this.#find(request.url ?? '');
    if (Number(request.headers['upload-offset']) !== upload.bytes.length) throw new AppError('WRONG_STATE');
    this.#running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#running);
    try {
      for await (const piece of request) {
        upload.bytes = Buffer.concat([upload.bytes, piece as Buffer]);
        if (await this.cuts(upload)) {
          request.socket.destroy();
          return;
        }
      }
      const headers = { 'upload-offset': upload.bytes.length, 'tus-resumable': '1.0.0' };
      response.writeHead(204, headers).end();
    } catch {
      // The client went away in the middle of a chunk; what has come is kept.
    } finally {
      this.#running -= 1;
    }
  }

  #answerStatus(url: string, response: ServerResponse): void {
    const upload = this.#find(url);
    const { id, bytes, length } = upload;
    const status =
      bytes.length < length
        ? { status: 'processing', attachmentId: id, receivedBytes: bytes.length, byteSize: length }
        : this.settle(upload);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(AttachmentStatus.parse(status)));
  }

  #answerContent(url: string, response: ServerResponse): void {
    const { bytes, metadata } = this.#find(url);
    response.writeHead(200, { 'content-type': metadata['contentType'] }).end(bytes);
  }

  #find(url: string): ScriptedUpload {
    const found = this.uploads.find(({ id }) => url.includes(id));
    if (found === undefined) throw new AppError('NOT_FOUND');
    return found;
  }
}
