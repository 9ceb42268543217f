import type { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { Log } from '../../host/ports.ts';
import type { OpenTape, PhoneCallTape } from '../ports.ts';
import type { PhoneSession } from '../rtp/ports.ts';

export interface RecorderParts {
  readonly session: PhoneSession;
  readonly openTape: OpenTape;
  readonly log: Log;
  /** It is not recorded, or not any more; the call goes on. Told once. */
  readonly onNotRecorded: (why: 'no_tape' | 'tape_failed') => void;
}

/** The tape of one call: opened after both were told, closed with everything on it. */
export class CallRecorder {
  readonly #parts: RecorderParts;
  #opening: Promise<PhoneCallTape | null> = Promise.resolve(null);
  #isClosing = false;
  #hasBegun = false;
  #hasFailed = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Begins to record as soon as the tape is there. Resolves then, or when there is none. Never rejects. */
  async start(call: {
    phoneCallId: PhoneCallId;
    bindingId: PhoneBindingId;
    startedAt: number;
  }): Promise<void> {
    const { openTape, session, log } = this.#parts;
    this.#opening = Promise.resolve()
      .then(() => openTape(call))
      .catch((error: unknown) => {
        log.error('phone.tapeNotOpened', { error });
        return null;
      });
    const tape = await this.#opening;
    if (this.#isClosing) return;
    if (tape === null) return this.failed();
    this.#hasBegun = true;
    session.record(tape);
    tape.onLost?.(() => {
      session.record(null);
      this.failed();
    });
  }

  /** Something is wrong with the tape: what is on it stays. */
  failed(): void {
    if (this.#hasFailed || this.#isClosing) return;
    this.#hasFailed = true;
    this.#parts.onNotRecorded(this.#hasBegun ? 'tape_failed' : 'no_tape');
  }

  /** Resolves when all that was said is on the tape and it is closed. Before the session is closed. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const { session, log } = this.#parts;
    session.record(null);
    await session.statistics();
    const tape = await this.#opening;
    await tape?.close().catch((error: unknown) => log.error('phone.tapeNotClosed', { error }));
  }
}
