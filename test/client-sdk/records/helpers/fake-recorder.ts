/** As a browser's MediaRecorder that says something only when the test does. */
export class FakeRecorder extends EventTarget {
  static supported: readonly string[] = ['audio/webm;codecs=opus', 'audio/mp4'];
  static isTypeSupported = (type: string): boolean => FakeRecorder.supported.includes(type);
  /** All that were made, in order. */
  static readonly made: FakeRecorder[] = [];
  /** How long it takes until what was handed over can be read. */
  static readingMs = 0;
  readonly mimeType: string;
  readonly bitsPerSecond: number;
  readonly stream: MediaStream;
  state: RecordingState = 'inactive';
  sliceMs = 0;
  /** Handed over with the next question for data, or at the end. */
  pending: Uint8Array<ArrayBuffer> | null = null;

  constructor(stream: MediaStream, options: MediaRecorderOptions = {}) {
    super();
    this.stream = stream;
    this.mimeType = options.mimeType ?? '';
    this.bitsPerSecond = options.audioBitsPerSecond ?? 0;
    FakeRecorder.made.push(this);
    for (const track of stream.getTracks()) track.addEventListener('ended', () => this.stop());
  }

  static get last(): FakeRecorder {
    const last = FakeRecorder.made.at(-1);
    if (last === undefined) throw new Error('nothing records');
    return last;
  }

  static reset(): void {
    FakeRecorder.made.length = 0;
    FakeRecorder.readingMs = 0;
    FakeRecorder.supported = ['audio/webm;codecs=opus', 'audio/mp4'];
  }

  start(sliceMs: number): void {
    this.sliceMs = sliceMs;
    this.state = 'recording';
  }

  pause(): void {
    this.state = 'paused';
  }

  resume(): void {
    this.state = 'recording';
  }

  requestData(): void {
    if (this.pending !== null) this.say(this.pending);
    this.pending = null;
  }

  stop(): void {
    if (this.state === 'inactive') return;
    this.state = 'inactive';
    queueMicrotask(() => {
      this.requestData();
      this.dispatchEvent(new Event('stop'));
    });
  }

  /** A slice. */
  say(bytes: Uint8Array<ArrayBuffer>): void {
    const data = new Blob([bytes]);
    const { readingMs } = FakeRecorder;
    if (readingMs > 0)
      data.arrayBuffer = () => new Promise((resolve) => setTimeout(() => resolve(bytes.buffer), readingMs));
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data }));
  }

  fail(): void {
    this.dispatchEvent(new Event('error'));
  }
}
