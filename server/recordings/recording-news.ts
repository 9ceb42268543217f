import type { ConsultationId, RecordingId } from '@teleconsult/protocol';
import type { Publisher } from '../host/ports.ts';

/** Files begin and end many at a time: devices are told once. */
const TOGETHER_MS = 500;

/** Tells devices that watch that a recording changed, at most every half second. */
export class RecordingNews {
  readonly #publisher: Pick<Publisher, 'toWatchers'>;
  readonly #waiting = new Map<RecordingId, NodeJS.Timeout>();
  #closed = false;

  constructor(publisher: Pick<Publisher, 'toWatchers'>) {
    this.#publisher = publisher;
  }

  changed(consultationId: ConsultationId, recordingId: RecordingId): void {
    if (this.#closed || this.#waiting.has(recordingId)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(recordingId);
      this.#publisher.toWatchers(consultationId, 'recording.changed', { consultationId, recordingId });
    }, TOGETHER_MS);
    timer.unref();
    this.#waiting.set(recordingId, timer);
  }

  /** Devices find out what is new when they connect again. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }
}
