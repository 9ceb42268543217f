import type { PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { ClientOptions } from './api.ts';

/** An app that has not answered for so long is asked again: its own request hangs on a network that is gone. */
const PATIENCE_MS = 60_000;

/** Where tokens come from. Askers at the same time share one answer. */
export class TokenSource {
  readonly #token: ClientOptions['token'];
  #latest: string | null = null;
  #asking: { readonly since: number; readonly answer: Promise<string> } | null = null;

  constructor(token: ClientOptions['token']) {
    this.#token = token;
  }

  /** False for a fixed string: once it has expired there is no other. */
  get canRenew(): boolean {
    return typeof this.#token === 'function';
  }

  /** The last one that the app gave; null before the first. */
  get latest(): string | null {
    return this.#latest;
  }

  /** The latest token, or the first one. */
  async current(): Promise<string> {
    return this.#latest ?? (await this.renew());
  }

  /**
   * Asks the app for a token. Rejects with `DISCONNECTED` when the app's function fails, and with `FORBIDDEN` when the
   * token speaks for somebody else than those before it: what a client holds and sends is one person's.
   */
  renew(): Promise<string> {
    const since = performance.now();
    if (this.#asking !== null && since - this.#asking.since < PATIENCE_MS) return this.#asking.answer;
    const asking = { since, answer: this.#ask() };
    this.#asking = asking;
    const settled = () => {
      if (this.#asking === asking) this.#asking = null;
    };
    asking.answer.then(settled, settled);
    return asking.answer;
  }

  /** Whom the latest token speaks for: the subject of the JWT (RFC 7519 §4.1.2); null when it cannot be read. */
  get personId(): PersonId | null {
    return this.#latest === null ? null : subjectOf(this.#latest);
  }

  async #ask(): Promise<string> {
    const token = await this.#askApp();
    const before = this.personId;
    if (before !== null && subjectOf(token) !== before) {
      throw new AppError('FORBIDDEN', { detail: 'the token speaks for another person' });
    }
    this.#latest = token;
    return token;
  }

  async #askApp(): Promise<string> {
    try {
      return typeof this.#token === 'function' ? await this.#token() : this.#token;
    } catch (cause) {
      // The app's function usually fails because the network did. That is a reason to try again, not to give up.
      throw new AppError('DISCONNECTED', { detail: 'the token function failed', cause });
    }
  }
}

function subjectOf(token: string): PersonId | null {
  const payload = token.split('.')[1];
  if (payload === undefined) return null;
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims !== 'object' || claims === null || !('sub' in claims)) return null;
    return typeof claims.sub === 'string' ? (claims.sub as PersonId) : null;
  } catch {
    return null;
  }
}
