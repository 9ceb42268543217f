import { AppError, type FileId } from '@teleconsult/protocol';
import type { Log } from '../host/ports.ts';
import type { RecordingStore, StoredFile, TrackFiles } from '../recordings/ports.ts';
import { type FileFacts, openFileFacts, sealFileFacts } from '../recordings/sealed-facts.ts';
import { type Measurement, measureFile } from './measure-file.ts';
import type { MediaTools } from './media-child.ts';
import type { Consultations } from './recording-access.ts';

export interface MeasuringParts {
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  readonly host: Consultations;
  readonly tools: MediaTools;
  readonly log: Log;
  /** A file of this recording has its length and loudness now. */
  readonly onMeasured: (file: StoredFile) => void;
}

/** How many are looked up at a time. */
const LOOKED_UP = 50;
/** A store or a key that cannot be used now is asked again after this. */
const AGAIN_MS = 30_000;
/** So many files that could not be measured now are left alone until asked again; beyond them all are. */
const MAX_PUT_OFF = 1_000;

/**
 * Measures finished files, one at a time, behind everything else. What is to be measured is what the store says was not, so
 * nothing is forgotten by a restart and nothing waits in memory.
 */
export class Measuring {
  readonly #parts: MeasuringParts;
  readonly #closing = new AbortController();
  readonly #putOff = new Set<FileId>();
  #running: Promise<void> | null = null;
  #isAsked = false;
  #again: NodeJS.Timeout | null = null;

  constructor(parts: MeasuringParts) {
    this.#parts = parts;
  }

  /** There may be something to measure: after a start, and after each finished file. */
  look(): void {
    this.#isAsked = true;
    if (this.#closing.signal.aborted || this.#running !== null) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      if (this.#isAsked) this.look();
    });
  }

  /**
   * Measures a finished file now.
   * @param signal gives it up
   * @throws what reading or writing throws; the abort reason when it was given up
   */
  async measure(file: StoredFile, signal?: AbortSignal): Promise<FileFacts> {
    const { store, files, host, tools } = this.#parts;
    const { consultationId, recordingId, fileId, kind } = file;
    const { key } = await host.sealing(consultationId, null);
    const facts = openFileFacts(key, file);
    let found: Measurement;
    try {
      await using opened = await files.open({ consultationId, recordingId, fileId, key }, file);
      found = await measureFile(opened, {
        tools,
        contentType: facts.contentType,
        samples: facts.samples,
        hasSound:
          kind === 'composed' || facts.source === 'microphone' || facts.contentType.startsWith('audio/'),
        signal: signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]),
      });
    } catch (error) {
      // What is damaged or gone stays as it is, and is not read again and again.
      if (!(error instanceof AppError) || error.retryable) throw error;
      this.#parts.log.error('recording.notMeasured', { recording: recordingId, file: fileId, error });
      found = { durationMs: null, waveform: null, seekIndex: null };
    }
    const { durationMs, waveform, seekIndex, channelWaveforms } = found;
    const measured: FileFacts = {
      ...facts,
      durationMs: durationMs ?? facts.durationMs,
      waveform,
      ...(seekIndex === null ? {} : { seekIndex }),
      ...(channelWaveforms === undefined ? {} : { channelWaveforms }),
    };
    if (await store.measuredFile({ fileId, sealed: sealFileFacts(key, fileId, measured) }))
      this.#parts.onMeasured(file);
    return measured;
  }

  /** Gives up what is being measured; it is measured after the next start. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#running;
  }

  async #work(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        const waiting = await store.unmeasuredFiles(LOOKED_UP + this.#putOff.size);
        const due = waiting.filter(({ fileId }) => !this.#putOff.has(fileId));
        for (const file of due) {
          // Where nothing can be measured now the rest waits, too: they would be tried over and over.
          if (this.#closing.signal.aborted || this.#putOff.size >= MAX_PUT_OFF) return;
          await this.#try(file);
        }
        if (due.length >= LOOKED_UP) this.#isAsked = true;
      }
    } catch (error) {
      log.warn('recording.measuringFailed', { error });
      this.#tryAgain();
    }
  }

  /** One that cannot be measured must not keep the others. */
  async #try(file: StoredFile): Promise<void> {
    try {
      await this.measure(file);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#parts.log.warn('recording.measuringFailed', { file: file.fileId, error });
      this.#putOff.add(file.fileId);
      this.#tryAgain();
    }
  }

  #tryAgain(): void {
    if (this.#closing.signal.aborted || this.#again !== null) return;
    this.#again = setTimeout(() => {
      this.#again = null;
      this.#putOff.clear();
      this.look();
    }, AGAIN_MS);
    this.#again.unref();
  }
}
