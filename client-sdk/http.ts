import type { ErrorCode } from '@teleconsult/protocol';
import { AppError, isErrorCode } from '@teleconsult/protocol/errors';
import { aborted, type Lifetime } from './lifetime.ts';
import type { TokenSource } from './token-source.ts';

export interface HttpOptions {
  readonly url: string;
  readonly tokens: TokenSource;
  /** How long the server may take to begin its answer. */
  readonly timeoutMs: number;
}

export interface GetOptions {
  readonly life: Lifetime;
  readonly signal?: AbortSignal | undefined;
}

/** For answers without problem details. */
const codeOfStatus = new Map<number, ErrorCode>([
  [401, 'UNAUTHENTICATED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [409, 'WRONG_STATE'],
  [413, 'TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA'],
  [429, 'RATE_LIMITED'],
]);

/** Reads from the REST interface as this person. */
export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  get origin(): string {
    return this.#options.url;
  }

  /** Rejects with the server's code, `DISCONNECTED`, `TIMEOUT` or `ABORTED`. */
  async getJson(path: string, options: GetOptions): Promise<unknown> {
    return this.#read(path, options, (response) => response.json());
  }

  async getBlob(path: string, options: GetOptions): Promise<Blob> {
    return this.#read(path, options, (response) => response.blob());
  }

  async #read<T>(path: string, options: GetOptions, read: (response: Response) => Promise<T>): Promise<T> {
    const { tokens } = this.#options;
    try {
      return await this.#readOnce(path, await tokens.current(), options, read);
    } catch (error) {
      const expired = error instanceof AppError && error.code === 'TOKEN_EXPIRED';
      if (!expired || !tokens.canRenew) throw error;
      return this.#readOnce(path, await tokens.renew(), options, read);
    }
  }

  async #readOnce<T>(
    path: string,
    token: string,
    { life, signal }: GetOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { signal: ending, abort } = life.toSignal(signal);
    try {
      const request = fetch(`${this.#options.url}${path}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: ending,
      });
      const response = await life.withinTime(request, this.#options.timeoutMs, signal);
      if (!response.ok) throw await problemOf(response);
      return await read(response);
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (signal?.aborted === true) throw aborted(signal);
      throw life.endReason ?? new AppError('DISCONNECTED', { cause: error });
    } finally {
      abort();
    }
  }
}

/** RFC 9457 problem details carry the code; anything else came from something between us and the server. */
async function problemOf(response: Response): Promise<AppError> {
  const text = await response.text();
  return problemFrom(response.status, text);
}

/** The error a refused HTTP request stands for. */
export function problemFrom(status: number, body: string): AppError {
  const problem = parsedProblem(body);
  if (problem !== null) return problem;
  // Proxies answer 502 to 504 while the server restarts.
  const code = codeOfStatus.get(status) ?? (status >= 500 ? 'INTERNAL' : 'INVALID');
  return new AppError(code, { detail: `HTTP ${status}` });
}

function parsedProblem(body: string): AppError | null {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem !== 'object' || problem === null) return null;
    if (!('code' in problem) || typeof problem.code !== 'string' || !isErrorCode(problem.code)) return null;
    const detail = textField(problem, 'detail');
    return new AppError(problem.code, { detail, requestId: textField(problem, 'requestId') });
  } catch {
    return null;
  }
}

function textField(problem: object, name: string): string | undefined {
  const value: unknown = Reflect.get(problem, name);
  return typeof value === 'string' ? value : undefined;
}
