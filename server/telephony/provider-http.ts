/** Requests to the interface of a telephone provider: time limits, tries again, bounded answers, and errors without content. */
import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfterMs, retryDelay } from '../notify/retry-delay.ts';
import { RelayError } from './ports.ts';

/** All attempts together stay below the 10 seconds that the bindings wait for a provider. */
const DEFAULTS: ProviderHttpPace = {
  timeoutMs: 3_000,
  stallMs: 20_000,
  attempts: 3,
  firstDelayMs: 150,
  mostDelayMs: 300,
};
/** The largest list a provider pages is far below. */
const MAX_ANSWER_BYTES = 4 * 1_048_576;

export interface ProviderHttpPace {
  /** For one attempt, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
  /** How long a large answer may stop. */
  readonly stallMs: number;
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly mostDelayMs: number;
}

export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Holds no number of a person: addresses end up in proxies' logs. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
}

export interface RequestRules {
  /** An answer that asks to be tried again, beyond 429 and 5xx. */
  readonly isBusy?: (answer: ProviderAnswer) => boolean;
  /** Whether a request that may have been done although no answer came is sent again. Default: yes. */
  readonly repeatsUnanswered?: boolean;
  readonly signal?: AbortSignal;
}

type Attempt =
  | { readonly got: 'answer'; readonly answer: ProviderAnswer }
  | { readonly got: 'busy'; readonly detail: string; readonly afterMs: number | null }
  | { readonly got: 'nothing'; readonly detail: string };

export class ProviderHttp {
  readonly #pace: ProviderHttpPace;
  readonly #closing = new AbortController();

  constructor(pace: Partial<ProviderHttpPace> = {}) {
    this.#pace = { ...DEFAULTS, ...pace };
  }

  /** `make` is asked before each attempt: nonces and moments are new. @throws RelayError `unavailable` */
  async send(make: () => ProviderRequest, rules: RequestRules = {}): Promise<ProviderAnswer> {
    const { attempts, firstDelayMs, mostDelayMs } = this.#pace;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(make(), rules);
      if (outcome.got === 'answer') return outcome.answer;
      const isFinal = outcome.got === 'nothing' && rules.repeatsUnanswered === false;
      if (isFinal || attempt >= attempts || this.#isOver(rules.signal))
        throw new RelayError('unavailable', { detail: outcome.detail });
      const delay = retryDelay({ firstMs: firstDelayMs, mostMs: mostDelayMs }, attempt);
      const asked = outcome.got === 'busy' ? outcome.afterMs : null;
      await this.#pause(Math.min(Math.max(delay, asked ?? 0), mostDelayMs), rules.signal);
    }
  }

  /** A large answer as it comes; no answer or a stop of `stallMs` ends it. @throws RelayError */
  async open(request: ProviderRequest): Promise<{ response: Response; body: AsyncIterable<Uint8Array> }> {
    const stalled = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, stalled.signal]);
    let timer = setTimeout(() => stalled.abort(), this.#pace.stallMs);
    try {
      const { method, headers } = request;
      const response = await fetch(request.url, { method, headers, redirect: 'manual', signal });
      const again = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => stalled.abort(), this.#pace.stallMs);
      };
      return { response, body: flow(response, again, () => clearTimeout(timer)) };
    } catch (error) {
      clearTimeout(timer);
      throw new RelayError('unavailable', { detail: kindOf(error) });
    }
  }

  /** Gives back what an opened answer holds. */
  static async discard(response: Response): Promise<void> {
    await response.body?.cancel().catch(() => undefined);
  }

  /** What is under way ends as `unavailable`. May be called twice. */
  close(): void {
    this.#closing.abort();
  }

  async #attempt(request: ProviderRequest, rules: RequestRules): Promise<Attempt> {
    const signals = [this.#closing.signal, AbortSignal.timeout(this.#pace.timeoutMs)];
    if (rules.signal !== undefined) signals.push(rules.signal);
    const { url, method, headers, body } = request;
    try {
      const response = await fetch(url, {
        method,
        headers,
        // A redirection could carry the credentials elsewhere.
        redirect: 'manual',
        signal: AbortSignal.any(signals),
        ...(body === undefined ? {} : { body }),
      });
      const answer = { status: response.status, text: await textOf(response) };
      if (answer.status === 429 || answer.status >= 500 || (rules.isBusy?.(answer) ?? false)) {
        const afterMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
        return { got: 'busy', detail: `http ${answer.status}`, afterMs };
      }
      return { got: 'answer', answer };
    } catch (error) {
      return { got: 'nothing', detail: kindOf(error) };
    }
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#closing.signal.aborted || signal?.aborted === true;
  }

  async #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const signals = [this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    await sleep(ms, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* flow(response: Response, again: () => void, done: () => void): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      again();
      yield chunk;
    }
  } catch (error) {
    throw new RelayError('unavailable', { detail: kindOf(error) });
  } finally {
    done();
    await ProviderHttp.discard(response);
  }
}

/** The code of a network error or the name of another. Messages stay out: they quote what was sent. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}
