import { startVoiceRecorder } from '@teleconsult/client-sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loudness } from '../../client-sdk/device-level.ts';
import { codeOf } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';

/** As a browser's MediaRecorder: hands over one piece a second, and the last one when it stops. */
class FakeMediaRecorder extends EventTarget {
  static supported = ['audio/webm;codecs=opus', 'audio/mp4'];
  static isTypeSupported = (type: string) => FakeMediaRecorder.supported.includes(type);
  readonly mimeType: string;
  state: RecordingState = 'inactive';
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(_stream: MediaStream, { mimeType = 'audio/whatever' }: MediaRecorderOptions) {
    super();
    this.mimeType = mimeType;
  }

  start(sliceMs: number): void {
    this.state = 'recording';
    this.#timer = setInterval(() => this.#handOver('piece'), sliceMs);
  }

  stop(): void {
    this.state = 'inactive';
    clearInterval(this.#timer);
    this.#handOver('end');
    queueMicrotask(() => this.dispatchEvent(new Event('stop')));
  }

  #handOver(data: string): void {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob([data]) }));
  }
}

describe('the voice recorder', () => {
  const media = () => new FakeMedia();

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('MediaRecorder', FakeMediaRecorder);
    FakeMediaRecorder.supported = ['audio/webm;codecs=opus', 'audio/mp4'];
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('[SDK80] records until it is stopped, and frees the microphone', async () => {
    const fake = media();
    const recorder = await startVoiceRecorder({ media: fake });
    expect(recorder.state).toBe('recording');
    await vi.advanceTimersByTimeAsync(2_500);
    expect(recorder.durationMs).toBeCloseTo(2_500, -2);
    expect(recorder.level).toBe(0);
    const blob = await recorder.stop();
    expect(await recorder.stop()).toBe(blob);
    expect(await blob.text()).toBe('piecepieceend');
    expect(blob.type).toBe('audio/webm;codecs=opus');
    expect(recorder.state).toBe('stopped');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(recorder.durationMs).toBeCloseTo(2_500, -2);
    expect(fake.running).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [['audio/ogg;codecs=opus', 'audio/mp4'], 'audio/ogg;codecs=opus'],
    [['audio/mp4'], 'audio/mp4'],
    [[], 'audio/whatever'],
  ])('[SDK80] of %j it writes %s', async (supported, written) => {
    FakeMediaRecorder.supported = supported;
    const recorder = await startVoiceRecorder({ media: media() });
    expect((await recorder.stop()).type).toBe(written);
  });

  it('[SDK80] stops by itself after ten minutes, and what was said is kept', async () => {
    const recorder = await startVoiceRecorder({ media: media() });
    await vi.advanceTimersByTimeAsync(11 * 60_000);
    expect(recorder.state).toBe('stopped');
    expect(recorder.durationMs).toBeCloseTo(10 * 60_000, -2);
    expect((await recorder.stop()).size).toBeGreaterThan(0);
  });

  it('[SDK80] cancelling throws the recording away', async () => {
    const fake = media();
    const recorder = await startVoiceRecorder({ media: fake });
    recorder.cancel();
    expect(recorder.state).toBe('stopped');
    expect(await codeOf(recorder.stop())).toBe('ABORTED');
    expect(fake.running).toEqual([]);
    recorder.cancel();
  });

  it.each([
    ['NotAllowedError', 'PERMISSION_DENIED'],
    ['NotFoundError', 'DEVICE_UNAVAILABLE'],
    ['NotReadableError', 'DEVICE_UNAVAILABLE'],
  ])('[SDK80] a microphone refused with %s is %s', async (name, code) => {
    const fake = media();
    fake.refuse = () => name;
    expect(await codeOf(startVoiceRecorder({ media: fake }))).toBe(code);
  });

  it('[SDK80] giving up while the browser asks frees the microphone', async () => {
    const fake = media();
    const abort = new AbortController();
    fake.refuse = () => {
      abort.abort();
      return null;
    };
    expect(await codeOf(startVoiceRecorder({ media: fake, signal: abort.signal }))).toBe('ABORTED');
    expect(fake.running).toEqual([]);
  });

  it('[SDK80] where nothing can record, it says so', async () => {
    vi.stubGlobal('MediaRecorder', undefined);
    expect(await codeOf(startVoiceRecorder({ media: media() }))).toBe('UNSUPPORTED_BROWSER');
  });

  it('[SDK80] the level is 0 for silence, 1 for full scale, and even for the ear between', () => {
    expect(loudness(new Float32Array(1024))).toBe(0);
    expect(loudness(new Float32Array(1024).fill(1))).toBe(1);
    expect(loudness(new Float32Array(1024).fill(10 ** (-30 / 20)))).toBeCloseTo(0.5, 5);
    expect(loudness(new Float32Array(0))).toBe(0);
  });
});
