import type { Waveform } from '@teleconsult/protocol';
import type { OpenedFile } from '../recordings/ports.ts';
import type { SampleFormat } from '../recordings/sample-format.ts';
import { WebmScanner } from '../webm/scanner.ts';
import { LoudnessMeter } from './loudness.ts';
import { inputPipe, type MediaChildOutcome, type MediaTools, runMediaChild } from './media-child.ts';
import { makeSeekIndex, type SeekIndex } from './seek-index.ts';
import { SoundMeter } from './sound-meter.ts';
import { waveIndex } from './wave-head.ts';
import { WaveScanner } from './wave-scanner.ts';

/** What a pass over a finished file finds; null where it cannot be found. */
export interface Measurement {
  readonly durationMs: number | null;
  readonly waveform: Waveform | null;
  readonly seekIndex: SeekIndex | null;
  /** Of sound in two channels, each for itself. */
  readonly channelWaveforms?: readonly Waveform[];
}

export interface MeasureOptions {
  readonly tools: MediaTools;
  /** Such as `audio/webm;codecs=opus`. */
  readonly contentType: string;
  /** What is stored are samples and nothing else; left out: it is as `contentType` says. */
  readonly samples?: SampleFormat | undefined;
  readonly hasSound: boolean;
  readonly signal: AbortSignal;
}

/** Enough for the loudness of speech; Opus is cheap to bring to it. */
const METER_RATE = 8_000;
const LIMITS = {
  wallClockMs: 15 * 60_000,
  cpuSeconds: 600,
  memoryBytes: 256 * 1024 * 1024,
  outputBytes: 2 ** 31,
};

/** ffmpeg's names of what recorders write. It is told which to use and guesses nothing. */
const DEMUXERS: Readonly<Record<string, string>> = {
  'audio/webm': 'matroska',
  'video/webm': 'matroska',
  'audio/x-matroska': 'matroska',
  'video/x-matroska': 'matroska',
  'audio/ogg': 'ogg',
  'audio/mp4': 'mov',
  'audio/wav': 'wav',
  'audio/mpeg': 'mp3',
  'video/mp4': 'mov',
};
export const DECODERS = 'opus,libopus,aac,vp8,libvpx,h264,pcm_s16le,pcm_u8,pcm_alaw,pcm_mulaw,mp3,mp3float';

/** The name of a format without its codecs. */
const bare = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

/** ffmpeg’s name of what reads this type; undefined: none of ours. */
export const demuxerOf = (contentType: string): string | undefined => DEMUXERS[bare(contentType)];

/**
 * Reads a file once: its length, where a player can seek to, and how loud it is. Bounded in memory whatever its length. Of
 * sound that cannot be decoded only the rest is known.
 * @throws what reading the file throws; the abort reason when it was given up
 */
export async function measureFile(file: OpenedFile, options: MeasureOptions): Promise<Measurement> {
  const { contentType, samples, hasSound, signal, tools } = options;
  const demuxer = demuxerOf(contentType);
  if (samples !== undefined) return measureSamples(file, samples, signal);
  const wave = demuxer === 'wav' ? await measureWave(file, signal) : null;
  if (wave !== null) return wave;
  const scanner = new WebmScanner();
  async function* scanned(): AsyncGenerator<Uint8Array> {
    for await (const bytes of file.read()) {
      signal.throwIfAborted();
      scanner.push(bytes);
      yield bytes;
    }
  }
  const meter = new LoudnessMeter(METER_RATE);
  const isMeterable = hasSound && demuxer !== undefined && tools.ffmpegPath !== null;
  let isMetered = false;
  if (isMeterable) {
    // The child may stop reading early; what it left is scanned all the same.
    const passing = scanned();
    const outcome = await runMediaChild({
      tools,
      args: argumentsFor(demuxer),
      inputs: [() => unreturned(passing)],
      limits: LIMITS,
      signal,
      onOutput: (bytes) => meter.push(bytes),
    });
    throwUnreadable(outcome, signal);
    isMetered = meter.durationMs > 0;
    await drain(passing);
  } else await drain(scanned());
  const scan = demuxer === 'matroska' ? scanner.result() : null;
  const scannedMs = scan === null ? null : Math.round((scan.durationTicks * scan.timestampScale) / 1_000_000);
  return {
    durationMs: scannedMs ?? (isMetered ? meter.durationMs : null),
    waveform: isMetered ? meter.waveform() : null,
    seekIndex: scan === null ? null : makeSeekIndex(scan),
  };
}

/** Samples need nobody to decode them. */
async function measureSamples(
  file: OpenedFile,
  samples: SampleFormat,
  signal: AbortSignal,
): Promise<Measurement> {
  const meter = new SoundMeter(samples);
  for await (const bytes of file.read()) {
    signal.throwIfAborted();
    meter.push(bytes);
  }
  return { ...measurementOf(meter), seekIndex: null };
}

/** null: it is of a kind that ffmpeg may know. */
async function measureWave(file: OpenedFile, signal: AbortSignal): Promise<Measurement | null> {
  const scanner = new WaveScanner();
  for await (const bytes of file.read()) {
    signal.throwIfAborted();
    scanner.push(bytes);
  }
  const scan = scanner.result();
  if (scan === null) return null;
  const { format, samplesStart, samplesEnd, meter } = scan;
  // Who recorded it may not have known its length when its head was written.
  return { ...measurementOf(meter), seekIndex: waveIndex(format, samplesStart, samplesEnd) };
}

function measurementOf(meter: SoundMeter): Omit<Measurement, 'seekIndex'> {
  const channels = meter.channels();
  return {
    durationMs: meter.durationMs,
    waveform: meter.waveform(),
    ...(channels.length === 1 ? {} : { channelWaveforms: channels }),
  };
}

function argumentsFor(demuxer: string): string[] {
  return [
    ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'quiet', '-threads', '1', '-filter_threads', '1'],
    // Nothing is opened but the pipe, whatever the file asks for, and nothing decodes that a recorder does not write.
    [
      '-protocol_whitelist',
      'pipe',
      '-codec_whitelist',
      DECODERS,
      '-f',
      demuxer,
      '-i',
      `pipe:${inputPipe(0)}`,
    ],
    // Gaps in the time stamps become silence: a peak stands where its sound was.
    ['-map', '0:a:0', '-af', `aresample=${METER_RATE}:async=1:first_pts=0,aformat=channel_layouts=mono`],
    ['-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1'],
  ].flat();
}

function throwUnreadable(outcome: MediaChildOutcome, signal: AbortSignal): void {
  if (outcome.ended === 'broken') throw outcome.cause;
  if (outcome.ended === 'given up') signal.throwIfAborted();
}

/** The same source, which stays open when who reads it has had enough. */
async function* unreturned(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await source.next();
    if (next.done === true) return;
    yield next.value;
  }
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of source);
}
