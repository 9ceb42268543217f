/** Requests to the interface of a telephone provider: time limits, tries again, bounded answers, and errors without content. */
import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfterMs, retryDelay } from '../notify/retry-delay.ts';
import { RelayError } from './ports.ts';

/** All attempts together stay below the 10 seconds that the bindings wait for a provider. */
const DEFAULTS: ProviderHttpPace = {
  timeoutMs: 3_000,
  stallMs: 20_000,
  downloadMs: 7_200_000,
  attempts: 3,
  firstDelayMs: 150,
  mostDelayMs: 300,
};
/** The largest list a provider pages is far below. */
const MAX_ANSWER_BYTES = 4 * 1_048_576;

export interface ProviderHttpPace {
  /** For one attempt, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
  /** How long a large answer may stop, and how long it may take altogether: a recording of a day comes in far less. */
  readonly stallMs: number;
  readonly downloadMs: number;
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
  /** Of those: the request was turned away before anything was done, as with 429. */
  readonly isTurnedAway?: (answer: ProviderAnswer) => boolean;
  /** Whether a request that may have been done although no answer says so is sent again. Default: yes. */
  readonly repeatsUnanswered?: boolean;
  readonly signal?: AbortSignal;
}

type Attempt =
  | { readonly got: 'answer'; readonly answer: ProviderAnswer }
  | {
      readonly got: 'busy';
      readonly detail: string;
      readonly afterMs: number | null;
      readonly isTurnedAway: boolean;
    }
  | { readonly got: 'nothing'; readonly detail: string };

/** A large answer, of which only the beginning is here. */
export interface OpenedAnswer {
  readonly response: Response;
  /** Read once. Who stops reading, or never begins and says so, gives back what it holds. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives back what it holds, unread. */
  readonly discard: () => void;
}

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
      const isUndone = outcome.got === 'busy' && outcome.isTurnedAway;
      const isFinal = rules.repeatsUnanswered === false && !isUndone;
      const askedMs = outcome.got === 'busy' ? (outcome.afterMs ?? 0) : 0;
      // Who wants us to wait for longer than we can is not asked again now.
      if (isFinal || askedMs > mostDelayMs || attempt >= attempts || this.#isOver(rules.signal))
        throw new RelayError('unavailable', { detail: outcome.detail });
      const delay = retryDelay({ firstMs: firstDelayMs, mostMs: mostDelayMs }, attempt);
      await this.#pause(Math.max(delay, askedMs), rules.signal);
    }
  }

  /** A large answer as it comes; no answer, a stop of `stallMs`, or more than `downloadMs` ends it. @throws RelayError */
  async open(request: ProviderRequest): Promise<OpenedAnswer> {
    const { stallMs, downloadMs } = this.#pace;
    const ended = new AbortController();
    // Neither keeps a process alive that has nothing else to do.
    const afterwards = (ms: number): NodeJS.Timeout => setTimeout(() => ended.abort(), ms).unref();
    const late = afterwards(downloadMs);
    let stall = afterwards(stallMs);
    const again = (): void => {
      clearTimeout(stall);
      stall = afterwards(stallMs);
    };
    const discard = (): void => {
      clearTimeout(late);
      clearTimeout(stall);
      ended.abort();
    };
    try {
      const { method, headers } = request;
      const signal = AbortSignal.any([this.#closing.signal, ended.signal]);
      const response = await fetch(request.url, { method, headers, redirect: 'manual', signal });
      again();
      return { response, body: { [Symbol.asyncIterator]: () => reader(response, again, discard) }, discard };
    } catch (error) {
      discard();
      throw new RelayError('unavailable', { detail: kindOf(error) });
    }
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
        const isTurnedAway = answer.status === 429 || (rules.isTurnedAway?.(answer) ?? false);
        return { got: 'busy', detail: `http ${answer.status}`, afterMs, isTurnedAway };
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

function reader(response: Response, again: () => void, discard: () => void): AsyncIterator<Uint8Array> {
  const pieces = flow(response, again, discard);
  return {
    next: () => pieces.next(),
    // A generator that was not begun ends without a look at its `finally`, and one that waits for a piece later.
    return: async () => {
      discard();
      // What it ends with is nobody's answer any more.
      await pieces.return(undefined).catch(() => undefined);
      return { done: true, value: undefined };
    },
  };
}

async function* flow(
  response: Response,
  again: () => void,
  discard: () => void,
): AsyncGenerator<Uint8Array, undefined> {
  try {
    for await (const chunk of response.body ?? []) {
      again();
      yield chunk;
    }
  } catch (error) {
    throw new RelayError('unavailable', { detail: kindOf(error) });
  } finally {
    discard();
  }
}

/**
 * A recording that is refused is refused to us as we are now: a key that was changed, an account that owes. Its sound lies
 * there still, so it is asked for again; nobody else has it.
 */
export function laterInstead(error: unknown): unknown {
  if (!(error instanceof RelayError) || error.reason !== 'refused') return error;
  return new RelayError('unavailable', { detail: error.message });
}

/** The code of a network error or the name of another. Messages stay out: they quote what was sent. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}
