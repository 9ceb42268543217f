import { AppError } from '@teleconsult/protocol/errors';
import { MAX_VOICE_MS } from '@teleconsult/protocol/limits';
import type { VoiceRecorder, VoiceRecorderOptions } from './api.ts';
import { type LevelMeter, openLevelMeter } from './device-level.ts';
import { throwIfAborted } from './lifetime.ts';
import { MediaDevice } from './media-device.ts';

/** Best first: Opus in the container that the browser can write. Safari before 18.4 writes only MP4. */
const CONTENT_TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];
/** Opus is transparent for speech from about 24 kbit/s on; ten minutes are 2.4 MB. */
const BITS_PER_SECOND = 32_000;
/** The recorder hands over what it has this often, so that a stop loses nothing and needs no long flush. */
const SLICE_MS = 1_000;

type State =
  | { readonly kind: 'recording'; readonly startedAt: number }
  | { readonly kind: 'stopped'; readonly durationMs: number };

/**
 * Asks for the microphone and begins to record. Rejects with `PERMISSION_DENIED`, `DEVICE_UNAVAILABLE`, or
 * `UNSUPPORTED_BROWSER` where there is no MediaRecorder.
 */
export async function startVoiceRecorder(options: VoiceRecorderOptions = {}): Promise<VoiceRecorder> {
  throwIfAborted(options.signal);
  if (typeof MediaRecorder !== 'function')
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no MediaRecorder' });
  const stream = await new MediaDevice(options.media).capture({ audio: true, video: false });
  try {
    throwIfAborted(options.signal);
    return new MicrophoneRecorder(stream);
  } catch (error) {
    stopAll(stream);
    throw error;
  }
}

class MicrophoneRecorder implements VoiceRecorder {
  readonly #stream: MediaStream;
  readonly #recorder: MediaRecorder;
  readonly #meter: LevelMeter | null;
  readonly #parts: Blob[] = [];
  readonly #recording = Promise.withResolvers<Blob>();
  readonly #limit: ReturnType<typeof setTimeout>;
  #state: State = { kind: 'recording', startedAt: performance.now() };

  constructor(stream: MediaStream) {
    this.#stream = stream;
    const mimeType = CONTENT_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.#recorder = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      ...(mimeType !== undefined && { mimeType }),
    });
    this.#recording.promise.catch(() => {});
    this.#recorder.addEventListener('dataavailable', ({ data }) => {
      if (data.size > 0) this.#parts.push(data);
    });
    // Also when the microphone goes away: what was said until then is kept.
    this.#recorder.addEventListener('stop', () => {
      this.#finish();
      this.#recording.resolve(new Blob(this.#parts, { type: this.#recorder.mimeType }));
    });
    this.#recorder.addEventListener('error', (event) => {
      this.#finish();
      this.#recording.reject(new AppError('DEVICE_UNAVAILABLE', { cause: event }));
    });
    this.#recorder.start(SLICE_MS);
    const [microphone] = stream.getAudioTracks();
    // A recording without a meter is better than none.
    this.#meter = microphone === undefined ? null : openLevelMeter(microphone);
    this.#limit = setTimeout(() => this.#recorder.stop(), MAX_VOICE_MS);
  }

  get state(): VoiceRecorder['state'] {
    return this.#state.kind;
  }

  get durationMs(): number {
    return this.#state.kind === 'recording'
      ? performance.now() - this.#state.startedAt
      : this.#state.durationMs;
  }

  get level(): number {
    return this.#state.kind === 'recording' && this.#meter !== null ? this.#meter.read() : 0;
  }

  stop(): Promise<Blob> {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    return this.#recording.promise;
  }

  cancel(): void {
    this.#recording.reject(new AppError('ABORTED'));
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    this.#finish();
    this.#parts.length = 0;
  }

  #finish(): void {
    if (this.#state.kind === 'stopped') return;
    this.#state = { kind: 'stopped', durationMs: this.durationMs };
    clearTimeout(this.#limit);
    stopAll(this.#stream);
    this.#meter?.close();
  }
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
