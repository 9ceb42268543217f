import { AppError, ConsultationId, RecordingId } from '@teleconsult/protocol';
import { Router } from 'express';
import { z } from 'zod';
import { requireReach } from '../identity/access.ts';
import { OffsetMismatch } from '../notes/dictation-files.ts';
import type { Dictations } from '../notes/dictations.ts';
import { callerOf } from './authenticate.ts';

export interface DictationRouteParts {
  readonly dictations: Pick<Dictations, 'append'>;
}

const Place = z.object({
  consultationId: ConsultationId,
  recordingId: RecordingId,
  number: z.coerce.number().pipe(z.int().min(0).max(999)),
});
const Offset = z.coerce.number().pipe(z.int().min(0).max(Number.MAX_SAFE_INTEGER));

/**
 * Appends bytes to a dictation: 204 with `Upload-Offset`, how far the file reaches on disk. 409 with the same header when
 * the bytes do not go there: the device goes on from that offset.
 */
export function dictationsRouter({ dictations }: DictationRouteParts): Router {
  const router = Router();
  router.put(
    '/v1/consultations/:consultationId/dictations/:recordingId/files/:number',
    async (request, response) => {
      const caller = callerOf(response);
      if (caller.scope !== 'participant') throw new AppError('FORBIDDEN');
      const place = Place.safeParse(request.params);
      if (!place.success) throw new AppError('NOT_FOUND');
      const offset = Offset.safeParse(request.query['offset']);
      if (!offset.success) throw new AppError('INVALID', { detail: 'offset: a number of bytes' });
      requireReach(caller, place.data.consultationId);
      try {
        const reached = await dictations.append(caller.personId, {
          ...place.data,
          offset: offset.data,
          bytes: request as AsyncIterable<Uint8Array>,
        });
        response.status(204).setHeader('Upload-Offset', reached).end();
      } catch (error) {
        if (error instanceof OffsetMismatch) response.setHeader('Upload-Offset', error.byteSize);
        throw error;
      }
    },
  );
  return router;
}
