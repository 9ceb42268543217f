import { AppError, type RecordingId } from '@teleconsult/protocol';
import type { Log } from '../../host/ports.ts';
import type { Telephone } from './ports.ts';

/** Somebody who is ill or old is asked twice, and has time to find the key. */
const TIMES = 2;
const ANSWER_WITHIN_MS = 8_000;
const KEYS = '12';

export interface Answer {
  readonly granted: boolean;
  /** Whether they have heard what follows from it. */
  readonly hasHeard: boolean;
}

export interface ConsentParts {
  readonly telephone: Pick<Telephone, 'ask' | 'say' | 'isOver'>;
  /** Resolves when it is kept. @throws AppError NOT_FOUND when it is not asked for any more */
  readonly answer: (recordingId: RecordingId, answer: Answer) => Promise<void>;
  /** Whether it has begun without them: then nobody waits for their answer, and their silence ends it for nobody. */
  readonly hasBegun: () => boolean;
  readonly log: Log;
  readonly answerWithinMs?: number;
}

/**
 * Asks the person on a telephone whether they agree to be recorded: 1 is yes, 2 is no. While all wait for the answer silence
 * is no. Who came into a recorded call is not recorded until they say yes, and may say so as long as they are there.
 */
export class ConsentQuestion {
  readonly recordingId: RecordingId;
  readonly #parts: ConsentParts;
  readonly #stop = new AbortController();
  /** From here on the answer is under way and nothing takes it back but the person. */
  #isAnswered = false;

  constructor(recordingId: RecordingId, parts: ConsentParts) {
    this.recordingId = recordingId;
    this.#parts = parts;
  }

  /** Resolves with whether they agreed and were told so; null: it was not asked to its end. Never rejects. */
  async ask(): Promise<boolean | null> {
    try {
      return await this.#ask();
    } catch (error) {
      this.#parts.log.error('phone.consentFailed', { recording: this.recordingId, error });
      return null;
    }
  }

  /** It was answered elsewhere, or is not asked for any more. */
  withdraw(): void {
    if (!this.#isAnswered) this.#stop.abort();
  }

  async #ask(): Promise<boolean | null> {
    const { telephone, answerWithinMs = ANSWER_WITHIN_MS, hasBegun } = this.#parts;
    const { signal } = this.#stop;
    let key: string | null = null;
    for (let time = 0; time < TIMES && key === null; time += 1) {
      key = await telephone.ask({ prompt: 'consent', digits: KEYS, withinMs: answerWithinMs, signal });
      if (this.#isOver(key)) return null;
    }
    if (key === null && hasBegun()) {
      key = await telephone.ask({ prompt: null, digits: KEYS, withinMs: null, signal });
      if (key === null) return null;
    }
    this.#isAnswered = true;
    if (key === '1') return this.#agree();
    // Nobody waits for a no to be confirmed.
    await this.#answer({ granted: false, hasHeard: false });
    await telephone.say('consent_refused');
    return false;
  }

  /** Who hangs up, or is hung up on, while they are asked has said nothing, and ends the recording for nobody. */
  #isOver(key: string | null): boolean {
    return this.#stop.signal.aborted || (key === null && this.#parts.telephone.isOver);
  }

  /** They hear that recording begins before it does. */
  async #agree(): Promise<boolean> {
    const { telephone } = this.#parts;
    const hasHeard = await telephone.say('consent_given');
    const isWanted = await this.#answer({ granted: true, hasHeard });
    if (!isWanted) await telephone.say('consent_refused');
    return isWanted;
  }

  /** False: it is not asked for any more. */
  async #answer(answer: Answer): Promise<boolean> {
    try {
      await this.#parts.answer(this.recordingId, answer);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }
}
