import {
  AppError,
  type ErrorCode,
  FileId,
  MAX_DICTATION_PART_BYTES,
  RecordingId,
  type RecordingView,
  type RequestName,
  type RequestPayload,
  type RequestResult,
  requests,
} from '@teleconsult/protocol';
import { doctor, minted } from '../../helpers/samples.ts';

type Begin = RequestPayload<'dictation.begin'>;

export interface Dictated {
  readonly view: RecordingView;
  readonly files: Buffer[];
  readonly wish: Begin;
  finished: RequestPayload<'dictation.finish'>['files'] | null;
}

/** What the real server does with dictations, in memory; it holds every request against the protocol. */
export class DictationServer {
  readonly dictations = new Map<string, Dictated>();
  /** Each append: file, offset and length. */
  readonly puts: { readonly file: number; readonly offset: number; readonly length: number }[] = [];
  /** A refusal of the next appends. */
  refusal: { readonly code: ErrorCode; readonly retryAfterSeconds?: number } | null = null;
  /** At most so many bytes of an append arrive before the line breaks; it is answered all the same. */
  takes = Number.POSITIVE_INFINITY;

  get only(): Dictated {
    const [only] = this.dictations.values();
    if (only === undefined) throw new Error('nothing was begun');
    return only;
  }

  answer(name: RequestName, raw: object): object {
    const payload = requests[name].payload.parse(raw);
    return requests[name].result.parse(this.#answer(name, payload));
  }

  /** `PUT /v1/consultations/{id}/dictations/{recordingId}/files/{number}?offset=N` */
  put(url: string, body: Uint8Array): Response {
    const match = /\/dictations\/([^/]+)\/files\/(\d+)\?offset=(\d+)$/.exec(url);
    const dictated = [...this.dictations.values()].find(({ view }) => view.recordingId === match?.[1]);
    const [file, offset] = [Number(match?.[2]), Number(match?.[3])];
    if (this.refusal !== null) return refused(this.refusal);
    if (dictated === undefined) return refused({ code: 'NOT_FOUND' });
    if (dictated.view.state !== 'running') return refused({ code: 'WRONG_STATE' });
    if (body.length === 0) return refused({ code: 'INVALID' });
    if (body.length > MAX_DICTATION_PART_BYTES) return refused({ code: 'TOO_LARGE' });
    this.puts.push({ file, offset, length: body.length });
    if (file > dictated.files.length) return refused({ code: 'NOT_FOUND' });
    const before = dictated.files[file] ?? Buffer.alloc(0);
    if (offset > before.length)
      return new Response('{"code":"CONFLICT"}', {
        status: 409,
        headers: { 'upload-offset': String(before.length) },
      });
    const fresh = body.subarray(before.length - offset).subarray(0, this.takes);
    const after = Buffer.concat([before, fresh]);
    dictated.files[file] = after;
    return new Response(null, { status: 204, headers: { 'upload-offset': String(after.length) } });
  }

  #answer(name: RequestName, payload: object): object {
    switch (name) {
      case 'dictation.begin':
        return this.#begin(payload as Begin);
      case 'dictation.finish':
        return this.#finish(payload as RequestPayload<'dictation.finish'>);
      case 'recording.delete': {
        const { recordingId } = payload as RequestPayload<'recording.delete'>;
        const found = this.#of(recordingId);
        this.dictations.delete(found.wish.clientDictationId);
        return { recording: { ...found.view, state: 'erased', files: [] } };
      }
      default:
        throw new AppError('UNKNOWN_EVENT', { detail: name });
    }
  }

  #begin(wish: Begin): RequestResult<'dictation.begin'> {
    const known = this.dictations.get(wish.clientDictationId);
    if (known !== undefined) {
      if (JSON.stringify(known.wish) !== JSON.stringify(wish)) throw new AppError('CONFLICT');
      return { recording: known.view, byteSizes: known.files.map(({ length }) => length) };
    }
    const view: RecordingView = {
      recordingId: RecordingId.parse(minted('rec')),
      consultationId: wish.consultationId,
      purpose: wish.purpose,
      callId: null,
      phoneCallId: null,
      followUpId: wish.followUpId ?? null,
      startedBy: doctor,
      startedAt: wish.startedAt,
      endedAt: null,
      state: 'running',
      files: [],
      composition: { state: 'none' },
      rights: ['play'],
    };
    this.dictations.set(wish.clientDictationId, { view, files: [], wish, finished: null });
    return { recording: view, byteSizes: [] };
  }

  #finish({ recordingId, files }: RequestPayload<'dictation.finish'>): object {
    const found = this.#of(recordingId);
    const standing = found.files.map(({ length }) => length);
    if (JSON.stringify(standing) !== JSON.stringify(files.map(({ byteSize }) => byteSize)))
      throw new AppError('WRONG_STATE', { detail: 'bytes are missing' });
    const view: RecordingView = {
      ...found.view,
      state: 'ready',
      endedAt: 1,
      files: files.map(({ byteSize, durationMs }) => ({
        fileId: FileId.parse(minted('fil')),
        personId: doctor,
        channels: null,
        source: 'microphone',
        contentType: found.wish.contentType,
        startedAt: 1,
        durationMs,
        byteSize,
        state: 'whole',
        truncated: null,
      })),
    };
    this.dictations.set(found.wish.clientDictationId, { ...found, view, finished: files });
    return { recording: view };
  }

  #of(recordingId: string): Dictated {
    const found = [...this.dictations.values()].find(({ view }) => view.recordingId === recordingId);
    if (found === undefined) throw new AppError('NOT_FOUND');
    return found;
  }
}

function refused({ code, retryAfterSeconds }: { code: ErrorCode; retryAfterSeconds?: number }): Response {
  const error = new AppError(code).toBody('request-1');
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const statuses: Partial<Record<ErrorCode, number>> = {
    FORBIDDEN: 403,
    NOT_FOUND: 404,
    WRONG_STATE: 409,
    TOO_LARGE: 413,
    RATE_LIMITED: 429,
    STORAGE_FULL: 507,
    TOKEN_EXPIRED: 401,
  };
  return new Response(JSON.stringify(error), { status: statuses[code] ?? 500, headers });
}
