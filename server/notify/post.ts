import { retryAfterMs } from './retry-delay.ts';

/** No receiver and no push service needs longer to take a few hundred bytes. */
const TIMEOUT_MS = 10_000;

export interface Posted {
  readonly status: number;
  readonly retryAfterMs: number | null;
}

/**
 * POSTs and answers the status alone; of the body nothing is read. A redirection is not followed: it could lead where
 * the address itself was not allowed to.
 * @throws when there was no answer within ten seconds or `signal` was aborted
 */
export async function post(
  address: string,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | Uint8Array<ArrayBuffer>;
    readonly signal: AbortSignal;
    readonly now: number;
  },
): Promise<Posted> {
  const response = await fetch(address, {
    method: 'POST',
    headers: request.headers,
    body: request.body,
    redirect: 'manual',
    signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  // Gives the connection back. What fails here was an answer all the same.
  await response.body?.cancel().catch(() => undefined);
  return {
    status: response.status,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), request.now),
  };
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;
