import type { SampleFormat } from '../recordings/sample-format.ts';
import { SoundMeter } from './sound-meter.ts';
import { FORMAT_TAGS } from './wave-head.ts';

/** What a pass over a WAV file found. Places count from the beginning of the file. */
export interface ScannedWave {
  readonly format: SampleFormat;
  readonly samplesStart: number;
  readonly samplesEnd: number;
  readonly meter: SoundMeter;
}

const RIFF_BYTES = 12;
const CHUNK_HEAD = 8;
/** As much of a description of samples as is looked at. */
const KIND_BYTES = 16;
/** What those write who do not know the length yet. */
const UNKNOWN: ReadonlySet<number> = new Set([0, 0xffff_ffff]);

type State =
  | { readonly at: 'riff' }
  | { readonly at: 'chunk' }
  | { readonly at: 'kind'; readonly byteSize: number }
  | { readonly at: 'samples' }
  | { readonly at: 'over' };

/**
 * Reads a WAV file as it passes by, in bounded memory: where its samples lie and how loud they are. Never throws: what is
 * malformed, or not of a kind that is known here, ends what is read.
 */
export class WaveScanner {
  #state: State = { at: 'riff' };
  #pending: Buffer = Buffer.alloc(0);
  /** Where `#pending` begins in the file. */
  #at = 0;
  #skip = 0;
  #format: SampleFormat | null = null;
  #meter: SoundMeter | null = null;
  #samplesStart = 0;
  #samplesEnd = 0;
  /** Of the samples, as their chunk says; null: to the end of the file. */
  #left: number | null = null;

  push(bytes: Uint8Array): void {
    if (this.#state.at === 'over') return;
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pending = this.#pending.byteLength === 0 ? given : Buffer.concat([this.#pending, given]);
    while (this.#step());
    // What waits is a few bytes; the piece that they came in is let go.
    this.#pending = Buffer.from(this.#pending);
  }

  /** null when it is no such file, or holds no sound of a kind that is known here. */
  result(): ScannedWave | null {
    if (this.#format === null || this.#meter === null || this.#meter.durationMs === 0) return null;
    const { format, meter } = { format: this.#format, meter: this.#meter };
    return { format, meter, samplesStart: this.#samplesStart, samplesEnd: this.#samplesEnd };
  }

  /** False when more bytes are needed, or there is nothing more to read. */
  #step(): boolean {
    if (this.#skip > 0) {
      this.#skip -= this.#consume(Math.min(this.#skip, this.#pending.byteLength)).byteLength;
      if (this.#skip > 0) return false;
    }
    switch (this.#state.at) {
      case 'riff':
        return this.#riff();
      case 'chunk':
        return this.#chunk();
      case 'kind':
        return this.#kind(this.#state.byteSize);
      case 'samples':
        return this.#samples();
      case 'over':
        this.#pending = Buffer.alloc(0);
        return false;
      default: {
        const unreachable: never = this.#state;
        return unreachable;
      }
    }
  }

  #riff(): boolean {
    if (this.#pending.byteLength < RIFF_BYTES) return false;
    const head = this.#consume(RIFF_BYTES).toString('latin1');
    this.#state = { at: head.startsWith('RIFF') && head.endsWith('WAVE') ? 'chunk' : 'over' };
    return true;
  }

  #chunk(): boolean {
    if (this.#pending.byteLength < CHUNK_HEAD) return false;
    const head = this.#consume(CHUNK_HEAD);
    const [name, byteSize] = [head.toString('latin1', 0, 4), head.readUInt32LE(4)];
    if (name === 'fmt ') this.#state = { at: byteSize < KIND_BYTES ? 'over' : 'kind', byteSize };
    else if (name === 'data') this.#begin(byteSize);
    else this.#skip = byteSize + (byteSize % 2);
    return true;
  }

  #kind(byteSize: number): boolean {
    if (this.#pending.byteLength < KIND_BYTES) return false;
    const kind = this.#consume(KIND_BYTES);
    this.#skip = byteSize - KIND_BYTES + (byteSize % 2);
    this.#format = formatOf(kind);
    this.#state = { at: this.#format === null ? 'over' : 'chunk' };
    return true;
  }

  #begin(byteSize: number): void {
    if (this.#format === null) {
      this.#state = { at: 'over' };
      return;
    }
    this.#meter = new SoundMeter(this.#format);
    this.#samplesStart = this.#at;
    this.#samplesEnd = this.#at;
    this.#left = UNKNOWN.has(byteSize) ? null : byteSize;
    this.#state = { at: 'samples' };
  }

  #samples(): boolean {
    const count = Math.min(this.#left ?? Number.POSITIVE_INFINITY, this.#pending.byteLength);
    this.#meter?.push(this.#consume(count));
    this.#samplesEnd = this.#at;
    if (this.#left !== null) this.#left -= count;
    if (this.#left !== 0) return false;
    this.#state = { at: 'over' };
    return true;
  }

  #consume(byteSize: number): Buffer {
    const bytes = this.#pending.subarray(0, byteSize);
    this.#pending = this.#pending.subarray(byteSize);
    this.#at += byteSize;
    return bytes;
  }
}

/** null: of another kind. */
function formatOf(kind: Buffer): SampleFormat | null {
  const [tag, channels, rate, bits] = [
    kind.readUInt16LE(0),
    kind.readUInt16LE(2),
    kind.readUInt32LE(4),
    kind.readUInt16LE(14),
  ];
  const encoding = ENCODINGS[`${tag}/${bits}`];
  if (encoding === undefined || (channels !== 1 && channels !== 2)) return null;
  return rate >= 1_000 && rate <= 192_000 ? { encoding, channels, rate } : null;
}

const ENCODINGS: Readonly<Record<string, SampleFormat['encoding']>> = {
  [`${FORMAT_TAGS.pcm}/16`]: 'pcm',
  [`${FORMAT_TAGS.alaw}/8`]: 'alaw',
  [`${FORMAT_TAGS.mulaw}/8`]: 'mulaw',
};
