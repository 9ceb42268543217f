import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { AppError, type Participant, type RouteName, routes } from '@teleconsult/protocol';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { ConsultationHost } from '../host/host.ts';
import { readerOf } from '../identity/access.ts';
import type { Caller } from '../identity/tokens.ts';
import type { Playback } from '../playback/playback.ts';
import type { PhoneDesk } from '../telephony/phone-desk.ts';
import type { AttachmentLibrary } from '../uploads/attachment-library.ts';
import { consultation, named, parse } from './asked.ts';
import { callerOf } from './authenticate.ts';
import { clipEndpoints } from './clips.ts';

const MAX_BODY_BYTES = 64 * 1024;

export type Endpoint = (request: Request, response: Response, caller: Caller) => Promise<void>;

export interface RestParts {
  readonly host: ConsultationHost;
  readonly library: AttachmentLibrary;
  readonly playback: Pick<Playback, 'listForHost' | 'deleteForHost' | 'clips'>;
  readonly phones: Pick<PhoneDesk, 'board' | 'setNumber'>;
}

/** The REST interface for the host application's server and for participants' pages. */
export function restRouter(parts: RestParts): Router {
  const router = Router();
  // Whatever type a body claims, it is read as JSON: one that was passed over would be taken for an empty one.
  const json = express.json({ limit: MAX_BODY_BYTES, type: () => true });
  const endpoints = createEndpoints(parts);
  for (const name of Object.keys(routes) as RouteName[]) {
    const route = routes[name];
    const handle: RequestHandler = async (request, response) => {
      const caller = callerOf(response);
      if (!(route.audience as readonly string[]).includes(caller.scope)) throw new AppError('FORBIDDEN');
      await endpoints[name](request, response, caller);
    };
    if ('body' in route) router[route.method](route.path, json, handle);
    else router[route.method](route.path, handle);
  }
  return router;
}

function createEndpoints({ host, library, playback, phones }: RestParts): Record<RouteName, Endpoint> {
  return {
    createConsultation: async (request, response) => {
      const { patient, doctor, subject = null } = parse(routes.createConsultation.body, request.body);
      if (patient.personId === doctor.personId)
        throw new AppError('INVALID', { detail: 'patient and doctor are the same person' });
      const participants: Participant[] = [
        { ...patient, role: 'patient' },
        { ...doctor, role: 'doctor' },
      ];
      const { view, created } = await host.create({ participants, subject }, idempotencyKey(request));
      response
        .status(created ? 201 : 200)
        .location(`/v1/consultations/${view.consultationId}`)
        .json(view);
    },
    getConsultation: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json(await host.view(id, readerOf(caller)));
    },
    getThread: async (request, response, caller) => {
      const id = consultation(request, caller);
      const { afterSequence, limit } = parse(routes.getThread.query, request.query);
      response.json(await host.thread(id, readerOf(caller), { afterSequence, limit }));
    },
    endConsultation: async (request, response, caller) => {
      const id = consultation(request, caller);
      const { reason, note } = parse(routes.endConsultation.body, request.body ?? {});
      await host.submit(id, { type: 'host.end', reason, note });
      response.json(await host.view(id, null));
    },
    addParticipant: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json(await host.addParticipant(id, parse(routes.addParticipant.body, request.body)));
    },
    removeParticipant: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json(await host.removeParticipant(id, named(routes.removeParticipant, 'personId', request)));
    },
    removeMessage: async (request, response, caller) => {
      const id = consultation(request, caller);
      const sequence = named(routes.removeMessage, 'sequence', request);
      const { reason } = parse(routes.removeMessage.body, request.body ?? {});
      response.json(await host.removeMessage(id, sequence, reason));
    },
    listRecordings: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json({ recordings: await playback.listForHost(id) });
    },
    deleteRecording: async (request, response, caller) => {
      const id = consultation(request, caller);
      const recordingId = named(routes.deleteRecording, 'recordingId', request);
      response.json(await playback.deleteForHost(id, recordingId));
    },
    setPhoneNumber: async (request, response) => {
      const personId = named(routes.setPhoneNumber, 'personId', request);
      const { number } = parse(routes.setPhoneNumber.body, request.body);
      await phones.setNumber(personId, number);
      response.status(204).end();
    },
    removePhoneNumber: async (request, response) => {
      await phones.setNumber(named(routes.removePhoneNumber, 'personId', request), null);
      response.status(204).end();
    },
    getPhoneBoard: async (request, response, caller) => {
      response.json(await phones.board(consultation(request, caller), null));
    },
    ...clipEndpoints(playback.clips),
    getAttachment: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json(await library.status(id, attachment(request), readerOf(caller)));
    },
    getAttachmentContent: async (request, response, caller) => {
      const id = consultation(request, caller);
      const { variant } = parse(routes.getAttachmentContent.query, request.query);
      const by = readerOf(caller);
      await using opened = await library.open(id, attachment(request), { by, variant });
      const { byteSize } = opened.object;
      const range = rangeOf(request, byteSize);
      const { start, endExclusive } =
        typeof range === 'object' && range !== null ? range : { start: 0, endExclusive: byteSize };
      const bytes = opened.object.read({ start, endExclusive });
      // A damaged beginning is still answered with its code; after the first byte only the connection can end.
      await once(bytes, 'readable');
      // Whatever a file claims to be, the browser must not run it as a page of ours.
      response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
      if (opened.attachment.kind === 'file') response.attachment(opened.attachment.fileName);
      // After `attachment`, which guesses a type from the sender's ending: ours was read from the bytes.
      response.setHeader('Content-Type', opened.contentType);
      response.setHeader('Accept-Ranges', 'bytes');
      if (range === 'unsatisfiable') {
        bytes.destroy();
        response.status(416).setHeader('Content-Range', `bytes */${byteSize}`).end();
        return;
      }
      if (range !== null) {
        response.status(206);
        response.setHeader('Content-Range', `bytes ${start}-${endExclusive - 1}/${byteSize}`);
      }
      response.setHeader('Content-Length', endExclusive - start);
      try {
        await pipeline(bytes, response);
      } catch (error) {
        // The reader went away in the middle: nothing is wrong and nobody is left to be told.
        if (!isPrematureClose(error)) throw error;
      }
    },
  };
}

const attachment = (request: Request) => named(routes.getAttachment, 'attachmentId', request);

function idempotencyKey(request: Request): string | null {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,128}$/.test(key))
    throw new AppError('INVALID', { detail: 'Idempotency-Key: 1–128 printable characters' });
  return key;
}

/** One range, or null for the whole. Several ranges are answered with the whole, as RFC 9110 §14.2 allows. */
function rangeOf(
  request: Request,
  byteSize: number,
): { start: number; endExclusive: number } | null | 'unsatisfiable' {
  // RFC 9110 §14.1.2: a suffix longer than the whole means the whole; the parser below calls it unsatisfiable.
  const [, suffix] = /^bytes=-(\d{1,15})$/.exec(request.headers.range ?? '') ?? [];
  if (suffix !== undefined && Number(suffix) > byteSize && byteSize > 0)
    return { start: 0, endExclusive: byteSize };
  const ranges = request.range(byteSize, { combine: true });
  if (ranges === undefined || ranges === -2) return null;
  if (ranges === -1) return 'unsatisfiable';
  const [range] = ranges;
  if (ranges.type !== 'bytes' || ranges.length !== 1 || range === undefined) return null;
  return { start: range.start, endExclusive: range.end + 1 };
}

/** It went away in the middle, or before the first byte was there. */
const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ERR_STREAM_UNABLE_TO_PIPE');
