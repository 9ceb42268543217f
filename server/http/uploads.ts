import { AppError, AttachmentId, MAX_UPLOAD_BYTES } from '@teleconsult/protocol';
import { Server as TusServer } from '@tus/server';
import type { RequestHandler } from 'express';
import type { IdGenerator, Log } from '../host/ports.ts';
import type { AttachmentLibrary } from '../uploads/attachment-library.ts';
import type { UploadDataStore } from '../uploads/upload-data-store.ts';
import { callerOf } from './authenticate.ts';
import { toAppError } from './problem.ts';

export const UPLOADS_PATH = '/v1/uploads';

export interface UploadRouteParts {
  readonly dataStore: UploadDataStore;
  readonly library: AttachmentLibrary;
  readonly ids: IdGenerator;
  readonly log: Log;
}

/** Resumable uploads by the tus protocol 1.0 (https://tus.io/protocols/resumable-upload). */
export function uploadsHandler({ dataStore, library, ids, log }: UploadRouteParts): RequestHandler {
  const tus = new TusServer({
    path: UPLOADS_PATH,
    datastore: dataStore,
    relativeLocation: true,
    maxSize: Math.max(...Object.values(MAX_UPLOAD_BYTES)),
    allowedOrigins: [],
    namingFunction: () => ids.attachmentId(),
    onUploadFinish: async (_request, upload) => {
      // The bytes are safe; what they are is found out behind the answer, and asked for by its status.
      library.process(AttachmentId.parse(upload.id)).catch((error: unknown) => {
        log.warn('attachment.deferred', { attachment: upload.id, code: toAppError(error).code });
      });
      return {};
    },
    onResponseError: (_request, error) => {
      // The library's own refusals (bad headers, wrong offsets) carry their status.
      if (!(error instanceof Error) && error.status_code < 500) return undefined;
      // Ours go on to where every route's do, and are answered in the same form.
      throw error;
    },
  });
  return async (request, response) => {
    const caller = callerOf(response);
    if (caller.scope !== 'participant') throw new AppError('FORBIDDEN');
    await dataStore.caller.run(caller, () => tus.handle(request, response));
  };
}
