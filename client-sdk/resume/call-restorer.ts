import type { CallId, ConsultationId } from '@teleconsult/protocol';
import type { Call, CallToRestore } from '../api.ts';
import type { ActiveCall } from '../call.ts';
import type { Lifetime } from '../lifetime.ts';
import { toAppError } from '../requests.ts';
import type { TokenSource } from '../token-source.ts';
import { type CallRecord, type KeptCall, toRestore } from './kept-call.ts';

export interface CallRestorerOptions {
  readonly kept: KeptCall;
  readonly tokens: Pick<TokenSource, 'current'>;
  /** The client's. */
  readonly life: Lifetime;
  readonly connect: () => Promise<void>;
  /** The call that this device takes part in already. */
  readonly current: () => ActiveCall | null;
  /** Follows the consultation and takes the seat again. Null when that is not to be had any more. */
  readonly resume: (consultationId: ConsultationId, callId: CallId) => Promise<Call | null>;
  readonly onChange: (restoring: CallToRestore | null) => void;
}

/** Finds the call that the page before this one was in, and goes on with it. */
export class CallRestorer {
  readonly #options: CallRestorerOptions;
  #restoring: CallToRestore | null = null;
  #running: Promise<Call | null> | null = null;

  constructor(options: CallRestorerOptions) {
    this.#options = options;
  }

  get restoring(): CallToRestore | null {
    return this.#restoring;
  }

  /** Who asks at the same time waits for the same. Aborting ends the wait, not what was begun. */
  restore(signal?: AbortSignal): Promise<Call | null> {
    this.#running ??= this.#restore().finally(() => {
      this.#running = null;
    });
    return this.#options.life.within(this.#running, signal);
  }

  async #restore(): Promise<Call | null> {
    const { kept, tokens, life, connect, current } = this.#options;
    // What was begun here needs no restoring.
    const isPresent = current() !== null;
    const connected = connect();
    connected.catch(() => {});
    // Only the token says whose call it is. When the app cannot give one now, connecting asks again until it can.
    await life.within(Promise.race([tokens.current(), connected])).catch(() => connected);
    // What this page keeps itself is no news.
    if (!isPresent) this.#tell(kept.hinted);
    const record = await kept.read();
    if (record === null || isPresent || !kept.isFromBefore) {
      this.#tell(null);
      await connected;
      const call = current();
      return (await call?.restored()) === true ? call : null;
    }
    this.#tell(toRestore(record));
    try {
      await connected;
      return await this.#resume(record);
    } finally {
      this.#tell(null);
    }
  }

  async #resume({ consultationId, callId }: CallRecord): Promise<Call | null> {
    const { kept, life, resume } = this.#options;
    try {
      return await life.within(resume(consultationId, callId));
    } catch (thrown) {
      const { code } = toAppError(thrown);
      // This person takes no part in the consultation any more.
      if (life.over || (code !== 'NOT_FOUND' && code !== 'FORBIDDEN')) throw thrown;
      kept.forget(callId);
      return null;
    }
  }

  #tell(call: CallToRestore | null): void {
    if (call?.callId === this.#restoring?.callId) return;
    this.#restoring = call;
    this.#options.onChange(call);
  }
}
