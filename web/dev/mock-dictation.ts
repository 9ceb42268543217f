import type { Dictation, DictationEvents } from '@teleconsult/client-sdk/records';
import type { RecordingView } from '@teleconsult/protocol';
import { MockEvents } from './mock-events.ts';
import { mockVoice } from './mock-media.ts';

const TICK_MS = 200;

/** A dictation whose clock runs, and whose bytes reach the server a second later while there is a connection. */
export class MockDictation implements Dictation {
  readonly id: string;
  readonly purpose: Dictation['purpose'];
  readonly followUpId: string | null;
  readonly startedAt: number;
  readonly #events = new MockEvents<DictationEvents>();
  readonly on = this.#events.on;
  readonly #onChange: () => void;
  readonly #recorded: (dictation: MockDictation) => RecordingView;
  state: Dictation['state'] = 'recording';
  error: Error | null = null;
  durationMs = 0;
  keptMs = 0;
  savedMs = 0;
  recording: RecordingView | null = null;
  /** Nothing reaches the server. */
  isOffline = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: {
    readonly id: string;
    readonly purpose: Dictation['purpose'];
    readonly followUpId?: string | undefined;
    readonly onChange: () => void;
    readonly recorded: (dictation: MockDictation) => RecordingView;
  }) {
    this.id = options.id;
    this.purpose = options.purpose;
    this.followUpId = options.followUpId ?? null;
    this.startedAt = Date.now();
    this.#onChange = options.onChange;
    this.#recorded = options.recorded;
  }

  /** As after so much time. */
  become(change: Partial<Pick<Dictation, 'state' | 'durationMs' | 'keptMs' | 'savedMs'>>): this {
    Object.assign(this, change);
    clearInterval(this.#timer);
    if (this.state === 'recording') this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#events.emit('changed', this);
    this.#onChange();
    return this;
  }

  pause(): void {
    this.become({ state: 'paused', keptMs: this.durationMs });
  }

  resume(): void {
    this.become({ state: 'recording' });
  }

  async continue(): Promise<void> {
    this.resume();
  }

  async finish(): Promise<RecordingView> {
    this.become({ state: 'finishing', keptMs: this.durationMs });
    if (this.isOffline) return new Promise(() => {});
    await new Promise((resolve) => setTimeout(resolve, 150));
    this.recording = this.#recorded(this);
    this.become({ state: 'finished', savedMs: this.durationMs });
    return this.recording;
  }

  async discard(): Promise<void> {
    this.become({ state: 'finished', durationMs: 0 });
  }

  async blobs(): Promise<readonly Blob[]> {
    return [mockVoice(4)];
  }

  #tick(): void {
    this.durationMs += TICK_MS;
    this.keptMs = Math.max(0, this.durationMs - TICK_MS);
    if (!this.isOffline) this.savedMs = Math.max(this.savedMs, this.durationMs - 1000);
    this.#events.emit('level', Math.abs(Math.sin(performance.now() / 170)));
    this.#events.emit('changed', this);
  }
}
