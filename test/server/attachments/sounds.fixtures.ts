/** Recordings to send, made by ffmpeg as recorders make them. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { env } from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const CANARY = 'CANARY-71c2';

/** The ffmpeg to test with, or null. */
export const ffmpegPath: string | null = await firstOf([
  env.FFMPEG_PATH,
  env.FFMPEG_BIN,
  '/usr/bin/ffmpeg',
  '/usr/local/bin/ffmpeg',
  '/opt/homebrew/bin/ffmpeg',
]);

async function firstOf(paths: readonly (string | undefined)[]): Promise<string | null> {
  for (const path of paths) {
    if (path === undefined) continue;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;

/** Runs ffmpeg with its words on standard error, and returns what it writes to standard output. */
export async function ffmpeg(
  args: readonly string[],
  input?: Buffer,
): Promise<{ output: Buffer; words: string }> {
  const running = run(ffmpegPath ?? 'ffmpeg', ['-hide_banner', '-nostats', ...args], options);
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  return { output: stdout, words: stderr.toString('utf8') };
}

/** One second of silence, a tone of 440 Hz for one, then silence for the rest. */
const speech = (seconds: number) => [
  ...['-f', 'lavfi', '-i', `aevalsrc='0.8*sin(2*PI*440*t)*between(t,1,2)':s=48000:d=${seconds}`],
  ...['-metadata', `title=${CANARY}`, '-metadata', 'location=+31.2304+121.4737/'],
];

const forms = {
  /** As Chromium's and Firefox's recorders write it: live, without a length. */
  webm: ['-c:a', 'libopus', '-b:a', '32k', '-live', '1', '-f', 'webm'],
  ogg: ['-ac', '2', '-c:a', 'libopus', '-b:a', '64k', '-f', 'ogg'],
  'ogg with vorbis': ['-c:a', 'libvorbis', '-f', 'ogg'],
  /** As Safari's recorder writes it. */
  'mp4 in fragments': ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4'],
  wav: ['-c:a', 'pcm_s16le', '-f', 'wav'],
  mp3: ['-c:a', 'libmp3lame', '-f', 'mp3'],
} as const;

export type Form = keyof typeof forms;
export const formNames = Object.keys(forms) as Form[];

export async function recording(form: Form, seconds = 4): Promise<Buffer> {
  return (await ffmpeg([...speech(seconds), ...forms[form], 'pipe:1'])).output;
}

export async function silence(seconds: number): Promise<Buffer> {
  const source = ['-f', 'lavfi', '-i', `anullsrc=r=8000:cl=mono:d=${seconds}`];
  return (await ffmpeg([...source, '-c:a', 'libopus', '-b:a', '6k', '-f', 'ogg', 'pipe:1'])).output;
}

export async function video(): Promise<Buffer> {
  const sources = ['-f', 'lavfi', '-i', 'testsrc=d=1:s=64x64', '-f', 'lavfi', '-i', 'sine=d=1'];
  return (await ffmpeg([...sources, '-c:v', 'libvpx', '-c:a', 'libopus', '-f', 'webm', 'pipe:1'])).output;
}

export async function videoAlone(): Promise<Buffer> {
  const source = ['-f', 'lavfi', '-i', 'testsrc=d=1:s=64x64'];
  return (await ffmpeg([...source, '-c:v', 'libvpx', '-f', 'webm', 'pipe:1'])).output;
}

/** An MP4 whose index stands behind the sound, as iOS apps write it: a fragmented one cannot be, so it is put there. */
export async function mp4WithIndexLast(path: string): Promise<void> {
  await run(ffmpegPath ?? 'ffmpeg', ['-v', 'error', ...speech(4), '-c:a', 'aac', '-f', 'mp4', path]);
}
