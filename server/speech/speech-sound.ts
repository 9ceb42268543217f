import { AppError, MAX_VOICE_MS } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { type ChildLimits, runLimitedChild } from '../attachments/limited-child.ts';
import type { VoiceTools } from '../attachments/voice.ts';

/** Samples a second that speech services are trained on. */
const SAMPLE_RATE = 16_000;
const BYTES_PER_SAMPLE = 2;

/** Ten minutes are 19 MB of samples and take 2 s of one core; the rest is for a busy machine. */
const LIMITS: ChildLimits = {
  wallClockMs: 30_000,
  cpuSeconds: 30,
  memoryBytes: 512 * 1024 * 1024,
  outputBytes: ((MAX_VOICE_MS + 10_000) / 1_000) * SAMPLE_RATE * BYTES_PER_SAMPLE,
};

/** What this server stores of voice messages (attachments/voice.ts), and nothing else. */
const ARGUMENTS = [
  ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-threads', '1', '-filter_threads', '1'],
  ['-protocol_whitelist', 'pipe', '-codec_whitelist', 'opus,libopus', '-f', 'matroska', '-i', 'pipe:0'],
  ['-map', '0:a:0', '-map_metadata', '-1', '-ac', '1', '-ar', String(SAMPLE_RATE)],
  ['-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1'],
].flat();

/**
 * The sound of a stored voice message as 16 kHz mono PCM, decoded in a child process that reads and writes pipes only.
 * @throws AppError MEDIA_UNAVAILABLE when it cannot be decoded now, SHUTTING_DOWN when `signal` ended it
 */
export async function speechSound(
  voice: Uint8Array,
  { ffmpegPath, prlimitPath }: VoiceTools,
  signal: AbortSignal,
): Promise<Buffer> {
  if (ffmpegPath === null)
    throw new AppError('MEDIA_UNAVAILABLE', { cause: new Error('There is no ffmpeg.') });
  const outcome = await runLimitedChild({
    command: ffmpegPath,
    args: ARGUMENTS,
    input: voice,
    limits: LIMITS,
    prlimitPath,
    signal,
  });
  switch (outcome.ended) {
    case 'exited':
      if (outcome.code === 0 && outcome.output.byteLength > 0) return outcome.output;
      throw new AppError('MEDIA_UNAVAILABLE', { cause: new Error(`ffmpeg exited with ${outcome.code}.`) });
    case 'given up':
      throw new AppError('SHUTTING_DOWN');
    case 'killed':
    case 'out of time':
    case 'too much output':
      throw new AppError('MEDIA_UNAVAILABLE', { cause: new Error(`ffmpeg was ended: ${outcome.ended}.`) });
    case 'not started':
      throw new AppError('MEDIA_UNAVAILABLE', { cause: outcome.cause });
    default:
      return unreachable(outcome);
  }
}
