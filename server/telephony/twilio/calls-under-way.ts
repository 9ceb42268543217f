import type { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { PhoneLanguage, PromptId, RelayParty } from '../ports.ts';

/** More calls than an account rings at once; whoever is dropped is found again through the store and Twilio's lists. */
const MOST_CALLS = 10_000;

/** A call that was bridged since this process started. */
export interface CallUnderWay {
  readonly bindingId: PhoneBindingId;
  readonly phoneCallId: PhoneCallId | null;
  readonly caller: RelayParty;
  readonly language: PhoneLanguage;
  readonly since: number;
  ended: boolean;
  /** Its recording was begun: asked twice by Twilio, it is begun once. */
  recording: boolean;
  /** Why we ended it; undefined: we did not; null: without a word. */
  endedFor: PromptId | null | undefined;
}

export class CallsUnderWay {
  readonly #calls = new Map<string, CallUnderWay>();

  /** Of a decision nothing else is kept: it holds the number of the other. */
  add(callRef: string, call: Omit<CallUnderWay, 'ended' | 'endedFor' | 'recording'>): void {
    if (this.#calls.has(callRef)) return;
    const { bindingId, phoneCallId, caller, language, since } = call;
    const kept = { bindingId, phoneCallId, caller, language, since };
    this.#calls.set(callRef, { ...kept, ended: false, recording: false, endedFor: undefined });
    for (const [oldest] of this.#calls) {
      if (this.#calls.size <= MOST_CALLS) return;
      this.#calls.delete(oldest);
    }
  }

  get(callRef: string): CallUnderWay | undefined {
    return this.#calls.get(callRef);
  }

  /** Calls of a binding that are not known to have ended. */
  of(bindingId: PhoneBindingId): string[] {
    return [...this.#calls].flatMap(([callRef, call]) =>
      call.bindingId === bindingId && !call.ended ? [callRef] : [],
    );
  }

  clear(): void {
    this.#calls.clear();
  }
}
