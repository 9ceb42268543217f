import type { ConsultationId, RecordingId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { problemFrom } from '../http.ts';
import type { ClientInsides } from '../insides.ts';
import { aborted, type Lifetime } from '../lifetime.ts';

export interface DictationPart {
  readonly consultationId: ConsultationId;
  readonly recordingId: RecordingId;
  /** 0 for the first file. */
  readonly file: number;
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A part that does not arrive in this time is sent again, smaller. */
const PATIENCE_MS = 60_000;

/**
 * Appends bytes to a dictation, and answers how far its file reaches on the server's disk: beyond these bytes, or somewhere
 * else when they do not go there. Rejects with the server's code, `DISCONNECTED` or `TIMEOUT`.
 */
export async function appendPart(
  { url, tokens }: Pick<ClientInsides, 'url' | 'tokens'>,
  part: DictationPart,
  life: Lifetime,
): Promise<number> {
  const put = async (token: string) => answerOf(await send(url, { ...part, token }, life));
  try {
    return await put(await life.withinTime(tokens.current(), PATIENCE_MS));
  } catch (error) {
    const expired = error instanceof AppError && error.code === 'TOKEN_EXPIRED';
    if (!expired || !tokens.canRenew) throw error;
    return put(await life.withinTime(tokens.renew(), PATIENCE_MS));
  }
}

interface Answer {
  readonly response: Response;
  readonly text: string;
}

async function send(
  url: string,
  { consultationId, recordingId, file, offset, bytes, token }: DictationPart & { readonly token: string },
  life: Lifetime,
): Promise<Answer> {
  const path = `/v1/consultations/${consultationId}/dictations/${recordingId}/files/${file}?offset=${offset}`;
  const { signal, abort } = life.toSignal();
  const sending = async (): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: bytes,
      signal,
    });
    return { response, text: await response.text() };
  };
  try {
    return await life.withinTime(sending(), PATIENCE_MS);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw life.endReason ?? (signal.aborted ? aborted() : new AppError('DISCONNECTED', { cause: error }));
  } finally {
    abort();
  }
}

function answerOf({ response, text }: Answer): number {
  const header = response.headers.get('upload-offset');
  const reached = header === null || header === '' ? Number.NaN : Number(header);
  const isTold = Number.isSafeInteger(reached) && reached >= 0;
  if (isTold && (response.ok || response.status === 409)) return reached;
  if (response.ok) throw new AppError('INTERNAL', { detail: 'no Upload-Offset' });
  const { code, detail, requestId } = problemFrom(response.status, text);
  throw new AppError(code, { detail, requestId, retryAfterMs: retryAfterOf(response) });
}

/** In seconds, or a date (RFC 9110 §10.2.3). */
function retryAfterOf({ headers }: Response): number | undefined {
  const asked = headers.get('retry-after');
  if (asked === null) return undefined;
  const afterMs = /^\d+$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - Date.now();
  return Number.isFinite(afterMs) && afterMs > 0 ? afterMs : undefined;
}
