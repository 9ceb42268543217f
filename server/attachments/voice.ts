import { AppError, MAX_VOICE_MS, VOICE_PEAK_COUNT } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { type ChildLimits, type ChildOutcome, runLimitedChild } from './limited-child.ts';
import { mp4IndexFirst } from './mp4-index-first.ts';
import { refuse, refuseSize } from './refusal.ts';
import { type Format, nameOfFormat, sniff } from './sniff.ts';
import { createPeakMeter } from './voice-peaks.ts';
import { makeWebmSeekable } from './webm-seekable.ts';

/** A voice message made anew: one mono Opus track of 28 kbit/s without tags. */
export interface ProcessedVoice {
  readonly bytes: Buffer;
  readonly contentType: typeof VOICE_CONTENT_TYPE;
  readonly durationMs: number;
  /** Loudness over time, 64 values of 0 to 100. */
  readonly peaks: number[];
}

export interface VoiceTools {
  /** The ffmpeg to run, or null where there is none: voice messages are then refused for the time being. */
  readonly ffmpegPath: string | null;
  readonly prlimitPath: string | null;
  /** Ends running children, for when the server closes. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * WebM and not Ogg: Safari plays Opus in WebM since 17.4, in Ogg only since 18.4 and only on macOS 15.4 and later.
 * Ogg would spare us `makeWebmSeekable`, as its duration needs no index; being heard matters more.
 */
export const VOICE_CONTENT_TYPE = 'audio/webm; codecs=opus';

/** Recorders stop a little late; nobody loses a message over it. */
const GRACE_MS = 2_000;

/** Samples a second that peaks and duration are measured at. */
const METER_RATE = 16_000;

/** Ten minutes take 9 s of one core; the rest is for a busy machine. */
const LIMITS: ChildLimits = {
  wallClockMs: 90_000,
  cpuSeconds: 60,
  memoryBytes: 512 * 1024 * 1024,
  // Ten minutes at 28 kbit/s are 2.1 MB.
  outputBytes: 8 * 1024 * 1024,
};

/** ffmpeg's names of the formats that recorders write. It is told which to use and guesses nothing. */
const DEMUXERS: Partial<Record<Format, string>> = {
  ogg: 'ogg',
  webm: 'matroska',
  mp4: 'mp4',
  wav: 'wav',
  mp3: 'mp3',
};

const DECODERS =
  'opus,libopus,vorbis,aac,mp3,mp3float,flac,alac,pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le';

/** One stream of what ffmpeg found in the file, as it reports on standard error. */
const STREAM_LINE = /^\[info\] {3}Stream #0:\d+[^:]*: (Audio|Video|Subtitle|Data|Attachment)/gm;

/** Something that ffmpeg could not read but read over. */
const COMPLAINT = /^(?:\[[^\]]* @ [^\]]*\] )?\[error\]/gm;

/** How much sound ffmpeg found between what it could not read. */
const BYTES_READ = /^\[verbose\] {3}Input stream #0:0 \(audio\): \d+ packets read \((\d+) bytes\)/m;

/**
 * The smallest part of a file that is sound. Silence in short fragments is an eighth; where it is less, most of
 * what was said could not be read, and half a message may say the opposite of the whole.
 */
const MIN_SOUND_SHARE = 0.1;

/** A recording whose end is missing, because the recorder was killed, makes up to three. */
const MAX_COMPLAINTS = 3;

/**
 * Makes a voice message anew from WebM, Ogg, MP4, WAV or MP3. ffmpeg decodes in a child process that reads and writes
 * pipes only and is killed after 90 s.
 * @throws AppError UNSUPPORTED_MEDIA, TOO_LARGE with a reason for people
 * @throws AppError SHUTTING_DOWN when `tools.signal` ended it
 * @throws AppError MEDIA_UNAVAILABLE when ffmpeg is missing or was ended from outside: try later
 */
export async function processVoice(bytes: Buffer, tools: VoiceTools): Promise<ProcessedVoice> {
  const format = sniff(bytes);
  const demuxer = format === null ? undefined : DEMUXERS[format];
  if (demuxer === undefined) {
    const name = await nameOfFormat(bytes);
    throw refuse(`${name} is not accepted as a voice message. Send WebM, Ogg, MP4, WAV or MP3.`);
  }
  if (tools.ffmpegPath === null)
    throw new AppError('MEDIA_UNAVAILABLE', { cause: new Error('There is no ffmpeg.') });
  const meter = createPeakMeter(METER_RATE);
  const outcome = await runLimitedChild({
    command: tools.ffmpegPath,
    args: argumentsFor(demuxer),
    input: format === 'mp4' ? mp4IndexFirst(bytes) : bytes,
    limits: LIMITS,
    prlimitPath: tools.prlimitPath,
    signal: tools.signal,
    onSideOutput: (chunk) => meter.push(chunk),
  });
  const { sound, bytesRead } = soundOf(outcome);
  const durationMs = meter.durationMs();
  if (durationMs === 0) throw refuse('There is no sound in the voice message.');
  if (durationMs > MAX_VOICE_MS + GRACE_MS) throw refuseSize('The voice message is longer than ten minutes.');
  if (bytesRead < bytes.byteLength * MIN_SOUND_SHARE) throw damaged();
  return {
    bytes: makeWebmSeekable(sound, durationMs),
    contentType: VOICE_CONTENT_TYPE,
    durationMs,
    peaks: meter.peaks(VOICE_PEAK_COUNT),
  };
}

function argumentsFor(demuxer: string): string[] {
  // A little beyond what is allowed, so that what is too long can be told from what just fits.
  const stop = ['-t', String((MAX_VOICE_MS + 2 * GRACE_MS) / 1000)];
  const clean = [
    '-map_metadata',
    '-1',
    '-map_chapters',
    '-1',
    '-fflags',
    '+bitexact',
    '-flags:a',
    '+bitexact',
  ];
  const split =
    // Gaps in the timestamps become silence, so that both outputs are equally long.
    '[0:a:0]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=mono,asplit[voice][copy];' +
    `[copy]aresample=${METER_RATE}[meter]`;
  return [
    [
      '-hide_banner',
      '-nostdin',
      '-nostats',
      '-loglevel',
      'level+verbose',
      '-threads',
      '1',
      '-filter_threads',
      '1',
    ],
    // Nothing is opened but the pipe, whatever the file asks for, and nothing decodes that a recorder does not write.
    ['-protocol_whitelist', 'pipe', '-codec_whitelist', DECODERS, '-f', demuxer, '-i', 'pipe:0'],
    // A tenth of the sound may be damaged; more than that is not what was said.
    ['-max_error_rate', '0.1', '-filter_complex', split],
    ['-map', '[voice]', ...clean, '-c:a', 'libopus', '-b:a', '28k', '-application', 'voip', ...stop],
    ['-f', 'webm', 'pipe:1'],
    ['-map', '[meter]', '-c:a', 'pcm_s16le', ...stop, '-f', 's16le', 'pipe:3'],
  ].flat();
}

const damaged = (): AppError => refuse('The voice message is damaged and cannot be read.');

/** The sound that ffmpeg made, and how many bytes of the upload it was made of. */
function soundOf(outcome: ChildOutcome): { sound: Buffer; bytesRead: number } {
  switch (outcome.ended) {
    case 'exited': {
      const streams = [...outcome.errors.matchAll(STREAM_LINE)].map((match) => match[1]);
      if (streams.includes('Video')) throw refuse('A voice message must not hold a picture or a video.');
      const complaints = [...outcome.errors.matchAll(COMPLAINT)].length;
      if (outcome.code === 0 && outcome.output.byteLength > 0 && complaints <= MAX_COMPLAINTS)
        return { sound: outcome.output, bytesRead: Number(BYTES_READ.exec(outcome.errors)?.[1] ?? Infinity) };
      if (streams.length > 0 && !streams.includes('Audio'))
        throw refuse('There is no sound in the voice message.');
      throw damaged();
    }
    case 'killed':
      // SIGKILL comes from the operating system when memory is short, SIGTERM from an operator.
      if (outcome.signal === 'SIGKILL' || outcome.signal === 'SIGTERM')
        throw new AppError('MEDIA_UNAVAILABLE', {
          cause: new Error(`ffmpeg was ended by ${outcome.signal}.`),
        });
      throw damaged();
    case 'out of time':
      throw refuse('The voice message takes too long to read.');
    case 'too much output':
      throw refuseSize('The voice message is too large.');
    case 'given up':
      throw new AppError('SHUTTING_DOWN');
    case 'not started':
      throw new AppError('MEDIA_UNAVAILABLE', { cause: outcome.cause });
    default:
      return unreachable(outcome);
  }
}
